"""Whole ways through Teams, from an agent's request to what the agent is told, against one as strict as the real one.

The server is the one that ships, found by its entry point; only Microsoft is replaced, on loopback.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reviews.keeping import Copy
from tests.e2e.loop import IBAN, until
from tests.e2e.teams_loop import Json, TeamsLoop, message_of, person, posted, section, shows, teams_loop
from tests.fakes.slack import Slack, signed, slack_server
from tests.fakes.slack_process import SECRET, TOKEN, Emulator
from tests.fakes.teams import CHANNEL, TEAMS_ANA, TEAMS_BO, Fault, Teams
from tests.fakes.teams_payloads import button, gathered
from tests.fakes.teams_service import Message

pytestmark = pytest.mark.slow
POLICY = """
policy: full
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, amount: /amount, sensitive: [/iban]}
  note.add: {risk: low, reversible: true}
chains:
  desk:
    - {after: 0m, notify: channel:role}
    - {after: 1h, notify: person:bo, via: dm}
    - {after: 2h, then: expire}
  bo_first:
    - {after: 0m, notify: person:bo, via: dm}
    - {after: 1h, notify: channel:role}
    - {after: 2h, then: expire}
rules:
  - {name: bo first, when: 'action.name == "bonus.pay"', route: {tier: approve, role: manager, chain: bo_first}}
default: {tier: approve, role: manager, chain: desk}
"""
NOTE: Json = {"action": {"name": "note.add", "arguments": {"text": "Called back."}}}
BONUS: Json = {"action": {"name": "bonus.pay", "arguments": {"sum": 100}}}
PEOPLE: Json = {
    "roles": {"manager": {"level": 2, "channels": {"teams": CHANNEL}}},
    "people": [person("Ana Ruiz", ["manager"], teams=TEAMS_ANA), person("Bo Chen", teams=TEAMS_BO)],
}


@pytest.fixture
async def loop(teams: Teams, tmp_path: Path) -> AsyncIterator[TeamsLoop]:
    """A running Placet with it, an agent and its receiver."""
    async with teams_loop(tmp_path, POLICY, PEOPLE | section(teams)) as running:
        teams.endpoint = running.endpoint
        yield running


async def test_once_round(teams: Teams, loop: TeamsLoop) -> None:
    """Asked, shown without its secrets, pressed in Teams, told signed, redeemed once; the buttons are gone."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    assert "Refund order A-4721" in card.seen
    assert IBAN not in json.dumps([m.activity for m in teams.messages.values()])
    assert (await teams.press(card, "approve", TEAMS_ANA)).status == 200
    told = await loop.told()
    decision = told["data"]["decision"]
    assert (told["type"], decision["verdict"], decision["by"][0]["person"]) == ("review.decided", "approved", "ana")
    assert decision["action"]["arguments"]["iban"] == IBAN
    path = f"/v1/reviews/{review['id']}/redeem"
    assert (await loop.post(path, {"digest": decision["digest"]}))["redemption_id"]
    async with loop.agent.post(loop.app.url + path, json={"digest": decision["digest"]}) as again:
        assert again.status == 409
    await shows(teams, card, "Approved by Ana Ruiz")


async def test_an_edit_is_the_decision(teams: Teams, loop: TeamsLoop) -> None:
    """What cannot be is said at its field and nothing is done; the locked account number left blank stays."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    wrong = await teams.press(card, "edit", TEAMS_ANA, {"/order": "A-4721", "/amount": "1e999"})
    assert wrong.errors.keys() == {"/amount"}
    assert (await loop.read(review["id"]))["status"] == "pending"
    await teams.press(card, "edit", TEAMS_ANA, {"/order": "A-4721", "/amount": "90"})
    decision = await loop.decided()
    assert (decision["verdict"], decision["edited"]) == ("approved", True)
    assert decision["action"]["arguments"] == {"order": "A-4721", "amount": 90, "iban": IBAN}
    await shows(teams, card, "Approved by Ana Ruiz")


async def test_what_is_hidden_is_shown_to_one_person_for_a_reason(teams: Teams, loop: TeamsLoop) -> None:
    """The account number, in Ana's own chat and nowhere else, and the history says that she looked."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    answer = await teams.press(card, "reveal", TEAMS_ANA, {"reason": "Compare with the bank."})
    assert IBAN not in json.dumps(answer.body)
    await teams.until(lambda: any(IBAN in message.seen for message in teams.direct(TEAMS_ANA)))
    others = [m.activity for m in teams.messages.values() if m not in teams.direct(TEAMS_ANA)]
    assert IBAN not in json.dumps(others)
    assert "review.revealed" in await loop.events(review["id"])


