"""The surface: copies posted, redrawn and followed; what comes in dealt out; health."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from adapters.saying import FOREIGN
from adapters.teams import press, surface
from adapters.teams.press import How
from adapters.teams.seam import Failed
from reviews.card import Card, Facts, Happening
from reviews.errors import StoreUnavailable, SurfaceBlind, SurfaceRefused, SurfaceUnavailable
from reviews.model import Identity, Target
from reviews.ports import MessageRef
from reviews.values import replace
from tests.adapters.teams.fake_connector import SERVICE, Rig, toast_of, words_of
from tests.fakes import cards
from tests.fakes import teams_payloads as payloads
from tests.fakes.references import FakeReferences
from tests.fakes.teams_payloads import CHANNEL, GROUP, TEAMS_ANA, TEAMS_BO, TENANT

CHAT = payloads.chat_of(TEAMS_ANA)
NEWS = (Happening(at=cards.NOW, text="Bo was called"),)


def _bad(status: int, code: str = "", **more: Any) -> Failed:
    return Failed("no", status=status, code=code, **more)


# ---------------------------------------------------------------------------------------------- copies


async def test_a_copy_in_a_channel_is_a_thread_of_its_own() -> None:
    """The exact ids are kept, its details are the first reply, and its mark is what replies name."""
    rig = Rig()
    ref = await rig.post()
    activity = ref.ref["activity"]
    assert ref.ref["channel"] == CHANNEL
    assert ref.ref["conversation"] == f"{CHANNEL};messageid={activity}"
    assert ref.mark == f"{CHANNEL}:{activity}"
    assert rig.connector.places[ref.ref["thread"]] == ref.ref["conversation"]


async def test_a_copy_in_somebodys_thread_has_no_mark() -> None:
    """What is said there need not be for us."""
    rig = Rig()
    ref = await rig.surface.post(cards.held(), Target(surface="teams", address=CHANNEL, thread="7"), "copy-7")
    assert (ref.ref["conversation"], ref.mark) == (f"{CHANNEL};messageid=7", "")


@pytest.mark.parametrize(("address", "place"), [(GROUP, GROUP), (TEAMS_ANA, CHAT), (TEAMS_ANA.upper(), CHAT)])
async def test_a_copy_in_a_chat(address: str, place: str) -> None:
    """Of a group, or of a person who was never written to."""
    rig = Rig()
    ref = await rig.post(address=address)
    assert (ref.ref["channel"], ref.ref["conversation"]) == (place, place)
    assert ref.mark == f"{place}:{ref.ref['activity']}"
    assert len(rig.connector.sent(place)) == 2


async def test_a_card_teams_does_not_take_is_posted_and_redrawn_in_short() -> None:
    """Somebody must be called all the same."""
    rig = Rig()
    rig.connector.faults["create"] = [_bad(400, "BadSyntax")]
    ref = await rig.post()
    assert cards.refund().title in words_of(rig.connector.messages[ref.ref["activity"]])
    rig.connector.faults["update"] = [_bad(413, "MessageSizeTooBig")]
    await rig.surface.update(ref, cards.decided())
    assert cards.decided().title in words_of(rig.connector.messages[ref.ref["activity"]])


async def test_details_that_fail_do_not_take_the_card_with_them() -> None:
    """It is there already: posted again it would be two."""
    rig = Rig()
    rig.connector.faults["send"] = [_bad(0, sent=True)]
    ref = await rig.post()
    assert "thread" not in ref.ref
    assert len(rig.connector.messages) == 1


async def test_details_nobody_answers_do_not_take_the_card_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the post gives up after a while, and would have the card posted again."""
    monkeypatch.setattr(surface, "_BENEATH", 0.01)
    rig = Rig()
    rig.connector.mute = {"send"}
    ref = await rig.post()
    assert "thread" not in ref.ref
    assert len(rig.connector.messages) == 1


