"""The commands' end of the control socket (`bot/control.py`), by the standard library alone: they start quickly."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from reviews.errors import PlacetError
from reviews.model import Object

#: How long the serving process may keep a command waiting (seconds).
TIMEOUT = 10.0


class OperationFailed(PlacetError):
    """The serving process refused an operation; the sentence is its own."""


class Interrupted(PlacetError):
    """The serving process took an operation and gave no answer."""


class _Line(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("placet", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


def ask(path: Path, name: str, given: Object) -> Any:
    """Have the serving process run an operation.

    Raises ConnectionError when nobody listens, and so nobody took it; OperationFailed; Interrupted.
    """
    with closing(_Line(path)) as line:
        try:
            line.connect()
        except OSError as fault:
            raise ConnectionError(str(fault)) from fault
        try:
            line.request("POST", "/run", json.dumps({"name": name, "given": given}))
            told = json.loads(line.getresponse().read())
        except (OSError, HTTPException, ValueError) as fault:
            # Past the connection it may have been done, so it is never tried again from here.
            why = " ".join(str(fault).split()) or type(fault).__name__
            raise Interrupted(f"The server broke off ({why}). Look at its log, then whether it was done.") from fault
    if "error" in told:
        raise OperationFailed(told["error"])
    return told["result"]


def listened(path: Path) -> bool:
    """Whether a serving process listens on a control socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True  # so many ask that this one would have to queue
        except OSError:
            return False
    return True
