"""Calls to Teams through the SDK, and its turn, against a service on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.teams.adapter import BotbuilderConnector, ByMachine
from adapters.teams.calls import translated
from adapters.teams.config import Secrets, TeamsConfig
from adapters.teams.seam import Answered, Claims, Connector, Failed, Json, Member, Sent
from reviews.errors import SurfaceAmbiguous
from tests.adapters.teams.service import APP, TENANT, Service, Told, service
from tests.fakes.loopwatch import loop_watched

ROOM, THREAD = "19:room@thread.tacv2", "19:room@thread.tacv2;messageid=17"
CHAT, ANA = "a:1chat", "a1a1a1a1-0000-4000-8000-00000000a001"
BOT = f"28:{APP}"
CARD: Json = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Über 1 240 €"}]}
MESSAGE: Json = {
    "type": "message",
    "summary": "Refund",
    "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": CARD}],
}


class Stub:
    """Credentials that take their time, as those of an SDK do, and count."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails: Exception | None = None
        self.threads: set[int] = set()

    def get_access_token(self) -> str:
        """The token."""
        self.asked += 1
        self.threads.add(threading.get_ident())
        if self.fails is not None:
            raise self.fails
        return "stub"


@pytest.fixture
async def teams() -> AsyncIterator[Service]:
    """Teams, and Entra."""
    async with service() as found:
        yield found


def configured(teams: Service, **more: Any) -> TeamsConfig:
    """For that service."""
    return TeamsConfig(app_id=APP, tenant_id=TENANT, service_url=f"{teams.root}/teams/", login_url=teams.root, **more)


@pytest.fixture
async def connector(teams: Service) -> AsyncIterator[BotbuilderConnector]:
    """Started, with the bot's own secret."""
    found = BotbuilderConnector(configured(teams), Secrets(app_password="pass-1"))
    await found.start()
    yield found
    await found.stop()


def at(teams: Service) -> str:
    """A service address as Teams gives it: of another part of the world."""
    return f"{teams.root}/emea/"


def claims(teams: Service) -> Claims:
    """What a token said."""
    return Claims(audience=APP, service=at(teams), all={"aud": APP})


# ---------------------------------------------------------------------------------------------- calls


def test_it_is_a_connector(connector: BotbuilderConnector) -> None:
    """Of the seam."""
    found: Connector = connector
    assert found is connector


async def test_a_new_message_in_a_channel(teams: Service, connector: BotbuilderConnector) -> None:
    """It begins a conversation, which is named by it."""
    teams.next.append(Told(status=201, body={"id": THREAD, "activityId": "17"}))
    sent = await connector.create(at(teams), channel=ROOM, message=MESSAGE)
    assert sent == Sent(conversation=THREAD, activity="17")
    assert [(asked.method, asked.path) for asked in teams.asked] == [("POST", "/emea/v3/conversations")]
    assert teams.asked[0].json == {
        "isGroup": True,
        "bot": {"id": BOT},
        "tenantId": TENANT,
        "channelData": {"tenant": {"id": TENANT}, "channel": {"id": ROOM}},
        "activity": MESSAGE,
    }
    assert teams.asked[0].headers["Authorization"] == "Bearer token-1"


async def test_a_chat_with_somebody(teams: Service, connector: BotbuilderConnector) -> None:
    """By the directory's id; a message goes after it."""
    teams.next.append(Told(status=201, body={"id": CHAT}))
    assert await connector.create(at(teams), members=[ANA]) == Sent(conversation=CHAT, activity="")
    assert teams.asked[0].json["members"] == [{"id": ANA}]
    assert teams.asked[0].json["isGroup"] is False
    assert "activity" not in teams.asked[0].json
    teams.next.extend([Told(status=201, body={"id": CHAT}), Told(status=201, body={"id": "18"})])
    assert await connector.create(at(teams), members=[ANA], message=MESSAGE) == Sent(conversation=CHAT, activity="18")


