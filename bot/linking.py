"""Opens reviews inside a transaction: those asked for, and those that follow from another one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.callbacks import freeze
from bot.ids import review_id
from bot.routing import Routed, Router
from reviews.events import COURTESY, Effect, Follow, Held, Post, Record, Transition
from reviews.keeping import Agent, Stop, Tx
from reviews.lifecycle import open_review
from reviews.model import Ladder, Relation, Request, Review, Status, Target
from reviews.values import replace


class Linking:
    """Opens one review, and what follows from it. `base` is the public address."""

    def __init__(self, router: Router, base: str) -> None:
        self._router, self._base = router, base

    def asked(
        self,
        tx: Tx,
        agent: Agent,
        request: Request,
        at: datetime,
        *,
        key: str | None,
        fingerprint: str,
        place: Target | None,
    ) -> Transition:
        """Open what an agent asks for; its card also goes to `place`. What a stopped agent asks is kept and held.

        Raises BadRequest, Duplicate.
        """
        new_id = review_id(at)
        routed = self._router.first(tx, new_id, agent, request, at)
        bare = _bare(new_id, agent.name, routed, at, sandbox=agent.sandbox is not None)
        more: list[Effect] = [
            Record(kind="request.violation", at=at, actor="policy", detail={"what": what}) for what in routed.violations
        ]
        if place is not None:
            more.append(Post(target=place, epoch=1, rung=COURTESY))
        stop = stop_of(tx, agent.name)
        done = self._opened(tx, bare, routed, stop, more, key=key, fingerprint=fingerprint)
        if routed.drawn and done.review.status is Status.APPROVED:
            drawn = Follow(relation=Relation.FEEDBACK)
            done = replace(done, opened=(self._followed(tx, done.review, drawn, at),))
        return done

    def followed(self, tx: Tx, review: Review, effects: Sequence[Effect], at: datetime) -> tuple[Transition, ...]:
        """Open every review that follows by these effects."""
        return tuple(self._followed(tx, review, effect, at) for effect in effects if isinstance(effect, Follow))

    def _followed(self, tx: Tx, review: Review, follow: Follow, at: datetime) -> Transition:
        routed = self._router.linked(tx, review, follow, at)
        bare = _bare(follow.id or review_id(at), review.agent, routed, at, sandbox=review.sandbox)
        bare = replace(bare, about=review.id, relation=follow.relation)
        done = self._opened(tx, bare, routed, stop_of(tx, review.agent), [])
        detail = {"review": done.review.id, "relation": follow.relation}
        # Whether it was drawn for a look afterwards is people's alone.
        told = follow.relation is not Relation.FEEDBACK
        tx.record(Record(kind="review.linked", at=at, actor="placet", detail=detail, public=told), review.id)
        return done

    def _opened(
        self,
        tx: Tx,
        bare: Review,
        routed: Routed,
        stop: Stop | None,
        more: Sequence[Effect],
        *,
        key: str | None = None,
        fingerprint: str = "",
    ) -> Transition:
        opened = open_review(bare, routed.reach, held=held_by(stop, bare.created_at) if stop is not None else None)
        effects = (*opened.effects, *more)
        review = tx.open(opened.review, effects, key=key, fingerprint=fingerprint)
        freeze(tx, review, effects, bare.created_at, self._base)
        return replace(opened, review=review, effects=effects)


def _bare(new_id: str, agent: str, routed: Routed, at: datetime, *, sandbox: bool) -> Review:
    parties = routed.parties
    return Review(
        id=new_id,
        agent=agent,
        created_at=at,
        proposal=routed.proposal,
        ladder=Ladder(epoch=1, schedule=routed.schedule),
        original=routed.proposal.request.action.arguments,
        owners=parties.owners,
        principal=parties.principal,
        named=parties.named,
        excluded=parties.excluded,
        sandbox=sandbox,
    )


def stop_of(tx: Tx, agent: str) -> Stop | None:
    """How an agent was stopped, if it is; whoever stops it or lets it go on waits for this transaction's end."""
    found = tx.agent(agent)
    return None if found is None else found.stop


def held_by(stop: Stop, at: datetime) -> Held:
    """What a review comes under when its agent is stopped."""
    return Held(at=at, by=stop.by, reason=stop.reason, instruction=stop.instruction)
