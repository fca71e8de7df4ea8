"""What holds over any history of a review, whatever people, agents and clocks do in whatever order."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reviews.events import (
    COURTESY,
    Answer,
    Answered,
    Appealed,
    Approved,
    BrokenGlass,
    Cast,
    ChangesRequested,
    Commented,
    Effect,
    Escalated,
    Event,
    Follow,
    Handed,
    Held,
    Message,
    Post,
    Posted,
    Rang,
    Rejected,
    Released,
    Reported,
    Revoked,
    Taken,
    Ticked,
    Transition,
    Undone,
    Unreachable,
    Withdrawn,
)
from reviews.lifecycle import decide, next_alarm
from reviews.model import (
    ALL_DECISIONS,
    Cause,
    GrantState,
    Need,
    Order,
    Outcome,
    Person,
    Reach,
    Relation,
    Review,
    ReviewType,
    Rung,
    Status,
    Then,
    Tier,
    Verb,
)
from tests.fakes.builders import a_request
from tests.reviews.builders import (
    CHAIN,
    CHANNEL,
    LEAD,
    MANAGER,
    MINUTE,
    PEOPLE,
    REACH,
    SECURITY,
    a_schedule,
    at,
    by,
    edits,
    opening,
    redeems,
    revises,
)

#: The role's channel at once and again; after 10 minutes a person must do it; after an hour it expires.
BY_HAND = (
    CHAIN[0],
    Rung(after=5 * MINUTE, remind=True),
    Rung(after=10 * MINUTE, then=Then.HUMAN_ONLY),
    CHAIN[3],
)
#: From lax to strict; a revision may be routed by any of them, and is refused where that would be laxer.
ROUTES: tuple[dict[str, Any], ...] = (
    {"tier": Tier.AUTO, "needs": ()},
    {"tier": Tier.CONFIRM, "needs": ()},
    {"tier": Tier.APPROVE, "needs": (MANAGER,)},
    {"tier": Tier.APPROVE, "needs": ()},
    {"tier": Tier.APPROVE, "needs": (SECURITY, LEAD), "order": Order.SEQUENCE},
    {"tier": Tier.DUAL, "needs": (SECURITY, LEAD), "order": Order.ANY},
    {"tier": Tier.DUAL, "needs": (MANAGER, Need(level=2)), "order": Order.ANY},
    {"tier": Tier.HUMAN_ONLY, "needs": (MANAGER,)},
    {"tier": Tier.DENY, "needs": ()},
    {"tier": Tier.APPROVE, "needs": (MANAGER,), "chain": BY_HAND},
)
AMOUNTS = (180.0, 20.0, 9000.0)
#: What an agent proposes while people vote: nothing else; or something else; or that and the first again.
REVISING = ((), (20.0,), (20.0, 180.0))
DEAD = Reach(unreachable="Nobody is on call.")

persons = st.sampled_from(PEOPLE)
#: Which revision somebody saw: the one before, the one that stands, or whatever stands (None).
seen = st.sampled_from((None, 0, 0, 0, -1))
#: How a revision is routed: as before, mostly, so that histories go on.
routes = st.sampled_from(({}, {}, {}, {}, {}, {}, *ROUTES))
#: The asked-for routes mostly, so that most histories come to a person.
asking = st.sampled_from((*ROUTES[1:8], *ROUTES[4:7], *ROUTES[4:7], ROUTES[9]))
#: How long an approval may be undone before it can be used, in minutes.
undoing = st.sampled_from((0, 0, 3))
#: Whom a review left out, for they decided the one it is about.
left_out = st.sampled_from((frozenset[str](), frozenset[str](), frozenset({"ana"}), frozenset({"eve", "bo"})))
STOP = Held(at=at(0), by="eve", reason="It pays twice")
WINDOW = timedelta(minutes=15)
reaches = st.sampled_from((REACH, REACH, (REACH[0], DEAD, REACH[2], REACH[3]), (DEAD,) * 4, ()))


class Histories(RuleBasedStateMachine):
    """One review, and everything that may happen to it."""

    review: Review

    def __init__(self) -> None:
        super().__init__()
        self.minute = 0.0
        self.effects: list[Effect] = []
        self.said: set[tuple[str, int]] = set()
        self.pressed: set[tuple[str, int]] = set()
        self.keys = itertools.count(1)

    @initialize(
        route=asking,
        kind=st.sampled_from((ReviewType.APPROVAL, ReviewType.APPROVAL, ReviewType.HANDOFF, ReviewType.FEEDBACK)),
        owner=st.sampled_from((*PEOPLE, None)),
        principal=st.none() | persons,
        sla=st.none() | st.integers(1, 50),
        reach=reaches,
        undo=undoing,
        excluded=left_out,
        stopped=st.sampled_from((None, None, None, STOP)),
    )
    def open(
        self,
        route: dict[str, Any],
        kind: ReviewType,
        owner: Person | None,
        principal: Person | None,
        sla: int | None,
        reach: tuple[Reach, ...],
        undo: int,
        excluded: frozenset[str],
        stopped: Held | None,
    ) -> None:
        """A review is asked for; one that leaves somebody out is an appeal."""
        linked = {"about": "rev_0", "relation": Relation.APPEAL, "excluded": excluded} if excluded else {}
        came = opening(
            reach=reach,
            held=stopped,
            undo=timedelta(minutes=undo),
            sla=sla,
            request=a_request(review_type=kind),
            allowed=(*ALL_DECISIONS, Verb.ANSWER),
            owners=frozenset({owner.id} if owner else ()),
            principal=principal.id if principal else None,
            **linked,
            **route,
        )
        self.review, self.effects = came.review, list(came.effects)

    # ------------------------------------------------------------------------------------------ what may happen

    @rule(minutes=st.sampled_from((0, 1, 4, 9, 31)))
    def time_passes(self, minutes: int) -> None:
        """Nobody looks at the clock: the timer may be late."""
        self.minute += minutes

    @rule(reach=reaches, stale=st.booleans())
    def tick(self, reach: tuple[Reach, ...], stale: bool) -> None:
        """The timer rings, perhaps one of an old run."""
        event = Ticked(at=at(self.minute), epoch=self.review.ladder.epoch - stale, reach=reach)
        rang = self.happen(event).review
        if not stale:
            assert (alarm := next_alarm(rang)) is None or alarm > event.at

    @rule(people=st.permutations(PEOPLE), many=st.integers(3, 6), between=st.sampled_from(REVISING))
    def approve(self, people: list[Person], many: int, between: tuple[float, ...]) -> None:
        """Some people say yes, one after another; the agent may think again after the first of them."""
        first, *others = people[:many]
        self.say_yes(first, self.review.revision)
        for amount in between:
            self.happen(revises(self.review, amount, self.minute))
        for person in others:
            self.say_yes(person, self.review.revision)

    @rule(people=st.permutations(PEOPLE), age=seen)
    def approve_late(self, people: list[Person], age: int | None) -> None:
        """Everybody says yes to what they saw, which may be gone."""
        revision = self.saw(age)
        for person in people:
            self.say_yes(person, revision)

    @rule(person=persons, age=seen, amount=st.sampled_from(AMOUNTS), route=routes)
    def edit(self, person: Person, age: int | None, amount: float, route: dict[str, Any]) -> None:
        """Somebody changes the amount, back to an earlier one perhaps."""
        event = edits(self.review, person, amount, self.minute, revision=self.saw(age), route=route)
        came = self.happen(event)
        if came.answer is Answer.DONE:
            self.said.add((person.id, came.review.revision))

    @precondition(lambda self: self.minute > 8)
    @rule(kind=st.sampled_from((ChangesRequested, Answered, Rejected)), person=persons, age=seen)
    def vote_otherwise(self, kind: type, person: Person, age: int | None) -> None:
        """Somebody says no, not like this, or done already."""
        words = {"answer": {"done": True}} if kind is Answered else {}
        self.happen(by(kind, person, self.minute, revision=self.saw(age), reason="Because", **words))

    @precondition(lambda self: self.review.status.over)
    @rule(kind=st.sampled_from((Undone, Revoked, Commented)), person=persons)
    def take_back(self, kind: type, person: Person) -> None:
        """Somebody undoes, revokes or remarks."""
        self.happen(by(kind, person, self.minute, reason="Hm"))

    @rule(person=persons, other=persons, minutes=st.sampled_from((5, 40)), reach=reaches)
    def move_along(self, person: Person, other: Person, minutes: int, reach: tuple[Reach, ...]) -> None:
        """Somebody takes it, hands it on, and escalates."""
        until = at(self.minute + minutes)
        self.happen(by(Taken, person, self.minute, until=until))
        self.happen(by(Handed, person, self.minute, to=other, until=until, targets=(CHANNEL,)))
        self.happen(by(Escalated, person, self.minute, reach=reach))

    @precondition(lambda self: self.minute > 30)
    @rule(people=st.lists(persons, min_size=1, max_size=3), age=seen, allowed=st.sampled_from((True, True, False)))
    def break_glass(self, people: list[Person], age: int | None, allowed: bool) -> None:
        """Some cannot wait; one may press twice, and another come too late."""
        for person in people:
            revision, stood = self.saw(age), self.review.revision
            event = by(
                BrokenGlass, person, self.minute, allowed=allowed, reason="Now", revision=revision, window=WINDOW
            )
            if self.happen(event).answer is Answer.DONE and allowed:
                self.pressed.add((person.id, stood))

    @precondition(lambda self: self.review.status.over)
    @rule(person=persons, allowed=st.booleans(), level=st.sampled_from((None, 1, 3)))
    def appeal(self, person: Person, allowed: bool, level: int | None) -> None:
        """Somebody holds the verdict to be wrong."""
        event = by(
            Appealed, person, self.minute, allowed=allowed, level=level, follow=f"rev {next(self.keys)}", reason="Hm"
        )
        self.happen(event)

    @rule(amount=st.sampled_from(AMOUNTS), route=routes)
    def revise(self, amount: float, route: dict[str, Any]) -> None:
        """The agent proposes anew."""
        self.happen(revises(self.review, amount, self.minute, **route))

    @precondition(lambda self: self.review.status.over)
    @rule(right=st.booleans(), repeated=st.booleans())
    def redeem(self, right: bool, repeated: bool) -> None:
        """The agent acts, with the approved digest or another, for the first time or again."""
        digest = self.review.proposal.digest if right else "0" * 64
        key = "again" if repeated else f"key {next(self.keys)}"
        self.happen(redeems(self.review, self.minute, digest=digest, key=key, redemption_id=f"red {next(self.keys)}"))

    @precondition(lambda self: self.review.status.over)
    @rule()
    def report(self) -> None:
        """The agent says how it went."""
        self.happen(Reported(at=at(self.minute), outcome=Outcome(result="succeeded", at=at(self.minute))))

    @precondition(lambda self: self.minute > 30)
    @rule()
    def withdraw(self) -> None:
        """The agent no longer needs it."""
        self.happen(Withdrawn(at=at(self.minute)))

    @precondition(lambda self: self.minute > 8)
    @rule(stop=st.booleans(), anew=st.booleans(), reach=reaches)
    def stop_or_resume(self, stop: bool, anew: bool, reach: tuple[Reach, ...]) -> None:
        """Somebody stops the agent, or lets it go on: by a schedule of now, or by the old one."""
        now = at(self.minute)
        schedule = a_schedule(self.minute, chain=self.review.route.chain) if anew else None
        self.happen(Held(at=now, by="eve") if stop else Released(at=now, by="eve", schedule=schedule, reach=reach))

    @rule(rung=st.integers(0, 3), stale=st.booleans(), reach=reaches)
    def lose_a_rung(self, rung: int, stale: bool, reach: tuple[Reach, ...]) -> None:
        """A copy was posted, or turned out to reach nobody."""
        epoch = self.review.ladder.epoch - stale
        self.happen(Posted(at=at(self.minute), copy="c", target=CHANNEL))
        self.happen(Unreachable(at=at(self.minute), epoch=epoch, rung=rung, why="Archived.", reach=reach))

    # ------------------------------------------------------------------------------------------ what holds then

    def say_yes(self, person: Person, revision: int | None) -> None:
        """One person approves; a yes that was taken is remembered with the revision it was said to."""
        stood = self.review.revision
        if self.happen(by(Approved, person, self.minute, revision=revision)).answer is Answer.DONE:
            self.said.add((person.id, stood))

    def saw(self, age: int | None) -> int | None:
        """The revision a person saw."""
        return None if age is None else max(1, self.review.revision + age)

    def happen(self, event: Event) -> Transition:
        """Let an event happen, and look at the step it made."""
        before = self.review
        came = decide(before, event)
        assert came == decide(before, event), "the same event on the same review came to something else"
        self.step_is_sound(before, event, came)
        self.review = came.review
        self.effects += came.effects
        return came

    def step_is_sound(self, before: Review, event: Event, came: Transition) -> None:
        """What every single step keeps."""
        after = came.review
        # A copy that was posted changes nothing: what differs then is what time has ended.
        untouched = decide(before, Posted(at=event.at, copy="c", target=CHANNEL)).review
        if came.answer is not Answer.DONE:
            assert after == untouched
        assert (after.version, after.revision, after.ladder.epoch) >= (
            before.version,
            before.revision,
            before.ladder.epoch,
        )
        if after != untouched:
            assert after.version > untouched.version or after.ladder.fired > untouched.ladder.fired
        if before.decision is not None:
            assert (after.decision, after.status) == (before.decision, before.status)
            assert after.proposal == before.proposal
        if before.grant is not None and before.grant.state is not GrantState.OPEN:
            assert after.grant == before.grant, "a grant that is gone came back, or changed"
        if before.held and after.held:
            assert after.decision == before.decision
        self.a_stop_wins(before, event, after)
        for e in came.effects:
            if isinstance(e, Post) and e.rung != COURTESY:
                assert after.route.chain[e.rung].notify, "a rung that calls nobody called"
        if isinstance(event, Appealed):
            as_it_was = dataclasses.replace(after, version=untouched.version, appeal=untouched.appeal)
            assert as_it_was == untouched, "an appeal changed the review it is about"

    def a_stop_wins(self, before: Review, event: Event, after: Review) -> None:
        """A stopped agent is neither granted anything nor let act; nor is what has not set out."""
        if not before.held:
            return
        assert after.status is not Status.APPROVED or before.status is Status.APPROVED or isinstance(event, Released)
        assert after.grant is None or after.grant.state is not GrantState.USED
        if not before.started and not isinstance(event, Released):
            assert (after.started, after.called, after.ladder.fired) == (False, before.called, before.ladder.fired)
            assert (after.decision is None) or after.decision.cause is not Cause.POLICY

    @invariant()
    def ends_once_and_the_agent_is_told_once(self) -> None:
        """Decided if and only if there is exactly one message of it; one grant is used or taken back, never both."""
        told = [e.message for e in self.effects if not isinstance(e, Rang | Cast) and hasattr(e, "message")]
        assert told.count(Message.DECIDED) == (self.review.decision is not None) == self.review.status.over
        kinds = [e.kind for e in self.effects if hasattr(e, "kind")]
        ends = ("grant.used", "grant.revoked", "grant.lapsed", "grant.returned")
        assert sum(kinds.count(kind) for kind in ends) <= 1
        assert told.count(Message.REVOKED) == kinds.count("grant.revoked")
        if self.review.held:
            assert told.count(Message.AGENT_STOPPED) == told.count(Message.AGENT_RESUMED) + 1

    @invariant()
    def what_follows_follows_once(self) -> None:
        """A broken glass is looked at again, a rejection appealed at most once; neither by who had their say."""
        follows = [e for e in self.effects if isinstance(e, Follow)]
        by_glass = self.review.decision is not None and self.review.decision.cause is Cause.BREAK_GLASS
        assert [f.relation for f in follows].count(Relation.AFTER_GLASS) == by_glass
        assert [f.relation for f in follows].count(Relation.APPEAL) == (self.review.appeal is not None)
        for follow in follows:
            assert self.review.decision is not None
            assert {seat.person for seat in self.review.decision.by} <= follow.excluded

    @invariant()
    def nothing_is_used_while_it_can_be_undone(self) -> None:
        """What people approved rests as long as the route says, and what was used had rested."""
        decision, grant = self.review.decision, self.review.grant
        if decision is None or grant is None:
            return
        rests = self.review.route.undo if decision.cause is Cause.HUMAN else timedelta(0)
        assert grant.usable_from == (decision.decided_at + rests if rests else None)
        if grant.state is GrantState.USED:
            assert grant.at is not None
            assert grant.at >= decision.decided_at + rests

    @invariant()
    def the_glass_takes_two(self) -> None:
        """Two persons who may, of whom it is neither's own, pressed on the same revision within the window."""
        review, decision = self.review, self.review.decision
        if decision is None or decision.cause is not Cause.BREAK_GLASS:
            return
        first, second = decision.by
        assert first.person != second.person
        assert second.at - first.at < WINDOW
        for seat in decision.by:
            assert (seat.person, review.revision) in self.pressed
            assert seat.person not in review.owners | review.excluded | {review.principal}

    @invariant()
    def nothing_is_approved_once_a_person_must_do_it(self) -> None:
        """Not by a vote at that instant or after it, however late the timer; and no glass opens it again."""
        review, decision = self.review, self.review.decision
        if decision is None or decision.verdict is not Status.APPROVED or decision.cause is Cause.POLICY:
            return
        assert not review.ladder.by_hand
        if decision.cause is Cause.HUMAN and not review.afterwards:
            dues = zip(review.route.chain, review.ladder.schedule.rungs, strict=True)
            assert all(decision.decided_at < due for rung, due in dues if rung.then is Then.HUMAN_ONLY)

    @invariant()
    def nobody_left_out_has_a_say(self) -> None:
        """Who decided the review this is about neither votes nor sits."""
        assert not {vote.person for vote in self.review.votes} & self.review.excluded
        if self.review.decision is not None:
            assert not {seat.person for seat in self.review.decision.by} & self.review.excluded

    @invariant()
    def rungs_ring_once(self) -> None:
        """No rung of one run of the ladder rings twice."""
        rang = [(e.epoch, e.rung) for e in self.effects if isinstance(e, Rang)]
        assert len(rang) == len(set(rang))

    @invariant()
    def one_vote_a_person_and_revision(self) -> None:
        """As the store demands; a vote in the place of another says so."""
        votes = [(v.person, v.revision) for v in self.review.votes]
        assert len(votes) == len(set(votes))
        cast: set[tuple[str, int]] = set()
        for e in self.effects:
            if isinstance(e, Cast):
                key = (e.vote.person, e.vote.revision)
                assert e.again or key not in cast
                cast.add(key)

    @invariant()
    def an_approval_is_backed_by_people(self) -> None:
        """Every slot of the final revision is filled, by distinct persons who said yes to it and may."""
        review = self.review
        decision = review.decision
        if decision is None or decision.cause is not Cause.HUMAN or decision.verdict is not Status.APPROVED:
            return
        assert (decision.revision, decision.digest) == (review.revision, review.proposal.digest)
        assert len({seat.person for seat in decision.by}) == len(decision.by)
        assert {(seat.person, decision.revision) for seat in decision.by} <= self.said
        slots = 1 if review.route.tier is Tier.CONFIRM else max(1, len(review.route.needs))
        assert [seat.slot for seat in decision.by] == list(range(slots))
        people = {person.id: person for person in PEOPLE}
        for seat in decision.by:
            assert may_sit(review, seat.slot, people[seat.person])

    @invariant()
    def nobody_sits_while_it_is_open(self) -> None:
        """An open review whose slots are all filled would be one that was forgotten to be decided."""
        if self.review.status is Status.PENDING and self.review.route.tier is Tier.APPROVE:
            yes = {v.person for v in self.review.votes_now() if v.verb is Verb.APPROVE}
            assert len(yes) < max(1, len(self.review.route.needs))


def may_sit(review: Review, slot: int, person: Person) -> bool:
    """The rules of who may decide, told once more and as plainly as can be."""
    route = review.route
    if person.id in review.excluded:
        return False
    if person.id in review.owners:  # every route here is of medium risk
        return False
    if route.tier is Tier.CONFIRM:
        return person.id == review.principal
    if person.id == review.principal:
        return False
    if not route.needs:
        return person.id in review.called
    need = route.needs[slot]
    if need.level is not None:
        return person.level >= need.level
    return need.role in person.roles or person.id in review.called


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=150,
    stateful_step_count=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_frozen_values_make_a_history_repeatable() -> None:
    """The same history from the same start is the same review, field by field, and the start is untouched."""
    first = opening().review
    copy = dataclasses.replace(first)
    events = [by(Approved, PEOPLE[0], 1), redeems(first, 2), by(Undone, PEOPLE[0], 3)]

    def end() -> Review:
        review = first
        for event in events:
            review = decide(review, event).review
        return review

    assert end() == end()
    assert first == copy
