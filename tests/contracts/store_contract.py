"""What every store promises, whatever engine it stands on. Each engine's test file subclasses `StoreContract`."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from reviews.digest import canonical
from reviews.errors import Duplicate, NotFound, PolicyConflict, StoreUnavailable
from reviews.events import Cast, Deliver, Effect, Follow, Message, Post, Rang, Record, Refresh
from reviews.keeping import Agent, Copy, Delivery, Query, Stop, Store, Ticket, Tx
from reviews.lifecycle import next_alarm
from reviews.model import Cause, Decision, Need, Relation, Review, Status, Target, Tier, Verb
from reviews.ports import MessageRef
from tests.fakes.builders import START, a_request, a_review, a_route, a_vote, revised

CHANNEL = Target(surface="slack", address="#managers")
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def opened(tx: Tx, review: Review, *effects: Effect, key: str | None = None) -> Review:
    """Open a review, the short way."""
    return tx.open(review, effects, key=key, fingerprint="f")


def ended(review: Review, verdict: Status = Status.APPROVED, *, after: timedelta = MINUTE) -> Review:
    """The review at its end."""
    decision = Decision(
        verdict=verdict,
        cause=Cause.HUMAN,
        decided_at=review.created_at + after,
        revision=review.revision,
        digest=review.proposal.digest,
    )
    return dataclasses.replace(review, status=verdict, decision=decision, version=review.version + 1)


def lying(copy: Copy, ts: str) -> Copy:
    """The copy, posted as this message and showing what is wanted."""
    ref = MessageRef(surface="slack", ref={"channel": "C1", "ts": ts})
    return dataclasses.replace(copy, state="posted", shown=copy.wanted, ref=ref)


def a_delivery(
    name: str, at: datetime, *, review: str = "rev_1", url: str = "https://agent.example.com/hook"
) -> Delivery:
    """A message that is due."""
    return Delivery(
        id=name,
        review=review,
        agent="billing-bot",
        message=Message.DECIDED,
        url=url,
        body=b'{"type":"review.decided"}',
        state="due",
        due_at=at,
        created_at=at,
    )


def claimed(
    tx: Tx, now: datetime, limit: int = 10, *, each: int = 10, busy: dict[str, int] | None = None
) -> list[Delivery]:
    """Claim deliveries for a minute."""
    return tx.claim_deliveries(now, now + MINUTE, limit, each=each, busy=busy or {})


class StoreContract:
    """The suite. A subclass gives `store`, started."""

    # ------------------------------------------------------------------------------------------ reviews

    async def test_what_was_opened_is_read_as_it_was(self, store: Store) -> None:
        """A review comes back equal, with the number it was given, in and outside the transaction."""
        request = a_request(
            arguments={"iban": "DE00", "amount": 180.0, "n": 2**53 - 1, "text": "nul \0, é, 🜚", "deep": [{"a": None}]},
            review_deadline=START + timedelta(hours=3, microseconds=7),
            scopes=("payments",),
        )
        review = a_review(request=request, route=a_route(scopes=frozenset({"payments"})), called={"bo": "person"})
        kept = await store.tx(lambda tx: opened(tx, review))
        assert kept.seq > 0
        assert kept == dataclasses.replace(review, seq=kept.seq)
        assert await store.view(lambda tx: tx.read(review.id)) == kept
        assert await store.tx(lambda tx: tx.lock(review.id)) == kept

    async def test_numbers_grow(self, store: Store) -> None:
        """Every review is numbered higher than those before it."""
        kept = [await store.tx(lambda tx: opened(tx, a_review())) for _ in range(3)]
        assert kept[0].seq < kept[1].seq < kept[2].seq

    async def test_nobody_knows_what_was_never_asked(self, store: Store) -> None:
        """Reading or locking an unknown id gives None."""
        assert await store.tx(lambda tx: (tx.lock("rev_no"), tx.read("rev_no"))) == (None, None)
        assert await store.view(lambda tx: tx.by_key("billing-bot", "k")) is None
        assert await store.view(lambda tx: tx.revisions("rev_no")) == []

    async def test_one_key_opens_one_review(self, store: Store) -> None:
        """A second review under an agent's key is refused, and the same transaction can look up the first."""
        first = await store.tx(lambda tx: opened(tx, a_review(), key="k"))

        def again(tx: Tx) -> Review | None:
            with pytest.raises(Duplicate):
                opened(tx, a_review(), key="k")
            found = tx.by_key("billing-bot", "k")
            return found[0] if found and found[1] == "f" else None

        assert await store.tx(again) == first
        await store.tx(lambda tx: opened(tx, a_review(agent="other-bot"), key="k"))
        await store.tx(lambda tx: opened(tx, a_review(), key=None))
        assert await store.view(lambda tx: tx.count(Query())) == 3

    async def test_a_key_may_be_any_text(self, store: Store) -> None:
        """Long keys, and keys with a NUL, are told apart."""
        keys = ["k" * 5000, "k" * 5000 + "2", "a\0b", "ab"]
        for key in keys:
            await store.tx(lambda tx, key=key: opened(tx, a_review(request=a_request(subject=key)), key=key))
        found = [await store.view(lambda tx, key=key: tx.by_key("billing-bot", key)) for key in keys]
        assert [pair[0].request.subject for pair in found if pair] == keys
        assert await store.view(lambda tx: [tx.count(Query(subject=key)) for key in keys]) == [1, 1, 1, 1]

    async def test_a_race_for_one_key_has_one_winner(self, store: Store) -> None:
        """Of twenty who open under one key at once, one does."""
        tries = [store.tx(lambda tx: opened(tx, a_review(), key="k")) for _ in range(20)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(result, Review) for result in results) == 1
        assert sum(isinstance(result, Duplicate) for result in results) == 19

    async def test_a_transition_is_kept_whole(self, store: Store) -> None:
        """Review, vote, rung, copy and log entries are there after one save."""
        review = await store.tx(lambda tx: opened(tx, a_review()))
        vote = a_vote(review, "ana")
        after = dataclasses.replace(
            review, votes=(vote,), owner="ana", version=2, called={"bo": "person:bo"}, owners=frozenset({"zoe"})
        )
        effects: Sequence[Effect] = (
            Record(kind="vote.approve", at=START, actor="person:ana", detail={"slots": vote.slots, "tier": Tier.DUAL}),
            Cast(vote=vote),
            Rang(epoch=0, rung=0, at=START),
            Post(target=CHANNEL, epoch=0, rung=0),
            Refresh(),
            Deliver(message=Message.DECIDED),
            Follow(relation=Relation.APPEAL),
        )
        await store.tx(lambda tx: tx.save(review, after, effects))
        assert await store.view(lambda tx: tx.read(review.id)) == after
        [copy] = await store.view(lambda tx: tx.copies(review.id))
        assert (copy.state, copy.wanted, copy.shown, copy.target) == ("new", 2, 0, CHANNEL)
        assert copy.id.startswith("cpy_")
        [entry] = await store.view(lambda tx: tx.log(review=review.id))
        assert (entry.kind, entry.detail["slots"], entry.detail["tier"]) == ("vote.approve", [0], "dual")
        assert await store.view(lambda tx: tx.deliveries()) == []

    async def test_what_raises_keeps_nothing(self, store: Store) -> None:
        """A closure that raises leaves no trace of any of its writes, and its exception is the caller's."""
        review = await store.tx(lambda tx: opened(tx, a_review(), key="k"))

        def fails(tx: Tx) -> None:
            tx.save(
                review,
                ended(review),
                [
                    Record(kind="x", at=START, actor="a"),
                    Cast(vote=a_vote(review, "ana")),
                    Post(target=CHANNEL, epoch=0, rung=0),
                ],
            )
            opened(tx, a_review(), key="k2")
            tx.add_delivery(a_delivery("msg_1", START))
            tx.put_policy("p", 1, "0" * 64, "text", START)
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            await store.tx(fails)

        def left(tx: Tx) -> object:
            copies, log = tx.copies(review.id), tx.log()
            return tx.find(Query()), copies, log, tx.deliveries(), tx.policy_text("0" * 64), tx.by_key("a", "k2")

        assert await store.view(left) == ([review], [], [], [], None, None)
        await store.tx(lambda tx: tx.save(review, ended(review), [Cast(vote=a_vote(review, "ana"))]))

    async def test_a_view_keeps_nothing(self, store: Store) -> None:
        """What a view tries to write is not kept."""
        with pytest.raises(StoreUnavailable):
            await store.view(lambda tx: opened(tx, a_review()))
        assert await store.view(lambda tx: tx.count(Query())) == 0

    async def test_a_stale_save_is_refused(self, store: Store) -> None:
        """Saving over a version that is no longer the one read changes nothing."""
        review = await store.tx(lambda tx: opened(tx, a_review()))
        await store.tx(lambda tx: tx.save(review, ended(review), []))
        with pytest.raises(StoreUnavailable, match=review.id):
            await store.tx(lambda tx: tx.save(review, ended(review, Status.REJECTED), []))
        kept = await store.view(lambda tx: tx.read(review.id))
        assert kept is not None
        assert kept.status is Status.APPROVED

    async def test_a_vote_does_not_touch_the_proposal(self, store: Store) -> None:
        """Every revision is kept, oldest first; the first arguments stay the review's `original`."""
        review = await store.tx(lambda tx: opened(tx, a_review()))
        second = revised(review, amount=90.0)
        third = revised(second, amount=45.0)
        await store.tx(lambda tx: tx.save(review, second, []))
        await store.tx(lambda tx: tx.save(second, third, []))
        assert await store.view(lambda tx: tx.read(review.id)) == third
        assert third.original["amount"] == 180.0
        kept = await store.view(lambda tx: tx.revisions(review.id))
        assert [(r["revision"], r["arguments"]["amount"], r["digest"]) for r in kept] == [
            (1, 180.0, review.proposal.digest),
            (2, 90.0, second.proposal.digest),
            (3, 45.0, third.proposal.digest),
        ]
        assert {(r["action"], r["proposed_by"]) for r in kept} == {("refund.issue", "agent")}
        assert kept[0]["at"] == START

    async def test_opening_without_its_first_arguments_is_a_mistake(self, store: Store) -> None:
        """A review whose `original` is not what it opens with is refused, since that would be lost."""
        with pytest.raises(ValueError, match="original"):
            await store.tx(lambda tx: opened(tx, a_review(original={"other": 1})))

    # ------------------------------------------------------------------------------------------ votes, rungs

    async def test_one_vote_per_person_and_revision(self, store: Store) -> None:
        """A second vote of a person on one revision is refused unless it is meant to replace the first."""
        review = await store.tx(lambda tx: opened(tx, a_review()))
        vote = a_vote(review, "ana")
        await store.tx(lambda tx: tx.save(review, review, [Cast(vote=vote)]))
        with pytest.raises(Duplicate):
            await store.tx(lambda tx: tx.save(review, review, [Cast(vote=vote)]))
        no = dataclasses.replace(vote, verb=Verb.REJECT)
        await store.tx(lambda tx: tx.save(review, review, [Cast(vote=no, again=True)]))
        await store.tx(lambda tx: tx.save(review, review, [Cast(vote=dataclasses.replace(vote, revision=2))]))
        await store.tx(lambda tx: tx.save(review, review, [Cast(vote=dataclasses.replace(vote, person="bo"))]))

    async def test_a_rung_fires_once_a_run(self, store: Store) -> None:
        """The same rung of the same run is refused for ever; of another run it is not."""
        review = await store.tx(lambda tx: opened(tx, a_review(), Rang(epoch=0, rung=0, at=START)))
        with pytest.raises(Duplicate):
            await store.tx(lambda tx: tx.save(review, review, [Rang(epoch=0, rung=0, at=START)]))
        await store.tx(lambda tx: tx.save(review, review, [Rang(epoch=1, rung=0, at=START)]))

    async def test_concurrent_votes_are_all_counted(self, store: Store) -> None:
        """Two who vote at once under a quorum of two decide: two hundred times, none lost."""
        reviews = [await store.tx(lambda tx: opened(tx, a_review())) for _ in range(200)]

        def voting(review_id: str, person: str) -> Callable[[Tx], None]:
            def vote(tx: Tx) -> None:
                review = tx.lock(review_id)
                assert review is not None
                mine = a_vote(review, person)
                after = dataclasses.replace(review, votes=(*review.votes, mine), version=review.version + 1)
                if len(after.votes) == 2:
                    after = ended(after)
                tx.save(review, after, [Cast(vote=mine)])

            return vote

        await asyncio.gather(*(store.tx(voting(r.id, who)) for r in reviews for who in ("ana", "bo")))
        kept = await store.view(lambda tx: tx.find(Query(limit=300)))
        assert [(r.status, len(r.votes)) for r in kept] == [(Status.APPROVED, 2)] * 200

    async def test_concurrent_revisions_are_read_with_their_own_proposal(self, store: Store) -> None:
        """Whoever waits for a review that is being revised finds it, revised."""
        review = await store.tx(lambda tx: opened(tx, a_review()))

        def revise(tx: Tx) -> None:
            found = tx.lock(review.id)
            assert found is not None
            tx.save(found, revised(found, amount=float(found.revision)), [])

        await asyncio.gather(*(store.tx(revise) for _ in range(20)))
        kept = await store.view(lambda tx: tx.read(review.id))
        assert kept is not None
        assert (kept.revision, kept.request.action.arguments["amount"], kept.original["amount"]) == (21, 20.0, 180.0)
        assert len(await store.view(lambda tx: tx.revisions(review.id))) == 21

    async def test_who_gives_up_waiting_stops_nothing(self, store: Store) -> None:
        """A cancelled caller's transaction is committed all the same."""
        review = a_review()
        task = asyncio.ensure_future(store.tx(lambda tx: opened(tx, review)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for _ in range(200):
            if await store.tx(lambda tx: tx.read(review.id)) is not None:
                return
        pytest.fail("it was not kept")

    # ------------------------------------------------------------------------------------------ lists

    async def test_a_query_finds_what_fits_all_it_says(self, store: Store) -> None:
        """Agent, status, action, subject, open and paging narrow; order orders."""
        one = await store.tx(lambda tx: opened(tx, a_review(request=a_request(name="refund.issue", subject="s1"))))
        two = await store.tx(lambda tx: opened(tx, a_review(agent="other", request=a_request(subject="s2"))))
        three = await store.tx(lambda tx: opened(tx, a_review(request=a_request(name="stop", subject="s1"))))
        over = ended(three, Status.REJECTED)
        await store.tx(lambda tx: tx.save(three, over, []))

        async def found(**asked: object) -> list[str]:
            query = Query(**asked)
            ids = [review.id for review in await store.view(lambda tx: tx.find(query))]
            unlimited = dataclasses.replace(query, limit=99, offset=0)
            everything = len(await store.view(lambda tx: tx.find(unlimited)))
            assert await store.view(lambda tx: tx.count(query)) == everything
            return ids

        assert await found() == [over.id, two.id, one.id]
        assert await found(order="oldest") == [one.id, two.id, over.id]
        assert await found(agent="other") == [two.id]
        assert await found(subject="s1") == [over.id, one.id]
        assert await found(subject="s1", action="stop") == [over.id]
        assert await found(open_only=True) == [two.id, one.id]
        assert await found(statuses=(Status.REJECTED, Status.EXPIRED)) == [over.id]
        assert await found(before_seq=three.seq, limit=1) == [two.id]
        assert await found(offset=1, limit=1) == [two.id]

    async def test_a_queue_is_for_roles_levels_and_persons(self, store: Store) -> None:
        """A review is let in by a role it needs, a level it needs, a person called or owning: any of them."""
        manager = a_review(route=a_route(needs=(Need(role="manager"), Need(role="security"))))
        senior = a_review(route=a_route(needs=(Need(level=2),)))
        called = a_review(route=a_route(needs=(Need(role="nobody"),)), called={"ana": "oncall"})
        owned = dataclasses.replace(a_review(route=a_route(needs=(Need(role="nobody"),))), owner="ana")
        for review in (manager, senior, called, owned):
            await store.tx(lambda tx, review=review: opened(tx, review))

        async def queue(**asked: object) -> set[str]:
            query = Query(open_only=True, order="priority", **asked)
            found = {review.id for review in await store.view(lambda tx: tx.find(query))}
            assert await store.view(lambda tx: tx.count(query)) == len(found)
            return found

        assert await queue(roles=("manager",)) == {manager.id}
        assert await queue(roles=("security", "manager")) == {manager.id}
        assert await queue(levels_up_to=1) == set()
        assert await queue(levels_up_to=3) == {senior.id}
        assert await queue(called="ana") == {called.id, owned.id}
        assert await queue(called="ana", roles=("security",), levels_up_to=2) == {
            r.id for r in (manager, senior, called, owned)
        }
        assert await queue(called="bo") == set()

    async def test_a_queue_follows_the_review(self, store: Store) -> None:
        """Whoever is called later finds it; a role no longer needed after a revision does not."""
        review = await store.tx(lambda tx: opened(tx, a_review()))
        proposal = dataclasses.replace(revised(review).proposal, route=a_route(needs=(Need(role="security"),)))
        after = dataclasses.replace(review, proposal=proposal, called={"bo": "person"}, version=2)
        await store.tx(lambda tx: tx.save(review, after, []))

        def queues(tx: Tx) -> list[int]:
            return [tx.count(q) for q in (Query(roles=("manager",)), Query(roles=("security",)), Query(called="bo"))]

        assert await store.view(queues) == [0, 1, 1]

    async def test_the_most_urgent_comes_first(self, store: Store) -> None:
        """By priority: the earlier deadline first, and of equals the older."""
        late = a_review(created_at=START + timedelta(hours=1))
        soon, same = a_review(), a_review()
        for review in (late, soon, same):
            await store.tx(lambda tx, review=review: opened(tx, review))
        found = await store.view(lambda tx: tx.find(Query(order="priority", open_only=True)))
        assert [review.id for review in found] == [soon.id, same.id, late.id]

    async def test_what_an_agent_did_of_late(self, store: Store) -> None:
        """Instants and amounts by agent and subject since an instant; without a subject, of all."""
        for minute, subject, agent in ((0, "s", "a"), (10, "s", "a"), (20, "t", "a"), (30, "s", "b")):
            review = a_review(
                agent=agent,
                created_at=START + minute * MINUTE,
                request=a_request(subject=subject),
                route=a_route(amount=float(minute)),
            )
            await store.tx(lambda tx, review=review: opened(tx, review))
        since = START + 5 * MINUTE
        assert await store.tx(lambda tx: tx.recent("a", "s", since)) == [(START + 10 * MINUTE, 10.0)]
        assert sorted(await store.tx(lambda tx: tx.recent("a", None, since))) == [
            (START + 10 * MINUTE, 10.0),
            (START + 20 * MINUTE, 20.0),
        ]

    async def test_how_the_rules_do(self, store: Store) -> None:
        """Counts by rule and end, and the times of what was decided, sandboxes left out."""
        for n, verdict in enumerate((Status.APPROVED, Status.REJECTED, Status.EXPIRED, None)):
            review = a_review(route=a_route(rule="r"))
            kept = await store.tx(lambda tx, review=review: opened(tx, review))
            if verdict:
                over = ended(kept, verdict, after=(n + 1) * MINUTE)
                await store.tx(lambda tx, kept=kept, over=over: tx.save(kept, over, []))
        await store.tx(lambda tx: opened(tx, a_review(route=a_route(rule="s"), created_at=START - MINUTE)))
        await store.tx(lambda tx: opened(tx, a_review(route=a_route(rule="t"), sandbox=True)))
        assert await store.view(lambda tx: tx.stats(START)) == [
            {"rule": "r", "asked": 4, "approved": 1, "rejected": 1, "expired": 1, "p50": 120.0, "p95": 120.0}
        ]

    # ------------------------------------------------------------------------------------------ alarms

    async def test_alarms_ring_in_their_order(self, store: Store) -> None:
        """What is due is given, the longest overdue first; what is over never is."""
        reviews = [a_review(created_at=START + n * MINUTE) for n in (2, 0, 1)]
        for review in reviews:
            await store.tx(lambda tx, review=review: opened(tx, review))
        first = next_alarm(reviews[1])
        assert first is not None
        assert await store.view(lambda tx: tx.next_due()) == first
        assert await store.tx(lambda tx: tx.due(first - SECOND, 10)) == []
        found = await store.tx(lambda tx: tx.due(first + MINUTE, 10))
        assert [review.id for review in found] == [reviews[1].id, reviews[2].id]
        assert [r.id for r in await store.tx(lambda tx: tx.due(first + 9 * MINUTE, 2))] == [r.id for r in found]
        over = ended(found[0], Status.REJECTED)
        await store.tx(lambda tx: tx.save(found[0], over, []))
        assert [r.id for r in await store.tx(lambda tx: tx.due(first + MINUTE, 10))] == [reviews[2].id]

    async def test_no_alarm_at_all(self, store: Store) -> None:
        """An empty store is never due."""
        assert await store.view(lambda tx: (tx.next_due(), tx.next_outbound())) == (None, None)

    async def test_an_alarm_set_aside_is_silent_until_then(self, store: Store) -> None:
        """A review that could not be handled does not ring before the instant given, and the log says why."""
        review = await store.tx(lambda tx: opened(tx, a_review()))
        due = next_alarm(review)
        assert due is not None
        await store.tx(lambda tx: tx.set_aside(review.id, "ValueError: x", due + MINUTE))
        assert await store.tx(lambda tx: tx.due(due + 59 * SECOND, 10)) == []
        assert [r.id for r in await store.tx(lambda tx: tx.due(due + MINUTE, 10))] == [review.id]
        [entry] = await store.view(lambda tx: tx.log(review=review.id))
        assert (entry.kind, entry.detail["why"], entry.public) == ("timer.set_aside", "ValueError: x", False)

    # ------------------------------------------------------------------------------------------ copies

    async def posted(self, store: Store, *targets: Target) -> tuple[Review, datetime]:
        """A review with a copy wanted at each target, and an instant at which they are due."""
        effects = [Post(target=target, epoch=0, rung=n) for n, target in enumerate(targets)]
        review = await store.tx(lambda tx: opened(tx, a_review(), *effects))
        return review, await store.tx(lambda tx: tx.now())

    async def test_a_copy_is_claimed_once(self, store: Store) -> None:
        """A new copy is claimed as `new` and becomes `posting`; nobody gets it again until the lease ends."""
        review, now = await self.posted(store, CHANNEL)
        [copy] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        assert (copy.review, copy.state) == (review.id, "new")
        assert await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10)) == []
        assert await store.view(lambda tx: tx.next_outbound()) == now + MINUTE
        again = await store.tx(lambda tx: tx.claim_copies(now + MINUTE, now + 2 * MINUTE, 10))
        assert [(c.id, c.state) for c in again] == [(copy.id, "posting")]

    async def test_a_copy_that_shows_what_is_wanted_rests(self, store: Store) -> None:
        """Once posted it is not due until the review changes, and then at once."""
        review, now = await self.posted(store, CHANNEL)
        [copy] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        ref = MessageRef(surface="slack", ref={"channel": "C1", "ts": "1.2"})
        done = dataclasses.replace(copy, state="posted", shown=1, ref=ref, attempts=1, error="slow\0")
        await store.tx(lambda tx: tx.keep_copy(done, None))
        assert await store.view(lambda tx: tx.next_outbound()) is None
        await store.tx(lambda tx: tx.save(review, ended(review), [Refresh()]))
        now = await store.tx(lambda tx: tx.now())
        [copy] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        assert (copy.id, copy.state, copy.wanted, copy.shown, copy.ref, copy.attempts) == (
            done.id, "posted", 2, 1, ref, 1,
        )  # fmt: skip
        assert await store.view(lambda tx: tx.copy(copy.id)) == copy

    async def test_a_change_while_a_copy_is_posted_is_not_lost(self, store: Store) -> None:
        """A worker that keeps an older version leaves the copy due; it is not taken from under its hands."""
        review, now = await self.posted(store, CHANNEL)
        [copy] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        await store.tx(lambda tx: tx.save(review, ended(review), [Refresh()]))
        later = await store.tx(lambda tx: tx.now())
        assert await store.tx(lambda tx: tx.claim_copies(later, later + MINUTE, 10)) == []
        shown = dataclasses.replace(copy, state="posted", shown=1, ref=MessageRef(surface="slack", ref={"ts": "1"}))
        await store.tx(lambda tx: tx.keep_copy(shown, None))
        later = await store.tx(lambda tx: tx.now())
        [again] = await store.tx(lambda tx: tx.claim_copies(later, later + MINUTE, 10))
        assert (again.id, again.wanted, again.shown) == (copy.id, 2, 1)
        # and once more, while a posted copy is being redrawn
        newer = dataclasses.replace(ended(review), version=3)
        await store.tx(lambda tx: tx.save(ended(review), newer, [Refresh()]))
        later = await store.tx(lambda tx: tx.now())
        assert await store.tx(lambda tx: tx.claim_copies(later, later + MINUTE, 10)) == []
        await store.tx(lambda tx: tx.keep_copy(dataclasses.replace(again, shown=2), None))
        later = await store.tx(lambda tx: tx.now())
        [last] = await store.tx(lambda tx: tx.claim_copies(later, later + MINUTE, 10))
        assert (last.wanted, last.shown) == (3, 2)

    async def test_a_copy_is_tried_again_when_asked(self, store: Store) -> None:
        """`due_at` says when; a copy that failed for good rests."""
        _, now = await self.posted(store, CHANNEL)
        [copy] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        retry = dataclasses.replace(copy, state="new", attempts=1, error="down")
        await store.tx(lambda tx: tx.keep_copy(retry, now + 5 * SECOND))
        assert await store.tx(lambda tx: tx.claim_copies(now + 4 * SECOND, now + MINUTE, 10)) == []
        [copy] = await store.tx(lambda tx: tx.claim_copies(now + 5 * SECOND, now + MINUTE, 10))
        assert (copy.state, copy.attempts, copy.error) == ("new", 1, "down")
        await store.tx(lambda tx: tx.keep_copy(dataclasses.replace(copy, state="failed"), None))
        assert await store.view(lambda tx: tx.next_outbound()) is None

    async def twice(self, store: Store) -> tuple[datetime, Copy, Copy]:
        """A copy claimed by one worker, and after its lease by a second one; the instant of that."""
        _, now = await self.posted(store, CHANNEL)
        [first] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        later = now + MINUTE
        [second] = await store.tx(lambda tx: tx.claim_copies(later, later + MINUTE, 10))
        return later, first, second

    async def test_a_copy_kept_late_changes_nothing(self, store: Store) -> None:
        """Neither the first worker's failure nor its older drawing touches what the second one is at, or kept."""
        now, first, second = await self.twice(store)
        late = dataclasses.replace(first, state="failed", attempts=9, error="late")
        before = await store.view(lambda tx: tx.copy(first.id))
        assert not await store.tx(lambda tx: tx.keep_copy(late, None))
        assert await store.view(lambda tx: tx.copy(first.id)) == before
        assert await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10)) == []
        shown = lying(second, "2")
        assert await store.tx(lambda tx: tx.keep_copy(shown, None))
        assert not await store.tx(lambda tx: tx.keep_copy(late, now))
        assert not await store.tx(lambda tx: tx.keep_copy(dataclasses.replace(lying(first, "2"), shown=0), now))
        assert await store.view(lambda tx: tx.copies(first.review)) == [dataclasses.replace(shown, lease=None)]
        assert await store.view(lambda tx: tx.next_outbound()) is None

    async def test_a_message_posted_late_is_found_by_the_second(self, store: Store) -> None:
        """The first worker's message is known from then on; the second one, that found the same, keeps its drawing."""
        now, first, second = await self.twice(store)
        assert await store.tx(lambda tx: tx.keep_copy(lying(first, "1"), None))
        kept = await store.view(lambda tx: tx.copy(first.id))
        assert kept == dataclasses.replace(lying(first, "1"), lease=second.lease)
        assert await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10)) == []
        assert await store.tx(lambda tx: tx.keep_copy(lying(second, "1"), None))
        assert [c.ref for c in await store.view(lambda tx: tx.copies(first.review))] == [lying(first, "1").ref]

    async def test_a_message_posted_late_outlives_a_failure(self, store: Store) -> None:
        """The second worker could not post; the message is there all the same, and is brought up to date at once."""
        now, first, second = await self.twice(store)
        await store.tx(lambda tx: tx.keep_copy(dataclasses.replace(lying(first, "1"), shown=0), None))
        assert not await store.tx(lambda tx: tx.keep_copy(dataclasses.replace(second, state="failed"), None))
        now = max(now, await store.tx(lambda tx: tx.now()))
        [again] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        assert (again.id, again.state, again.ref) == (first.id, "posted", lying(first, "1").ref)

    @pytest.mark.parametrize("more", [{"channel": "C1", "ts": "1", "thread": "9"}, {"channel": "C1", "ts": "1"}])
    async def test_a_message_known_by_more_is_no_twin(self, store: Store, more: dict[str, str]) -> None:
        """Surfaces add to a ref what they learn: what agrees in all that both say is one message."""
        _, first, second = await self.twice(store)
        await store.tx(lambda tx: tx.keep_copy(lying(second, "1"), None))
        late = dataclasses.replace(lying(first, "1"), ref=MessageRef(surface="slack", ref=more))
        assert not await store.tx(lambda tx: tx.keep_copy(late, None))
        assert [c.ref for c in await store.view(lambda tx: tx.copies(first.review))] == [lying(second, "1").ref]

    @pytest.mark.parametrize("first_kept", ["first", "second"])
    async def test_two_messages_of_one_copy_are_twins(self, store: Store, first_kept: str) -> None:
        """Both were posted: each has a row of its own, and comes to show what the review says."""
        now, first, second = await self.twice(store)
        kept = [lying(first, "1"), lying(second, "2")]
        for copy in kept if first_kept == "first" else reversed(kept):
            assert await store.tx(lambda tx, c=copy: tx.keep_copy(c, None))
        mine, twin = sorted(await store.view(lambda tx: tx.copies(first.review)), key=lambda c: c.id != first.id)
        assert (mine.ref, twin.ref) == (lying(second, "2").ref, lying(first, "1").ref)
        assert (twin.state, twin.target, twin.rung, twin.lease) == ("posted", CHANNEL, mine.rung, None)
        now = max(now, await store.tx(lambda tx: tx.now()))
        [due] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        assert due.id == twin.id

    async def test_two_copies_at_one_place_do_not_race(self, store: Store) -> None:
        """Of two copies of one review in one channel, one is worked on at a time; other places do not wait."""
        other = Target(surface="slack", address="#other")
        _, now = await self.posted(store, CHANNEL, CHANNEL, other)
        first = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        assert {copy.target for copy in first} == {CHANNEL, other}
        assert len(first) == 2
        assert await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10)) == []
        assert await store.view(lambda tx: tx.next_outbound()) == now + MINUTE
        mine = next(copy for copy in first if copy.target == CHANNEL)
        ref = MessageRef(surface="slack", ref={"ts": "1"})
        await store.tx(lambda tx: tx.keep_copy(dataclasses.replace(mine, state="posted", shown=1, ref=ref), None))
        [second] = await store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 10))
        assert second.target == CHANNEL
        assert second.id != mine.id

    async def test_no_more_are_claimed_than_asked_for(self, store: Store) -> None:
        """A limit holds, and every copy is given to one worker only, however many ask at once."""
        targets = [Target(surface="slack", address=f"#{n}") for n in range(30)]
        _, now = await self.posted(store, *targets)
        claims = await asyncio.gather(*(store.tx(lambda tx: tx.claim_copies(now, now + MINUTE, 5)) for _ in range(8)))
        assert all(len(claim) <= 5 for claim in claims)
        ids = [copy.id for claim in claims for copy in claim]
        assert len(ids) == len(set(ids)) == 30

    async def test_an_unknown_copy_is_said_so(self, store: Store) -> None:
        """Keeping what was never wanted raises."""
        ghost = Copy(
            id="cpy_no", review="rev_no", target=CHANNEL, epoch=0, rung=0, state="posted", wanted=1, shown=1,
            created_at=START,
        )  # fmt: skip
        with pytest.raises(NotFound):
            await store.tx(lambda tx: tx.keep_copy(ghost, None))
        with pytest.raises(NotFound):
            await store.tx(lambda tx: tx.keep_delivery(a_delivery("msg_no", START)))
        assert await store.view(lambda tx: tx.copy("cpy_no")) is None

    # ------------------------------------------------------------------------------------------ deliveries

    async def test_a_delivery_is_claimed_once(self, store: Store) -> None:
        """It is given as it was, then to nobody until the lease ends; kept as done it never comes back."""
        delivery = a_delivery("msg_1", START)
        await store.tx(lambda tx: tx.add_delivery(delivery))
        with pytest.raises(Duplicate):
            await store.tx(lambda tx: tx.add_delivery(delivery))
        assert await store.tx(lambda tx: claimed(tx, START - SECOND)) == []
        assert await store.tx(lambda tx: claimed(tx, START)) == [dataclasses.replace(delivery, lease=START + MINUTE)]
        assert await store.tx(lambda tx: claimed(tx, START)) == []
        assert await store.view(lambda tx: tx.next_outbound()) == START + MINUTE
        [again] = await store.tx(lambda tx: claimed(tx, START + MINUTE))
        done = dataclasses.replace(again, state="done", attempts=2, error="500\0")
        assert await store.tx(lambda tx: tx.keep_delivery(done))
        assert await store.view(lambda tx: tx.next_outbound()) is None
        [kept] = await store.view(lambda tx: tx.deliveries(state="done"))
        assert (kept.id, kept.attempts, kept.body) == ("msg_1", 2, delivery.body)

    async def test_each_receiver_has_its_own_places(self, store: Store) -> None:
        """A pile of messages for one receiver leaves places for the others; who waits longest comes first."""

        def pile(tx: Tx) -> None:
            for n in range(50):
                tx.add_delivery(a_delivery(f"slow_{n}", START + n * SECOND, url=f"http://u@Slow:81/{n}?to=quick"))
            tx.add_delivery(a_delivery("quick", START + 55 * SECOND, url="https://quick/"))
            tx.add_delivery(a_delivery("early", START - SECOND, url="https://early?x=1"))
            tx.add_delivery(a_delivery("later", START + 2 * MINUTE, url="https://later/"))
            tx.add_delivery(a_delivery("broken", START + 58 * SECOND, url="http:///[::"))

        await store.tx(pile)
        now = START + MINUTE

        async def ids(limit: int, **busy: int) -> list[str]:
            lanes = {name.replace("_", ":"): count for name, count in busy.items()}
            return [d.id for d in await store.tx(lambda tx: claimed(tx, now, limit, each=3, busy=lanes))]

        assert await ids(0) == []
        assert await ids(10, slow_81=1) == ["early", "slow_0", "slow_1", "quick", "broken"]
        assert await ids(10, slow_81=3) == []
        assert await ids(2) == ["slow_2", "slow_3"]

    @pytest.mark.parametrize("state", ["due", "dead", "done", "gone"])
    async def test_a_delivery_kept_late_changes_only_what_is_true(self, store: Store, state: str) -> None:
        """A second worker has it: the first one's failure is nothing; that the receiver took it stays true."""
        await store.tx(lambda tx: tx.add_delivery(a_delivery("msg_1", START)))
        [first] = await store.tx(lambda tx: claimed(tx, START))
        [second] = await store.tx(lambda tx: claimed(tx, START + MINUTE))
        said = state in ("done", "gone")
        late = dataclasses.replace(first, state=state, attempts=1, due_at=START + SECOND, error="late")
        assert await store.tx(lambda tx: tx.keep_delivery(late)) is said
        failed = dataclasses.replace(second, attempts=5, due_at=START + 5 * MINUTE, error="500")
        assert await store.tx(lambda tx: tx.keep_delivery(failed)) is not said
        [kept] = await store.view(lambda tx: tx.deliveries())
        assert (kept.state, kept.attempts, kept.error) == ((state, 1, "late") if said else ("due", 5, "500"))
        assert await store.tx(lambda tx: tx.keep_delivery(late)) is False

    async def test_a_delivery_given_up_may_still_have_arrived(self, store: Store) -> None:
        """The second worker gave up; the first one hears that it was taken. An operator needs no claim."""
        await store.tx(lambda tx: tx.add_delivery(a_delivery("msg_1", START)))
        [first] = await store.tx(lambda tx: claimed(tx, START))
        [second] = await store.tx(lambda tx: claimed(tx, START + MINUTE))
        assert await store.tx(lambda tx: tx.keep_delivery(dataclasses.replace(second, state="dead")))
        assert await store.tx(lambda tx: tx.keep_delivery(dataclasses.replace(first, state="done")))
        [kept] = await store.view(lambda tx: tx.deliveries())
        assert (kept.state, kept.lease) == ("done", None)
        again = dataclasses.replace(kept, state="due", due_at=START)
        assert await store.tx(lambda tx: tx.keep_delivery(again))
        assert [d.id for d in await store.tx(lambda tx: claimed(tx, START + MINUTE))] == ["msg_1"]

    async def test_deliveries_are_listed_newest_first(self, store: Store) -> None:
        """By review and by state."""
        for name, review in (("a", "rev_1"), ("b", "rev_2"), ("c", "rev_1")):
            await store.tx(lambda tx, n=name, r=review: tx.add_delivery(a_delivery(n, START, review=r)))
        await store.tx(lambda tx: tx.keep_delivery(dataclasses.replace(a_delivery("a", START), state="dead")))

        async def listed(**asked: object) -> list[str]:
            return [d.id for d in await store.view(lambda tx: tx.deliveries(**asked))]

        assert await listed() == ["c", "b", "a"]
        assert await listed(review="rev_1") == ["c", "a"]
        assert await listed(state="dead") == ["a"]
        assert await listed(review="rev_1", state="due") == ["c"]
        assert await listed(limit=1) == ["c"]

    # ------------------------------------------------------------------------------------------ the log, the house

    async def test_the_log_keeps_the_bytes_to_be_proved(self, store: Store) -> None:
        """An entry's body is canonical and names its particulars by their salted hash."""
        entry = Record(kind="review.opened", at=START, actor='agent:"é\n', detail={"b": 1.5, "a": [None]})
        await store.tx(lambda tx: tx.record(entry, "rev_1"))
        await store.tx(lambda tx: tx.record(dataclasses.replace(entry, kind="config.loaded", public=False)))
        first, second = await store.view(lambda tx: tx.log())
        assert (first.kind, first.review, first.at, first.public) == ("review.opened", "rev_1", START, True)
        assert (second.review, second.public) == (None, False)
        for kept in (first, second):
            body = json.loads(kept.body)
            assert canonical(body) == kept.body
            assert body["detail_sha256"] == hashlib.sha256(canonical(kept.detail)).hexdigest()
            assert set(body) == {"at", "kind", "actor", "review", "detail_sha256"}
            assert {"a": kept.detail["a"], "b": kept.detail["b"]} == entry.detail
        assert first.detail["salt"] != second.detail["salt"]

    async def test_the_log_is_read_in_pages(self, store: Store) -> None:
        """Oldest first, after a number, of one review, the public part."""

        def write(tx: Tx) -> None:
            for n in range(4):
                entry = Record(kind=f"k{n}", at=START, actor="a", public=n != 2)
                tx.record(entry, "rev_1" if n else "rev_2")

        await store.tx(write)
        everything = await store.view(lambda tx: tx.log())
        assert [entry.kind for entry in everything] == ["k0", "k1", "k2", "k3"]

        async def kinds(**asked: object) -> list[str]:
            return [e.kind for e in await store.view(lambda tx: tx.log(**asked))]

        assert await kinds(after=everything[1].seq) == ["k2", "k3"]
        assert await kinds(review="rev_1", limit=2) == ["k1", "k2"]
        assert await kinds(review="rev_1", public=True) == ["k1", "k3"]
        assert await kinds(public=True, after=everything[0].seq) == ["k1", "k3"]

    async def test_agents_are_kept_and_changed(self, store: Store) -> None:
        """The last one put under a name stands."""
        agent = Agent(name="b", key_hash="h", secrets=("whsec_1",), owners=("ana",), created_at=START)
        stopped = dataclasses.replace(agent, stop=Stop(by="bo", at=START, reason="It loops.", instruction="Ask first."))
        for put in (agent, Agent(name="a", key_hash="g", secrets=(), resuming="cy"), stopped):
            await store.tx(lambda tx, put=put: tx.put_agent(put))
        resumed = Agent(name="a", key_hash="g", secrets=(), resuming="cy")
        assert await store.view(lambda tx: tx.agents()) == [resumed, stopped]
        assert await store.view(lambda tx: (tx.agent("b"), tx.agent("no"))) == (stopped, None)
        for change in (False, True):
            assert await store.tx(lambda tx, change=change: tx.agent("b", change=change)) == stopped

    async def test_tickets_are_kept_and_spent(self, store: Store) -> None:
        """A ticket is found by its hash, as it was last put."""
        ticket = Ticket(hash="h", kind="link", person="ana", created_at=START, expires_at=START + MINUTE, scope="rev_1")
        await store.tx(lambda tx: tx.put_ticket(ticket))
        assert await store.view(lambda tx: tx.ticket("h")) == ticket
        spent = dataclasses.replace(ticket, used_at=START)
        await store.tx(lambda tx: tx.put_ticket(spent))
        assert await store.tx(lambda tx: tx.ticket("h")) == spent
        assert await store.view(lambda tx: tx.ticket("no")) is None

    async def test_a_ticket_is_spent_by_one(self, store: Store) -> None:
        """Of many who come with one link at once, one finds it unspent."""
        ticket = Ticket(hash="h", kind="link", person="ana", created_at=START, expires_at=START + MINUTE)
        await store.tx(lambda tx: tx.put_ticket(ticket))

        def spend(tx: Tx) -> bool:
            found = tx.ticket("h")
            assert found is not None
            if found.used_at is not None:
                return False
            tx.put_ticket(dataclasses.replace(found, used_at=START))
            return True

        assert sum(await asyncio.gather(*(store.tx(spend) for _ in range(20)))) == 1

    async def test_one_policy_version_is_one_text(self, store: Store) -> None:
        """The same text again is welcome; another under the same version is not."""
        await store.tx(lambda tx: tx.put_policy("p", 1, "a" * 64, "one", START))
        await store.tx(lambda tx: tx.put_policy("p", 1, "a" * 64, "one", START))
        with pytest.raises(PolicyConflict, match="version"):
            await store.tx(lambda tx: tx.put_policy("p", 1, "b" * 64, "two", START))
        await store.tx(lambda tx: tx.put_policy("p", 2, "b" * 64, "two", START))
        assert await store.view(lambda tx: tx.policy_text("b" * 64)) == "two"
        assert await store.view(lambda tx: tx.policy_text("c" * 64)) is None

    # ------------------------------------------------------------------------------------------ the store itself

    async def test_the_time_stands_still_in_a_transaction(self, store: Store) -> None:
        """`now` is aware, UTC, and one instant from a transaction's beginning to its end."""
        first, second = await store.tx(lambda tx: (tx.now(), tx.now()))
        assert first == second
        assert first.tzinfo is UTC

    async def test_it_says_what_it_is(self, store: Store) -> None:
        """Facts name the engine and the version, and warn where there is something to warn of."""
        facts = store.facts()
        assert facts["engine"] in ("memory", "sqlite", "postgresql")
        assert isinstance(facts["warnings"], list)

    async def test_listening_ends_with_the_store(self, store: Store) -> None:
        """Whoever listens is let go when the store stops."""
        heard: list[str] = []

        async def listen() -> None:
            async for name in store.listen():
                heard.append(name)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        await store.stop()
        await asyncio.wait_for(listening, 10)
        assert set(heard) <= {"resync"}

    async def test_a_closed_store_takes_nothing(self, store: Store) -> None:
        """After `stop` every call says so."""
        await store.stop()
        with pytest.raises(StoreUnavailable):
            await store.tx(lambda tx: tx.now())
        with pytest.raises(StoreUnavailable):
            await store.view(lambda tx: tx.now())
