"""Whole ways through Slack beyond yes and no, from an agent's request to what the agent is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.loop import IBAN, Loop, looped, until
from tests.fakes import slack_payloads as payloads
from tests.fakes.slack_process import Emulator

pytestmark = pytest.mark.node
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
rules: []
default: {tier: approve, role: manager, chain: desk, reasons: [wrong customer, too much]}
"""
NOTE: dict[str, Any] = {"action": {"name": "note.add", "arguments": {"text": "Called back."}}}


@pytest.fixture
async def loop(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Loop]:
    """A running Placet with Slack and the web, an agent and its receiver; replies in threads are comments."""
    async with looped(emulator, tmp_path, POLICY, slack={"comments": "thread"}) as running:
        yield running


async def test_an_edit_is_the_decision(loop: Loop) -> None:
    """Ana changes the amount in the modal; the locked account number left blank stays; the agent gets both."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    form = await loop.form(card["ts"], "placet:edit:form")
    assert IBAN not in json.dumps(form)
    refused = await loop.submit(form, {"/order": "A-4721", "/amount": "a lot"})
    assert refused["response_action"] == "errors"
    assert await loop.submit(form, {"/order": "A-4721", "/amount": "90"}) == {}
    decision = (await loop.told())["data"]["decision"]
    assert (decision["verdict"], decision["edited"]) == ("approved", True)
    assert decision["action"]["arguments"] == {"order": "A-4721", "amount": 90, "iban": IBAN}
    assert decision["changes"] == [{"op": "replace", "path": "/amount", "value": 90}]
    await loop.shows(card["ts"], "Approved by Ana Ruiz")


async def test_changes_asked_for_bring_another_proposal(loop: Loop) -> None:
    """The agent is told what to change, proposes anew, and the same card asks again."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    form = await loop.form(card["ts"], "placet:request_changes:form")
    assert await loop.submit(form, {"reason": "Refund half of it."}) == {}
    asked = await loop.told()
    assert asked["type"] == "review.changes_requested"
    assert asked["data"]["changes_requested"][0]["text"] == "Refund half of it."
    await loop.shows(card["ts"], "Refund half of it.")
    half = {"action": {"arguments": {"order": "A-4721", "amount": 45.0, "iban": IBAN}}}
    await loop.post(f"/v1/reviews/{review['id']}/revisions", half)
    await loop.shows(card["ts"], "45", "placet:approve", without="Refund order A-4721 again")
    assert await loop.press(card["ts"], "placet:approve") == 200
    told = (await loop.told())["data"]
    assert (told["revision"], told["decision"]["verdict"]) == (2, "approved")


async def test_every_copy_loses_its_buttons(loop: Loop) -> None:
    """Escalated to Bo's direct messages, rejected in the channel with a reason of the rule: both say so."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    assert await loop.press(card["ts"], "placet:escalate") == 200
    assert (await loop.told())["type"] == "review.escalated"

    async def called() -> bool:
        return any("Refund order" in said for said in await loop.slack.direct(loop.bo))

    await until(loop.slack, called)
    payload = await loop.slack.press(loop.channel, card["ts"], loop.ana, "placet:reject:because", "too much")
    await loop.send(payload)
    decision = (await loop.told())["data"]["decision"]
    assert (decision["verdict"], decision["reason"]) == ("rejected", "too much")
    await loop.shows(card["ts"], "Rejected by Ana Ruiz")

    async def over() -> bool:
        return any("Rejected by Ana Ruiz" in said for said in await loop.slack.direct(loop.bo))

    await until(loop.slack, over)


async def test_a_second_click_changes_nothing(loop: Loop) -> None:
    """Slack sends the same click again: one escalation, one call."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    payload = await loop.slack.press(loop.channel, card["ts"], loop.ana, "placet:escalate")
    for _ in range(2):
        await loop.send(payload)
    async with loop.agent.get(f"/v1/reviews/{review['id']}/events") as answer:
        kinds = [entry["type"] for entry in (await answer.json())["items"]]
    assert kinds.count("review.pushed") == 1


