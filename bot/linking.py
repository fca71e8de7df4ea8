"""Opens reviews inside a transaction: those asked for, and those that follow from another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.callbacks import freeze
from bot.ids import review_id
from bot.people import Directory
from bot.routing import Routed, Router
from reviews.events import COURTESY, Effect, Follow, Held, Post, Record, Transition
from reviews.keeping import Agent, Stop, Tx
from reviews.lifecycle import open_review
from reviews.model import Ladder, Relation, Request, Review, Status, Target
from reviews.values import replace


class Linking:
    """Opens one review, and what follows from it. `base` is the public address."""

    def __init__(self, router: Router, directory: Callable[[], Directory], base: str) -> None:
        self._router, self._directory, self._base = router, directory, base

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
        bare = _bare(new_id, agent.name, routed, at)
        bare = replace(
            bare,
            owners=frozenset(agent.owners),
            principal=self._directory().resolve(agent.acts_for),
            named=self._router.named(request),
            sandbox=agent.sandbox is not None,
        )
        more: tuple[Effect, ...] = tuple(
            Record(kind="request.violation", at=at, actor="policy", detail={"what": what}) for what in routed.violations
        )
        if place is not None:
            more += (Post(target=place, epoch=1, rung=COURTESY),)
        stop = stop_of(tx, agent.name)
        done = self._opened(tx, bare, routed, stop, more, key=key, fingerprint=fingerprint)
        if routed.drawn and done.review.status is Status.APPROVED:
            drawn = Follow(relation=Relation.FEEDBACK)
            done = replace(done, opened=(*done.opened, self._followed(tx, done.review, drawn, at)))
        return done

    def followed(self, tx: Tx, review: Review, effects: Sequence[Effect], at: datetime) -> tuple[Transition, ...]:
        """Open every review that follows by these effects."""
        return tuple(self._followed(tx, review, effect, at) for effect in effects if isinstance(effect, Follow))

    def _followed(self, tx: Tx, review: Review, follow: Follow, at: datetime) -> Transition:
        routed = self._router.linked(tx, review, follow, at)
        bare = replace(
            _bare(follow.id or review_id(at), review.agent, routed, at),
            owners=review.owners,
            principal=review.principal,
            named=review.named,
            sandbox=review.sandbox,
            about=review.id,
            relation=follow.relation,
            excluded=follow.excluded,
        )
        done = self._opened(tx, bare, routed, stop_of(tx, review.agent), ())
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
        more: tuple[Effect, ...],
        *,
        key: str | None = None,
        fingerprint: str = "",
    ) -> Transition:
        opened = open_review(bare, routed.reach, held=held_by(stop, bare.created_at) if stop is not None else None)
        effects = opened.effects + more
        review = tx.open(opened.review, effects, key=key, fingerprint=fingerprint)
        follows = self.followed(tx, review, effects, bare.created_at)
        freeze(tx, review, effects, bare.created_at, self._base)
        return replace(opened, review=review, effects=effects, opened=follows)


def _bare(new_id: str, agent: str, routed: Routed, at: datetime) -> Review:
    return Review(
        id=new_id,
        agent=agent,
        created_at=at,
        proposal=routed.proposal,
        ladder=Ladder(epoch=1, schedule=routed.schedule),
        original=routed.proposal.request.action.arguments,
    )


def stop_of(tx: Tx, agent: str) -> Stop | None:
    """How an agent was stopped, if it is; whoever stops it or lets it go on waits for this transaction's end."""
    found = tx.agent(agent)
    return None if found is None else found.stop


def held_by(stop: Stop, at: datetime) -> Held:
    """What a review comes under when its agent is stopped."""
    return Held(at=at, by=stop.by, reason=stop.reason, instruction=stop.instruction)
