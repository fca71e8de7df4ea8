"""What people type, and what each command answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.commands import _LISTED
from reviews.card import Actions, Callout, Card, Facts, Go, Lines, Table, Text, Tone
from reviews.model import Identity, Object, Person
from tests.fakes.app import Caller, House, running
from tests.fakes.clock import FakeClock

POLICY = """
policy: typed
version: 3
actions:
  refund.issue: {risk: high, reversible: false, sensitive: [/iban]}
  note.write: {risk: low, reversible: true}
chains:
  ladder:
    - {after: 0m, notify: channel:role}
    - {after: 20m, notify: oncall:ops.primary}
    - {after: 1h, then: expire}
rules:
  - {name: a note, when: 'action.name == "note.write"', route: {tier: approve, role: clerk, sla: 1h}}
  - name: a disk
    when: action.name == "disk.wipe"
    route: {tier: dual, needs: [{role: manager}, {role: clerk}], sla: 1h}
default: {tier: approve, role: manager, chain: ladder}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 2, "may": ["stop"]}, "clerk": {"level": 1}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "deputy": "bo", "timezone": "Europe/Madrid"},
        {"id": "bo", "name": "Bo Chen", "roles": ["clerk"]},
        {"id": "cy", "name": "Cy Okafor"},
    ],
    "rotations": {"ops": {"primary": {"people": ["ana"]}}},
}
IBAN = "ES9121000418450200051332"
REFUND: Object = {"name": "refund.issue", "arguments": {"order": "A-4721", "iban": IBAN}}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running Placet on a Monday at nine, UTC."""
    clock = FakeClock(datetime(2026, 11, 23, 9, tzinfo=UTC))
    async with running(tmp_path, policy=POLICY, config=CONFIG, clock=clock) as made:
        yield made


async def typed(house: House, text: str, person: str = "ana", surface: str = "slack") -> Card:
    """What somebody gets for what they typed."""
    who = await house.app.desk.who(Identity(surface="web", id=person))
    assert isinstance(who, Person)
    return await house.app.desk.command(who, text, surface=surface)


def _said(card: Card) -> str:
    return " ".join(block.text for block in card.blocks if isinstance(block, Callout | Text))


def _listed(card: Card) -> list[str]:
    return [line.review for block in card.blocks if isinstance(block, Lines) for line in block.items]


def _facts(card: Card) -> dict[str, str]:
    return {fact.label: fact.value for block in card.blocks if isinstance(block, Facts) for fact in block.items}


@pytest.mark.parametrize("text", ["list", "", "  LIST  "])
async def test_list_shows_ones_queue(house: House, agent: Caller, text: str) -> None:
    """Open reviews of one's roles and no others; each line can be opened."""
    mine, _ = await agent.asked(REFUND), await agent.asked("note.write")
    card = await typed(house, text)
    assert _listed(card) == [mine["id"]]
    (lines,) = [block for block in card.blocks if isinstance(block, Lines)]
    assert [(way.go, way.value) for way in lines.items[0].ways] == [(Go.OPEN, mine["id"])]
    assert lines.items[0].detail == "#1 · High risk · waits for manager · asked by refund-desk"


async def test_list_of_one_action(house: House, agent: Caller) -> None:
    """The action named, and what has none of it says so."""
    await agent.asked("mail.send")
    mine = await agent.asked(REFUND)
    assert _listed(await typed(house, "list refund.issue")) == [mine["id"]]
    assert _said(await typed(house, "list volume.delete")) == "Nothing is waiting for you."


async def test_a_long_list_says_how_many_are_left_out(house: House, agent: Caller) -> None:
    """A message holds fifteen; nobody believes that these are all."""
    for _ in range(17):
        await agent.asked("note.write")
    card = await typed(house, "list", "bo")
    (lines,) = [block for block in card.blocks if isinstance(block, Lines)]
    assert (len(lines.items), lines.more) == (15, 2)
    assert [way.go for block in card.blocks if isinstance(block, Actions) for way in block.ways] == [Go.BULK]


async def test_mine_are_those_in_hand(house: House, agent: Caller) -> None:
    """What one's role could decide is not yet one's own; what one took is."""
    review = await agent.asked(REFUND)
    assert not _listed(await typed(house, "mine"))
    await house.press("take", review)
    assert _listed(await typed(house, "mine")) == [review["id"]]