async def test_two_press_at_once(loop: Loop) -> None:
    """Ana approves while Bo, who was called, rejects: one decision, and the other one is told who was first."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    assert await loop.press(card["ts"], "placet:escalate") == 200
    assert (await loop.told())["type"] == "review.escalated"
    approve = await loop.slack.press(loop.channel, card["ts"], loop.ana, "placet:approve")
    reject = await loop.slack.press(loop.channel, card["ts"], loop.bo, "placet:reject:because", "too much")
    await asyncio.gather(loop.send(approve), loop.send(reject))
    decision = (await loop.told())["data"]["decision"]
    first, loser = (("Ana Ruiz", loop.bo), ("Bo Chen", loop.ana))[decision["verdict"] == "rejected"]
    await loop.whispered(loser, first)


async def test_a_press_after_a_restart_counts(loop: Loop) -> None:
    """The card was posted by a server that is gone: its buttons decide all the same, and are taken away."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    await loop.restart()
    assert await loop.press(card["ts"], "placet:approve") == 200
    assert (await loop.told())["data"]["decision"]["verdict"] == "approved"
    await loop.shows(card["ts"], "Approved by Ana Ruiz")


async def test_a_press_on_a_stale_card_is_answered(loop: Loop) -> None:
    """What Ana saw was replaced meanwhile: nothing is approved, and she is told to look again."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    stale = await loop.slack.press(loop.channel, card["ts"], loop.ana, "placet:approve")
    half = {"action": {"arguments": {"order": "A-4721", "amount": 45.0, "iban": IBAN}}}
    await loop.post(f"/v1/reviews/{review['id']}/revisions", half)
    await loop.send(stale)
    await loop.whispered(loop.ana, "revision 2")
    async with loop.agent.get(f"/v1/reviews/{review['id']}") as answer:
        assert (await answer.json())["status"] == "pending"


async def test_a_reply_in_the_thread_is_a_comment(loop: Loop) -> None:
    """What is written beneath the card goes to the agent with the decision."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    said = payloads.reply("She called this morning.", loop.ana, loop.channel, card["ts"])
    await loop.send(payloads.event(said))

    await loop.press(card["ts"], "placet:approve")
    decision = (await loop.told())["data"]["decision"]
    assert [(c["by"], c["text"]) for c in decision["comments"]] == [("ana", "She called this morning.")]


