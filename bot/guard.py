"""Changes of the policy that people approve first (`policy_changes: reviewed`).

`placet policy apply` proposes a text; the house's own agent asks for the review; what is approved is put in force on
every replica. What is in force is kept, and wins over files that differ, also at the next start.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from bot.bulletins import publish
from bot.change_route import ACTION, guarded, missing
from bot.keys import Keyring, desk
from bot.people import Directory
from bot.rules import SHELF, Rules, in_force, put_in_force, told_diff
from bot.service import Refused, Service
from policies.errors import PolicyFault
from policies.load import load_text
from policies.model import Policy
from policies.trial import run_tests
from reviews.errors import PlacetError, PolicyConflict
from reviews.events import Record
from reviews.keeping import Tx
from reviews.model import Cause, GrantState, Object, Review, Right, Status, Target, Tier, Verb
from reviews.status import DESK
from reviews.values import replace

log = structlog.get_logger(__name__)

#: A change that takes more characters to tell is not asked for: nobody approves what they were not shown.
SHOWN = 8_000
_PROPOSED = "proposed"
_OVER = {
    Status.REJECTED: "was rejected",
    Status.EXPIRED: "expired undecided",
    Status.WITHDRAWN: "was withdrawn",
    Status.ANSWERED: "was answered, not approved",
}
_GONE = {
    GrantState.LAPSED: "was approved, and the approval lapsed before it was used",
    GrantState.REVOKED: "was approved, and the approval revoked",
    GrantState.RETURNED: "was approved, and the approval given back",
}


class CannotApply(PlacetError):
    """The change of the policy cannot be proposed; the sentence says why."""


class _Looked(Exception):
    """It would be taken; nothing of it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A change that was proposed, as kept. `over` says what came of it; empty while it waits for people."""

    sha256: str
    before: str
    text: str
    review: str
    seq: int
    over: str = ""

    def fields(self) -> dict[str, str]:
        """As it is kept on the shelf."""
        return {
            "sha256": self.sha256,
            "before": self.before,
            "text": self.text,
            "review": self.review,
            "seq": str(self.seq),
            "over": self.over,
        }

    def told(self, diff: str, status: str = "waits") -> Object:
        """To whoever proposes it."""
        return {"seq": self.seq, "review": self.review, "diff": diff, "status": status}


def _proposed(tx: Tx, *, change: bool = False) -> Proposed | None:
    found: Any = tx.reference(SHELF, _PROPOSED, change=change)
    return None if found is None else Proposed(**found | {"seq": int(found["seq"])})


def _propose(fresh: Proposed, tx: Tx) -> tuple[Proposed, Proposed | None]:
    """What is proposed from now on, and what is not: of the same text the first one stays, else the fresh one holds."""
    before = _proposed(tx, change=True)
    waits = None if before is None or before.over else before
    if waits is not None and waits.sha256 == fresh.sha256:
        return waits, fresh
    tx.put_reference(SHELF, _PROPOSED, fresh.fields())
    return fresh, waits


class Guard:
    """Proposes changes, puts in force what was approved, and says what waits. Idle where changes are free."""

    def __init__(self, service: Service, rules: Rules, keyring: Keyring, directory: Callable[[], Directory]) -> None:
        self._service, self._rules, self._keyring, self._directory = service, rules, keyring, directory
        self._said, self._fault = "", ""

    # ---------------------------------------------------------------------------- proposing

    async def propose(self, text: str, by: str | None = None) -> Object:
        """Ask people for a change to this text, in the name of `by`, who then decides nothing of it.

        `{seq, review, diff, status}`. The same text again is the same review while it waits; another takes its place.
        Raises CannotApply, PolicyFault, and what asking for a review raises.
        """
        fresh = self._fitting(text, by)
        now = self._service.router.policy
        told = told_diff(now.text, fresh)
        if len(told) > SHOWN:
            text = (
                f"The change takes {len(told)} characters to tell, and people are shown {SHOWN}. Propose it in parts."
            )
            raise CannotApply(text)
        before = await self._service.store.view(_proposed)
        if before is not None and not before.over and before.sha256 == fresh.sha256:
            return before.told(told)
        body = _body(now, fresh, told, by)
        await self._somebody(body, by)
        await self._unheard(fresh)
        asked = await self._service.submit(desk(by), body, None)
        review = asked.review
        kept = Proposed(sha256=fresh.sha256, before=now.sha256, text=fresh.text, review=review.id, seq=review.seq)
        stands, beaten = await self._service.store.tx(partial(_propose, kept))
        if beaten is not None:
            await self._withdraw(beaten)
        self._rules.changed(force=True)
        await self.say()
        return kept.told(told, str(review.status)) if stands is kept else stands.told(told)

    def _fitting(self, text: str, by: str | None) -> Policy:
        if not self._rules.guarded:
            raise CannotApply(
                "Changes of the policy are free here: change the file, and the server takes it over. For two people to "
                "approve each change, write `policy_changes: reviewed` in placet.yml and restart."
            )
        if by is not None and self._directory().person(by) is None:
            raise CannotApply(f"There is nobody {by!r} in placet.yml; --as names who proposes the change.")
        taken = self._keyring.agent(DESK)
        if taken is not None and not taken.revoked:
            raise CannotApply(f"An agent is called {DESK}, the house's own name: `placet agent revoke {DESK}` first.")
        now = self._service.router.policy
        fresh = load_text(text, name="policy", known=self._directory().known)
        if fresh.sha256 == now.sha256:
            raise CannotApply(f"{now.ref} is in force already; there is nothing to change.")
        if (fresh.name, fresh.version) == (now.name, now.version):
            raise CannotApply(f"{now.name} version {now.version} is in force with another text. Raise `version`.")
        if wrong := [test.name for test in run_tests(fresh) if not test.passed]:
            raise CannotApply(f"Tests of its own fail: {', '.join(wrong)}. `placet policy test` says how.")
        return fresh

    async def _somebody(self, body: Object, by: str | None) -> None:
        """Look that there are people who could approve. Raises CannotApply."""
        found = await self._service.explain(desk(by), body)
        directory = self._directory()
        route = guarded(found.route, self._service.router.policy, directory.config)
        if route.tier is Tier.HUMAN_ONLY:
            raise CannotApply(
                f"The policy in force routes {ACTION} as human_only, which nobody approves. Change `policy_changes` in "
                "placet.yml to free and restart, give it `dual`, and go back."
            )
        if route.tier is not Tier.DENY and (said := missing(route, directory, by)):
            raise CannotApply(said)

    async def _unheard(self, fresh: Policy) -> None:
        """Look that the version had no other text before. Raises PolicyConflict."""

        def keep(tx: Tx) -> None:
            tx.put_policy(fresh.name, fresh.version, fresh.sha256, fresh.text, tx.now())
            raise _Looked

        with suppress(_Looked):
            await self._service.store.tx(keep)

    async def _withdraw(self, before: Proposed) -> None:
        with suppress(Refused):  # decided a moment ago; what was approved and is no longer proposed is not used
            await self._service.withdraw(desk(), before.review, "Another change of the policy was proposed.")

    # ---------------------------------------------------------------------------- in the sweep

    async def look(self) -> Policy | None:
        """Follow the change proposed. The policy to be put in force; None where the one in force stays.

        Raises StoreUnavailable; then the next look goes on where this one ended.
        """
        if not self._rules.guarded:
            return None
        proposed, kept, review = await self._service.store.view(_standing)
        if proposed is not None and not proposed.over and review is not None:
            kept = await self._follow(proposed, review) or kept
        now = self._service.router.policy
        if kept is None or kept == now.sha256:
            return None
        text = await self._service.store.view(lambda tx: tx.policy_text(kept))
        try:
            fresh = load_text(text or "", name="policy", known=self._directory().known)
        except PolicyFault as fault:  # approved on a replica with another placet.yml than ours
            self._fault = f"The policy in force does not load with this placet.yml: {fault}"
            return None
        self._fault = ""
        return fresh

    async def _follow(self, proposed: Proposed, review: Review) -> str | None:
        """What became of the review: the hash now in force where it was approved and used, else None."""
        over = self._over(proposed, review)
        if over is not None:
            await self._end(proposed, over)
            return None
        if review.status is not Status.APPROVED or review.grant is None:
            return None
        if review.grant.state is GrantState.OPEN:
            try:
                await self._service.redeem(desk(), review.id, review.proposal.digest, None)
            except Refused as fault:
                log.info("policy_waits", review=review.seq, why=str(fault))
                return None  # the time to undo is not over, or it was revoked a moment ago: the next look sees which
        return await self._apply(proposed, review)

    def _over(self, proposed: Proposed, review: Review) -> str | None:
        """What became of a change that is not to be put in force; None where it waits, or was approved and fits."""
        if review.status in _OVER:
            return _OVER[review.status]
        if review.status is not Status.APPROVED or review.grant is None:
            return None
        if review.grant.state in _GONE:
            return _GONE[review.grant.state]
        if review.decision is None or review.decision.cause is not Cause.HUMAN:
            return "was let through by breaking the glass, by which no policy is changed: whoever may decide it must"
        if review.request.action.arguments.get("sha256") != proposed.sha256:
            return "was approved for another text than the one proposed"
        try:
            fresh = load_text(proposed.text, name="policy", known=self._directory().known)
        except PolicyFault as fault:
            return f"was approved, and does not load any more: {fault}"
        return None if fresh.sha256 == proposed.sha256 else "was approved, and its text is not the one kept"

    async def _apply(self, proposed: Proposed, review: Review) -> str | None:
        fresh = load_text(proposed.text, name="policy", known=self._directory().known)
        told = told_diff(self._service.router.policy.text, fresh)

        def put(tx: Tx) -> str | None:
            now = _proposed(tx, change=True)
            if now is None or now.over or now.review != review.id:
                return None  # another process was first
            if in_force(tx) != proposed.before:
                return "was approved, but for a policy that is not in force any more"
            put_in_force(tx, fresh, tx.now(), "policy.applied", {"diff": told, "review": review.id, "seq": review.seq})
            tx.put_reference(SHELF, _PROPOSED, replace(proposed, over="is in force").fields())
            publish(tx, "The policy was changed", f"{fresh.ref} is in force, by #{review.seq}.", self._told())
            return None

        try:
            unfit = await self._service.store.tx(put)
        except PolicyConflict:
            unfit = f"was approved, but {fresh.name} version {fresh.version} had another text before"
        if unfit is not None:
            await self._end(proposed, unfit)
            return None
        log.info("policy_applied", policy=fresh.ref, review=review.seq)
        return await self._service.store.view(in_force)

    async def _end(self, proposed: Proposed, over: str) -> None:
        """Keep, record and say that a change is not put in force."""

        def put(tx: Tx) -> None:
            now = _proposed(tx, change=True)
            if now is None or now.over or now.review != proposed.review:
                return
            tx.put_reference(SHELF, _PROPOSED, replace(proposed, over=over).fields())
            detail: Object = {"sha256": proposed.sha256, "review": proposed.review, "why": f"It {over}."}
            tx.record(Record(kind="policy.kept", at=tx.now(), actor="policy", detail=detail, public=False))
            publish(tx, "The policy stays as it is", f"The change of #{proposed.seq} {over}.", self._told())

        await self._service.store.tx(put)
        log.warning("policy_not_applied", review=proposed.seq, why=over)

    def _told(self) -> tuple[Target, ...]:
        """Who is told what became of a change: whoever may change the policy, where they are told things first."""
        directory = self._directory()
        return directory.first_places(person.id for person in directory.with_right(Right.POLICY))

    async def say(self) -> None:
        """Work out what readiness says: the file differs from what is in force, and what of it waits for people."""
        now, file = self._service.router.policy, self._rules.file
        if not self._rules.guarded or file is None or file.sha256 == now.sha256:
            self._said = ""
            return
        proposed = await self._service.store.view(_proposed)
        if proposed is None or proposed.sha256 != file.sha256:
            why = "`placet policy apply` asks people to approve the change"
        else:
            why = f"it {proposed.over} (#{proposed.seq})" if proposed.over else f"waiting for #{proposed.seq}"
        self._said = f"The file has {file.ref}, and {now.ref} stays in force: {why}."

    def said(self) -> str:
        """For readiness: why the file's policy is not in force; else nothing."""
        return self._fault or self._rules.fault or self._said


def _standing(tx: Tx) -> tuple[Proposed | None, str | None, Review | None]:
    proposed = _proposed(tx)
    return proposed, in_force(tx), None if proposed is None or proposed.over else tx.read(proposed.review)


# ---------------------------------------------------------------------------------------------- the review


def _body(now: Policy, fresh: Policy, told: str, by: str | None) -> Object:
    arguments = {"from": now.ref, "to": fresh.ref, "sha256": fresh.sha256}
    body: Object = {
        "action": {"name": ACTION, "arguments": arguments, "preview": told},
        "summary": f"Change the policy from {now.ref} to {fresh.ref}",
        "risk": {"level": "high"},
        "allowed_decisions": [Verb.APPROVE, Verb.REJECT],
    }
    return body | ({} if by is None else {"on_behalf_of": by})
