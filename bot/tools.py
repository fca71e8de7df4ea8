"""What each surface can be asked by operators and by the house, found by the entry-point group `placet.tools`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapters.port import Tools

TOOLS = "placet.tools"


def entries() -> dict[str, Any]:
    """The entry points by the name of their surface; nothing of theirs is loaded."""
    from importlib import metadata  # noqa: PLC0415 - a quick start: loaded when it is asked for

    return {entry.name: entry for entry in metadata.entry_points(group=TOOLS)}


def tools_of(name: str) -> Tools | None:
    """What may be asked of a surface; None where it has nothing of the kind."""
    entry = entries().get(name)
    if entry is None:
        return None
    found: Tools = entry.load()
    return found
