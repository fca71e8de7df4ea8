"""What every store promises of the house's own messages, of the load on people, and of what follows from what.

Each engine's test file subclasses `HouseContract` beside `StoreContract`.
"""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from reviews.card import Tone
from reviews.errors import StoreUnavailable
from reviews.events import COURTESY, Post
from reviews.keeping import Agent, Bulletin, Copy, CopyKind, Query, Stop, Store, Tx
from reviews.model import Grant, GrantState, Need, Relation, Review, Status, Target
from reviews.ports import Backlog
from tests.contracts.store_contract import CHANNEL, MINUTE, SECOND, ended, lying, opened
from tests.fakes.builders import START, a_request, a_review, a_route

ANA = Target(surface="slack", address="D1", person="ana")
BULLETIN = Bulletin(id="bul_1", title="Queue", text="7 wait for manager: é", at=START, tone=Tone.ATTENTION)
NEEDS_BOTH = (Need(role="manager"), Need(level=2))


def granted(review: Review, state: GrantState = GrantState.OPEN) -> Review:
    """The review, approved, and what became of the right to act that gave."""
    grant = Grant(state=state, valid_until=START + timedelta(hours=1))
    return dataclasses.replace(ended(review), grant=grant)


def held(review: Review) -> Review:
    """The review while its agent is stopped."""
    return dataclasses.replace(review, held_since=START)


def silenced(copy: Copy, why: str) -> Copy:
    """The copy, posted where nobody notices."""
    return dataclasses.replace(lying(copy, "1"), muted=why)


async def keep(store: Store, review: Review) -> Review:
    """Open a review, whatever has become of it."""
    return await store.tx(lambda tx: opened(tx, review))


def due(tx: Tx) -> list[Copy]:
    """Claim what is due now, for a minute."""
    return tx.claim_copies(tx.now(), tx.now() + MINUTE, 10)


