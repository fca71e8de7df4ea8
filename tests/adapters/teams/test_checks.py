"""What the doctor finds in Teams: each fault as a sentence with its fix."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.port import Finding
from adapters.port import Member as Somebody
from adapters.teams.calls import DIRECTORY, FIXES
from adapters.teams.checks import TOOLS, TeamsTools
from adapters.teams.config import APP_PASSWORD, TeamsMisconfigured
from adapters.teams.seam import Failed, Json, Member, Sent
from reviews.errors import SurfaceRefused
from tests.fakes.teams import APP_ID, CHANNEL, GROUP, TEAMS_ANA, TEAMS_BO, TENANT, Teams, teams_server
from tests.fakes.teams_service import PASSWORD

WELL = frozenset({"ok"})
ENV = {APP_PASSWORD: PASSWORD}
IDS = {"app_id": APP_ID, "tenant_id": TENANT}
URL = "https://placet.example.com"
Found = dict[str, list[Finding]]


@pytest.fixture
async def teams() -> AsyncIterator[Teams]:
    """A Teams where all is well."""
    async with teams_server() as served:
        yield served


@dataclass(kw_only=True)
class Told:
    """A connector that fails as it is told: `fails` by the name of the call, and by whom or what it is about."""

    fails: dict[str, Failed] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def _called(self, name: str, about: str = "") -> None:
        self.calls.append((name, about))
        if (fault := self.fails.get(about) or self.fails.get(name)) is not None:
            raise fault

    async def start(self) -> None:
        self._called("start")

    async def stop(self) -> None:
        self._called("stop")

    async def token(self) -> None:
        self._called("token")

    async def create(
        self, service: str, *, members: Sequence[str] = (), channel: str = "", message: Json | None = None
    ) -> Sent:
        assert (channel, message) == ("", None), "the doctor posts nothing"
        self._called("create", members[0])
        return Sent(conversation=f"a:{members[0]}", activity="")

    async def member(self, service: str, conversation: str, who: str) -> Member:
        self._called("member", conversation)
        return Member(id="29:x", object_id=who, tenant=TENANT, name="")

    async def members(self, service: str, conversation: str) -> Sequence[Member]:
        raise AssertionError("the doctor counts nobody")

    async def receive(self, payload: Any, claims: Any, handler: Any) -> Any:
        raise AssertionError("the doctor listens to nobody")

    async def send(self, service: str, conversation: str, message: Json) -> str:
        raise AssertionError("the doctor posts nothing")

    async def update(self, service: str, conversation: str, activity: str, message: Json) -> None:
        raise AssertionError("the doctor changes nothing")


def told(**fails: Failed) -> Told:
    return Told(fails=fails)


async def find(
    teams: Teams,
    connector: Told | None = None,
    *,
    env: dict[str, str] = ENV,
    channels: Sequence[str] = (CHANNEL,),
    people: Sequence[str] = (TEAMS_ANA, TEAMS_BO),
    off: timedelta = timedelta(0),
    **config: Any,
) -> Found:
    """The findings of one look, by name: by the connector given, else by botbuilder's at this Teams."""

    section = IDS | {"service_url": teams.service, "openid_url": teams.openid, "login_url": teams.url} | config
    now = datetime.now(UTC) + off
    tools = TOOLS if connector is None else TeamsTools(lambda *_: connector)
    found: Found = defaultdict(list)
    for check in await tools.examine(section, env, channels=channels, people=people, now=now):
        found[check.name].append(check)
    return dict(found)


def states(found: Found) -> dict[str, set[str]]:
    """The states of the findings, by name."""
    return {name: {check.state for check in checks} for name, checks in found.items()}


def only(found: Found, name: str) -> Finding:
    """The one finding of a name."""
    (check,) = found[name]
    return check


# --- all of it, by botbuilder


