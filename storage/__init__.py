"""Where everything is kept: three engines behind one port, `reviews.keeping.Store`. Rows never leave this package."""

from storage.engine import current, migrate, open_store

__all__ = ["current", "migrate", "open_store"]
