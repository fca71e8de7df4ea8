"""Where an installation's files lie: the database, and beside it keys, calendars and the control socket.

Nothing is opened here and nothing heavy loaded: commands that only ask the server begin with this.
"""

from __future__ import annotations

from pathlib import Path

_SQLITE = "sqlite:///"


def database_url(url: str, folder: Path) -> str:
    """The database URL with a relative SQLite path made absolute from the configuration's folder."""
    if url.startswith(_SQLITE) and not url.startswith(_SQLITE + "/"):
        return f"{_SQLITE}/{(folder / url.removeprefix(_SQLITE)).absolute().as_posix().lstrip('/')}"
    return url


def database_file(url: str, folder: Path) -> Path | None:
    """The file of an embedded database; None for others."""
    absolute = database_url(url, folder)
    return Path(absolute.removeprefix(_SQLITE)) if absolute.startswith(_SQLITE + "/") else None


def key_folder(url: str, folder: Path) -> Path:
    """Where the installation's own keys lie: `keys/` beside the database."""
    database = database_file(url, folder)
    return (folder if database is None else database.parent) / "keys"


def calendar_folder(url: str, folder: Path) -> Path:
    """Where the last good copies of calendars lie: beside the database, under a name of its own."""
    database = database_file(url, folder)
    return folder / "placet.calendars" if database is None else database.with_name(f"{database.name}.calendars")


def control_path(url: str, folder: Path) -> Path | None:
    """The control socket of an embedded database; None for others, which commands open themselves."""
    database = database_file(url, folder)
    return None if database is None else database.parent / f"{database.name}.sock"
