"""Checks of the machine: Python, packages, database, keys, ports, addresses, the clock."""

from __future__ import annotations

import json
import os
import platform
import socket
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from adapters.port import Finding, bad, ok, warn
from bot.addresses import is_loopback
from bot.app import NEWEST_REVISION, held_by, open_database, revision_of
from bot.cli.house import address
from bot.clock import SystemClock
from bot.config import Config, Listener, Server
from bot.keys import SecretMissing, read_secret
from bot.neighbours import HOME, foreign
from bot.places import control_path, database_url, key_folder
from reviews.errors import StoreUnavailable
from reviews.model import Object

OLDEST = (3, 11)
#: A clock this far from a database's last write, or from what the server says, is wrong.
SKEW = timedelta(seconds=5)
#: Less room than this on the database's disk will soon stop it (bytes).
ROOM = 200_000_000
#: The longest path of a Unix socket (bytes): Linux takes 107, macOS 103.
LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107
_KEYS = ("draw",)
_LOG = "Do what it says; the server's log may say more. Then run `placet doctor` again."
_ENGINE = (
    "Keep the file on a local disk and let Placet alone write to it: then nothing has to be done today. A Python with "
    "SQLite 3.51.3 or newer ends the warning."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that runs on this configuration: its readiness as JSON, and its clock."""

    ready: Object
    at: datetime | None


def served(config: Config, folder: Path) -> Served | None:
    """What the server on this configuration says of itself; None when none answers."""
    path = control_path(config.database, folder)
    if (path is not None and not path.exists()) or not config.server.port:
        return None
    url = f"http://{_reached(config.server.host)}:{config.server.port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return _served(answer.read(), answer.headers.get("Date"))
    except urllib.error.HTTPError as fault:
        return _served(fault.read(), fault.headers.get("Date"))
    except OSError:
        return None


def _served(raw: bytes, date: str | None) -> Served | None:
    try:
        ready = json.loads(raw)
    except ValueError:
        return None  # something else listens there; the check of the port says so
    if not isinstance(ready, dict) or "checks" not in ready:
        return None
    return Served(ready=ready, at=parsedate_to_datetime(date) if date else None)


def _reached(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what to ask instead of "any address"
    return f"[{host}]" if ":" in host else host


def python() -> list[Finding]:
    """The Python that runs this."""
    version = platform.python_version()
    if sys.version_info < OLDEST:
        return [bad("python", f"{version} is too old", "Install Python 3.11 or newer and make the environment anew.")]
    return [ok("python", version)]


def packages() -> list[Finding]:
    """Whether Placet's packages lie side by side."""
    strangers = foreign()
    return [bad("packages", text) for text in strangers] or [ok("packages", f"side by side in {HOME}")]


def server(config: Config, found: Served | None) -> list[Finding]:
    """Whether the server runs well, or could listen."""
    if found is not None:
        checks = found.ready["checks"]
        faults = [
            (bad if check["vital"] else warn)(f"server: {name}", check["text"], _LOG)
            for name, check in checks.items()
            if not check["ok"]
        ]
        return faults or [ok("server", f"runs at {address(config)} and is ready")]
    listeners: list[Server | Listener] = [config.server, *([config.server.internal] if config.server.internal else [])]
    return [_port(each.host, each.port) for each in listeners]


def _port(host: str, port: int) -> Finding:
    where = f"{host}:{port}"
    if port == 0:
        return ok("port", "any free one will be taken")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as fault:
        fix = "Stop what listens there (`ss -ltnp` says what), or choose another under `server`."
        return bad("port", f"{where} cannot be listened on: {fault.strerror or fault}", fix)
    return ok("port", f"{where} is free")


# ---------------------------------------------------------------------------------------------- the database


def database(config: Config, folder: Path, found: Served | None) -> list[Finding]:
    """Whether the database opens, by whom it is held, at which revision it is."""
    url = database_url(config.database, folder)
    if url.startswith("memory:"):
        text = "memory:// forgets every review when the server stops"
        return [warn("database", text, "For anything but a try, write sqlite:///placet.db.")]
    if not url.startswith("sqlite:"):
        open_database(config, folder, SystemClock())  # refuses what is no database of ours, with what to write
        return [_revision(config, folder)]
    path = Path(url.removeprefix("sqlite:///"))
    held = [ok("database", f"{path} is served")] if found is not None else _held(path)
    readable = [_revision(config, folder)] if path.exists() and all(f.state == "ok" for f in held) else []
    return [*held, *readable, *_room(path), *_modes(path), *_socket(config, folder), *_engine(config, folder)]


def _held(path: Path) -> list[Finding]:
    if not path.parent.is_dir():
        return [bad("database", f"{path.parent} is not there", "Create the folder, or name another under `database`.")]
    if not os.access(path.parent, os.W_OK):
        return [
            bad("database", f"{path.parent} cannot be written by this user", f"chown it, or run as {_owner(path)}.")
        ]
    if (holder := held_by(path)) is not None:
        return [warn("database", holder, "If that is your server on another port or address, all is well.")]
    here = "is there, and nobody has it open" if path.exists() else "will be made by the first command"
    return [ok("database", f"{path} {here}")]


def _owner(path: Path) -> str:
    try:
        return path.parent.owner()
    except KeyError:
        return f"user {path.parent.stat().st_uid}"


def _revision(config: Config, folder: Path) -> Finding:
    try:
        at = revision_of(config, folder)
    except StoreUnavailable as fault:
        return bad("database", str(fault), "Look at `database` in placet.yml, and whether the database runs.")
    if at == NEWEST_REVISION:
        return ok("tables", f"revision {at}, the newest")
    text = f"revision {at or 'none'}; this version's is {NEWEST_REVISION}"
    return warn("tables", text, "`placet migrate`, or the next `placet serve`, brings them up to date.")


def _room(path: Path) -> list[Finding]:
    if not path.parent.is_dir():
        return []
    disk = os.statvfs(path.parent)
    free = disk.f_bavail * disk.f_frsize
    text = f"{free / 1e9:.1f} GB free beside {path.name}"
    return [warn("disk", text, "A full disk stops every decision: make room.") if free < ROOM else ok("disk", text)]


def _modes(path: Path) -> list[Finding]:
    if not path.exists() or not _open_to_others(path):
        return []
    return [bad("database", f"{path} can be read by others: it holds callback secrets", f"chmod 600 {path}")]


def _socket(config: Config, folder: Path) -> list[Finding]:
    """The control socket lies beside the database, and the kernel bounds the length of its path (unix(7))."""
    path = control_path(config.database, folder)
    if path is None or len(os.fsencode(path)) <= LONGEST_SOCKET:
        return []
    text = f"{path} is too long for the control socket: at most {LONGEST_SOCKET} bytes"
    return [bad("database", text, "Keep the database in a folder with a shorter path.")]


def _engine(config: Config, folder: Path) -> list[Finding]:
    """What the engine itself warns of, such as a SQLite whose log can be damaged by a second writer."""
    facts = open_database(config, folder, SystemClock()).facts()
    warnings = [warn("sqlite", text, _ENGINE) for text in facts["warnings"]]
    return warnings or [ok("sqlite", str(facts["version"]))]


# ---------------------------------------------------------------------------------------------- keys and addresses


def keys(config: Config, folder: Path, env: Mapping[str, str]) -> list[Finding]:
    """Whether the installation's own keys are there and nobody else's to read."""
    place = key_folder(config.database, folder)
    found = [_key(name, place, env, may_make=is_loopback(config.server.host)) for name in _KEYS]
    loose = [path for path in sorted(place.glob("*")) if _open_to_others(path)] if place.is_dir() else []
    if place.is_dir() and _open_to_others(place):
        loose.insert(0, place)
    return found + [bad("keys", f"{path} can be read by others", f"chmod go-rwx {path}") for path in loose]


def _key(name: str, place: Path, env: Mapping[str, str], *, may_make: bool) -> Finding:
    variable = f"PLACET_{name.upper()}_KEY"
    try:
        given = read_secret(env, variable)
    except SecretMissing as fault:
        return bad("keys", str(fault), "Name a file this user can read.")
    if given:
        if len(given) < 32:
            return bad("keys", f"{variable} is short", "Set 32 random bytes or more: openssl rand -base64 32")
        return ok("keys", f"{variable} is set")
    if (place / f"{name}.key").exists():
        return ok("keys", f"{place / f'{name}.key'} is there")
    if may_make:
        return ok("keys", f"{place / f'{name}.key'} will be made by the first `placet serve`")
    fix = f"Set {variable} or {variable}_FILE; `openssl rand -base64 32` makes one."
    return bad("keys", f"{variable} is not set, and on an address that is not loopback none is made", fix)


def _open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def public_url(config: Config) -> list[Finding]:
    """Whether people and agents can reach what links say."""
    given, loopback = config.server.public_url, is_loopback(config.server.host)
    if given is None:
        if loopback:
            return [ok("public_url", f"not set: links say {address(config)}, which only this machine reaches")]
        fix = "Set server.public_url to the https address of the proxy in front."
        return [bad("public_url", f"not set, and links would say {address(config)}", fix)]
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return [bad("public_url", f"{given} is no address", "Write https://placet.example.com, with no path.")]
    if parts.path or parts.query or parts.fragment:
        return [bad("public_url", f"{given} has a path", "Write the address alone, without a slash at its end.")]
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        text = f"{given} is not encrypted: sessions and keys can be read on the way"
        return [warn("public_url", text, "Put TLS in front and write https.")]
    return [ok("public_url", given)]


def clock(config: Config, folder: Path, found: Served | None) -> list[Finding]:
    """Whether time goes forward: deadlines, signatures and tokens rest on it."""
    now = datetime.now(UTC)
    if found is not None and found.at is not None and abs(now - found.at) > SKEW:
        return [
            bad("clock", f"{abs(now - found.at).total_seconds():.0f} s away from the server's", "Let NTP set both.")
        ]
    url = database_url(config.database, folder)
    path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else None
    if path is not None and path.exists():
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if written - now > SKEW:
            text = f"{now:%Y-%m-%d %H:%M} UTC is before the database's last write ({written:%Y-%m-%d %H:%M})"
            return [bad("clock", text, "Set the clock (timedatectl set-ntp true): deadlines would come too late.")]
    return [ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC; agents refuse signatures more than 5 min away from theirs")]