async def test_all_is_well(teams: Teams) -> None:
    """Each thing that was looked at is named, and nothing was posted."""
    found = await find(teams, channels=[CHANNEL, GROUP])
    assert states(found) == dict.fromkeys(("token", "keys", "clock", "channels", "people"), WELL)
    assert APP_ID in found["token"][0].text
    assert [check.text for check in found["channels"]] == [f"the bot is in {CHANNEL}", f"the bot is in {GROUP}"]
    assert teams.messages == {}


async def test_a_room_the_bot_is_not_in(teams: Teams) -> None:
    """Named, with what to do about it."""
    elsewhere = "19:elsewhere@thread.tacv2"
    check = only(await find(teams, channels=[elsewhere]), "channels")
    assert (check.state, elsewhere in check.text, bool(check.fix)) == ("bad", True, True)


async def test_people_who_cannot_be_written_to(teams: Teams) -> None:
    """Each by name and with the reason; in channels they may press, so it is a warning."""
    teams.uninstall(TEAMS_ANA)
    teams.block(TEAMS_BO, "BotDisabledByAdmin")
    ana, bo = (await find(teams))["people"]
    assert (ana.state, bo.state) == ("warn", "warn")
    assert TEAMS_ANA in ana.text
    assert "Install the Placet app" in ana.fix
    assert "administrator" in bo.text
    assert "admin center" in bo.fix


OTHER = "0f3c1b9e-2b5b-4f3e-9a55-0d6c1a6f0001"


@pytest.mark.parametrize(
    ("config", "secret", "code", "fix"),
    [
        ({}, "another", "AADSTS7000215", APP_PASSWORD),
        ({"app_id": OTHER}, PASSWORD, "AADSTS700016", "teams.app_id"),
        ({"tenant_id": OTHER}, PASSWORD, "AADSTS90002", "teams.tenant_id"),
    ],
)
async def test_a_bot_that_is_not_let_in(teams: Teams, config: Json, secret: str, code: str, fix: str) -> None:
    """Entra's code is named, with what to compare; Teams is not asked."""
    check = only(await find(teams, env={APP_PASSWORD: secret}, **config), "token")
    assert (check.state, code in check.text, fix in check.fix) == ("bad", True, True)
    assert {name for name, _ in teams.calls} == {"token"}


# --- settings and the secret


@pytest.mark.parametrize(
    ("config", "text", "fix"),
    [
        ({"aap_id": APP_ID}, "no teams.aap_id", "Write teams.app_id."),
        ({"password": PASSWORD}, "no teams.password", APP_PASSWORD),
        ({"app_id": "placet"}, "teams.app_id: must be an id", "Application (client) ID"),
        ({"tenant_id": "acme.onmicrosoft.com"}, "teams.tenant_id: must be an id", "Directory (tenant) ID"),
        ({"app_type": "MultiTenant"}, "teams.app_type", "Write SingleTenant or UserAssignedMSI"),
        ({"timeout": 0}, "teams.timeout", "at most 60"),
        ({"service_url": "http://teams.example.com"}, "teams.service_url: must be https", "Leave it out"),
    ],
)
async def test_a_wrong_setting_is_the_configurations(teams: Teams, config: Json, text: str, fix: str) -> None:
    """A key says which keys there are, a value which values; no secret is blamed, and nobody is asked."""
    connector = told()
    found = await find(teams, connector, env={}, **config)
    check = only(found, "configuration")
    assert check.state == "bad"
    assert text in check.text
    assert fix in check.fix
    assert PASSWORD not in check.text + check.fix
    assert (len(found), connector.calls) == (1, [])


async def test_a_section_with_nothing_in_it() -> None:
    """What is needed at least, and where it is copied from."""
    found = await TOOLS.examine({}, ENV, channels=[], people=[], now=datetime.now(UTC))
    assert [check.name for check in found] == ["configuration", "configuration"]
    assert "teams.app_id is not set" in found[0].text
    assert "Directory (tenant) ID" in found[1].fix


