"""Opening the store to serve it, when a command may have its file open for a moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from bot.control_client import listened
from bot.patience import LOOK, held, looks
from reviews.errors import StoreUnavailable
from reviews.keeping import Store

log = structlog.get_logger(__name__)

#: How long a server waits for a command that has its database open (seconds).
PATIENCE = 5.0


async def start(store: Store, control: Path | None) -> None:
    """Start a store; one that a command holds is waited for, up to PATIENCE, and one that a server holds is not.

    `control` is where such a server would listen. Raises StoreUnavailable, saying who holds it.
    """
    for last in looks(PATIENCE, lambda: log.info("waiting_for_database")):
        try:
            return await store.start()
        except StoreUnavailable as fault:
            if not held(fault) or (control is not None and listened(control)):
                raise
            if last:
                raise StoreUnavailable(f"{fault} It was waited for, {PATIENCE:g} s.") from fault
        await asyncio.sleep(LOOK)
    raise AssertionError("the last look returns or raises")
