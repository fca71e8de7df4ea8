#!/bin/sh
# Makes .venv/ from the first Python that is new enough. PYTHON=… names one.
set -eu

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

if [ -x .venv/bin/python ] && new_enough .venv/bin/python; then exit 0; fi

for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    new_enough "$python" || continue
    if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        exec "$python" -m venv --clear .venv
    fi
    # Debian ships Python without them.
    lacks_venv=$python
done

if command -v uv >/dev/null 2>&1; then
    exec uv venv --clear --python "${lacks_venv:->=3.11}" .venv
fi
if [ -n "${lacks_venv:-}" ]; then
    echo "$lacks_venv cannot make an environment: install its venv module (Debian and Ubuntu: apt install python3-venv), then run make again." >&2
else
    echo "Placet needs Python 3.11 or newer and found none: install it, or name one with: make PYTHON=/path/to/python3.11" >&2
fi
exit 1