@pytest.mark.parametrize("env", [{}, {f"{APP_PASSWORD}_FILE": "no/such/file"}])
async def test_nothing_is_asked_before_the_secret_is_there(teams: Teams, env: dict[str, str]) -> None:
    """The variable is named, and nobody hears of us."""
    connector = told()
    found = await find(teams, connector, env=env)
    assert APP_PASSWORD in only(found, "secrets").text
    assert (len(found), connector.calls) == (1, [])


async def test_a_secrets_id_in_the_place_of_its_value(teams: Teams, tmp_path: Path) -> None:
    """The commonest slip; named before Entra is asked, from the variable or a file, and not repeated."""
    swapped = "0f3c1b9e-2b5b-4f3e-9a55-0d6c1a6f0001"
    file = tmp_path / "secret"
    file.write_text(f"{swapped}\n", "utf-8")
    for env in ({APP_PASSWORD: swapped}, {f"{APP_PASSWORD}_FILE": str(file)}):
        connector = told()
        check = only(await find(teams, connector, env=env), "secrets")
        assert (check.state, connector.calls) == ("bad", [])
        assert "ID of a client secret" in check.text
        assert "copy its Value" in check.fix
        assert swapped not in check.text + check.fix


async def test_a_managed_identity_needs_no_secret(teams: Teams) -> None:
    """And what is in its place is not looked at."""
    for env in ({}, {APP_PASSWORD: OTHER}):
        assert states(await find(teams, told(), env=env, app_type="UserAssignedMSI"))["token"] == WELL


# --- who lets the bot in


@pytest.mark.parametrize("code", DIRECTORY)
async def test_each_code_of_the_directory_is_named_with_its_fix(teams: Teams, code: str) -> None:
    """And ends the look: the other checks could only repeat it."""
    connector = told(token=Failed("Entra's own words", status=401, code=code))
    found = await find(teams, connector)
    check = only(found, "token")
    assert check.state == "bad"
    assert code in check.text
    assert check.fix
    assert set(found) == {"token"}
    assert [name for name, _ in connector.calls] == ["start", "token", "stop"]


@pytest.mark.parametrize(
    ("fault", "kind", "fix"),
    [
        (Failed("AADSTS1: a new one", status=400, code="AADSTS1"), "SingleTenant", "app registration"),
        (Failed("nobody answered"), "SingleTenant", "HTTPS_PROXY"),
        (Failed("no identity here"), "UserAssignedMSI", "SingleTenant bot"),
    ],
)
async def test_no_token_for_another_reason(teams: Teams, fault: Failed, kind: str, fix: str) -> None:
    """Entra's words are repeated; the fix depends on whether it answered, and on how the bot shows who it is."""
    check = only(await find(teams, told(token=fault), app_type=kind), "token")
    assert (check.state, fault.text in check.text, fix in check.fix) == ("bad", True, True)


@pytest.mark.parametrize("code", ["Unauthorized", "BotNotRegistered", ""])
async def test_a_bot_teams_does_not_know(teams: Teams, code: str) -> None:
    """Entra gave a token and Teams refuses it: the registration in Azure is another, said once for all rooms."""
    found = await find(teams, told(member=Failed("no", status=401, code=code)), channels=[CHANNEL, GROUP])
    check = only(found, "bot")
    assert check.state == "bad"
    assert "Configuration" in check.fix
    assert "Microsoft Teams" in check.fix
    assert {"channels", "people"} & found.keys() == set()


# --- what Teams sends


@pytest.mark.parametrize(
    ("seconds", "state", "says"), [(30, "ok", ""), (-30, "ok", ""), (90, "warn", "ahead"), (-400, "bad", "behind")]
)
async def test_the_clock_is_compared_with_microsofts(teams: Teams, seconds: int, state: str, says: str) -> None:
    """Far enough apart, every click is refused."""
    check = only(await find(teams, told(), off=timedelta(seconds=seconds)), "clock")
    assert (check.state, says in check.text) == (state, True)