async def test_a_message_into_a_thread(teams: Service, connector: BotbuilderConnector) -> None:
    """The id of the conversation is one part of the path, whatever is in it; the card arrives as it was drawn."""
    teams.next.append(Told(status=201, body={"id": "18"}))
    assert await connector.send(at(teams), THREAD, MESSAGE) == "18"
    asked = teams.asked[0]
    where = "/emea/v3/conversations/19%3Aroom%40thread.tacv2%3Bmessageid%3D17/activities"
    assert (asked.method, asked.path) == ("POST", where)
    assert asked.json == MESSAGE | {"from": {"id": BOT}, "conversation": {"id": THREAD}}


async def test_a_message_is_replaced(teams: Service, connector: BotbuilderConnector) -> None:
    """Under its own id, in the conversation exactly as it was named. An empty answer is a good one."""
    teams.next.append(Told(body=b""))
    await connector.update(at(teams), THREAD, "1/7", MESSAGE)
    asked = teams.asked[0]
    where = "/emea/v3/conversations/19%3Aroom%40thread.tacv2%3Bmessageid%3D17/activities/1%2F7"
    assert (asked.method, asked.path, asked.json["id"]) == ("PUT", where, "1/7")


@pytest.mark.parametrize("name", ["aadObjectId", "objectId"])
async def test_somebody_of_a_conversation(teams: Service, connector: BotbuilderConnector, name: str) -> None:
    """Teams has two names for the directory's id."""
    said = {"id": "29:1x", "name": "Ana Ruiz", name: ANA.upper(), "tenantId": TENANT.upper(), "email": "a@example.com"}
    teams.next.append(Told(body=said))
    found = await connector.member(at(teams), CHAT, ANA)
    assert found == Member(id="29:1x", object_id=ANA, tenant=TENANT, name="Ana Ruiz", email="a@example.com")
    assert teams.asked[0].path == f"/emea/v3/conversations/a%3A1chat/members/{ANA}"


@pytest.mark.parametrize(
    ("said", "guest"),
    [
        ({"userRole": "user"}, False),
        ({}, False),
        ({"userRole": "guest"}, True),
        ({"userRole": "anonymous"}, True),
        ({"userPrincipalName": "ana_example.com#EXT#@acme.onmicrosoft.com"}, True),
    ],
)
def test_who_is_of_another_organisation_is_told(said: dict[str, str], guest: bool) -> None:
    """By their role, or by the name the directory gave them."""
    assert Member.read({"id": "29:1x"} | said).guest is guest


async def test_everybody_of_a_conversation(teams: Service, connector: BotbuilderConnector) -> None:
    """Page by page; who stands on two of them is there once."""
    one, two = ({"id": f"29:{n}", "aadObjectId": ANA, "tenantId": TENANT, "name": "Ana"} for n in (1, 2))
    teams.next.append(Told(body={"members": [one], "continuationToken": "more"}))
    teams.next.append(Told(body={"members": [one, two]}))
    assert [found.id for found in await connector.members(at(teams), CHAT)] == ["29:1", "29:2"]
    assert [asked.path for asked in teams.asked] == [
        "/emea/v3/conversations/a%3A1chat/pagedmembers?pageSize=500",
        "/emea/v3/conversations/a%3A1chat/pagedmembers?pageSize=500&continuationToken=more",
    ]


async def test_a_conversation_without_end_is_refused(teams: Service, connector: BotbuilderConnector) -> None:
    """It is no role."""
    teams.otherwise = Told(body={"members": [], "continuationToken": "more"})
    with pytest.raises(Failed, match="too many members"):
        await connector.members(at(teams), CHAT)


# ---------------------------------------------------------------------------------------------- failures


