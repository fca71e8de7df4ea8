"""What surfaces keep of where they reach people and rooms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reviews.keeping import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReferences:
    """The references of one surface, in the store. No other surface sees them."""

    store: Store
    surface: str

    async def get(self, key: str) -> Mapping[str, str] | None:
        """What was kept under a key."""
        return await self.store.view(lambda tx: tx.reference(self.surface, key))

    async def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Keep it, over what was there."""
        await self.store.tx(lambda tx: tx.put_reference(self.surface, key, fields))