async def test_what_is_hidden_is_shown_to_one_person_for_a_reason(loop: Loop) -> None:
    """The account number, for Ana alone, and the history says that she looked and why."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    form = await loop.form(card["ts"], "placet:more", option="reveal")
    await loop.submit(form, {"reason": "Compare with the bank."})
    await loop.whispered(loop.ana, IBAN)
    assert IBAN not in json.dumps(await loop.slack.history(loop.channel))
    async with loop.agent.get(f"/v1/reviews/{review['id']}/events") as answer:
        assert "review.revealed" in [entry["type"] for entry in (await answer.json())["items"]]


async def test_withdrawn_and_revoked(loop: Loop) -> None:
    """A card says that the agent withdrew; an approval is undone from the menu of a card that is over, once asked."""
    first, second = await loop.ask(), await loop.ask()
    withdrawn, card = await loop.card(first["id"]), await loop.card(second["id"])
    await loop.post(f"/v1/reviews/{first['id']}/withdraw", {"reason": "Solved otherwise."})
    await loop.shows(withdrawn["ts"], "Withdrawn")
    assert (await loop.told())["data"]["decision"]["verdict"] == "withdrawn"
    await loop.press(card["ts"], "placet:approve")
    assert (await loop.told())["data"]["decision"]["verdict"] == "approved"
    await loop.shows(card["ts"], "Approved by Ana Ruiz")
    assert await loop.grant(second["id"]) == "open"
    form = await loop.form(card["ts"], "placet:more", option="undo")
    assert "Take your approval back?" in json.dumps(form)
    assert await loop.grant(second["id"]) == "open"
    assert await loop.submit(form, {}) == {}
    assert (await loop.told())["type"] == "review.revoked"
    assert await loop.grant(second["id"]) == "revoked"
    await loop.shows(card["ts"], "Approval revoked", without="undo|form")


async def test_commands_and_home(loop: Loop) -> None:
    """`/placet list` and the Home tab name what waits; neither shows what is hidden."""
    review = await loop.ask()
    await loop.card(review["id"])
    answer = await loop.send(await loop.slack.command("list", loop.ana, loop.channel))
    assert answer["response_type"] == "ephemeral"
    assert "Refund order A-4721" in json.dumps(answer)
    await loop.send(payloads.opened(loop.ana))

    async def home() -> bool:
        drawn = [v for v in loop.slack.views.values() if v["type"] == "home"]
        return any("Refund order A-4721" in json.dumps(view) for view in drawn)

    await until(loop.slack, home)
    assert IBAN not in json.dumps([answer, *loop.slack.views.values()])


async def test_a_person_asks_and_another_decides(emulator: Emulator, tmp_path: Path) -> None:
    """Bo points at a message; the review's card lies beneath it; Bo may not approve it and is told why; Ana may."""
    async with looped(emulator, tmp_path, POLICY) as loop:
        said = await loop.slack.ask("chat.postMessage", {"channel": loop.channel, "text": "May I give 20 % off?"})
        form = await loop.opened(await loop.slack.shortcut(loop.channel, said["ts"], loop.bo))
        await loop.submit(form, {"summary": "A discount of 20 %", "text": "May I give 20 % off?"}, loop.bo)
        beneath: list[dict[str, Any]] = []

        async def asked() -> bool:
            replies = await loop.slack.replies(loop.channel, said["ts"])
            # Its details lie there too, and name it as well.
            beneath[:] = [m for m in replies if "placet:approve" in json.dumps(m)]
            return bool(beneath)

        await until(loop.slack, asked)
        card = beneath[0]["ts"]
        assert await loop.press(card, "placet:approve", loop.bo) == 200
        await loop.whispered(loop.bo, "on your behalf, so somebody else must decide it")
        assert "placet:approve" in json.dumps(await loop.slack.message(loop.channel, card))
        assert await loop.press(card, "placet:approve") == 200
        await loop.shows(card, "Approved by Ana Ruiz", "The approval is used.")


async def test_a_flood_folds_into_one_queue_card(emulator: Emulator, tmp_path: Path) -> None:
    """Beyond two open cards low-risk reviews share one card; a selection of them is approved, one by one."""
    async with looped(emulator, tmp_path, POLICY, "random", cards={"open_per_channel": 2}) as loop:
        asked = [await loop.ask(**NOTE, summary=f"Note {n} of the flood") for n in range(5)]
        queue: list[dict[str, Any]] = []

        async def folded() -> bool:
            found = [m for m in await loop.slack.history(loop.channel) if "placet:go:bulk" in json.dumps(m)]
            queue[:] = [m for m in found if "3 low-risk reviews wait here" in json.dumps(m)]
            return bool(queue)

        await until(loop.slack, folded)
        shared = json.dumps(queue[0])
        lines = [review["id"] for review in asked if review["id"] in shared]
        assert len(lines) == 3
        form = await loop.form(queue[0]["ts"], "placet:go:bulk")
        assert not any("initial_options" in block["element"] for block in form["blocks"] if block["type"] == "input")
        chosen, left = lines[:2], lines[2]
        await loop.submit(form, {"pick:0": chosen})
        told = [(await loop.told())["data"] for _ in chosen]
        assert {data["id"] for data in told} == set(chosen)
        assert {data["decision"]["by"][0]["person"] for data in told} == {"ana"}
        async with loop.agent.get(f"/v1/reviews/{left}") as answer:
            assert (await answer.json())["status"] == "pending"