async def test_every_copy_loses_its_buttons(teams: Teams, loop: TeamsLoop) -> None:
    """Escalated to Bo's own chat, rejected in the channel with a reason: both say so."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    await teams.press(card, "escalate", TEAMS_ANA)
    assert (await loop.told())["type"] == "review.escalated"
    direct = await _second(teams, loop, review)
    assert direct in teams.direct(TEAMS_BO)
    await teams.press(card, "reject", TEAMS_ANA, {"reason": "Too much."})
    decision = await loop.decided()
    assert (decision["verdict"], decision["reason"]) == ("rejected", "Too much.")
    for message in (card, direct):
        await shows(teams, message, "Rejected by Ana Ruiz")


async def _second(teams: Teams, loop: TeamsLoop, review: Json) -> Message:
    """The message of the second rung, once both copies stand."""

    def both(copies: list[Copy]) -> Copy | None:
        return next((copy for copy in copies if copy.rung == 1 and copy.state == "posted"), None)

    return message_of(teams, await loop.until(lambda tx: both(tx.copies(review["id"]))))


async def test_what_is_sent_again_changes_nothing(teams: Teams, loop: TeamsLoop) -> None:
    """Teams repeats a press with the same id, and later with another: one escalation, one decision, one callback."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    await teams.press(card, "escalate", TEAMS_ANA)
    for again in ("same", "new"):
        assert (await teams.press(card, "escalate", TEAMS_ANA, again=again)).status == 200
    assert (await loop.events(review["id"])).count("review.pushed") == 1
    assert (await loop.told())["type"] == "review.escalated"
    await loop.copies(review["id"], "posted")
    await teams.press(card, "approve", TEAMS_ANA)
    await shows(teams, card, "Approved by Ana Ruiz")
    before = await loop.events(review["id"])
    for again in ("same", "new"):
        assert (await teams.press(card, "approve", TEAMS_ANA, again=again)).status == 200
    assert await loop.events(review["id"]) == before
    assert (await loop.decided())["verdict"] == "approved"
    other = await loop.ask()
    await loop.post(f"/v1/reviews/{other['id']}/withdraw", {"reason": "The next callback is this one's."})
    assert (await loop.told())["data"]["id"] == other["id"]


async def test_two_press_at_once(teams: Teams, loop: TeamsLoop) -> None:
    """Ana approves while Bo, who was called, rejects: one decision, and the other one is told who was first."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    await teams.press(card, "escalate", TEAMS_ANA)
    direct = await _second(teams, loop, review)
    assert (await loop.told())["type"] == "review.escalated"
    ana, bo = await asyncio.gather(
        teams.press(card, "approve", TEAMS_ANA), teams.press(direct, "reject", TEAMS_BO, {"reason": "No."})
    )
    decision = await loop.decided()
    first, told = ("Ana Ruiz", bo) if decision["verdict"] == "approved" else ("Bo Chen", ana)
    assert first in told.text


async def test_who_cannot_be_reached_is_passed_over(teams: Teams, loop: TeamsLoop) -> None:
    """Bo blocked the bot: the next rung is called at once, and the timeline says why."""
    teams.block(TEAMS_BO, "MessageWritesBlocked")
    review = await loop.ask(**BONUS)
    assert (await loop.told())["type"] == "review.escalated"
    await teams.until(teams.posts)
    message = message_of(teams, await loop.until(lambda tx: _standing(tx.copies(review["id"]))))
    assert message in teams.posts()
    failed = await loop.until(lambda tx: next((c for c in tx.copies(review["id"]) if c.state == "failed"), None))
    assert failed.error
    await teams.press(message, "approve", TEAMS_ANA)
    assert (await loop.decided())["verdict"] == "approved"


def _standing(copies: list[Copy]) -> Copy | None:
    return next((copy for copy in copies if copy.state == "posted"), None)


@pytest.fixture
def again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second post comes at once, and not when most troubles are over."""
    monkeypatch.setattr("bot.outbox.AGAIN_AFTER", timedelta(0))