CALLS = {
    "create": lambda connector, where: connector.create(where, channel=ROOM, message=MESSAGE),
    "send": lambda connector, where: connector.send(where, CHAT, MESSAGE),
    "update": lambda connector, where: connector.update(where, CHAT, "17", MESSAGE),
    "member": lambda connector, where: connector.member(where, CHAT, ANA),
    "members": lambda connector, where: connector.members(where, CHAT),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@every_call
@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 413, 429, 500, 502, 503, 504])
async def test_a_call_is_tried_once_and_its_status_comes_through(
    teams: Service, connector: BotbuilderConnector, call: Any, status: int
) -> None:
    """With the time to come back at, and Teams' word for it. The SDK would repeat an update three times."""
    said = {"error": {"code": "SomeCode", "message": "because"}}
    teams.otherwise = Told(status=status, body=said, headers={"Retry-After": "7"})
    with pytest.raises(Failed) as told:
        await call(connector, at(teams))
    fault = told.value
    assert (fault.status, fault.code, fault.text, fault.retry_after) == (status, "SomeCode", "because", 7.0)
    assert fault.sent == (status >= 500)
    assert len(teams.asked) == 1


@every_call
async def test_a_lost_answer_is_not_asked_for_again(teams: Service, connector: BotbuilderConnector, call: Any) -> None:
    """It may have been done."""
    teams.otherwise = Told(lost=True)
    with pytest.raises(Failed) as told:
        await call(connector, at(teams))
    assert (told.value.status, told.value.sent) == (0, True)
    assert len(teams.asked) == 1


@every_call
async def test_nobody_waits_longer_than_the_timeout(teams: Service, call: Any) -> None:
    """An answer that never comes."""
    held = asyncio.Event()
    teams.otherwise = Told(held=held)
    connector = BotbuilderConnector(configured(teams, timeout=0.2), Secrets(app_password="pass-1"))
    await connector.start()
    with pytest.raises(Failed, match="TimeoutError") as told:
        await call(connector, at(teams))
    assert told.value.sent
    held.set()
    await connector.stop()


