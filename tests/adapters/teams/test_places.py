"""Where people and rooms are reached: kept from what comes in, over restarts, and asked of Teams where nothing did."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from adapters.teams import parse
from adapters.teams.parse import Origin
from adapters.teams.places import Places, Where
from reviews.errors import StoreUnavailable
from reviews.model import Target
from tests.adapters.teams.fake_connector import SERVICE
from tests.fakes import teams_payloads as payloads
from tests.fakes.references import FakeReferences
from tests.fakes.teams_payloads import CHANNEL, GROUP, TEAMS_ANA, TENANT

DEFAULT = "https://default.example.com/teams/"
CHAT = payloads.chat_of(TEAMS_ANA)
USER = payloads.teams_id(TEAMS_ANA)


def _from(place: str, service: str = SERVICE, tenant: str = TENANT) -> Origin:
    return parse.origin(payloads.message("x", TEAMS_ANA, place, mention=True, service=service, tenant=tenant))


def _places(references: FakeReferences | None = None) -> Places:
    return Places(references or FakeReferences(), service=DEFAULT, tenant=TENANT)


def _target(address: str, thread: str = "") -> Target:
    return Target(surface="teams", address=address, thread=thread)


async def test_who_wrote_in_their_own_chat_is_reached_there() -> None:
    """The conversation, at the service that Teams called from."""
    places = _places()
    await places.note(_from(CHAT))
    assert await places.where(_target(TEAMS_ANA.upper())) == Where(
        service=SERVICE, key=CHAT, address=TEAMS_ANA, conversation=CHAT
    )


async def test_who_wrote_in_a_channel_is_reached_in_a_chat_to_be_begun() -> None:
    """By Teams' own id of them, which is known now."""
    places = _places()
    await places.note(_from(f"{CHANNEL};messageid=7"))
    found = await places.person(TEAMS_ANA)
    assert (found.conversation, found.member, found.key) == ("", USER, TEAMS_ANA)


async def test_a_chat_is_not_forgotten_for_a_word_in_a_channel() -> None:
    """What came in later says nothing of it."""
    places = _places()
    await places.note(_from(CHAT))
    await places.note(_from(GROUP))
    assert (await places.person(TEAMS_ANA)).conversation == CHAT


async def test_nobody_known_is_reached_by_their_object_id() -> None:
    """At the service of the configuration, until Teams has called."""
    places = _places()
    assert await places.person(TEAMS_ANA) == Where(service=DEFAULT, key=TEAMS_ANA, address=TEAMS_ANA, member=TEAMS_ANA)
    await places.note(_from(CHANNEL))
    assert (await places.person(payloads.TEAMS_BO)).service == SERVICE


@pytest.mark.parametrize(
    ("address", "conversation", "channel"),
    [
        (CHANNEL, "", CHANNEL),
        (GROUP, GROUP, ""),
        (CHAT, CHAT, ""),
        ("19:a_b@unq.gbl.spaces", "19:a_b@unq.gbl.spaces", ""),
    ],
)
async def test_a_room_nobody_wrote_in_yet_is_told_by_its_id(address: str, conversation: str, channel: str) -> None:
    """A channel takes new messages, a chat is one conversation."""
    found = await _places().where(_target(address))
    assert (found.conversation, found.channel, found.key) == (conversation, channel, address)


async def test_a_thread_of_a_channel_is_a_conversation() -> None:
    """A chat has none."""
    assert (await _places().where(_target(CHANNEL, "7"))).conversation == f"{CHANNEL};messageid=7"
    assert (await _places().where(_target(GROUP, "7"))).conversation == GROUP


async def test_a_room_is_what_teams_called_it() -> None:
    """Whatever its id looks like."""
    places = _places()
    payload = payloads.message("x", TEAMS_ANA, "19:odd@thread.new", mention=True, service=SERVICE)
    payload["conversation"]["conversationType"] = "channel"
    await places.note(parse.origin(payload))
    assert (await places.where(_target("19:odd@thread.new"))).channel == "19:odd@thread.new"


async def test_all_of_it_outlives_a_restart() -> None:
    """Another process finds what was kept."""
    references = FakeReferences()
    await _places(references).note(_from(CHAT))
    assert (await _places(references).person(TEAMS_ANA)).conversation == CHAT


async def test_only_what_changed_is_written() -> None:
    """Every click comes by here; a service that moved is new."""
    references = _Counting()
    places = _places(references)
    for _ in range(3):
        await places.note(_from(CHAT))
    assert references.puts == 2
    await places.note(_from(CHAT, "https://moved.example.com/"))
    assert references.puts == 4
    assert (await places.person(TEAMS_ANA)).service == "https://moved.example.com/"


class _Counting(FakeReferences):
    puts = 0

    async def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Count it."""
        self.puts += 1
        await super().put(key, fields)


async def test_strangers_leave_nothing_behind() -> None:
    """Who is of another tenant could otherwise fill the database."""
    references = FakeReferences()
    await _places(references).note(_from(CHAT, tenant="99999999-0000-4000-8000-000000000000"))
    assert references.kept == {}


async def test_a_room_we_are_not_of_is_not_known() -> None:
    """An action on a message is offered everywhere."""
    places = _places()
    await places.note(_from(GROUP), member=False)
    assert not await places.knows(_from(GROUP))
    await places.note(_from(GROUP))
    assert await places.knows(_from(GROUP))
    assert not await places.knows(_from(CHAT))


class _Down(FakeReferences):
    async def get(self, key: str) -> Mapping[str, str] | None:
        """Fail."""
        raise StoreUnavailable("down")

    async def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Fail."""
        raise StoreUnavailable("down")


async def test_a_database_that_is_down_is_no_reason_not_to_answer() -> None:
    """What is not known is asked of Teams; what cannot be kept is asked again."""
    places = _places(_Down())
    assert (await places.person(TEAMS_ANA)).member == TEAMS_ANA
    await places.begun(TEAMS_ANA, CHAT, SERVICE)
    assert (await places.alone(_from(CHANNEL))).member == USER
    assert (await places.alone(_from(CHAT))).conversation == CHAT
    with pytest.raises(StoreUnavailable):
        await places.note(_from(CHAT))


async def test_a_chat_begun_is_kept_and_may_be_forgotten() -> None:
    """Where Teams refused it, it is begun anew."""
    places = _places()
    await places.begun(TEAMS_ANA, CHAT, SERVICE)
    assert (await places.person(TEAMS_ANA)).conversation == CHAT
    places.forget(_target(TEAMS_ANA))
    assert (await places.person(TEAMS_ANA)).conversation == ""