@pytest.mark.usefixtures("again_at_once")
async def test_a_lost_answer_makes_two_posts_and_each_works(teams: Teams, loop: TeamsLoop) -> None:
    """Teams cannot be searched: the card is posted once more. The first one, pressed, is adopted; both are redrawn."""
    teams.faults["create"].append(Fault(dropped=True))
    review = await loop.ask()
    known = await posted(teams, loop, review)
    await teams.until(lambda: len(teams.posts()) == 2)
    (lost,) = [post for post in teams.posts() if post is not known]
    assert (await teams.press(lost, "approve", TEAMS_ANA)).status == 200
    assert (await loop.decided())["verdict"] == "approved"
    for message in (lost, known):
        await shows(teams, message, "Approved by Ana Ruiz")


@pytest.mark.usefixtures("again_at_once")
async def test_twice_lost_is_not_posted_a_third_time(teams: Teams, loop: TeamsLoop) -> None:
    """The next rung is called instead, the history says so, and what lies there is adopted when it is pressed."""
    teams.faults["create"] += [Fault(dropped=True), Fault(dropped=True)]
    review = await loop.ask()
    assert (await loop.told())["type"] == "review.escalated"
    assert "copy.unknown" in await loop.events(review["id"])
    assert len(teams.posts()) == 2
    await teams.press(teams.posts()[0], "approve", TEAMS_ANA)
    assert (await loop.decided())["by"][0]["person"] == "ana"
    await shows(teams, teams.posts()[0], "Approved by Ana Ruiz")


async def test_slower_is_obeyed(teams: Teams, loop: TeamsLoop) -> None:
    """Told to wait a second, the card comes after it, once."""
    teams.faults["create"].append(Fault(status=429, code="Too Many Requests", retry_after=1))
    review = await loop.ask()
    await posted(teams, loop, review)
    assert len(teams.posts()) == 1
    assert not [refusal for refusal in teams.refused if refusal.text == "slower"]


async def test_a_restart_forgets_nobody(teams: Teams, loop: TeamsLoop) -> None:
    """Where Bo is reached outlives the server: no chat is begun anew, and the card posted before still decides."""
    await teams.install(TEAMS_BO)
    review = await loop.ask(**BONUS)
    card = await posted(teams, loop, review)
    assert card in teams.direct(TEAMS_BO)
    await loop.restart()
    teams.endpoint = loop.endpoint
    teams.calls.clear()
    second = await loop.ask(**BONUS)
    assert await posted(teams, loop, second) in teams.direct(TEAMS_BO)
    assert "create" not in [name for name, _ in teams.calls]
    await teams.press(card, "approve", TEAMS_BO)
    decision = await loop.decided()
    assert (decision["verdict"], decision["by"][0]["person"]) == ("approved", "bo")
    await shows(teams, card, "Approved by Bo Chen")


async def test_a_flood_folds_into_one_queue_card(teams: Teams, tmp_path: Path) -> None:
    """Beyond two open cards low-risk reviews share one card; a selection of them is approved, one by one."""
    sections = PEOPLE | section(teams) | {"cards": {"open_per_channel": 2}}
    async with teams_loop(tmp_path, POLICY, sections) as loop:
        teams.endpoint = loop.endpoint
        asked = [await loop.ask(**NOTE, summary=f"Note {n} of the flood") for n in range(5)]
        await teams.until(lambda: any("3 low-risk reviews wait here" in post.seen for post in teams.posts()))
        queue = next(post for post in teams.posts() if "wait here" in post.seen)
        lines = [review["id"] for review in asked if review["id"] in json.dumps(queue.card)]
        assert len(lines) == 3
        answer = await teams.press(queue, "Approve several", TEAMS_ANA)
        assert "chat" in answer.text
        await teams.until(lambda: any("pick:" in str(message.card) for message in teams.direct(TEAMS_ANA)))
        form = teams.direct(TEAMS_ANA)[0]
        picks = [field["id"] for field in button(form.card, "placet/bulk", {}).inputs]
        chosen, left = lines[:2], lines[2]
        ticked = {pick: "true" for pick in picks if pick.removeprefix("pick:").partition("|")[0] in chosen}
        await teams.press(form, "placet/bulk", TEAMS_ANA, ticked)
        told = [(await loop.told())["data"] for _ in chosen]
        assert {data["id"] for data in told} == set(chosen)
        assert {data["decision"]["by"][0]["person"] for data in told} == {"ana"}
        assert (await loop.read(left))["status"] == "pending"


