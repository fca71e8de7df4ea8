# Placet in one process: its wheel and the locked dependencies, without build tools, not as root.
#   docker build -t placet .
#   docker run -p 8080:8080 -v placet:/var/lib/placet -v ./config:/etc/placet:ro --env-file placet.env placet
# /etc/placet/placet.yml says `server: {host: 0.0.0.0, port: 8080}` and `database: sqlite:////var/lib/placet/placet.db`.

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/placet
ENV PATH=/opt/placet/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Before the sources: a change of code does not install the dependencies again.
COPY requirements.lock .
RUN pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE .gitignore ./
COPY reviews reviews
COPY policies policies
COPY storage storage
COPY adapters adapters
COPY bot bot
RUN hatchling build -t wheel && pip install --no-index --no-deps dist/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/placet --create-home placet
COPY --from=build /opt/placet /opt/placet
ENV PATH=/opt/placet/bin:$PATH PYTHONUNBUFFERED=1
USER placet
WORKDIR /var/lib/placet
VOLUME /var/lib/placet
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
# The server is process 1 and stops on SIGTERM: it answers its waiters and finishes what it took on.
STOPSIGNAL SIGTERM
ENTRYPOINT ["placet"]
CMD ["serve", "--config", "/etc/placet/placet.yml"]
