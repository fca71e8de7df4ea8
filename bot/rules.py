"""The policy's files: loaded at start, looked at again when they change; which text is in force, and since which."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from bot.people import Directory
from policies.errors import PolicyFault
from policies.explain import diff
from policies.load import load, load_text
from policies.model import Known, Policy
from reviews.errors import PolicyConflict
from reviews.events import Record
from reviews.keeping import Store, Tx
from reviews.model import Object

log = structlog.get_logger(__name__)

#: Where the hash of the text in force is kept.
SHELF, IN_FORCE = "policy", "in_force"
#: A difference longer than this (characters) is cut in the log; both texts are kept whole.
_LONGEST = 20_000


class Rules:
    """Loads the policy and notices when its files change. `fault` says why the newest text is not in force.

    `guarded`: what the files say is only proposed, and in force is what people approved (`bot/guard.py`).
    """

    def __init__(self, path: Path, directory: Callable[[], Directory], *, guarded: bool = False) -> None:
        self._path, self._directory = path, directory
        self._seen: object = None
        self._kept = False
        self.guarded = guarded
        self.fault = ""
        #: What the files say, as it loaded last.
        self.file: Policy | None = None

    def load(self) -> None:
        """Load it now. Raises PolicyFault: a server does not start on a policy it cannot read.

        Unless another text may be in force: then `first` says which.
        """
        try:
            self._seen = self.stamp()
            self.file = load(self._path, self._directory().known)
        except PolicyFault as fault:
            if not self.guarded:
                raise
            self.fault = str(fault)

    async def first(self, store: Store) -> Policy:
        """The policy to start with: where changes are guarded the one in force as kept, else the file's.

        Raises PolicyFault, PolicyConflict.
        """
        kept = await store.view(_text_in_force) if self.guarded else None
        if kept is not None and (self.file is None or kept != self.file.text):
            return load_text(kept, name="the policy in force", known=self._directory().known)
        if self.file is None:
            self.file = load(self._path, self._directory().known)  # the very first: it says what is wrong with it
        await self.keep(store, self.file)
        return self.file

    def changed(self, *, force: bool = False) -> Policy | None:
        """The policy anew, if its files changed, load and hold by that; None otherwise, with `fault` saying why not."""
        stamp = self.stamp()
        if stamp == self._seen and not force:
            return None
        self._seen = stamp
        try:
            found = load(self._path, self._directory().known)
        except (PolicyFault, OSError) as fault:
            self.fault = str(fault)
            log.error("policy_not_loaded", why=self.fault, in_force="the one before")
            return None
        self.file, self.fault = found, ""
        return None if self.guarded else found

    def fitting(self, known: Known, in_force: Policy) -> Policy:
        """The policy that loads with other names of placet.yml: the one in force, else the file's. Raises PolicyFault.

        Whoever renames a role changes two files, and neither loads with the other's old text.
        """
        try:
            return load_text(in_force.text, name=self._path.name, known=known)
        except PolicyFault:
            if self.guarded:
                raise
            return load(self._path, known)

    async def keep(self, store: Store, policy: Policy) -> bool:
        """Keep the text by its hash, in force. False, and `fault` set, when its version had another text before.

        The first one of a start raises PolicyConflict instead: there is none before to stay in force.
        """
        first, self._kept = not self._kept, True
        told = await changes(store, policy)

        def put(tx: Tx) -> None:
            put_in_force(tx, policy, tx.now(), "policy.loaded", told)

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

    def stamp(self) -> object:
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


def in_force(tx: Tx, *, change: bool = False) -> str | None:
    """The hash of the text in force, as kept; None before the first."""
    found = tx.reference(SHELF, IN_FORCE, change=change)
    return None if found is None else found["sha256"]


def _text_in_force(tx: Tx) -> str | None:
    kept = in_force(tx)
    return None if kept is None else tx.policy_text(kept)


def put_in_force(tx: Tx, policy: Policy, at: datetime, kind: str, detail: Object) -> None:
    """Keep a policy as the one in force; recorded where it was another. Raises PolicyConflict."""
    tx.put_policy(policy.name, policy.version, policy.sha256, policy.text, at)
    if in_force(tx, change=True) == policy.sha256:
        return
    tx.put_reference(SHELF, IN_FORCE, {"sha256": policy.sha256, "policy": policy.ref})
    told = {"policy": policy.name, "version": policy.version, "sha256": policy.sha256, **detail}
    tx.record(Record(kind=kind, at=at, actor="operator", detail=told, public=False))


async def changes(store: Store, policy: Policy) -> Object:
    """What changes from the policy in force to this one, for the log: `{diff}`; nothing where there is none before."""
    text = await store.view(_text_in_force)
    if text is None or text == policy.text:
        return {}
    return {"diff": told_diff(text, policy)}


def told_diff(before: str, policy: Policy) -> str:
    """The difference in the words of the policy, cut where it is long."""
    try:
        said = diff(load_text(before, name="in force"), policy)
    except PolicyFault as fault:
        said = f"The text before does not load any more: {fault}"
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}\n… cut, {len(said)} characters in all"