async def test_details_are_redrawn_only_where_they_changed() -> None:
    """And a reply that somebody deleted does not stop the card."""
    rig = Rig()
    ref = await rig.post()
    await rig.surface.update(ref, cards.refund())
    assert rig.connector.made("update") == [ref.ref["activity"]]
    changed = replace(cards.refund(), thread=cards.largest().thread)
    rig.connector.faults["update"] = []
    await rig.surface.update(ref, changed)
    assert rig.connector.made("update")[-1] == ref.ref["thread"]
    del rig.connector.places[ref.ref["thread"]]
    await rig.surface.update(ref, replace(changed, status="Now otherwise"))
    assert "Now otherwise" in words_of(rig.connector.messages[ref.ref["activity"]])


@pytest.mark.parametrize("address", [CHANNEL, GROUP, TEAMS_ANA])
async def test_a_copy_known_by_a_press_alone_is_redrawn_and_followed(address: str) -> None:
    """It tells channel and activity, no more."""
    rig = Rig()
    whole = await rig.post(address=address)
    kept = {name: whole.ref[name] for name in ("channel", "activity")}
    ref = MessageRef(surface="teams", ref=kept, mark=whole.mark)
    await rig.surface.update(ref, cards.decided())
    assert cards.decided().title in words_of(rig.connector.messages[kept["activity"]])
    await rig.surface.note(ref, NEWS)
    assert "Bo was called" in words_of(rig.connector.sent(whole.ref["conversation"])[-1])


async def test_no_news_is_no_message() -> None:
    """Nothing is said."""
    rig = Rig()
    ref = await rig.post()
    before = len(rig.connector.messages)
    await rig.surface.note(ref, ())
    assert len(rig.connector.messages) == before


async def test_a_whisper_goes_into_the_chat_with_one_person() -> None:
    """As plain words."""
    rig = Rig()
    await rig.surface.whisper(Identity(surface="teams", id=TEAMS_ANA, tenant=TENANT), "For *you* <at>all</at>")
    assert rig.told() == ["For *you* <at>all</at>"]
    assert list(rig.connector.places.values()) == [CHAT]


async def test_a_person_who_cannot_be_reached_is_refused_and_told_to_the_operator() -> None:
    """With the fix; the surface itself works, and after a word that went through there is nothing to say."""
    rig = Rig()
    rig.connector.faults["create"] = [_bad(403, "ConversationBlockedByUser")]
    with pytest.raises(SurfaceRefused, match="blocked the bot"):
        await rig.post(address=TEAMS_ANA)
    health = await rig.surface.health()
    assert health.ok
    assert TEAMS_ANA in health.text
    await rig.post(address=TEAMS_ANA)
    rig.clock.move(timedelta(seconds=6))
    assert (await rig.surface.health()).text == ""


async def test_a_flood_is_told_how_long_to_wait() -> None:
    """By the exact rest; the outbox keeps it."""
    rig = Rig()
    for n in range(7):
        await rig.post(cards.held(), GROUP, f"copy-{n}")
    with pytest.raises(SurfaceUnavailable) as fault:
        await rig.post(cards.held(), GROUP, "copy-8")
    assert 0 < (fault.value.retry_after or 0) <= 1.0


async def test_a_copy_cannot_be_looked_for() -> None:
    """Teams shows a bot no history, and the surface says that it does not find."""
    rig = Rig()
    assert not rig.surface.abilities.finds
    with pytest.raises(SurfaceBlind):
        await rig.surface.find("copy-7", Target(surface="teams", address=CHANNEL), cards.NOW)


# ---------------------------------------------------------------------------------------------- health


async def test_health_is_whether_a_token_is_given() -> None:
    """Asked at most every few seconds; with the directory's word for what is wrong."""
    rig = Rig()
    rig.connector.faults["token"] = [_bad(401, "AADSTS7000215")]
    for _ in range(2):
        health = await rig.surface.health()
        assert not health.ok
        assert "client secret is wrong" in health.text
    assert rig.connector.made("token") == [""]
    rig.clock.move(timedelta(seconds=6))
    assert (await rig.surface.health()).ok