@pytest.mark.parametrize("name", [lambda review: review["id"], lambda review: "#1", lambda review: "1"])
async def test_show_by_id_or_number(house: House, agent: Caller, name: Callable[[Object], str]) -> None:
    """The card with its controls, redacted; that it was seen is written down."""
    review = await agent.asked(REFUND)
    card = await typed(house, f"show {name(review)}")
    assert (card.review, IBAN in repr(card)) == (review["id"], False)
    assert any(isinstance(block, Actions) and block.controls for block in card.blocks)
    log = await house.store.view(lambda tx: tx.log(review=review["id"]))
    assert [e.detail["surface"] for e in log if e.kind == "card.viewed"] == ["slack"]


@pytest.mark.parametrize("command", ["show", "explain"])
@pytest.mark.parametrize("name", ["", "#99", "rev_none", "#99999999999999999999", "#0", "##1"])
async def test_what_cannot_be_found_is_said(house: House, agent: Caller, command: str, name: str) -> None:
    """A sentence with the way on, whatever was typed."""
    await agent.asked(REFUND)
    card = await typed(house, f"{command} {name}")
    assert card.tone is Tone.ATTENTION
    assert "“/placet list”" in _said(card)


@pytest.mark.parametrize("command", ["show #1", "explain #1"])
async def test_what_is_not_ones_to_see_is_as_if_it_were_not_there(house: House, agent: Caller, command: str) -> None:
    """A number can be guessed: it tells nothing about the review."""
    await agent.asked(REFUND)
    assert _said(await typed(house, command, "cy")) == (
        "There is no review #1, or it is not yours to see. “/placet list” shows yours."
    )


async def test_explain_tells_why_and_who_may(house: House, agent: Caller) -> None:
    """The rule, the rules passed over, the ladder with whom it reaches now, and whether the asker may decide."""
    await agent.asked(REFUND)
    card = await typed(house, "explain #1")
    facts = _facts(card)
    assert (facts["Rule"], facts["Needed"], facts["You"]) == ("default", "manager", "may decide (role manager)")
    assert facts["Policy"].startswith("typed@3 (")
    tables = {block.title: block.rows for block in card.blocks if isinstance(block, Table)}
    assert [row[:2] for row in tables["Rules"]] == [
        ("a note", "not matched"),
        ("a disk", "not matched"),
        ("default", "matched"),
    ]
    assert tables["Escalation"] == (
        ("23 Nov 09:00 UTC, called", "channel:role", "their queue"),
        ("23 Nov 09:20 UTC, after 20m", "oncall:ops.primary", "Ana Ruiz"),
        ("23 Nov 10:00 UTC, after 1h", "then expire", "nobody"),
    )
    assert IBAN not in repr(card)


async def test_explain_tells_who_may_not_why(house: House) -> None:
    """The sentence that a press would get, before the press."""
    await (await house.agent("hers", owners=["ana"])).asked(REFUND)
    assert _facts(await typed(house, "explain #1"))["You"].startswith("You own this agent")


async def test_oncall_names_who_is_called(house: House) -> None:
    """Layer by layer; with the deputy once somebody is away, and until when."""
    assert _facts(await typed(house, "oncall")) == {"ops.primary": "Ana Ruiz"}
    await typed(house, "away 2h")
    assert _facts(await typed(house, "oncall", "cy")) == {
        "ops.primary": "Bo Chen (for Ana Ruiz, who is away)",
        "Ana Ruiz": "until 23 Nov 11:00 UTC",
    }


async def test_away_and_back(house: House) -> None:
    """Times are the person's own; who stands in is said; asking alone changes nothing."""
    assert _said(await typed(house, "away")).startswith("You are here")
    gone = "You are away until 26 Nov 09:00 (Europe/Madrid). Bo Chen is called instead. “/placet away off” ends it."
    for text in ("away until 2026-11-26 09:00", "away"):
        assert _said(await typed(house, text)) == gone
    assert _said(await typed(house, "away off")).startswith("You are here")


async def test_away_without_a_deputy_warns(house: House) -> None:
    """Nobody is left uncalled, and the person learns that it stays with them."""
    assert "You have no deputy" in _said(await typed(house, "away", "bo"))
    assert "so the next on call is called instead, or else you" in _said(await typed(house, "away 1d", "bo"))


async def test_what_is_to_be_typed_is_written_as_the_surface_takes_it(house: House) -> None:
    """With the slash command in Slack alone; the deputy by name."""
    ana = await house.app.desk.who(Identity(surface="web", id="ana"))
    assert isinstance(ana, Person)
    for surface, way in (("slack", "“/placet away 2h”"), ("web", "“away 2h”")):
        said = _said(await house.app.desk.command(ana, "away", surface=surface))
        assert f"The command {way} has Bo Chen, your deputy, called instead" in said