@pytest.mark.usefixtures("loop")
async def test_a_person_asks_and_another_decides(teams: Teams) -> None:
    """Bo points at a message and a card asks for it; Bo may not approve it and is told why; Ana may."""
    opened = await teams.point("May I give 20 % off?", TEAMS_BO)
    form = button(opened.card, "Ask", {})
    assert "May I give 20 % off?" in [field.get("value") for field in form.inputs]
    data, errors = gathered(form, {"summary": "A discount of 20 %"})
    assert not errors
    await teams.point("May I give 20 % off?", TEAMS_BO, data=data)
    await teams.until(lambda: any("A discount of 20 %" in message.seen for message in _of_the_bot(teams)))
    card = next(message for message in _of_the_bot(teams) if "A discount of 20 %" in message.seen)
    refused = await teams.press(card, "approve", TEAMS_BO)
    assert "on your behalf, so somebody else must decide it" in refused.text
    assert "placet/approve" in str(card.card)
    await teams.press(card, "approve", TEAMS_ANA)
    await shows(teams, card, "Approved by Ana Ruiz", "The approval is used.")


def _of_the_bot(teams: Teams) -> list[Message]:
    return [message for message in teams.messages.values() if not message.by]


async def test_home_and_commands(teams: Teams, loop: TeamsLoop) -> None:
    """Who adds the app sees what waits; `list` names it too; neither shows what is hidden."""
    review = await loop.ask()
    await posted(teams, loop, review)
    await teams.install(TEAMS_ANA)
    await teams.until(lambda: any("Refund order A-4721" in message.seen for message in teams.direct(TEAMS_ANA)))
    welcomed = len(teams.direct(TEAMS_ANA))
    await teams.say("list", TEAMS_ANA)
    await teams.until(lambda: len(teams.direct(TEAMS_ANA)) > welcomed)
    assert "Refund order A-4721" in teams.direct(TEAMS_ANA)[0].seen
    assert IBAN not in json.dumps([message.activity for message in teams.direct(TEAMS_ANA)])


# ---------------------------------------------------------------------------------------------- Slack beside


@pytest.mark.node
async def test_slack_and_teams_race(teams: Teams, emulator: Emulator, tmp_path: Path) -> None:
    """One review in both; Ana approves in Slack while Bo rejects in Teams: one decision, both cards say the same."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(slack_server(emulator))
        channel, ana = await slack.channel("random"), await slack.user("ana")
        sections: Json = section(teams) | {
            "slack": {"api_url": slack.api_url},
            "roles": {"manager": {"level": 2, "channels": {"slack": channel, "teams": CHANNEL}}},
            "people": [person("Ana Ruiz", ["manager"], slack=ana), person("Bo Chen", ["manager"], teams=TEAMS_BO)],
        }
        secrets = {"PLACET_SLACK_BOT_TOKEN": TOKEN, "PLACET_SLACK_SIGNING_SECRET": SECRET}
        loop = await stack.enter_async_context(teams_loop(tmp_path, POLICY, sections, secrets))
        teams.endpoint = loop.endpoint
        review = await loop.ask()
        card = await posted(teams, loop, review)
        there = await _in_slack(loop, review)
        pressed = await slack.press(channel, there, ana, "placet:approve")
        sent = _send(slack, loop, pressed)
        _, bo = await asyncio.gather(sent, teams.press(card, "reject", TEAMS_BO, {"reason": "No."}))
        decision = await loop.decided()
        approved = decision["verdict"] == "approved"
        words = "Approved by Ana Ruiz" if approved else "Rejected by Bo Chen"
        assert ("Ana Ruiz" in bo.text) == approved
        await shows(teams, card, words)
        await _slack_shows(slack, channel, there, words)
        ends = [kind for kind in await loop.events(review["id"]) if kind in ("review.approved", "review.rejected")]
        assert ends == ["review.approved" if approved else "review.rejected"]


async def _in_slack(loop: TeamsLoop, review: Json) -> str:
    """The stamp of the card in Slack, once our row says where it lies."""

    def look(tx: Any) -> str | None:
        found = (copy.ref for copy in tx.copies(review["id"]) if copy.target.surface == "slack" and copy.ref)
        return next((ref.ref["ts"] for ref in found), None)

    return await loop.until(look)


async def _send(slack: Slack, loop: TeamsLoop, payload: Json) -> None:
    body, headers = signed(payload)
    async with slack.session.post(f"{loop.app.url}/slack/events", data=body, headers=headers) as answer:
        assert answer.status == 200


async def _slack_shows(slack: Slack, channel: str, ts: str, words: str) -> None:
    async def so() -> bool:
        return words in json.dumps(await slack.message(channel, ts))

    await until(slack, so)
