"""The policy's files: loaded at start, looked at again when they change, kept by their hash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from bot.people import Directory
from policies.errors import PolicyFault
from policies.load import load
from policies.model import Policy
from reviews.errors import PolicyConflict
from reviews.events import Record
from reviews.keeping import Store, Tx

log = structlog.get_logger(__name__)


class Rules:
    """Loads the policy and notices when its files change. `fault` says why the newest text is not in force."""

    def __init__(self, path: Path, directory: Callable[[], Directory]) -> None:
        self._path, self._directory = path, directory
        self._seen: object = None
        self.fault = ""

    def load(self) -> Policy:
        """Load it now. Raises PolicyFault: a server does not start on a policy it cannot read."""
        self._seen = self._stamp()
        return load(self._path, self._directory().known)

    def changed(self, *, force: bool = False) -> Policy | None:
        """The policy anew, if its files changed and load; None otherwise, with `fault` saying why not."""
        stamp = self._stamp()
        if stamp == self._seen and not force:
            return None
        self._seen = stamp
        try:
            return load(self._path, self._directory().known)
        except (PolicyFault, OSError) as fault:
            self.fault = str(fault)
            log.error("policy_not_loaded", why=self.fault, in_force="the one before")
            return None

    async def keep(self, store: Store, policy: Policy) -> bool:
        """Keep the text by its hash. False, and `fault` set, when its version had another text before.

        The first one of a start raises PolicyConflict instead: there is none before to stay in force.
        """
        first = not self._kept
        self._kept = True

        def put(tx: Tx) -> None:
            new = tx.policy_text(policy.sha256) is None
            tx.put_policy(policy.name, policy.version, policy.sha256, policy.text, tx.now())
            if new:
                detail = {"policy": policy.name, "version": policy.version, "sha256": policy.sha256}
                tx.record(Record(kind="policy.loaded", at=tx.now(), actor="operator", detail=detail, public=False))

        try:
            await store.tx(put)
        except PolicyConflict as fault:
            self.fault = f"{policy.name} version {policy.version} had another text before. Raise `version` in the file."
            if first:
                raise PolicyConflict(self.fault) from fault
            log.error("policy_not_loaded", why=self.fault, in_force="the one before")
            return False
        self.fault = ""
        return True

    _kept = False

    def _stamp(self) -> object:
        """What changes when a file does: every policy file's time and size."""
        files = sorted(self._path.rglob("*.yml")) if self._path.is_dir() else [self._path]
        found = []
        for file in files:
            try:
                stat = file.stat()
            except FileNotFoundError:
                continue  # gone between listing and looking: the next sweep sees it gone
            found.append((str(file), stat.st_mtime_ns, stat.st_size))
        return tuple(found)