async def test_a_day_of_another_year_carries_its_year(house: House) -> None:
    """A day alone would be taken for this year's."""
    assert "until 01 Mar 2027 09:00" in _said(await typed(house, "away until 2027-03-01 09:00"))
    assert _facts(await typed(house, "oncall"))["Ana Ruiz"] == "until 01 Mar 2027 08:00 UTC"


async def test_what_one_approved_waits_for_others(house: House, agent: Caller) -> None:
    """It is in nobody's list who had their say on what stands, also behind a page of such; Home leaves it out too."""
    wipes = [await agent.asked("disk.wipe") for _ in range(_LISTED)]
    for wipe in wipes:
        await house.press("take", wipe)
        await house.press("approve", wipe)
    for text in ("list", "mine"):
        assert _said(await typed(house, text)) == "Nothing is waiting for you."
    assert _listed(await typed(house, "list", "bo"))
    note = await agent.asked(REFUND)
    assert _listed(await typed(house, "list")) == [note["id"]]
    ana = await house.app.desk.who(Identity(surface="web", id="ana"))
    assert isinstance(ana, Person)
    waiting = [block for block in (await house.app.desk.home(ana)).blocks if isinstance(block, Lines)]
    assert [line.review for block in waiting for line in block.items if block.title == "Waiting for you"] == [
        note["id"]
    ]


@pytest.mark.parametrize("text", ["away soon", "away until", "away 5", "away until 2020-01-01", "away 9999999w"])
async def test_a_time_that_is_none_changes_nothing(house: House, text: str) -> None:
    """It says how to write it."""
    assert "away until 2026-11-26 09:00" in _said(await typed(house, text))
    assert _said(await typed(house, "away")).startswith("You are here")


async def test_agents_are_stopped_and_go_on_by_command(house: House, agent: Caller) -> None:
    """On every surface: the words after the name are why, those after a bar what the next plan is to heed."""
    review = await agent.asked("note.write")
    stopped = await typed(house, "stop refund-desk It pays twice. | Check the ledger.")
    assert _said(stopped).startswith("refund-desk is stopped: 1 review is on hold")
    held = await agent.review(review["id"])
    assert (held["held"], held["instruction"]) == (True, "Check the ledger.")
    (table,) = [block for block in (await typed(house, "agents", person="cy")).blocks if isinstance(block, Table)]
    assert table.rows == (("refund-desk", "stopped by Ana Ruiz, 23 Nov 09:00 UTC: It pays twice.", "–"),)
    assert _said(await typed(house, "resume refund-desk")) == "refund-desk may go on."
    assert _said(await typed(house, "resume refund-desk")) == "refund-desk is not stopped."


@pytest.mark.parametrize(
    ("text", "person", "said"),
    [
        ("stop refund-desk Why not.", "bo", "may: [stop]"),
        ("resume refund-desk", "bo", "may: [stop]"),
        ("stop refund-desk", "ana", "Say why"),
        ("stop", "ana", "Say which agent: “/placet stop AGENT”"),
        ("stop nobody Why not.", "ana", "There is no agent nobody"),
    ],
)
async def test_what_stops_nobody_says_why(house: House, agent: Caller, text: str, person: str, said: str) -> None:
    """A right, a reason and a name are needed; nothing is held without."""
    assert said in _said(await typed(house, text, person=person))
    assert (await agent.asked("note.write"))["held"] is False


async def test_without_agents_there_is_nothing_to_stop(house: House) -> None:
    """It says how one is made."""
    (text,) = [block for block in (await typed(house, "agents")).blocks if isinstance(block, Text)]
    assert "placet agent add" in text.text


async def test_help_and_unknown_words_list_the_commands(house: House) -> None:
    """Whatever is typed is answered."""
    for text in ("help", "launch", "ls\u202e"):
        (table,) = [block for block in (await typed(house, text)).blocks if isinstance(block, Table)]
        assert [row[0].split()[0] for row in table.rows] == [
            "list",
            "mine",
            "show",
            "oncall",
            "explain",
            "away",
            "agents",
            "stop",
            "resume",
            "help",
        ]
    assert "\u202e" not in repr(await typed(house, "ls\u202e"))


@pytest.mark.parametrize(("surface", "said"), [("slack", "not in threads"), ("teams", "mention Placet"), ("web", "")])
async def test_help_says_where_a_surface_takes_commands(house: House, surface: str, said: str) -> None:
    """Each its own way, and no surface another's."""
    card = await typed(house, "help", surface=surface)
    notes = [block.text for block in card.blocks if isinstance(block, Text)]
    assert [said in note for note in notes] == ([True] if said else [])
