"""The fake Teams is as strict as the real one: what it lets pass proves something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.fakes.teams import Fault, Teams, teams_server
from tests.fakes.teams_payloads import (
    APP_ID,
    CARD,
    CHANNEL,
    GROUP,
    TEAMS_ANA,
    TEAMS_BO,
    TENANT,
    TOAST,
    Json,
    chat_of,
    teams_id,
)
from tests.fakes.teams_service import BEARER, PASSWORD, Message

pytestmark = pytest.mark.slow


@pytest.fixture
async def teams() -> AsyncIterator[Teams]:
    """A Teams that knows no checker of ours."""
    async with teams_server() as server:
        yield server


_BLANK: Json = {"type": "AdaptiveCard", "version": "1.5", "body": []}


def _card(*actions: Json, body: tuple[Json, ...] = ()) -> Json:
    return {**_BLANK, "body": list(body), "actions": list(actions)}


def _execute(title: str, verb: str = "placet/approve", **data: Any) -> Json:
    return {"type": "Action.Execute", "title": title, "verb": verb, "data": data}


def _input(name: str, kind: str = "Text", **more: Any) -> Json:
    return {"type": f"Input.{kind}", "id": f"field:reject:{name}", "label": name, **more}


def _message(card: Json | None = None, text: str = "Hello") -> Json:
    if card is None:
        return {"type": "message", "text": text}
    return {"type": "message", "attachments": [{"contentType": CARD, "content": card}]}


def _new(message: Json, channel: str = CHANNEL, tenant: str = TENANT) -> Json:
    return {"isGroup": True, "channelData": {"channel": {"id": channel}}, "tenantId": tenant, "activity": message}


async def _call(teams: Teams, method: str, path: str, body: Json, token: str = BEARER) -> tuple[int, Json]:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{teams.service}v3/conversations{path}"
    async with teams.session.request(method, url, json=body, headers=headers) as answer:
        told: Json = await answer.json()
        return answer.status, told | ({"after": answer.headers["Retry-After"]} if answer.status == 429 else {})


async def _posted(teams: Teams, card: Json) -> Message:
    status, made = await _call(teams, "POST", "", _new(_message(card)))
    assert status == 201, made
    return teams.messages[CHANNEL, made["activityId"]]


# ---------------------------------------------------------------------------------------------- what it refuses


async def test_a_call_needs_the_directorys_token(teams: Teams) -> None:
    """Which is given for the app's secret, in the app's tenant, and for nothing else."""
    assert (await _call(teams, "POST", "", _new(_message()), token="guessed"))[0] == 401
    good = {"grant_type": "client_credentials", "client_id": APP_ID, "client_secret": PASSWORD}
    good |= {"scope": "https://api.botframework.com/.default"}
    asked = [(TENANT, {}), (TENANT, {"client_secret": "its id"}), (TENANT, {"client_id": TENANT}), (APP_ID, {})]
    told: list[str] = []
    for tenant, wrong in asked:
        async with teams.session.post(f"{teams.url}/{tenant}/oauth2/v2.0/token", data=good | wrong) as answer:
            body = await answer.json()
            told.append(body.get("access_token") or body["error_description"].partition(":")[0])
    assert told == [BEARER, "AADSTS7000215", "AADSTS700016", "AADSTS90002"]


@pytest.mark.parametrize(
    ("card", "status", "code"),
    [
        (_BLANK, 201, None),
        ({**_BLANK, "body": [{"type": "Badge", "text": "new"}]}, 400, "BadSyntax"),
        ({**_BLANK, "body": [{"type": "TextBlock"}]}, 400, "BadSyntax"),
        (_card({"type": "Action.Execute", "title": "No verb", "data": {}}), 400, "BadSyntax"),
        (_card({"type": "Action.Execute", "title": "No object", "verb": "v", "data": "text"}), 400, "BadSyntax"),
        (_card(_execute("Go"), body=(_input("a"), _input("a"))), 400, "BadSyntax"),
        ({**_BLANK, "body": [{"type": "TextBlock", "text": "x" * 28_000}]}, 413, "MessageSizeTooBig"),
        ({**_BLANK, "fallbackText": "x" * 80_000}, 413, "MessageSizeTooBig"),
    ],
)
async def test_a_card_is_taken_that_teams_would_take(teams: Teams, card: Json, status: int, code: str | None) -> None:
    """Version 1.5, every action one that is routed, ids unlike each other, and not too large."""
    got, told = await _call(teams, "POST", "", _new(_message(card)))
    assert (got, told.get("error", {}).get("code")) == (status, code)
    assert len(teams.messages) == (status == 201)


async def test_nothing_is_said_where_the_bot_is_not(teams: Teams) -> None:
    """Neither in an unknown room or thread, nor of another tenant, nor to who has not the app or blocked it."""
    assert (await _call(teams, "POST", "", _new(_message(), channel="19:other@thread.tacv2")))[0] == 404
    assert (await _call(teams, "POST", "", _new(_message(), tenant=APP_ID)))[0] == 403
    assert (await _call(teams, "POST", f"/{CHANNEL};messageid=1/activities", _message()))[0] == 404
    assert (await _call(teams, "POST", f"/{chat_of(TEAMS_ANA)}/activities", _message()))[0] == 404
    ana = {"isGroup": False, "members": [{"id": TEAMS_ANA}], "tenantId": TENANT}
    assert await _call(teams, "POST", "", ana) == (201, {"id": chat_of(TEAMS_ANA)})
    assert await _call(teams, "POST", "", ana | {"members": [{"id": teams_id(TEAMS_ANA)}]}) == (
        201,
        {"id": chat_of(TEAMS_ANA)},
    )
    teams.block(TEAMS_ANA)
    status, told = await _call(teams, "POST", f"/{chat_of(TEAMS_ANA)}/activities", _message())
    assert (status, told["error"]["code"]) == (403, "MessageWritesBlocked")
    teams.uninstall(TEAMS_BO)
    assert (await _call(teams, "POST", "", ana | {"members": [{"id": TEAMS_BO}]}))[0] == 403


async def test_only_the_bots_own_messages_are_changed(teams: Teams) -> None:
    """By the exact ids they were posted with."""
    ours = await _posted(teams, _BLANK)
    path = f"/{ours.conversation}/activities/{ours.id}"
    assert await _call(teams, "PUT", path, _message(text="Other")) == (200, {"id": ours.id})
    assert (ours.seen, ours.edits) == ("Other", 1)
    assert (await _call(teams, "PUT", f"/{CHANNEL}/activities/{ours.id}", _message()))[0] == 400
    assert (await _call(teams, "PUT", f"/{ours.conversation}/activities/1", _message()))[0] == 404
    theirs = teams.keep(GROUP, {"type": "message", "text": "Mine"}, by=TEAMS_ANA)
    assert (await _call(teams, "PUT", f"/{GROUP}/activities/{theirs.id}", _message()))[0] == 404


async def test_seven_calls_a_second_and_sixty_in_thirty(teams: Teams) -> None:
    """In each conversation for itself; what is too much is told how long to wait, and is not made."""
    now = 100.0
    teams.now = lambda: now
    told: list[str] = []
    while len(teams.messages) < 60:
        status, answer = await _call(teams, "POST", f"/{GROUP}/activities", _message())
        if status == 429:
            told.append(answer["after"])
            now += float(answer["after"])
    assert told == ["1"] * 8
    status, answer = await _call(teams, "POST", f"/{GROUP}/activities", _message())
    assert (status, answer["after"], len(teams.messages)) == (429, "30", 60)
    await _posted(teams, _BLANK)


async def test_calls_fail_as_told(teams: Teams) -> None:
    """Refused, or carried out and never heard of."""
    teams.faults["create"] = [Fault(status=503, retry_after=4), Fault(dropped=True), None]
    assert (await _call(teams, "POST", "", _new(_message())))[0] == 503
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await _call(teams, "POST", "", _new(_message()))
    assert len(teams.messages) == 1
    assert (await _call(teams, "POST", "", _new(_message())))[0] == 201


async def test_members_are_those_of_the_conversation(teams: Teams) -> None:
    """By Teams' id or the directory's."""
    for name in (TEAMS_ANA, teams_id(TEAMS_ANA)):
        status, told = await _call(teams, "GET", f"/{CHANNEL}/members/{name}", {})
        assert (status, told["objectId"], told["id"]) == (200, TEAMS_ANA, teams_id(TEAMS_ANA))
    assert (await _call(teams, "GET", f"/{CHANNEL}/members/{TENANT}", {}))[0] == 404


# ---------------------------------------------------------------------------------------------- what people do


@dataclass
class Bot:
    """Answers as it is told, and keeps what it was sent."""

    answer: Json = field(default_factory=dict)
    heard: list[Json] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        """An activity."""
        self.heard.append(await request.json())
        return web.json_response(self.answer)


@pytest.fixture
async def bot(teams: Teams) -> AsyncIterator[Bot]:
    """A bot that Teams sends to."""
    made, app = Bot(), web.Application()
    app.router.add_post("/api/messages", made.receive)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    teams.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/api/messages"
    yield made
    await runner.cleanup()


_FORM = _card(
    {
        "type": "Action.ShowCard",
        "title": "Reject",
        "card": _card(
            _execute("Send", verb="placet/reject", token="t"),
            body=(
                _input("reason", isRequired=True, errorMessage="Say why"),
                _input("notes"),
                _input("again", kind="Toggle", title="Again?", value="false"),
                _input("amount", kind="Number", value=3.0),
                _input("to", kind="ChoiceSet", choices=[{"title": "Bo", "value": "bo"}]),
            ),
        ),
    },
    _execute("Approve"),
)


async def test_inputs_go_with_the_button_of_their_card(teams: Teams, bot: Bot) -> None:
    """Blank ones are left out, a toggle always says something, a number is written as JavaScript does."""
    message = await _posted(teams, _FORM)
    await teams.press(message, "Send", TEAMS_ANA, {"reason": "Twice"})
    await teams.press(message, "placet/approve", TEAMS_ANA)
    first, second = (heard["value"]["action"]["data"] for heard in bot.heard)
    given = {"field:reject:reason": "Twice", "field:reject:again": "false", "field:reject:amount": "3"}
    assert (first, second) == ({"token": "t"} | given, {})
    assert (bot.heard[0]["replyToId"], bot.heard[0]["from"]["aadObjectId"]) == (message.id, TEAMS_ANA)


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({}, {"reason": "Say why"}),
        ({"reason": "x", "amount": "many"}, {"amount": "This field is not right"}),
        ({"reason": "x", "to": "nobody"}, {"to": "This field is not right"}),
    ],
)
async def test_what_a_client_would_not_send_is_not_sent(
    teams: Teams, bot: Bot, values: dict[str, str], errors: dict[str, str]
) -> None:
    """It says so at the field itself."""
    answer = await teams.press(await _posted(teams, _FORM), "Send", TEAMS_ANA, values)
    assert (answer.errors, bot.heard) == (errors, [])


async def test_what_is_not_there_cannot_be_pressed(teams: Teams, bot: Bot) -> None:
    """Nor filled in."""
    message = await _posted(teams, _FORM)
    with pytest.raises(AssertionError, match="no control 'Undo'"):
        await teams.press(message, "Undo", TEAMS_ANA)
    with pytest.raises(AssertionError, match="no such inputs"):
        await teams.press(message, "Send", TEAMS_ANA, {"reason": "x", "other": "y"})
    assert bot.heard == []


async def test_a_press_is_sent_again_as_teams_does(teams: Teams, bot: Bot) -> None:
    """With the same id, and later with another."""
    message = await _posted(teams, _FORM)
    await teams.press(message, "Approve", TEAMS_ANA)
    await teams.press(message, "Approve", TEAMS_ANA, again="same")
    await teams.press(message, "Approve", TEAMS_ANA, again="new")
    first, same, other = bot.heard
    assert first == same
    assert (first["value"], first["id"] == other["id"]) == (other["value"], False)


async def test_an_answers_card_is_seen_by_who_pressed_alone(teams: Teams, bot: Bot) -> None:
    """Until the message is changed for all."""
    message = await _posted(teams, _FORM)
    bot.answer = {"statusCode": 200, "type": CARD, "value": _card(_execute("Undo", verb="placet/undo"))}
    await teams.press(message, "Approve", TEAMS_ANA)
    await teams.press(message, "Undo", TEAMS_ANA)
    bot.answer = {"statusCode": 200, "type": TOAST, "value": "Too late"}
    assert (await teams.press(message, "Approve", TEAMS_BO)).text == "Too late"
    await _call(teams, "PUT", f"/{message.conversation}/activities/{message.id}", _message(_FORM))
    await teams.press(message, "Approve", TEAMS_ANA)
    assert [heard["value"]["action"]["verb"] for heard in bot.heard][1::2] == ["placet/undo", "placet/approve"]


async def test_a_dialog_is_fetched_and_sent(teams: Teams, bot: Bot) -> None:
    """By an Action.Submit that says so; its own button sends what was filled in."""
    opener = {"type": "Action.Submit", "title": "Edit", "data": {"verb": "edit", "msteams": {"type": "task/fetch"}}}
    inside = _card({"type": "Action.Submit", "title": "Save", "data": {"verb": "edit"}}, body=(_input("amount"),))
    shown = {"contentType": CARD, "content": inside}
    bot.answer = {"task": {"type": "continue", "value": {"title": "Edit", "card": shown}}}
    await teams.press(await _posted(teams, _card(opener)), "edit", TEAMS_ANA, {"amount": "5"})
    assert [heard["name"] for heard in bot.heard] == ["task/fetch", "task/submit"]
    assert bot.heard[1]["value"]["data"] == {"verb": "edit", "field:reject:amount": "5"}


async def test_the_bot_hears_what_mentions_it_and_where(teams: Teams, bot: Bot) -> None:
    """In a channel by its name, in the thread it was written in; alone without."""
    root = await _posted(teams, _BLANK)
    await teams.say("list & more", TEAMS_ANA, CHANNEL, beneath=root.id)
    await teams.say("list", TEAMS_ANA)
    there, alone = bot.heard
    assert (there["conversation"]["id"], there["text"]) == (root.conversation, "<at>Placet</at> list &amp; more")
    assert there["entities"][0]["mentioned"]["id"] == there["recipient"]["id"]
    assert (alone["conversation"]["conversationType"], alone["text"]) == ("personal", "list")
    assert there["channelData"]["tenant"] == alone["channelData"]["tenant"] == {"id": TENANT}