async def test_keys_that_cannot_be_fetched(teams: Teams) -> None:
    """No click could be checked, so none would be taken."""
    found = await find(teams, told(), openid_url=f"{teams.url}/nothing")
    check = only(found, "keys")
    assert (check.state, "/nothing" in check.text, bool(check.fix)) == ("bad", True, True)
    assert states(found)["people"] == WELL


# --- rooms


@pytest.mark.parametrize(
    ("address", "fix"),
    [
        ("#approvals", "Get link to channel"),
        ("https://teams.microsoft.com/l/channel/19%3Aabc-1%40thread.tacv2/General?x=1", "Write 19:abc-1@thread.tacv2."),
        ("19%3Aabc%40thread.tacv2", "Write 19:abc@thread.tacv2."),
        ("19:abc@thread.tacv2;messageid=17", "Write 19:abc@thread.tacv2."),
    ],
)
async def test_what_is_no_id_of_a_room(teams: Teams, address: str, fix: str) -> None:
    """A name, or the link itself: the id in it is read out; Teams is not asked."""
    connector = told()
    check = only(await find(teams, connector, channels=[address]), "channels")
    assert (check.state, fix in check.fix) == ("bad", True)
    assert "member" not in {name for name, _ in connector.calls}


@pytest.mark.parametrize("code", FIXES)
async def test_each_code_of_teams_about_a_room(teams: Teams, code: str) -> None:
    """Its cause and its fix are told, and the people are looked at all the same."""
    found = await find(teams, told(member=Failed("no", status=403, code=code)))
    check = only(found, "channels")
    assert (check.state, check.text.startswith(f"{CHANNEL}: ")) == ("bad", True)
    assert FIXES[code] == f"{check.text.removeprefix(f'{CHANNEL}: ')}. {check.fix}".removesuffix(". ")
    assert states(found)["people"] == WELL


async def test_a_room_whose_member_is_another(teams: Teams) -> None:
    """The first person is asked for; that they are not there says that the bot is."""
    nobody = Failed("not there", status=404, code="MemberNotFoundInConversation")
    assert states(await find(teams, told(member=nobody)))["channels"] == WELL


async def test_a_person_as_the_room_of_a_role(teams: Teams) -> None:
    """Is looked at as no room, and one room named twice once."""
    connector = told()
    await find(teams, connector, channels=[TEAMS_ANA, CHANNEL, CHANNEL])
    assert [about for name, about in connector.calls if name == "member"] == [CHANNEL]


async def test_no_room_at_all(teams: Teams) -> None:
    """Cards then reach people in their chats only."""
    assert states(await find(teams, told(), channels=[]))["channels"] == {"warn"}


# --- people


async def test_nobody_in_teams(teams: Teams) -> None:
    """Cards would come, and nobody could press; the room is looked at as far as it goes."""
    connector = told()
    found = await find(teams, connector, people=[])
    assert states(found)["people"] == {"bad"}
    assert states(found)["channels"] == WELL


@pytest.mark.parametrize("identity", ["ana@example.com", "Ana Ruiz", "29:1abc"])
async def test_a_person_who_is_no_object_id(teams: Teams, identity: str) -> None:
    """The fix says where it is found."""
    check = only(await find(teams, told(), people=[identity]), "people")
    assert (check.state, identity in check.text, "Object ID" in check.fix) == ("bad", True, True)


async def test_a_person_of_another_tenant(teams: Teams) -> None:
    """Not asked for: the bot cannot write to them. Of the bot's own tenant they are."""
    connector = told()
    check = only(await find(teams, connector, people=[f"{OTHER}:{TEAMS_ANA}", f"{TENANT}:{TEAMS_BO}"]), "people")
    assert (check.state, TENANT in check.text) == ("warn", True)
    assert [about for name, about in connector.calls if name == "create"] == [TEAMS_BO]


async def test_a_person_teams_does_not_know(teams: Teams) -> None:
    """One of two: the other is not told of."""
    found = await find(teams, Told(fails={TEAMS_BO: Failed("no such user", status=404)}))
    check = only(found, "people")
    assert (check.state, TEAMS_BO in check.text, "no such user" in check.text) == ("bad", True, True)