class HouseContract:
    """The suite. A subclass gives `store`, started."""

    # ------------------------------------------------------------------------------------------ bulletins

    async def test_a_bulletin_goes_to_each_of_its_targets(self, store: Store) -> None:
        """It is read as it was; each copy is a notice of it, due now, that no rung called for."""
        await store.tx(lambda tx: tx.put_bulletin(BULLETIN, [CHANNEL, ANA]))
        assert await store.view(lambda tx: (tx.bulletin("bul_1"), tx.bulletin("bul_2"))) == (BULLETIN, None)
        copies = await store.view(lambda tx: tx.copies("bul_1"))
        assert {copy.target for copy in copies} == {CHANNEL, ANA}
        assert {c.id for c in await store.tx(due)} == {c.id for c in copies}
        for copy in copies:
            assert copy.id.startswith("cpy_")
            assert (copy.kind, copy.epoch, copy.rung) == (CopyKind.NOTICE, 0, COURTESY)
            assert (copy.state, copy.wanted, copy.shown) == ("new", 1, 0)

    async def test_the_same_bulletin_again_changes_nothing(self, store: Store) -> None:
        """Whoever comes second neither changes the text nor tells anybody anew."""
        await store.tx(lambda tx: tx.put_bulletin(BULLETIN, [CHANNEL]))
        other = dataclasses.replace(BULLETIN, text="8 wait")
        await store.tx(lambda tx: tx.put_bulletin(other, [CHANNEL, ANA]))
        assert await store.view(lambda tx: tx.bulletin("bul_1")) == BULLETIN
        assert [copy.target for copy in await store.view(lambda tx: tx.copies("bul_1"))] == [CHANNEL]
        await store.tx(lambda tx: tx.put_bulletin(dataclasses.replace(BULLETIN, id="bul_2"), []))
        assert await store.view(lambda tx: tx.copies("bul_2")) == []

    async def test_a_bulletin_is_kept_with_its_transaction(self, store: Store) -> None:
        """What raises leaves neither it nor its copies; a view keeps none."""

        def fails(tx: Tx) -> None:
            tx.put_bulletin(BULLETIN, [CHANNEL])
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            await store.tx(fails)
        with pytest.raises(StoreUnavailable):
            await store.view(lambda tx: tx.put_bulletin(BULLETIN, [CHANNEL]))
        assert await store.view(lambda tx: (tx.bulletin("bul_1"), tx.copies("bul_1"))) == (None, [])

    async def test_a_notice_rests_once_it_is_posted(self, store: Store) -> None:
        """It is never due again, and is not among the cards at its place."""
        await store.tx(lambda tx: tx.put_bulletin(BULLETIN, [CHANNEL]))
        [copy] = await store.tx(due)
        assert await store.tx(lambda tx: tx.keep_copy(lying(copy, "1"), None))
        assert await store.view(lambda tx: tx.next_outbound()) is None
        place = (CHANNEL.surface, CHANNEL.address, "posted")
        assert await store.view(lambda tx: tx.standing(*place, 10)) == []

    async def test_a_person_is_given_what_they_and_their_places_were_told(self, store: Store) -> None:
        """The newest first, each once; nothing older than asked for, nothing more, nothing said to others alone."""
        bo = Target(surface="web", address="bo", person="bo")
        said = {"bul_1": [CHANNEL, ANA], "bul_2": [bo], "bul_3": [CHANNEL, bo], "bul_4": [ANA], "bul_5": []}
        for n, (id_, targets) in enumerate(said.items()):
            kept = dataclasses.replace(BULLETIN, id=id_, at=START + n * MINUTE)
            await store.tx(lambda tx, kept=kept, targets=targets: tx.put_bulletin(kept, targets))

        async def told(person: str, *places: Target, since: timedelta = timedelta(0), limit: int = 10) -> list[str]:
            found = await store.view(lambda tx: tx.notices(person, places, START + since, limit))
            return [bulletin.id for bulletin in found]

        assert await told("ana") == ["bul_4", "bul_1"]
        assert await told("ana", CHANNEL) == ["bul_4", "bul_3", "bul_1"]
        assert await told("ana", CHANNEL, limit=2) == ["bul_4", "bul_3"]
        assert await told("ana", CHANNEL, since=2 * MINUTE) == ["bul_4", "bul_3"]
        assert await told("bo") == ["bul_3", "bul_2"]
        elsewhere = dataclasses.replace(CHANNEL, surface="teams")
        assert await told("cy", elsewhere) == []
        assert await told("cy", elsewhere, CHANNEL) == ["bul_3", "bul_1"]
        assert await store.view(lambda tx: tx.notices("bo", (), START + MINUTE, 1)) == [
            dataclasses.replace(BULLETIN, id="bul_3", at=START + 2 * MINUTE)
        ]

    # ------------------------------------------------------------------------------------------ who has muted us

    async def test_a_copy_says_why_nobody_notices_it(self, store: Store) -> None:
        """Kept with the copy, given to whoever claims it next, and forgotten when it is posted aloud."""
        review = await store.tx(lambda tx: opened(tx, a_review(), Post(target=ANA, epoch=0, rung=0)))
        [copy] = await store.tx(due)
        assert copy.muted == ""
        why = "Ana has paused notifications until 07:00."
        await store.tx(lambda tx: tx.keep_copy(dataclasses.replace(silenced(copy, why), shown=0), tx.now()))
        [again] = await store.tx(due)
        assert (again.muted, again.ref) == (why, lying(copy, "1").ref)
        await store.tx(lambda tx: tx.keep_copy(silenced(again, ""), None))
        assert [c.muted for c in await store.view(lambda tx: tx.copies(review.id))] == [""]

    async def test_an_adopted_copy_is_as_it_was_found(self, store: Store) -> None:
        """Made or changed, its row says what the copy says."""
        review = await store.tx(lambda tx: opened(tx, a_review(), Post(target=ANA, epoch=0, rung=0)))
        [copy] = await store.view(lambda tx: tx.copies(review.id))
        await store.tx(lambda tx: tx.adopt_copy(silenced(copy, "Ana sleeps.")))
        await store.tx(lambda tx: tx.adopt_copy(dataclasses.replace(silenced(copy, "Bo sleeps."), id="cpy_2")))
        kept = await store.view(lambda tx: tx.copies(review.id))
        assert {c.id: c.muted for c in kept} == {copy.id: "Ana sleeps.", "cpy_2": "Bo sleeps."}

    async def test_a_message_posted_late_takes_its_silence_along(self, store: Store) -> None:
        """What the first worker posted is what nobody notices, not what the second one did."""
        review = await store.tx(lambda tx: opened(tx, a_review(), Post(target=ANA, epoch=0, rung=0)))
        now = await store.tx(lambda tx: tx.now())
        first, second = [
            (await store.tx(lambda tx, at=at: tx.claim_copies(at, at + MINUTE, 1)))[0] for at in (now, now + MINUTE)
        ]
        await store.tx(lambda tx: tx.keep_copy(silenced(first, "Ana sleeps."), None))
        assert [c.muted for c in await store.view(lambda tx: tx.copies(review.id))] == ["Ana sleeps."]
        await store.tx(lambda tx: tx.keep_copy(lying(second, "2"), None))
        kept = [(c.ref.ref["ts"], c.muted) for c in await store.view(lambda tx: tx.copies(review.id)) if c.ref]
        assert sorted(kept) == [("1", "Ana sleeps."), ("2", "")]

    # ------------------------------------------------------------------------------------------ stopping an agent

    async def test_changes_of_an_agent_do_not_overwrite_each_other(self, store: Store) -> None:
        """Of twenty who read it at once to change it, each builds on the one before."""
        await store.tx(lambda tx: tx.put_agent(Agent(name="a", key_hash="h", secrets=(), max_open=0)))

        def change(tx: Tx) -> None:
            agent = tx.agent("a", change=True)
            assert agent is not None
            tx.put_agent(dataclasses.replace(agent, max_open=agent.max_open + 1))

        await asyncio.gather(*(store.tx(change) for _ in range(20)))
        agent = await store.view(lambda tx: tx.agent("a"))
        assert agent is not None
        assert agent.max_open == 20

    async def test_nothing_slips_past_a_stop(self, store: Store) -> None:
        """Whoever stops an agent finds all it was let ask: what comes at the same time is there already, or refused."""
        stop = Stop(by="bo", at=START, reason="It loops.")
        await store.tx(lambda tx: tx.put_agent(Agent(name="billing-bot", key_hash="h", secrets=())))

        def ask(tx: Tx) -> int:
            agent = tx.agent("billing-bot")
            assert agent is not None
            if agent.stop is None:
                opened(tx, a_review())
            return -1

        def stopping(tx: Tx) -> int:
            agent = tx.agent("billing-bot", change=True)
            assert agent is not None
            tx.put_agent(dataclasses.replace(agent, stop=stop))
            return tx.count(Query(agent="billing-bot", live=True))

        asks = [ask] * 20
        found = await asyncio.gather(*(store.tx(fn) for fn in (*asks, stopping, *asks)))
        assert max(found) == await store.view(lambda tx: tx.count(Query()))

    # ------------------------------------------------------------------------------------------ the load

    async def test_what_waits_for_whom(self, store: Store) -> None:
        """By role and level, with the oldest; neither what is over, held, nor of a sandbox."""
        both, manager = a_route(needs=NEEDS_BOTH), a_route(needs=(Need(role="manager"), Need(role="manager")))
        assert await store.view(lambda tx: tx.backlog()) == []
        await keep(store, a_review(route=both, created_at=START + MINUTE))
        late = await keep(store, a_review(route=manager, created_at=START + 2 * MINUTE))
        first = await keep(store, a_review(route=manager))
        await keep(store, held(a_review(route=both, created_at=START - MINUTE)))
        await keep(store, a_review(route=both, created_at=START - MINUTE, sandbox=True))
        await keep(store, ended(a_review(route=both, created_at=START - MINUTE)))
        level, role = Backlog(whom="level 2", waiting=1, oldest=START + MINUTE), "manager"
        assert await store.view(lambda tx: tx.backlog()) == [level, Backlog(whom=role, waiting=3, oldest=START)]
        await store.tx(lambda tx: tx.save(first, ended(first), []))
        proposal = dataclasses.replace(late.proposal, route=a_route(needs=(Need(role="cfo"),)))
        await store.tx(lambda tx: tx.save(late, dataclasses.replace(late, proposal=proposal, version=2), []))
        assert await store.view(lambda tx: tx.backlog()) == [
            Backlog(whom="cfo", waiting=1, oldest=START + 2 * MINUTE),
            level,
            Backlog(whom=role, waiting=1, oldest=START + MINUTE),
        ]

    async def test_how_fast_an_agents_reviews_end(self, store: Store) -> None:
        """Those of this agent that ended at the instant or later, however they did."""
        for minutes, verdict in ((1, Status.REJECTED), (2, Status.APPROVED), (3, Status.EXPIRED)):
            await keep(store, ended(a_review(agent="a"), verdict, after=minutes * MINUTE))
        await keep(store, a_review(agent="a"))
        await keep(store, ended(a_review(agent="b"), after=2 * MINUTE))
        since = START + 2 * MINUTE
        assert await store.view(lambda tx: (tx.pace("a", since), tx.pace("a", since + SECOND))) == (2, 1)
        assert await store.view(lambda tx: (tx.pace("b", START), tx.pace("c", START))) == (1, 0)

    # ------------------------------------------------------------------------------------------ lists

    async def found(self, store: Store, **asked: object) -> list[str]:
        """Ids a query lists, the same number as it counts."""
        query = Query(order="oldest", **asked)
        ids = [review.id for review in await store.view(lambda tx: tx.find(query))]
        assert await store.view(lambda tx: tx.count(query)) == len(ids)
        return ids

    async def test_what_an_agent_could_still_act_on(self, store: Store) -> None:
        """Open, or approved and not used up; of a sandbox too. A page of them holds as many as asked for."""
        reviews = {
            "open": a_review(),
            "sandbox": a_review(sandbox=True),
            "held": held(a_review()),
            "granted": granted(a_review()),
            "used": granted(a_review(), GrantState.USED),
            "rejected": ended(a_review(), Status.REJECTED),
            "other's": a_review(agent="other"),
            "other's granted": granted(a_review(agent="other")),
        }
        names = {(await keep(store, review)).id: name for name, review in reviews.items()}
        mine = [names[id_] for id_ in await self.found(store, agent="billing-bot", live=True)]
        assert mine == ["open", "sandbox", "held", "granted"]
        everybody = [names[id_] for id_ in await self.found(store, live=True)]
        assert everybody == [*mine, "other's", "other's granted"]
        assert [names[id_] for id_ in await self.found(store, live=True, statuses=(Status.APPROVED,))] == [
            "granted",
            "other's granted",
        ]
        assert [names[id_] for id_ in await self.found(store, agent="billing-bot", live=True, held=False)] == [
            "open",
            "sandbox",
            "granted",
        ]
        page = Query(agent="billing-bot", live=True, order="oldest", limit=2, offset=1)
        assert [names[r.id] for r in await store.view(lambda tx: tx.find(page))] == ["sandbox", "held"]

    async def test_an_approval_used_up_is_live_no_more(self, store: Store) -> None:
        """From open over approved to used, as it is saved."""
        review = await keep(store, a_review())
        yes = granted(review)
        await store.tx(lambda tx: tx.save(review, yes, []))
        assert await self.found(store, live=True) == [review.id]
        used = dataclasses.replace(granted(review, GrantState.USED), version=yes.version + 1)
        await store.tx(lambda tx: tx.save(yes, used, []))
        assert await self.found(store, live=True) == []

    async def test_what_is_held(self, store: Store) -> None:
        """Only those held, only those not, or both."""
        free, stopped = await keep(store, a_review()), await keep(store, held(a_review()))
        assert await self.found(store, held=True) == [stopped.id]
        assert await self.found(store, held=False) == [free.id]
        assert await self.found(store, held=None) == [free.id, stopped.id]

    async def test_what_follows_from_a_review_was_not_asked_for(self, store: Store) -> None:
        """It is left out of what agents asked, and of the counters their rules look at."""
        first = await keep(store, a_review(request=a_request(subject="s")))
        follows = a_review(request=a_request(subject="s"), about=first.id, relation=Relation.APPEAL)
        follows = await keep(store, dataclasses.replace(follows, excluded=frozenset({"ana"}), assigned=("bo",)))
        assert await store.view(lambda tx: tx.read(follows.id)) == follows
        assert await self.found(store, asked=True) == [first.id]
        assert await self.found(store) == [first.id, follows.id]
        for subject in ("s", None):
            asked = await store.view(lambda tx, subject=subject: tx.recent("billing-bot", subject, START))
            assert len(asked) == 1
