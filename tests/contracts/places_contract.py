"""What every store promises of places where copies lie, of what came once, and of who is away.

Each engine's test file subclasses `PlacesContract` beside `StoreContract`.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from reviews.events import Post, Record, Refresh
from reviews.keeping import Absence, Copy, CopyKind, Store, Tx
from reviews.model import Review, Status, Target
from reviews.ports import MessageRef
from tests.contracts.store_contract import MINUTE, SECOND, ended, opened
from tests.fakes.builders import a_review

CHANNEL = Target(surface="slack", address="C1")


def drawn(copy: Copy, state: str = "posted", **changes: object) -> Copy:
    """The copy, showing what is wanted at a message of its own."""
    ref = MessageRef(surface="slack", ref={"channel": "C1", "ts": copy.id}, mark=f"C1:{copy.id}")
    return dataclasses.replace(copy, **{"state": state, "shown": copy.wanted, "ref": ref, **changes})


class PlacesContract:
    """The suite. A subclass gives `store`, started."""

    async def asked(self, store: Store, *targets: Target) -> Review:
        """A review with a copy wanted at each target."""
        effects = [Post(target=target, epoch=0, rung=0) for target in targets or (CHANNEL,)]
        return await store.tx(lambda tx: opened(tx, a_review(), *effects))

    async def claimed(self, store: Store, *, after: timedelta = timedelta(0)) -> list[Copy]:
        """What is due so long from now."""

        def claim(tx: Tx) -> list[Copy]:
            now = tx.now() + after
            return tx.claim_copies(now, now + MINUTE, 100)

        return await store.tx(claim)

    async def kept(self, store: Store, copy: Copy) -> Copy:
        """The copy as it is kept now."""
        await store.tx(lambda tx: tx.keep_copy(copy, None))
        found = await store.view(lambda tx: tx.copy(copy.id))
        assert found is not None
        return found

    # ------------------------------------------------------------------------------------------ what a copy says

    async def test_a_copy_keeps_its_thread_its_mark_and_what_was_told(self, store: Store) -> None:
        """Where it lies beneath, how a reply names it, and up to where news was said."""
        thread = dataclasses.replace(CHANNEL, thread="1700.1")
        await self.asked(store, thread)
        [copy] = await self.claimed(store)
        assert (copy.target, copy.kind, copy.told) == (thread, CopyKind.CARD, 0)
        done = drawn(copy, told=2**40)
        kept = await self.kept(store, done)
        assert kept == dataclasses.replace(done, lease=None)

    async def test_a_reply_finds_its_copy_by_mark(self, store: Store) -> None:
        """On its own surface only, and an empty mark finds nothing."""
        await self.asked(store, CHANNEL, Target(surface="slack", address="C2"))
        marked, bare = [drawn(copy) for copy in await self.claimed(store)]
        bare = dataclasses.replace(bare, ref=MessageRef(surface="slack", ref={"ts": "9"}))
        for copy in (marked, bare):
            await self.kept(store, copy)
        assert marked.ref is not None
        mark = marked.ref.mark
        found = await store.view(lambda tx: tx.copy_by_mark("slack", mark))
        assert found is not None
        assert (found.id, found.ref) == (marked.id, marked.ref)
        assert await store.view(lambda tx: (tx.copy_by_mark("teams", mark), tx.copy_by_mark("slack", ""))) == (
            None,
            None,
        )

    # ------------------------------------------------------------------------------------------ adoption

    async def test_a_copy_found_is_taken_in_and_drawn(self, store: Store) -> None:
        """Nobody knew of it: a row is made, and it is due at once."""
        review = await self.asked(store)
        await self.kept(store, drawn((await self.claimed(store))[0]))
        at = await store.tx(lambda tx: tx.now())
        ref = MessageRef(surface="slack", ref={"channel": "C1", "ts": "7"}, mark="C1:7")
        twin = Copy(
            id="cpy_twin", review=review.id, target=CHANNEL, epoch=0, rung=0, state="posted", wanted=1, shown=1,
            created_at=at, ref=ref,
        )  # fmt: skip
        await store.tx(lambda tx: tx.adopt_copy(twin))
        [copy] = await self.claimed(store)
        assert (copy.id, copy.ref, copy.shown, copy.created_at) == ("cpy_twin", ref, 0, at)
        assert len(await store.view(lambda tx: tx.standing("slack", "C1", "posted", 10))) == 2
        await self.kept(store, dataclasses.replace(copy, shown=1))
        assert await self.claimed(store) == []

    async def test_a_copy_found_while_it_is_posted_is_drawn_there(self, store: Store) -> None:
        """Its row is changed, and who was posting it is late: their message becomes a twin."""
        await self.asked(store)
        [copy] = await self.claimed(store)
        ref = MessageRef(surface="slack", ref={"channel": "C1", "ts": "7"})
        await store.tx(lambda tx: tx.adopt_copy(dataclasses.replace(copy, state="posted", ref=ref)))
        await store.tx(lambda tx: tx.keep_copy(drawn(copy), None))
        both = await store.view(lambda tx: tx.copies(copy.review))
        marked = [c.ref.ref["ts"] for c in both if c.ref is not None]
        assert sorted(marked) == ["7", copy.id]
        again = []
        for _ in both:  # of two at one place, one at a time
            [due] = await self.claimed(store)
            await self.kept(store, drawn(due) if due.ref is None else dataclasses.replace(due, shown=due.wanted))
            again.append(due.id)
        assert sorted(again) == sorted(c.id for c in both)

    # ------------------------------------------------------------------------------------------ places

    async def test_what_stands_at_a_place_is_of_open_reviews(self, store: Store) -> None:
        """Oldest first, in the state asked for, there and nowhere else; not what was decided or given up."""
        reviews = [await self.asked(store) for _ in range(3)]
        await self.asked(store, Target(surface="slack", address="C2"))
        copies = {copy.review: copy for copy in await self.claimed(store)}
        for review in reviews:
            await self.kept(store, drawn(copies[review.id]))

        def there(tx: Tx, state: str = "posted", limit: int = 10) -> list[str]:
            found = tx.standing("slack", "C1", state, limit)
            assert found == sorted(found, key=lambda copy: (copy.created_at, copy.id))
            return sorted(copy.review for copy in found)

        ids = sorted(review.id for review in reviews)
        assert await store.view(there) == ids
        assert len(await store.view(lambda tx: there(tx, limit=2))) == 2
        assert await store.view(lambda tx: there(tx, "folded")) == []
        await store.tx(lambda tx: tx.save(reviews[0], ended(reviews[0]), [Refresh()]))
        assert await store.view(there) == [name for name in ids if name != reviews[0].id]

    async def test_what_was_decided_at_once_stands_nowhere(self, store: Store) -> None:
        """A card of a review that was over when it was opened is not counted."""
        over = dataclasses.replace(a_review(), status=Status.APPROVED)
        await store.tx(lambda tx: opened(tx, over, Post(target=CHANNEL, epoch=0, rung=-1)))
        assert await store.view(lambda tx: tx.standing("slack", "C1", "new", 10)) == []

    async def test_a_folded_copy_is_due_when_its_review_changes(self, store: Store) -> None:
        """It has no message of its own, and follows its review all the same."""
        review = await self.asked(store)
        [copy] = await self.claimed(store)
        folded = dataclasses.replace(copy, state="folded", shown=1)
        assert (await self.kept(store, folded)).state == "folded"
        assert await self.claimed(store) == []
        await store.tx(lambda tx: tx.save(review, ended(review), [Refresh()]))
        [copy] = await self.claimed(store)
        assert (copy.state, copy.wanted, copy.shown) == ("folded", 2, 1)

    # ------------------------------------------------------------------------------------------ queue cards

    async def test_a_queue_card_is_made_once_and_waits_a_second(self, store: Store) -> None:
        """Many who want it at once get one card, drawn once, a second after the first asked."""
        await asyncio.gather(*(store.tx(lambda tx: tx.want_queue("slack", "C1")) for _ in range(8)))
        assert await self.claimed(store) == []
        [queue] = await self.claimed(store, after=2 * SECOND)
        assert (queue.kind, queue.review, queue.target, queue.state) == (CopyKind.QUEUE, "", CHANNEL, "new")
        assert (queue.wanted, queue.shown) == (8, 0)
        assert await store.view(lambda tx: tx.standing("slack", "C1", "posting", 10)) == []
        await self.kept(store, drawn(queue))
        assert await self.claimed(store, after=2 * SECOND) == []

    async def test_places_have_queue_cards_of_their_own(self, store: Store) -> None:
        """Another channel, another card."""
        for address in ("C1", "C2"):
            await store.tx(lambda tx, address=address: tx.want_queue("slack", address))
        assert len(await self.claimed(store, after=2 * SECOND)) == 2

    async def test_a_queue_card_wanted_while_it_is_drawn_is_drawn_again(self, store: Store) -> None:
        """What was folded meanwhile is not forgotten, and the worker's lease is not broken."""
        await store.tx(lambda tx: tx.want_queue("slack", "C1"))
        [queue] = await self.claimed(store, after=2 * SECOND)
        await store.tx(lambda tx: tx.want_queue("slack", "C1"))
        assert await self.claimed(store, after=3 * SECOND) == []
        assert await store.tx(lambda tx: tx.keep_copy(drawn(queue), None))
        [again] = await self.claimed(store)
        assert (again.id, again.state, again.wanted, again.shown) == (queue.id, "posted", 2, 1)

    @pytest.mark.parametrize("state", ["over", "failed"])
    async def test_a_queue_card_that_is_over_is_a_new_one(self, store: Store, state: str) -> None:
        """It is not changed where it lies, where nobody looks any more: it is posted afresh."""
        await store.tx(lambda tx: tx.want_queue("slack", "C1"))
        [queue] = await self.claimed(store, after=2 * SECOND)
        await self.kept(store, drawn(queue, state, attempts=3, error="gone"))
        await store.tx(lambda tx: tx.want_queue("slack", "C1"))
        [fresh] = await self.claimed(store, after=2 * SECOND)
        assert (fresh.id, fresh.state, fresh.ref, fresh.attempts, fresh.error) == (queue.id, "new", None, 0, None)
        assert fresh.shown < fresh.wanted
        assert fresh.created_at >= queue.created_at

    # ------------------------------------------------------------------------------------------ once

    async def test_what_came_once_does_not_come_again(self, store: Store) -> None:
        """The first time only, and each key by itself."""
        keys = ["slack:e1", "slack:e2", "slack:e1", "k" * 5000, "k" * 5000, "a\0b", "ab"]
        came = [await store.tx(lambda tx, key=key: tx.once(key)) for key in keys]
        assert came == [True, True, False, True, False, True, True]

    async def test_of_two_at_once_one_is_the_first(self, store: Store) -> None:
        """Twenty transactions with one key: one of them is told yes."""
        came = await asyncio.gather(*(store.tx(lambda tx: tx.once("slack:e1")) for _ in range(20)))
        assert sorted(came) == [False] * 19 + [True]

    async def test_what_came_long_ago_may_come_again(self, store: Store) -> None:
        """Within ten seconds it is the same press; after no time at all it is a new one."""
        assert await store.tx(lambda tx: tx.once("k", within=10 * SECOND))
        assert not await store.tx(lambda tx: tx.once("k", within=10 * SECOND))
        assert await store.tx(lambda tx: tx.once("k", within=timedelta(0)))
        assert not await store.tx(lambda tx: tx.once("k"))

    async def test_a_key_is_kept_with_its_transaction(self, store: Store) -> None:
        """What raises has not come."""

        def fails(tx: Tx) -> None:
            assert tx.once("k")
            raise RuntimeError("after all not")

        with pytest.raises(RuntimeError):
            await store.tx(fails)
        assert await store.tx(lambda tx: tx.once("k"))

    async def test_old_keys_are_forgotten(self, store: Store) -> None:
        """Those from before; what came since stays."""
        before = await store.tx(lambda tx: (tx.once("k"), tx.now())[1])
        await store.tx(lambda tx: tx.forget_once(before - SECOND))
        assert not await store.tx(lambda tx: tx.once("k"))
        await store.tx(lambda tx: tx.forget_once(before + MINUTE))
        assert await store.tx(lambda tx: tx.once("k"))

    # ------------------------------------------------------------------------------------------ references

    async def test_a_surface_keeps_where_it_reaches_people_and_rooms(self, store: Store) -> None:
        """The newest is read; another surface has its own; what raises keeps nothing."""
        first, second = {"conversation": "19:ä", "service": "https://x"}, {"conversation": "a:2"}
        assert await store.view(lambda tx: tx.reference("teams", "person:ana")) is None
        await store.tx(lambda tx: tx.put_reference("teams", "person:ana", first))
        await store.tx(lambda tx: tx.put_reference("other", "person:ana", {}))
        assert await store.view(lambda tx: tx.reference("teams", "person:ana")) == first
        await store.tx(lambda tx: tx.put_reference("teams", "person:ana", second))

        def fails(tx: Tx) -> None:
            tx.put_reference("teams", "person:ana", first)
            raise RuntimeError("after all not")

        with pytest.raises(RuntimeError):
            await store.tx(fails)
        assert await store.view(lambda tx: tx.reference("teams", "person:ana")) == second
        assert await store.view(lambda tx: tx.reference("other", "person:ana")) == {}

    async def test_of_many_who_change_a_reference_at_once_none_is_lost(self, store: Store) -> None:
        """Each sees what those before it kept, the first of all too, who find nothing there."""

        def add(who: str) -> Callable[[Tx], None]:
            def change(tx: Tx) -> None:
                before = tx.reference("turns", "all", change=True) or {}
                tx.put_reference("turns", "all", before | {who: "here"})

            return change

        people = [str(number) for number in range(20)]
        await asyncio.gather(*(store.tx(add(who)) for who in people))
        assert sorted(await store.view(lambda tx: tx.reference("turns", "all")) or ()) == sorted(people)

    # ------------------------------------------------------------------------------------------ absences

    async def test_who_is_away_is_away_until_then(self, store: Store) -> None:
        """The newest word counts, an instant that has passed ends it, and what raises says nothing."""
        now = await store.tx(lambda tx: tx.now())

        def away(person: str, until: datetime) -> Absence:
            return Absence(person=person, until=until, by="ana")

        async def put(absence: Absence) -> list[Absence]:
            await store.tx(lambda tx: tx.put_absence(absence))
            return await store.view(lambda tx: tx.absences())

        assert await put(away("bo", now + MINUTE)) == [away("bo", now + MINUTE)]
        assert await put(away("al", now + MINUTE)) == [away("al", now + MINUTE), away("bo", now + MINUTE)]
        assert await put(away("bo", now + 2 * MINUTE)) == [away("al", now + MINUTE), away("bo", now + 2 * MINUTE)]

        def fails(tx: Tx) -> None:
            tx.put_absence(away("al", now))
            tx.record(Record(kind="absence.ended", at=now, actor="person:al"))
            raise RuntimeError("after all not")

        with pytest.raises(RuntimeError):
            await store.tx(fails)
        assert await put(away("bo", now)) == [away("al", now + MINUTE)]
        assert await put(away("nobody", now)) == [away("al", now + MINUTE)]