@pytest.mark.parametrize("call", [CALLS["create"], CALLS["send"]], ids=["create", "send"])
@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[]", b"{}", b'{"id": {}}', b"[" * 100_000])
async def test_a_post_without_an_id_is_not_known_to_be_there(
    teams: Service, connector: BotbuilderConnector, call: Any, body: bytes
) -> None:
    """It could never be redrawn."""
    teams.next.append(Told(status=201, body=body, headers={"Content-Type": "application/json"}))
    with pytest.raises(Failed) as told:
        await call(connector, at(teams))
    assert isinstance(translated(told.value, posting=True), SurfaceAmbiguous)


async def test_a_channel_post_without_its_own_id_too(teams: Service, connector: BotbuilderConnector) -> None:
    """A conversation alone says nothing of the message."""
    teams.next.append(Told(status=201, body={"id": THREAD}))
    with pytest.raises(Failed) as told:
        await connector.create(at(teams), channel=ROOM, message=MESSAGE)
    assert told.value.sent


async def test_where_nobody_listens_nothing_was_sent(connector: BotbuilderConnector) -> None:
    """So it may be sent again."""
    async with service() as gone:
        pass
    await connector.receive({}, claims(gone), _nothing)
    with pytest.raises(Failed) as told:
        await connector.send(at(gone), CHAT, MESSAGE)
    # The token could still be had: it is Teams that is away.
    assert (told.value.status, told.value.sent) == (0, False)
    assert "cannot be reached" in told.value.text


# ---------------------------------------------------------------------------------------------- whom we call


@pytest.mark.parametrize("where", ["https://evil.example.com/", "http://127.0.0.1:1/emea/", "", "https://[bad/"])
async def test_our_token_goes_to_teams_alone(teams: Service, connector: BotbuilderConnector, where: str) -> None:
    """The configured root, and those verified tokens named; nothing is sent anywhere else, and no token fetched."""
    with pytest.raises(Failed, match=r"teams\.service_url") as told:
        await connector.send(where, CHAT, MESSAGE)
    assert (told.value.status, told.value.sent, told.value.code) == (0, False, "UnknownService")
    assert teams.granted == 0


async def test_an_address_must_be_one(teams: Service, connector: BotbuilderConnector) -> None:
    """The SDK would fill in what stands in braces."""
    with pytest.raises(Failed, match="not known"):
        await connector.send(at(teams) + "{conversationId}/", CHAT, MESSAGE)


async def test_whoever_called_us_may_be_answered(connector: BotbuilderConnector) -> None:
    """From a verified call on."""
    async with service() as moved:
        with pytest.raises(Failed):
            await connector.send(at(moved), CHAT, MESSAGE)
        await connector.receive({}, claims(moved), _nothing)
        assert await connector.send(at(moved), CHAT, MESSAGE) == "1"


async def test_many_addresses_are_not_all_kept(teams: Service, connector: BotbuilderConnector) -> None:
    """One client each is enough for the parts of the world there are."""
    for n in range(20):
        await connector.send(f"{teams.root}/{n}/", CHAT, MESSAGE)
    assert len(teams.asked) == 20
    assert len(connector._clients) <= 8


# ---------------------------------------------------------------------------------------------- turns


async def _nothing(_: Json) -> Answered:
    return Answered()


async def test_the_handler_gets_what_was_sent_and_its_answer_goes_back(
    teams: Service, connector: BotbuilderConnector
) -> None:
    """As they are: the SDK puts answers to invokes on the wire twice."""
    payload = {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": {"verb": "x"}}, "unknown": [1]}
    answer = Answered(body={"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "Done."})
    seen: list[Json] = []

    async def handler(found: Json) -> Answered:
        seen.append(found)
        return answer

    assert await connector.receive(payload, claims(teams), handler) is answer
    assert seen[0] is payload
    assert teams.asked == []


@pytest.mark.parametrize(
    "payload",
    [{}, {"type": 1, "conversation": "x", "from": [], "recipient": {"id": {}}}, {"type": "typing", "id": None}],
)
async def test_a_call_of_no_known_shape_is_the_handlers_to_judge(
    teams: Service, connector: BotbuilderConnector, payload: Json
) -> None:
    """The SDK reads as much as it needs, and that may be nothing."""
    assert await connector.receive(payload, claims(teams), _nothing) == Answered()


async def test_what_breaks_in_a_handler_comes_out(teams: Service, connector: BotbuilderConnector) -> None:
    """The transport says what becomes of it."""

    async def handler(_: Json) -> Answered:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await connector.receive({"type": "message"}, claims(teams), handler)


# ---------------------------------------------------------------------------------------------- our own token


async def test_many_turns_and_calls_cost_one_token(teams: Service, connector: BotbuilderConnector) -> None:
    """With the SDK's own credentials it was one each."""

    async def handler(_: Json) -> Answered:
        await connector.send(at(teams), CHAT, MESSAGE)
        return Answered()

    for _ in range(5):
        await connector.receive({"type": "message"}, claims(teams), handler)
    await asyncio.gather(*(connector.update(at(teams), CHAT, "17", MESSAGE) for _ in range(5)))
    await connector.token()
    assert (len(teams.asked), teams.granted) == (10, 1)
    assert {asked.headers["Authorization"] for asked in teams.asked} == {"Bearer token-1"}


async def test_without_a_token_nothing_is_sent(teams: Service, connector: BotbuilderConnector) -> None:
    """Entra's code comes out of every call, and of the doctor's question."""
    no = Told(status=401, body={"error_description": "AADSTS7000222: The provided client secret keys are expired."})
    teams.tokens.extend([no, no])
    for call in (connector.token(), connector.send(at(teams), CHAT, MESSAGE)):
        with pytest.raises(Failed) as told:
            await call
        assert (told.value.code, told.value.sent) == ("AADSTS7000222", False)
    assert teams.asked == []


async def test_credentials_that_wait_do_so_in_a_thread(teams: Service) -> None:
    """One at a time, so that a token they keep is found by the next."""
    stub = Stub()
    connector = BotbuilderConnector(configured(teams), Secrets(), credentials=stub)
    await connector.start()
    await asyncio.gather(*(connector.send(at(teams), CHAT, MESSAGE) for _ in range(5)))
    assert stub.asked == 5
    assert threading.get_ident() not in stub.threads
    stub.fails = PermissionError("no")
    with pytest.raises(Failed, match="PermissionError"):
        await connector.token()
    stub.fails = Failed("of its own", status=401, code="AADSTS1")
    with pytest.raises(Failed, match="of its own"):
        await connector.token()
    await connector.stop()


class _Said:
    """An answer as msal reads it."""

    def __init__(self, status: int, body: Json) -> None:
        self.status_code, self.text, self.headers = status, json.dumps(body), dict[str, str]()


class _Machine:
    """Azure's endpoint for managed identities, as msal calls it: it counts, and connects nowhere."""

    def __init__(self, said: _Said) -> None:
        self.said = said
        self.asked: list[tuple[str, Json]] = []

    def get(self, url: str, params: Json | None = None, headers: Json | None = None, **_: Any) -> _Said:
        """A token."""
        assert (headers or {}).get("Metadata") == "true"
        self.asked.append((url, params or {}))
        return self.said

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def a_machine_of_azures(monkeypatch: pytest.MonkeyPatch) -> None:
    """One with the plain endpoint, at an address nobody connects to."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")


@pytest.mark.usefixtures("a_machine_of_azures")
async def test_a_managed_identity_gets_its_token_from_the_machine(teams: Service) -> None:
    """One call for many turns; by the bot's client id, for the Bot Connector."""
    config = configured(teams, app_type="UserAssignedMSI")
    machine = _Machine(_Said(200, {"access_token": "of-the-machine", "expires_in": "3600", "token_type": "Bearer"}))
    connector = BotbuilderConnector(config, Secrets(), credentials=ByMachine(config, machine))
    await connector.start()
    for _ in range(5):
        await connector.send(at(teams), CHAT, MESSAGE)
    await connector.stop()
    assert {asked.headers["Authorization"] for asked in teams.asked} == {"Bearer of-the-machine"}
    ((url, params),) = machine.asked
    assert url == "http://127.0.0.1:9/metadata/identity/oauth2/token"
    assert (params["resource"], params["client_id"]) == ("https://api.botframework.com", APP)
    assert teams.granted == 0


@pytest.mark.usefixtures("a_machine_of_azures")
async def test_a_machine_without_the_identity_says_so(teams: Service) -> None:
    """Not as a missing key of a dictionary, which is how the SDK puts it."""
    config = configured(teams, app_type="UserAssignedMSI")
    said = {"error": "invalid_request", "error_description": "Identity not found"}
    connector = BotbuilderConnector(config, Secrets(), credentials=ByMachine(config, _Machine(_Said(400, said))))
    with pytest.raises(Failed, match="Identity not found") as told:
        await connector.token()
    assert (told.value.status, told.value.code) == (401, "invalid_request")


async def test_a_machine_outside_azure_says_so(teams: Service) -> None:
    """There is no endpoint."""

    class Nowhere(_Machine):
        def get(self, *_: Any, **__: Any) -> _Said:
            raise ConnectionError("no route to host")

    config = configured(teams, app_type="UserAssignedMSI")
    nowhere = Nowhere(_Said(200, {}))
    connector = BotbuilderConnector(config, Secrets(), credentials=ByMachine(config, nowhere))
    with pytest.raises(Failed, match="app_type: SingleTenant") as told:
        await connector.token()
    assert (told.value.status, told.value.sent) == (0, False)


# ---------------------------------------------------------------------------------------------- the loop


async def test_the_loop_is_not_held_up(teams: Service, connector: BotbuilderConnector) -> None:
    """By the largest card, by fifty turns, by tokens: no waiting call, and no long callback."""
    items = [{"type": "TextBlock", "text": "x" * 30, "wrap": True} for _ in range(400)]
    large = MESSAGE | {"attachments": [{"contentType": "x", "content": CARD | {"body": items}}]}
    assert len(json.dumps(large)) > 24_000
    with loop_watched() as seen:
        await asyncio.gather(
            *(connector.receive({"type": "message", "value": large}, claims(teams), _nothing) for _ in range(50)),
            connector.create(at(teams), channel=ROOM, message=None),
            connector.send(at(teams), CHAT, large),
            connector.update(at(teams), CHAT, "17", large),
        )
    assert seen.waited == []
    assert seen.longest < 20_000, seen.where
