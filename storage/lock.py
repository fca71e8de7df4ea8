"""The lock beside a SQLite file: one Placet at a time writes it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from reviews.errors import StoreUnavailable


class FileLock:
    """An advisory lock on `<database>.lock`; the kernel lets go of it when its holder dies, however it dies."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.path = database.with_name(database.name + ".lock")
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock, or raise StoreUnavailable naming who holds it."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise StoreUnavailable(
                f"Cannot make {self.path} ({fault.strerror}). Create its folder and let this user write there, "
                "or name another file under `database`."
            ) from fault
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise StoreUnavailable(
                f"{self._database} is open in another Placet (pid {holder}, lock {self.path}). "
                "Stop that one first, or name another file under `database`."
            ) from fault
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        """Let go. The file stays: removing it would let two holders lock two files of one name."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
