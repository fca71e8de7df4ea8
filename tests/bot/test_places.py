"""Where files lie, from the database's URL and the configuration's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.places import control_path, database_file, database_url, key_folder

FOLDER = Path("/srv/placet")


@pytest.mark.parametrize(
    ("url", "absolute", "file", "keys"),
    [
        ("sqlite:///placet.db", "sqlite:////srv/placet/placet.db", "/srv/placet/placet.db", "/srv/placet/keys"),
        ("sqlite:///data/a.db", "sqlite:////srv/placet/data/a.db", "/srv/placet/data/a.db", "/srv/placet/data/keys"),
        ("sqlite:////var/lib/a.db", "sqlite:////var/lib/a.db", "/var/lib/a.db", "/var/lib/keys"),
        ("postgresql://me@host/placet", "postgresql://me@host/placet", None, "/srv/placet/keys"),
        ("memory://", "memory://", None, "/srv/placet/keys"),
    ],
)
def test_everything_lies_beside_the_database(url: str, absolute: str, file: str | None, keys: str) -> None:
    """A relative file begins at the configuration; a database that is no file has no control socket."""
    assert database_url(url, FOLDER) == absolute
    assert database_file(url, FOLDER) == (None if file is None else Path(file))
    assert key_folder(url, FOLDER) == Path(keys)
    assert control_path(url, FOLDER) == (None if file is None else Path(f"{file}.sock"))
