"""Several reviews of one action approved at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reviews.errors import StoreUnavailable
from reviews.events import Answer, Reply
from reviews.model import RiskLevel, Verb
from reviews.ports import QueueItem
from tests.adapters.slack.checker import seen
from tests.adapters.slack.conftest import House
from tests.fakes import cards
from tests.fakes.desk import item, queue_card, sample_queue
from tests.fakes.slack import Fault

pytestmark = [pytest.mark.node, pytest.mark.slow]

Json = dict[str, Any]


def _low(action: str = "refund.issue") -> list[QueueItem]:
    return [
        item(card, seq=n, bulk=True, action=action, risk=RiskLevel.LOW) for n, card in enumerate(cards.small_refunds())
    ]


async def _opened(house: House, items: list[QueueItem]) -> Json:
    """Press `Approve several` beneath a queue; the modal."""
    house.desk.items = items
    ref = await house.adapter.post(queue_card(sample_queue()), house.target, "queue-1")
    assert await house.press(ref, "placet:go:bulk") == 200
    return await house.modal()


def _options(view: Json) -> list[str]:
    return [o["value"] for b in view["blocks"] if b["type"] == "input" for o in b["element"]["options"]]


async def test_each_line_is_chosen_by_hand(house: House) -> None:
    """Nothing beforehand, no "all": each one should be read."""
    view = await _opened(house, _low())
    assert len(_options(view)) == len(cards.small_refunds())
    assert not any("initial_options" in b["element"] for b in view["blocks"] if b["type"] == "input")


async def test_what_was_chosen_is_approved_one_by_one(house: House) -> None:
    """As shown, with the action they share; the modal says what came of each."""
    view = await _opened(house, _low())
    first, second, *_ = cards.small_refunds()
    house.desk.hidden[second.review] = {"ana"}
    answer = await house.submit(view, {"pick:0": [first.review, second.review]})
    assert "Still working" in json.dumps(answer)
    await house.settled()
    assert [(d.verb, d.review, d.revision, d.bulk) for d in house.desk.done] == [
        (Verb.APPROVE, first.review, first.revision, "refund.issue")
    ]
    said = seen(house.slack.views[view["id"]]["blocks"])
    assert "✅" in said
    assert "Not yours to see." in said


async def test_nothing_chosen_says_so_at_the_list(house: House) -> None:
    """The form stays open."""
    view = await _opened(house, _low())
    answer = await house.submit(view, {})
    assert answer["errors"] == {"pick:0": "Choose at least one review of the list, then approve."}
    assert house.desk.done == []


async def test_of_several_actions_one_is_chosen_first(house: House) -> None:
    """Only reviews of one action are approved together."""
    view = await _opened(house, [*_low(), *_low("mail.send")])
    assert "mail.send" in json.dumps(view["blocks"])
    await house.within(view, "placet:go:bulk", option="refund.issue")
    upon = await house.modal()
    assert upon["previous_view_id"] == view["id"]
    assert len(_options(upon)) == len(cards.small_refunds())
    assert house.desk.filters[-1].action == "refund.issue"


async def test_nothing_to_approve_together(house: House) -> None:
    """A sentence, no empty form."""
    view = await _opened(house, [])
    assert view["callback_id"] == "placet:card"
    assert "Nothing waits" in seen(view["blocks"])


async def test_a_refusal_is_a_line_of_the_results(house: House) -> None:
    """Somebody was first, or the risk rose."""
    view = await _opened(house, _low())
    house.desk.replies[Verb.APPROVE] = lambda _: Reply(answer=Answer.REFUSED, text="Bo was first.")
    await house.submit(view, {"pick:0": [cards.small_refunds()[0].review]})
    await house.settled()
    assert "⛔" in seen(house.slack.views[view["id"]]["blocks"])
    assert "Bo was first." in seen(house.slack.views[view["id"]]["blocks"])


async def test_a_break_in_the_middle_is_said(house: House) -> None:
    """What was approved before it stays so, and the person is sent to look."""
    view = await _opened(house, _low())
    house.desk.faults.append(StoreUnavailable("The database did not take it."))
    await house.submit(view, {"pick:0": [cards.small_refunds()[0].review]})
    await house.settled()
    assert "The database did not take it." in seen(house.slack.views[view["id"]]["blocks"])


async def test_a_modal_closed_meanwhile_is_said_beside_the_queue(house: House) -> None:
    """The approvals stand; the person hears that they were taken."""
    view = await _opened(house, _low())
    house.slack.faults["views.update"] = [Fault(error="not_found"), Fault(error="not_found")]
    await house.submit(view, {"pick:0": [cards.small_refunds()[0].review]})
    await house.settled()
    assert len(house.desk.done) == 1
    assert "Look at your queue" in house.slack.ephemerals[0].text