async def test_keys_that_are_away_are_ill_health() -> None:
    """Nobody could press anything."""
    rig = Rig()
    rig.tokens.fault = "The keys of Teams cannot be fetched."
    health = await rig.surface.health()
    assert (health.ok, health.text) == (False, "The keys of Teams cannot be fetched.")


async def test_a_surface_knows_whose_tenant_it_is() -> None:
    """From the configuration: nobody of another is let in."""
    assert Rig().surface.tenant == TENANT


# ---------------------------------------------------------------------------------------------- what comes in


async def test_who_comes_by_is_reached_over_a_restart() -> None:
    """Everything verified tells where."""
    rig = Rig()
    await rig.say("list")
    assert rig.references.kept[f"person:{TEAMS_ANA}"] == {
        "user": payloads.teams_id(TEAMS_ANA),
        "conversation": CHAT,
        "service": SERVICE,
    }
    again = Rig()
    again.references.kept.update(rig.references.kept)
    await again.post(address=TEAMS_ANA)
    assert again.connector.made("create") == []


class _Down(FakeReferences):
    async def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Fail."""
        raise StoreUnavailable("down")


async def test_a_store_that_is_down_does_not_hold_up_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    """Where somebody is reached is kept beside, not before."""
    rig = Rig(references=_Down())
    ref = await rig.post()
    assert "Escalate by Ana Ruiz" in toast_of(await rig.press(ref.ref["activity"], "escalate"))
    await rig.settled()
    assert "left undone" in caplog.text


@pytest.mark.parametrize("kind", ["messageReaction", "typing", "event", "conversationUpdate", "installationUpdate", ""])
async def test_what_asks_for_nothing_is_taken_and_left(kind: str) -> None:
    """Whatever Teams tells of."""
    rig = Rig()
    answer = await rig.deliver(payloads.activity(kind, TEAMS_BO, GROUP, service=SERVICE))
    await rig.settled()
    assert (answer.status, answer.body) == (200, None)
    assert rig.connector.messages == {}


async def test_an_unknown_invoke_is_answered_and_does_nothing() -> None:
    """With an empty answer, for its shape is not known."""
    rig = Rig()
    data = {"action": {"data": press.data(How.BULK, action="x")}}
    payload = payloads.activity("invoke", TEAMS_ANA, GROUP, service=SERVICE, name="signin/verifyState", value=data)
    answer = await rig.deliver(payload)
    assert (answer.status, answer.body) == (200, {})
    assert rig.desk.done == []


@pytest.mark.parametrize("damage", [{"from": None}, {"from": {"id": "29:x"}}, {"conversation": "x"}, {"value": None}])
async def test_a_damaged_press_is_answered_with_a_sentence(damage: dict[str, Any]) -> None:
    """200, and nothing is done."""
    rig = Rig()
    ref = await rig.post()
    said = toast_of(await rig.deliver(rig.pressing(ref.ref["activity"], "approve") | damage))
    assert said == FOREIGN or "did not say who you are" in said
    assert rig.desk.done == []


async def test_a_word_of_another_bot_is_not_answered() -> None:
    """It has no id in the directory; two bots would talk for ever."""
    rig = Rig()
    await rig.say("help", "")
    assert rig.connector.messages == {}


async def test_what_is_redacted_is_on_no_copy() -> None:
    """Neither on the card nor in its details, however it is drawn."""
    rig = Rig()
    secret = _redacted(cards.unmasked(cards.refund()))
    ref = await rig.post()
    await rig.surface.update(ref, cards.refund())
    drawn = json.dumps(list(rig.connector.messages.values()), ensure_ascii=False)
    assert secret not in drawn
    await rig.surface.update(ref, cards.unmasked(cards.refund()))
    assert secret in json.dumps(list(rig.connector.messages.values()), ensure_ascii=False)


def _redacted(card: Card) -> str:
    """What stands there in place of what is redacted."""
    masked = [block for block in cards.refund().blocks if isinstance(block, Facts)]
    shown = [block for block in card.blocks if isinstance(block, Facts)]
    facts = zip((f for b in masked for f in b.items), (f for b in shown for f in b.items), strict=True)
    return next(seen.value for hidden, seen in facts if hidden.redacted)
