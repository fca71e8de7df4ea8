"""How to connect Teams, walked: every command of it typed, on a Teams, a directory and an Azure CLI of this machine."""

from __future__ import annotations

import functools
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.teams.calls import DIRECTORY
from adapters.teams.checks import TOOLS
from adapters.teams.transport import PATH
from reviews.model import Verb
from tests.fakes.teams import APP_ID, CHANNEL, TEAMS_ANA, TENANT, Teams, teams_server
from tests.fakes.teams_service import PASSWORD
from tests.walk import ROOT, Beside, Walk, steps

PAGE = "docs/how-to/connect-teams.md"
URL = "https://placet.example.com"

#: An `az` that keeps what it was asked, answers what the page goes on with, and knows no other command.
AZ = """#!/bin/sh
printf '%s\\n' "$*" >> "{log}"
case "$*" in
    *--query\\ tenantId*) echo {tenant} ;;
    ad\\ app\\ create*--query\\ appId* | identity\\ show*--query\\ clientId*) echo {app} ;;
    ad\\ app\\ credential\\ reset*--query\\ password*) echo "{secret}" ;;
    ad\\ user\\ show*--query\\ id*) echo {ana} ;;
    identity\\ create*--query\\ id*) echo /subscriptions/s/placet-identity ;;
    *--output\\ none) ;;
    *) echo "az: what is $*?" >&2; exit 2 ;;
esac
"""


class Tenant(Beside):
    """A Teams and its directory."""

    def __init__(self) -> None:
        super().__init__()
        self._server = teams_server()
        self.teams: Teams = self.do(self._server.__aenter__())

    async def card(self, words: str, without: str = "") -> Any:
        """The card in the channel with these words, and without those, once it is there."""

        def found() -> Any:
            cards = ((post, json.dumps(post.card)) for post in self.teams.posts(CHANNEL))
            return next((post for post, text in cards if words in text and not (without and without in text)), None)

        await self.teams.until(found)
        return found()

    def end(self) -> None:
        """Stop all of it."""
        self.do(self._server.__aexit__(None, None, None))
        super().end()


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    """A tenant whose Teams has a channel with the bot in it."""
    made = Tenant()
    yield made
    made.end()


@pytest.fixture
def reader(reader: Walk) -> Walk:
    """A reader with an Azure CLI."""
    az, log = reader.folder / "bin" / "az", reader.folder / "az.log"
    az.write_text(AZ.format(log=log, tenant=TENANT, app=APP_ID, secret=PASSWORD, ana=TEAMS_ANA), encoding="utf-8")
    az.chmod(0o755)
    return reader


def _ours(tenant: Tenant, reader: Walk) -> dict[str, str]:
    """What stands on the page, and what is here in its place."""
    settings = {"service_url": tenant.teams.service, "openid_url": tenant.teams.openid, "login_url": tenant.teams.url}
    local = "".join(f"\n  {key}: {value}" for key, value in settings.items())
    page = (ROOT / PAGE).read_text("utf-8")
    app, directory = (re.findall(rf"{key}: ([0-9a-f-]{{36}})\n", page)[0] for key in ("app_id", "tenant_id"))
    (person,) = re.findall(r"identities: \{teams: ([0-9a-f-]{36})\}", page)
    return {
        "PASSWORD=…": f"PASSWORD={PASSWORD}", "19:approvals@thread.tacv2": CHANNEL, person: TEAMS_ANA, app: APP_ID,
        directory: TENANT + local, "port: 8080": f"port: {reader.port}",
    }  # fmt: skip


@pytest.mark.slow
def test_how_to_connect_teams(reader: Walk, tenant: Tenant) -> None:
    """Every block in its order, with the addresses and ids of this machine: a card comes, and is approved."""
    ours, printed = _ours(tenant, reader), list[str]()
    folder = reader.folder / "approvals"
    for block in steps(PAGE):
        text = functools.reduce(lambda text, word: text.replace(word, ours[word]), ours, block.text)
        if block.info == "sh server":
            reader.serve(text, URL)
        elif block.info == "sh":
            printed.append(reader.type(text))
        else:
            (folder / block.text.partition("\n")[0].removeprefix("# ")).write_text(text, "utf-8")
    doctor = next(text for text in printed if "to mend" in text)
    assert "0 to mend" in doctor, doctor
    assert f"the bot is in {CHANNEL}" in doctor.replace("\n", " "), doctor
    with zipfile.ZipFile(folder / "placet-teams.zip") as package:
        assert json.loads(package.read("manifest.json"))["bots"][0]["botId"] == APP_ID
    review = json.loads(next(text for text in printed if text.startswith("{")))["id"]
    tenant.teams.endpoint = f"http://127.0.0.1:{reader.port}{PATH}"
    card = tenant.do(tenant.card("A-4721"))
    assert tenant.do(tenant.teams.press(card, Verb.APPROVE, TEAMS_ANA)).status == 200
    over = tenant.do(tenant.card("A-4721", without="placet/approve"))
    assert "Approved by Ana Ruiz" in over.seen
    told = reader.type(f'curl --silent --header "Authorization: Bearer $PLACET_KEY" 127.0.0.1:8080/v1/reviews/{review}')
    assert json.loads(told)["decision"]["by"][0]["person"] == "ana"
    _azure((reader.folder / "az.log").read_text("utf-8"))


def _azure(log: str) -> None:
    """What Azure was asked for: both bots are of this tenant alone, and are called where Placet listens."""
    bots = [line for line in log.splitlines() if line.startswith("bot create")]
    assert [re.findall(r"--app-type (\w+)", line) for line in bots] == [["SingleTenant"], ["UserAssignedMSI"]]
    for line in bots:
        assert f"--appid {APP_ID} --tenant-id {TENANT}" in line
        assert f"--endpoint {URL}{PATH}" in line
    assert log.count("bot msteams create") == 2
    assert "--sign-in-audience AzureADMyOrg" in log


def test_the_messaging_endpoint_of_the_page() -> None:
    """Is where Placet listens."""
    page = (ROOT / PAGE).read_text("utf-8")
    assert set(re.findall(rf"{URL}(/[a-z/]+)", page)) == {PATH}


def test_the_package_of_the_page() -> None:
    """The ids that are shown make a package."""
    page = (ROOT / PAGE).read_text("utf-8")
    ids = {key: re.findall(rf"{key}: ([0-9a-f-]{{36}})\n", page)[0] for key in ("app_id", "tenant_id")}
    assert TOOLS.package(ids, url=URL)


def test_every_code_the_doctor_names_is_on_the_page() -> None:
    """Whoever looks a code up finds what to do."""
    page = (ROOT / PAGE).read_text("utf-8")
    assert [code for code in DIRECTORY if f"`{code}`" not in page] == []


def test_what_the_page_says_the_doctor_says_it_says() -> None:
    """Each sentence of the table is one of the code's."""
    page = (ROOT / PAGE).read_text("utf-8")
    table = page.partition("| it says |")[2].partition("\n\n")[0].splitlines()[2:]
    rooms = ("teams/checks.py", "teams/calls.py", "teams/tokens.py", "drift.py")
    code = "".join((ROOT / "adapters" / room).read_text("utf-8") for room in rooms).replace("{vendor}", "Microsoft")
    said = [cell for row in table for cell in re.split(r", (?=`|behind)", row.split("|")[1].strip())]
    assert len(said) > 15
    # The last is said by bot/cli/checks_house.py, after the name of the surface.
    assert [words for words in said[:-1] if words.strip("`") not in code] == []
