"""References in memory, for adapters under test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class FakeReferences:
    """`kept` is what a restart would find."""

    kept: dict[str, dict[str, str]] = field(default_factory=dict)

    async def get(self, key: str) -> Mapping[str, str] | None:
        """What was kept under a key."""
        found = self.kept.get(key)
        return None if found is None else dict(found)

    async def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Keep it."""
        self.kept[key] = dict(fields)
