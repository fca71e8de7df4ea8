"""What is sent at the pace each conversation allows, and what becomes of a failure."""

from __future__ import annotations

import pytest

from adapters.teams.calls import CardRefused
from adapters.teams.pace import Pace
from adapters.teams.places import Places, Where
from adapters.teams.seam import Failed, Sent
from adapters.teams.sending import Sending
from reviews.errors import SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable
from reviews.model import Target
from reviews.values import replace
from tests.adapters.teams.fake_connector import SERVICE, FakeConnector
from tests.fakes import teams_payloads as payloads
from tests.fakes.clock import Ticks
from tests.fakes.references import FakeReferences
from tests.fakes.teams_payloads import CHANNEL, GROUP, TEAMS_ANA, TENANT

CHAT = payloads.chat_of(TEAMS_ANA)
MESSAGE = {"type": "message", "text": "x"}
ROOM = Where(service=SERVICE, key=CHANNEL, address=CHANNEL, channel=CHANNEL)
TALK = Where(service=SERVICE, key=GROUP, address=GROUP, conversation=GROUP)


class _Out:
    """Sending, and all it needs."""

    def __init__(self) -> None:
        self.connector, self.time = FakeConnector(), Ticks()
        self.places = Places(FakeReferences(), service=SERVICE, tenant=TENANT)
        self.sending = Sending(self.connector, Pace(self.time.now, pause=self.time.pause), self.places)

    def fail(self, method: str, status: int, code: str = "", **more: float | bool | None) -> None:
        """Have the next call fail."""
        self.connector.faults[method] = [Failed("no", status=status, code=code, **more)]  # type: ignore[arg-type]  # as Failed takes them


async def test_a_new_message_begins_a_thread_in_a_channel_and_lies_in_a_chat() -> None:
    """Each answers with where it lies."""
    out = _Out()
    sent = await out.sending.post(ROOM, MESSAGE)
    assert sent.conversation == f"{CHANNEL};messageid={sent.activity}"
    assert (await out.sending.post(TALK, MESSAGE)).conversation == GROUP


async def test_a_chat_is_begun_once() -> None:
    """It is kept, so the next word goes straight there."""
    out = _Out()
    for _ in range(2):
        assert isinstance(await out.sending.say(await out.places.person(TEAMS_ANA), MESSAGE), Sent)
    assert [method for method, _ in out.connector.calls] == ["create", "send", "send"]
    assert len(out.connector.sent(CHAT)) == 2


async def test_a_card_beyond_the_pace_is_the_outboxs_to_repeat() -> None:
    """It is told how long; nothing goes out."""
    out = _Out()
    for _ in range(7):
        await out.sending.post(ROOM, MESSAGE)
    with pytest.raises(SurfaceUnavailable) as fault:
        await out.sending.post(ROOM, MESSAGE)
    assert fault.value.retry_after == 1.0
    assert len(out.connector.messages) == 7


async def test_a_word_beyond_the_pace_waits_for_its_turn() -> None:
    """Shortly: nobody else would repeat it."""
    out = _Out()
    for _ in range(8):
        await out.sending.say(TALK, MESSAGE)
    assert out.time.waits == [1.0]
    for _ in range(52):
        await out.sending.say(TALK, MESSAGE)
    with pytest.raises(SurfaceUnavailable):
        await out.sending.say(TALK, MESSAGE)


@pytest.mark.parametrize("status", [429, 412, 503])
async def test_a_word_is_said_again_after_the_short_wait_teams_asks_for(status: int) -> None:
    """Once: also where it is a chat that could not be begun. A card is the outbox's to repeat."""
    out = _Out()
    out.fail("send", status, retry_after=3.0)
    assert (await out.sending.say(TALK, MESSAGE)).conversation == GROUP
    assert 3.0 <= sum(out.time.waits) <= 3.6
    assert out.connector.sent(GROUP) == [MESSAGE]
    out.fail("create", status, retry_after=3.0)
    await out.sending.say(await out.places.person(TEAMS_ANA), MESSAGE)
    assert out.connector.sent(CHAT) == [MESSAGE]
    out.fail("send", status, retry_after=3.0)
    with pytest.raises(SurfaceUnavailable):
        await out.sending.post(TALK, MESSAGE)


async def test_a_word_is_said_twice_at_the_most_and_never_where_it_may_be_there() -> None:
    """A second refusal, a long wait and a lost answer are the caller's to tell."""
    out = _Out()
    out.connector.faults["send"] = [Failed("no", status=429, retry_after=1.0) for _ in range(3)]
    with pytest.raises(SurfaceUnavailable):
        await out.sending.say(TALK, MESSAGE)
    assert len(out.connector.made("send")) == 2
    out = _Out()
    for status, wait in ((429, 30.0), (502, 1.0)):
        out.fail("send", status, retry_after=wait)
        with pytest.raises((SurfaceUnavailable, SurfaceAmbiguous)):
            await out.sending.say(replace(TALK, key=str(status)), MESSAGE)
    assert len(out.connector.made("send")) == 2
    assert out.time.waits == []


async def test_what_teams_asks_for_is_kept_for_all_that_goes_there() -> None:
    """Another conversation goes on."""
    out = _Out()
    out.fail("send", 429, retry_after=30.0)
    with pytest.raises(SurfaceUnavailable) as fault:
        await out.sending.post(TALK, MESSAGE)
    assert 30.0 <= (fault.value.retry_after or 0) <= 36.0
    with pytest.raises(SurfaceUnavailable):
        await out.sending.post(TALK, MESSAGE)
    assert out.connector.made("send") == [GROUP]
    await out.sending.post(ROOM, MESSAGE)


async def test_a_post_whose_answer_was_lost_may_be_there() -> None:
    """A chat that was to be begun, and a redrawing, are not posts."""
    out = _Out()
    out.fail("send", 0, sent=True)
    with pytest.raises(SurfaceAmbiguous):
        await out.sending.post(TALK, MESSAGE)
    out.fail("create", 0, sent=True)
    with pytest.raises(SurfaceUnavailable):
        await out.sending.post(await out.places.where(Target(surface="teams", address=TEAMS_ANA)), MESSAGE)
    sent = await out.sending.post(TALK, MESSAGE)
    out.fail("update", 502)
    with pytest.raises(SurfaceUnavailable):
        await out.sending.redraw(TALK, sent.activity, MESSAGE)


async def test_who_refused_us_is_remembered_until_it_works_again() -> None:
    """By the address the operator knows; a card that was refused says nothing of the place."""
    out = _Out()
    person = await out.places.person(TEAMS_ANA)
    out.fail("create", 403, "MessageWritesBlocked")
    with pytest.raises(SurfaceRefused):
        await out.sending.say(person, MESSAGE)
    assert list(out.sending.refused) == [TEAMS_ANA]
    out.fail("send", 400, "BadSyntax")
    with pytest.raises(CardRefused):
        await out.sending.post(TALK, MESSAGE)
    assert list(out.sending.refused) == [TEAMS_ANA]
    await out.sending.say(person, MESSAGE)
    assert not out.sending.refused
