"""Placet's packages have plain names, and PyPI has strangers of the same names: they must be told apart at start."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("reviews", "policies", "storage", "adapters", "bot")
HOME = Path(__file__).resolve().parent.parent


def foreign(home: Path = HOME) -> list[str]:
    """A sentence for each package that does not lie beside `bot`; nothing of theirs is run to find out."""
    found = []
    for name in PACKAGES:
        spec = find_spec(name)
        places = [Path(place).resolve() for place in (spec.submodule_search_locations or ())] if spec else []
        if spec is not None and home / name in places[:1]:
            continue
        there = places[0] if places else (spec.origin if spec is not None else "nowhere")
        found.append(
            f"The package `{name}` is found at {there}, not beside Placet's own in {home}. Placet is an application: "
            "install it into an environment of its own (python3 -m venv), and let PYTHONPATH name no other "
            f"`{name}`; agents install placet-client instead."
        )
    return found