@pytest.mark.parametrize(
    ("fault", "name", "state"),
    [
        (Failed("slower", status=429, retry_after=3.0), "places", "warn"),
        (Failed("broken", status=503), "places", "warn"),
        (Failed("nobody answered"), "connection", "bad"),
    ],
)
async def test_a_teams_that_does_not_answer_ends_the_look(teams: Teams, fault: Failed, name: str, state: str) -> None:
    """A large house is not waited for: what was not looked at is said."""
    connector = told(create=fault)
    found = await find(teams, connector, people=[f"{TEAMS_ANA[:-2]}{n}" for n in range(10, 60)])
    check = only(found, name)
    assert (check.state, bool(check.fix)) == (state, True)
    assert [call for call, _ in connector.calls].count("create") == 1


# --- manifest and package


def test_the_sdk_is_loaded_by_an_examination_alone() -> None:
    """A manifest is printed at once."""
    script = "import sys, adapters.teams.checks; assert 'botbuilder' not in sys.modules and 'msal' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).resolve().parents[3], check=True, timeout=60)


def test_the_manifest_and_the_package_need_no_secret() -> None:
    """The app is made before there is one; its ids are those of the section."""
    assert APP_ID in TOOLS.manifest(IDS, url=URL, socket=False)
    assert TOOLS.package(IDS, url=URL).startswith(b"PK")


@pytest.mark.parametrize(
    ("config", "socket", "says"),
    [({}, False, "teams.app_id"), (IDS, True, "--socket"), ({"app_id": "placet"}, False, "teams.app_id")],
)
def test_a_manifest_that_could_not_work(config: Json, socket: bool, says: str) -> None:
    """Refused in a sentence."""
    with pytest.raises(TeamsMisconfigured, match=says):
        TOOLS.manifest(config, url=URL, socket=socket)


# --- who is in a room


async def _members(teams: Teams, group: str = CHANNEL, env: dict[str, str] = ENV) -> list[Somebody]:
    section = IDS | {"service_url": teams.service, "openid_url": teams.openid, "login_url": teams.url}
    return list(await TOOLS.members(section, env, group=group))


async def test_the_members_of_a_room(teams: Teams) -> None:
    """By the directory's id, as presses name them, with name and e-mail; who is of another tenant is marked."""
    found = {one.id: one for one in await _members(teams)}
    assert found[TEAMS_ANA] == Somebody(id=TEAMS_ANA, name="Ana Ruiz", email="ana@example.com")
    other = IDS | {"tenant_id": "00000000-0000-0000-0000-000000000001"}
    section = other | {"service_url": teams.service, "openid_url": teams.openid, "login_url": teams.url}
    tools = TeamsTools(lambda *_: Listing([seam_member(tenant=TENANT), seam_member(tenant=other["tenant_id"])]))
    assert [one.guest for one in await tools.members(section, ENV, group=CHANNEL)] == [True, False]


@pytest.mark.parametrize(
    ("group", "env", "says"),
    [
        ("#approvals", ENV, "no id of a channel or chat"),
        ("19:elsewhere@thread.tacv2", ENV, "Check its id in placet.yml"),
        (CHANNEL, {}, "PLACET_TEAMS_APP_PASSWORD"),
    ],
)
async def test_a_room_that_cannot_be_read(teams: Teams, group: str, env: dict[str, str], says: str) -> None:
    """The sentence says what to do."""
    with pytest.raises(SurfaceRefused, match=says):
        await _members(teams, group, env)


def seam_member(**over: Any) -> Member:
    """Somebody of a conversation."""
    return Member(**({"id": "29:x", "object_id": TEAMS_BO, "tenant": TENANT, "name": "Bo"} | over))


class Listing(Told):
    """A connector that has these members in every room."""

    def __init__(self, found: Sequence[Member]) -> None:
        super().__init__()
        self.found = found

    async def members(self, service: str, conversation: str) -> Sequence[Member]:
        return self.found
