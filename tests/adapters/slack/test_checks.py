"""What the doctor finds in Slack: each fault as a sentence with its fix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.port import Finding
from adapters.slack.checks import TOOLS
from adapters.slack.manifest import SCOPES
from tests.fakes.serving import serving
from tests.fakes.slack import Slack
from tests.fakes.slack_process import APP_TOKEN, SECRET, TOKEN

Json = dict[str, Any]
WELL = frozenset({"ok"})
ENV = {"PLACET_SLACK_BOT_TOKEN": TOKEN, "PLACET_SLACK_SIGNING_SECRET": "0123456789abcdef0123456789abcdef"}
SOCKET = ENV | {"PLACET_SLACK_APP_TOKEN": APP_TOKEN}
ME = {"ok": True, "user": "placet", "team": "Acme", "team_id": "T0ACME", "bot_id": "B0PLACET"}
CHANNELS = [
    {"id": "C0APPROVALS", "name": "approvals", "is_member": True},
    {"id": "C0PUBLIC", "name": "public", "is_member": False},
    {"id": "C0OLD", "name": "old", "is_archived": True},
]


@dataclass(slots=True, kw_only=True)
class Api:
    """A Slack that answers as it is told. `calls` are the methods that were asked, in order."""

    answers: dict[str, Json] = field(default_factory=dict)
    scopes: str = ",".join(SCOPES)
    late: timedelta = timedelta(0)
    calls: list[str] = field(default_factory=list)
    seen: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        """One call."""
        method = request.match_info["method"]
        args = {**request.query, **(await request.post())}
        self.calls.append(method)
        self.seen[method].append(args)
        told = self.answers.get(method) or self._usual(method, args)
        headers = {"x-oauth-scopes": self.scopes} if self.scopes else {}
        headers |= {"Retry-After": "60"} if told.get("error") == "ratelimited" else {}
        stamp = (datetime.now(UTC) - self.late).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return web.json_response(
            told, status=429 if "Retry-After" in headers else 200, headers={**headers, "Date": stamp}
        )

    def _usual(self, method: str, args: Json) -> Json:
        channel = next((c for c in CHANNELS if c["id"] == args.get("channel")), None)
        match method:
            case "auth.test":
                return dict(ME)
            case "conversations.list":
                return {"ok": True, "channels": CHANNELS}
            case "conversations.info":
                return {"ok": True, "channel": channel} if channel else {"ok": False, "error": "channel_not_found"}
            case _:
                return {"ok": True, "channel": {"id": "D0"}, "url": "ws://127.0.0.1/"}

    async def find(
        self,
        *,
        env: Json = ENV,
        channels: Sequence[str] = ("#approvals",),
        people: Sequence[str] = ("U0ANA",),
        **config: Any,
    ) -> dict[str, list[Finding]]:
        """The findings of one look, by name."""
        section = {"api_url": self.url, **config}
        found: dict[str, list[Finding]] = defaultdict(list)
        for check in await TOOLS.examine(section, env, channels=channels, people=people, now=datetime.now(UTC)):
            found[check.name].append(check)
        return found


@asynccontextmanager
async def _served(api: Api) -> AsyncIterator[Api]:
    async with serving([web.route("*", "/api/{method}", api.answer)]) as root:
        api.url = f"{root}/api/"
        yield api


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """A Slack where all is well."""
    async with _served(Api()) as served:
        yield served


def states(found: dict[str, list[Finding]]) -> dict[str, set[str]]:
    """The states of the findings, by name."""
    return {name: {check.state for check in checks} for name, checks in found.items()}


async def test_all_is_well(api: Api) -> None:
    """In both modes; what was looked at is named."""
    http = await api.find()
    assert states(http) == dict.fromkeys(("token", "scopes", "clock", "signing secret", "channels", "people"), WELL)
    assert "Acme (T0ACME)" in http["token"][0].text
    socket = await api.find(env=SOCKET, mode="socket")
    assert states(socket) == dict.fromkeys(("token", "scopes", "clock", "socket", "channels", "people"), WELL)


@pytest.mark.parametrize(
    ("config", "env", "says"),
    [
        ({}, {}, "PLACET_SLACK_BOT_TOKEN"),
        ({}, {"PLACET_SLACK_BOT_TOKEN": TOKEN}, "PLACET_SLACK_SIGNING_SECRET"),
        ({"mode": "socket"}, ENV, "PLACET_SLACK_APP_TOKEN"),
        ({}, {"PLACET_SLACK_BOT_TOKEN_FILE": "no/such/file"}, "PLACET_SLACK_BOT_TOKEN_FILE"),
    ],
)
async def test_nothing_is_asked_before_the_secrets_are_there(api: Api, config: Json, env: Json, says: str) -> None:
    """The one that is missing is named, and Slack hears nothing."""
    found = await api.find(env=env, **config)
    (check,) = found.pop("secrets")
    assert check.state == "bad"
    assert says in check.text
    assert check.fix
    assert (found, api.calls) == ({}, [])


@pytest.mark.parametrize(
    ("config", "text", "fix"),
    [
        ({"coments": "thread"}, "no slack.coments", "Write slack.comments."),
        ({"token": "xoxb-1"}, "no slack.token", "environment"),
        ({"mode": "pigeon"}, "slack.mode", "Write http or socket."),
        ({"comments": "shout"}, "slack.comments", "Write button or thread."),
        ({"timeout": 0}, "slack.timeout", "at most 60"),
        ({"team": "acme"}, "slack.team", "T0ACME"),
        ({"api_url": "slack.com"}, "slack.api_url: must be", "Leave it out"),
    ],
)
async def test_a_wrong_setting_is_the_configurations(api: Api, config: Json, text: str, fix: str) -> None:
    """A key says which keys there are, a value which values; no secret is blamed, and Slack hears nothing."""
    found = await api.find(env={}, **config)
    (check,) = found.pop("configuration")
    assert check.state == "bad"
    assert text in check.text
    assert fix in check.fix
    assert "xoxb-1" not in check.text + check.fix
    assert ("There are mode, comments" in check.fix) == ("no slack." in text)
    assert (found, api.calls) == ({}, [])


@pytest.mark.parametrize("more", [{}, {"PLACET_SLACK_APP_TOKEN": TOKEN}])
async def test_an_app_token_in_the_bots_place(api: Api, tmp_path: Path, more: Json) -> None:
    """Named before anything else that is missing, from the variable or a file; the token is not repeated."""
    file = tmp_path / "token"
    file.write_text("xapp-1-secret\n", "utf-8")
    for env in ({"PLACET_SLACK_BOT_TOKEN": "xapp-1-secret"}, {"PLACET_SLACK_BOT_TOKEN_FILE": str(file)}):
        found = await api.find(env=env | more, mode="socket")
        (check,) = found.pop("token")
        assert check.state == "bad"
        assert "app token" in check.text
        assert "PLACET_SLACK_APP_TOKEN" in check.fix
        assert "secret" not in check.text + check.fix
        assert (found, api.calls) == ({}, [])


async def test_a_token_slack_does_not_take_ends_the_look(api: Api) -> None:
    """The other checks could only repeat it."""
    api.answers["auth.test"] = {"ok": False, "error": "invalid_auth"}
    found = await api.find()
    assert states(found) == {"token": {"bad"}}
    assert "PLACET_SLACK_BOT_TOKEN" in found["token"][0].text
    assert api.calls == ["auth.test"]


async def test_a_slack_that_is_down(api: Api) -> None:
    """Said as what it is; no traceback."""
    api.answers["auth.test"] = {"ok": False, "error": "service_unavailable"}
    assert "slack-status" in (await api.find())["token"][0].text


async def test_a_persons_token(api: Api) -> None:
    """It would post as that person."""
    api.answers["auth.test"] = {key: value for key, value in ME.items() if key != "bot_id"}
    (check,) = (await api.find())["token"]
    assert check.state == "bad"
    assert "xoxb-" in check.fix


async def test_a_token_of_another_workspace_than_configured(api: Api) -> None:
    """People would be taken for members of the one, and cards posted to the other."""
    (check,) = (await api.find(team="T0OTHER"))["token"]
    assert check.state == "bad"
    assert "T0ACME" in check.text
    assert "T0OTHER" in check.text
    assert states(await api.find(team="T0ACME"))["token"] == {"ok"}


@pytest.mark.parametrize(
    ("scopes", "state", "says"),
    [
        (",".join(sorted(set(SCOPES) - {"commands", "im:write"})), "bad", "lacks commands, im:write"),
        (",".join([*SCOPES, "admin"]), "warn", "admin"),
        (",".join(sorted(set(SCOPES) - {"dnd:read"})), "warn", "without dnd:read Placet cannot tell who has paused"),
        ("", "warn", "did not say"),
    ],
)
async def test_scopes_that_differ_are_named(api: Api, scopes: str, state: str, says: str) -> None:
    """Those missing, and those too many; the fix names the command that prints the manifest."""
    api.scopes = scopes
    (check,) = (await api.find())["scopes"]
    assert check.state == state
    assert says in check.text
    assert "placet slack manifest" in check.fix


@pytest.mark.parametrize(
    ("late", "state", "says"), [(30, "ok", ""), (-30, "ok", ""), (90, "warn", "ahead"), (-400, "bad", "behind")]
)
async def test_the_clock_is_compared_with_slacks(api: Api, late: int, state: str, says: str) -> None:
    """Far enough apart, every click is refused."""
    api.late = timedelta(seconds=late)
    (check,) = (await api.find())["clock"]
    assert check.state == state
    assert says in check.text


@pytest.mark.parametrize("secret", ["xoxb-not-it", "0123456789ABCDEF0123456789abcdef", "0" * 31])
async def test_a_signing_secret_of_another_shape(api: Api, secret: str) -> None:
    """Often another value of the same page; the secret itself is not repeated."""
    (check,) = (await api.find(env=ENV | {"PLACET_SLACK_SIGNING_SECRET": secret}))["signing secret"]
    assert check.state == "warn"
    assert secret not in check.text + check.fix


async def test_an_app_token_that_opens_no_socket(api: Api) -> None:
    """Its own fix: an app token is made elsewhere than a bot token."""
    api.answers["apps.connections.open"] = {"ok": False, "error": "missing_scope"}
    (check,) = (await api.find(env=SOCKET, mode="socket"))["socket"]
    assert check.state == "bad"
    assert "missing_scope" in check.text
    assert "connections:write" in check.fix


@pytest.mark.parametrize(
    ("address", "state", "says"),
    [
        ("#approvals", "ok", "in #approvals"),
        ("Approvals", "ok", "in Approvals"),
        ("C0APPROVALS", "ok", "in C0APPROVALS"),
        ("#old", "bad", "archived"),
        ("C0OLD", "bad", "archived"),
        ("#nowhere", "bad", "no channel #nowhere"),
        ("C0NOWHERE", "bad", "no channel C0NOWHERE"),
        ("#public", "warn", "no member"),
    ],
)
async def test_each_channel_is_looked_up(api: Api, address: str, state: str, says: str) -> None:
    """By name or id: whether it is there, alive, and the bot in it."""
    (check,) = (await api.find(channels=[address]))["channels"]
    assert check.state == state
    assert says in check.text
    assert state == "ok" or check.fix


async def test_no_channel_at_all(api: Api) -> None:
    """Cards then reach people by direct messages only."""
    assert states(await api.find(channels=[]))["channels"] == {"warn"}


async def test_people_slack_does_not_know(api: Api) -> None:
    """Each is named, with where to find the right id."""
    api.answers["conversations.open"] = {"ok": False, "error": "user_not_found"}
    found = (await api.find(people=["U0ANA", "T0ACME:U0BO"]))["people"]
    assert [check.state for check in found] == ["bad", "bad"]
    assert "T0ACME:U0BO" in found[1].text
    assert "Copy member ID" in found[1].fix
    assert [args["users"] for args in api.seen["conversations.open"]] == ["U0ANA", "U0BO"]


async def test_a_person_of_another_workspace(api: Api) -> None:
    """Not asked for: the bot cannot write to them."""
    (check,) = (await api.find(people=["T0OTHER:U0BO"]))["people"]
    assert check.state == "warn"
    assert "T0ACME" in check.text
    assert "conversations.open" not in api.calls


async def test_nobody_in_slack(api: Api) -> None:
    """Cards would come, and nobody could press."""
    (check,) = (await api.find(people=[]))["people"]
    assert check.state == "bad"


async def test_a_slack_that_asks_for_patience_ends_the_look(api: Api) -> None:
    """A large house is not waited for: what was not looked at is said."""
    api.answers["conversations.open"] = {"ok": False, "error": "ratelimited"}
    found = await api.find(people=[f"U0000{n}" for n in range(50)])
    assert "not all" in found["places"][0].text
    assert api.calls.count("conversations.open") < 10


@pytest.mark.node
async def test_the_emulated_slack(slack: Slack) -> None:
    """The same look at the Slack all other tests run on."""
    section = {"api_url": slack.api_url, "mode": "socket"}
    env = SOCKET | {"PLACET_SLACK_SIGNING_SECRET": SECRET}
    person: Callable[..., Any] = slack.user
    found = await TOOLS.examine(
        section, env, channels=["#reviews", "#nowhere"], people=[await person("ana")], now=datetime.now(UTC)
    )
    told = [(check.name, check.state) for check in found]
    assert ("token", "ok") in told
    assert ("clock", "ok") in told
    assert ("socket", "ok") in told
    assert ("people", "ok") in told
    assert ("channels", "bad") in told
