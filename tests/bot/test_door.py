"""Links sent with a review let one person look at that review, and nobody else at anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.door import SENT
from bot.ids import hash_of
from reviews.errors import NotFound
from reviews.events import Interaction
from reviews.keeping import Copy, Tx
from reviews.model import Identity, Object, Person, Target, Verb
from reviews.ports import Refusal, Session
from tests.fakes.app import CONFIG, House, T, Watched, running
from tests.fakes.clock import FakeClock

PEOPLE: list[Object] = [*CONFIG["people"]]
PEOPLE[0] = {**PEOPLE[0], "phone": "+34600111222"}
HERE: Object = {"gateways": {"sms": "PLACET_GATEWAY_SMS", "email": "PLACET_GATEWAY_EMAIL"}, "people": PEOPLE}


def secret_of(link: str) -> str:
    """The secret in a link's address."""
    return link.partition("/enter?link=")[2]


async def called(house: House, review: Object, surface: str, address: str, person: str = "ana") -> None:
    """A copy that a gateway sent."""
    target = Target(surface=surface, address=address, person=person)

    def keep(tx: Tx) -> None:
        copy = Copy(
            id=f"cpy_{surface}_{person}",
            review=review["id"],
            target=target,
            epoch=1,
            rung=0,
            state="posted",
            wanted=1,
            shown=1,
            created_at=tx.now(),
        )
        tx.adopt_copy(copy)

    await house.store.tx(keep)


async def sent_again(house: House, review: Object) -> list[Target]:
    """Where copies went that no rung called for."""
    copies = await house.store.view(lambda tx: tx.copies(review["id"]))
    return [copy.target for copy in copies if copy.rung == -1]


async def test_an_invitation_opens_one_review_once(tmp_path: Path) -> None:
    """Looked at any number of times; entered, its session is for that review and says it came by a link."""
    async with running(tmp_path) as house:
        review = await (await house.agent()).asked()
        link = await house.app.door.invite("ana", review["id"])
        assert link.startswith(f"{house.url}/enter?link=")
        for _ in range(2):
            who = await house.app.door.peek(secret_of(link))
            assert isinstance(who, Person)
            assert who.id == "ana"
        session = await house.app.door.enter(secret_of(link))
        assert isinstance(session, Session)
        assert (session.person.id, session.via, session.scope) == ("ana", "link", review["id"])
        assert isinstance(await house.app.door.enter(secret_of(link)), Refusal)
        assert isinstance(await house.app.door.peek(secret_of(link)), Refusal)


async def test_only_the_hash_of_a_link_is_kept(tmp_path: Path) -> None:
    """Neither the ticket nor the log holds what opens it."""
    async with running(tmp_path) as house:
        review = await (await house.agent()).asked()
        secret = secret_of(await house.app.door.invite("ana", review["id"]))
        ticket = await house.store.view(lambda tx: tx.ticket(hash_of(secret)))
        assert ticket is not None
        assert secret not in repr(ticket)
        assert secret not in repr(await house.store.view(lambda tx: tx.log(limit=1000)))


async def test_nobody_is_invited_who_is_nobody(tmp_path: Path) -> None:
    """A name that placet.yml does not have."""
    async with running(tmp_path) as house:
        with pytest.raises(NotFound):
            await house.app.door.invite("zoe", "rev_1")


async def test_a_link_that_ran_out_is_sent_anew_where_the_first_went(tmp_path: Path) -> None:
    """To the address of the gateway the person was called by, whoever asks; once in five minutes."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock, config=HERE) as house:
        review = await (await house.agent()).asked()
        await called(house, review, "sms", "+34600111222")
        secret = secret_of(await house.app.door.invite("ana", review["id"]))
        clock.forward(timedelta(minutes=50))
        assert await house.app.door.again(secret) == SENT
        where = [Target(surface="sms", address="+34600111222", person="ana")]
        assert await sent_again(house, review) == where
        assert await house.app.door.again(secret) == SENT
        assert await sent_again(house, review) == where
        clock.forward(timedelta(minutes=5, seconds=1))
        assert await house.app.door.again(secret) == SENT
        assert await sent_again(house, review) == where * 2


@pytest.mark.parametrize("case", ["unknown", "of the operator", "session", "over", "address changed", "never called"])
async def test_otherwise_nothing_is_sent_and_the_sentence_is_the_same(tmp_path: Path, case: str) -> None:
    """So nobody learns whether a link was ever ours, and no address gets what is not its own."""
    async with running(tmp_path, config=HERE) as house:
        review = await (await house.agent()).asked()
        number = "+34600999999" if case == "address changed" else "+34600111222"
        if case != "never called":
            await called(house, review, "sms", number)
        door = house.app.door
        secret = secret_of(await door.invite("ana", review["id"]))
        if case == "unknown":
            secret = "pll_never"
        if case == "of the operator":
            secret = await door.link("ana")
        if case == "session":
            session = await door.enter(secret)
            assert isinstance(session, Session)
            secret = session.secret
        if case == "over":
            await house.press(Verb.REJECT, review, reason="no")
        assert await door.again(secret) == SENT
        assert await sent_again(house, review) == []


async def test_by_a_link_alone_one_reads_takes_escalates_and_rejects(tmp_path: Path) -> None:
    """Approving needs a session or a chat: a phone in other hands must not say yes."""
    async with running(tmp_path, config=HERE) as house:
        agent = await house.agent()
        refused = []
        for verb in (Verb.APPROVE, Verb.EDIT, Verb.ANSWER, Verb.HAND, Verb.TAKE, Verb.ESCALATE, Verb.REJECT):
            review = await agent.asked()
            pressed = Interaction(
                verb=verb,
                identity=Identity(surface="web", id="ana", tenant="link"),
                review=review["id"],
                revision=1,
                reason="because",
            )
            reply = await house.app.desk.interact(pressed)
            refused += [verb] if "A link alone" in reply.text else []
        assert refused == [Verb.APPROVE, Verb.EDIT, Verb.ANSWER, Verb.HAND]


class Counted(Watched):
    """A store that counts what is written by way of it."""

    written = 0

    async def tx(self, fn: Callable[[Tx], T]) -> T:
        """Count it."""
        self.written += 1
        return await super().tx(fn)


async def test_asking_without_end_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no link of ours is looked up only; one of ours is heeded now and then."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as house:
        review = await (await house.agent()).asked()
        known = secret_of(await house.app.door.invite("ana", review["id"]))
        door, store = house.app.door, Counted(house.store)
        monkeypatch.setattr(door, "_store", store)
        for _ in range(3):
            assert await door.again("made-up") == SENT
            assert isinstance(await door.enter("made-up"), Refusal)
        assert store.written == 0
        for _ in range(3):
            assert await door.again(known) == SENT
        assert store.written == 1
        clock.forward(timedelta(seconds=10))
        await door.again(known)
        assert store.written == 2
