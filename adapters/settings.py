"""What an operator sets for a surface, whichever it is: secrets, and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from reviews.errors import PlacetError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def loopback(url: str) -> bool:
    """Whether an address lies on this machine, as it does in tests."""
    return urlsplit(url).hostname in _LOOPBACK


def secret(env: Mapping[str, str], name: str, fault: type[PlacetError]) -> str:
    """A secret from the variable, or from the file that `NAME_FILE` names; empty where neither is set.

    Raises `fault` for a file that cannot be read.
    """
    path = env.get(f"{name}_FILE")
    if env.get(name) or not path:
        return env.get(name, "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as why:
        raise fault(f"{name}_FILE cannot be read ({why.__class__.__name__}): check the path.") from None
