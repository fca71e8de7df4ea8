"""How a revision sets out: decided by policy at once, or up the first rungs to people. No I/O."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from reviews.events import Edited, Held, Record, Refresh, Revised, Transition
from reviews.ladder import climb
from reviews.model import Cause, Ladder, Reach, Review, Status, Tier
from reviews.steps import Effects, by_agent, end, halt, refuse, sentence
from reviews.values import replace

#: Each revision calls people anew and moves the deadline, so an agent may not go on for ever.
MOST_REVISIONS = 50


def open_review(review: Review, reach: Sequence[Reach], *, held: Held | None = None) -> Transition:
    """Begin a review: policy decides at once where no person is needed, else the first rungs go out.

    `review` is the bare one (pending, ladder at its start); `reach` is aligned with its chain. `held` is how its agent
    was stopped: then nothing is decided and nobody called before it is released.
    """
    proposal = review.proposal
    asked = Record(
        kind="review.opened",
        at=review.created_at,
        actor=by_agent(review),
        detail={
            "action": proposal.request.action.name,
            "digest": proposal.digest,
            "request_digest": proposal.request_digest,
            "policy": proposal.policy,
            "rule": proposal.route.rule,
            "tier": proposal.route.tier,
            "about": review.about,
        },
    )
    if held is not None:
        after, effects = halt(replace(review, started=False), held)
    else:
        after, effects = set_out(review, review.created_at, reach)
    return Transition(review=after, effects=(asked, *effects), text=sentence(after))


def revise(review: Review, event: Revised) -> Transition:
    """The agent's new proposal takes the place of the old one."""
    if review.revision >= MOST_REVISIONS:
        text = f"This review has had {MOST_REVISIONS} revisions; withdraw it and ask anew."
        return refuse(review, event, text)
    revised, effects = new_revision(review, event)
    entry = Record(
        kind="review.revised",
        at=event.at,
        actor=by_agent(review),
        detail={"revision": revised.revision, "digest": revised.proposal.digest, "tier": revised.route.tier},
    )
    return Transition(review=revised, text=sentence(revised), effects=(entry, *effects))


def new_revision(review: Review, event: Edited | Revised) -> tuple[Review, Effects]:
    """The review under a new proposal: earlier votes no longer count, the ladder runs anew.

    Its number and whose it is are given here, so that no revision ever comes back. Who was called stays an elector
    only while the chain that called them is still the one that holds. Who asked to break the glass saw another one.
    While its agent is stopped it does not set out.
    """
    whose = event.person.id if isinstance(event, Edited) else "agent"
    proposal = replace(event.proposal, revision=review.revision + 1, proposed_by=whose)
    fresh = replace(
        review,
        proposal=proposal,
        status=Status.PENDING,
        ladder=Ladder(epoch=review.ladder.epoch + 1, schedule=event.schedule, by_hand=review.ladder.by_hand),
        called=review.called if proposal.route.chain == review.route.chain else {},
        reply_by=None,
        owner=None,
        glass=None,
        started=not review.held,
        version=review.version + 1,
    )
    if fresh.held:
        return fresh, (Refresh(),)
    after, effects = set_out(fresh, event.at, event.reach)
    return after, (Refresh(), *effects)


def set_out(review: Review, at: datetime, reach: Sequence[Reach]) -> tuple[Review, Effects]:
    """Decide by policy, or call the rungs due."""
    route = review.route
    if route.tier is Tier.DENY and not route.shadow:
        return end(review, Status.REJECTED, Cause.POLICY, at, reason=route.explanation, actor="policy")
    if not route.tier.asks or route.shadow:
        return end(review, Status.APPROVED, Cause.POLICY, at, reason=route.explanation, actor="policy")
    return climb(review, at, bisect_right(review.ladder.schedule.rungs, at), reach, why="opened")
