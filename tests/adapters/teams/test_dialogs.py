"""Forms too large for their card: opened as dialogs, taken, and shown again with their faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from adapters.saying import FOREIGN
from adapters.teams import press
from adapters.teams.press import How
from adapters.teams.seam import Json
from adapters.token import Token
from reviews.errors import StoreUnavailable
from reviews.model import Verb
from reviews.values import replace
from tests.adapters.teams.fake_connector import SERVICE, Rig, dialog_of, said_of
from tests.fakes import cards
from tests.fakes import teams_payloads as payloads
from tests.fakes.teams_payloads import CHANNEL, TEAMS_ANA, TEAMS_BO


def _data(
    verb: Verb = Verb.EDIT, fields: tuple[str, ...] = (), typed: Mapping[str, str] = MappingProxyType({})
) -> Json:
    token = Token.of(cards.refund(), "copy-7")
    data = press.data(How.FORM, verb=verb, token=token, fields=fields)
    return data | {press.field_id(verb, name): value for name, value in typed.items()}


def _dialog(name: str, data: Json, who: str = TEAMS_ANA) -> Json:
    return payloads.dialog(name, data, who, f"{CHANNEL};messageid=17", "17", service=SERVICE)


async def test_a_form_opens_as_a_dialog_and_does_nothing_yet() -> None:
    """With the card's present values."""
    rig = Rig()
    drawn = json.dumps(dialog_of(await rig.deliver(_dialog("task/fetch", _data()))))
    assert '"A-4721"' in drawn
    assert rig.desk.done == []


async def test_what_a_dialog_sends_is_taken_as_from_the_card() -> None:
    """By what the opened dialog itself sends; the end is said."""
    rig = Rig()
    card = dialog_of(await rig.deliver(_dialog("task/fetch", _data())))
    found = payloads.button(card, "edit", {})
    data, faults = payloads.gathered(found, {"/amount": "42.5"})
    assert not faults
    assert found.action["type"] == "Action.Submit"
    assert said_of(await rig.deliver(_dialog("task/submit", data))) == "Edit by Ana Ruiz is kept."
    done = rig.desk.done[0]
    assert (done.verb, done.copy, (done.arguments or {})["amount"]) == (Verb.EDIT, "copy-7", 42.5)


async def test_a_fault_keeps_the_dialog_open() -> None:
    """With what was typed, and what is wrong at its field."""
    rig = Rig()
    data = _data(fields=("/amount", "/order"), typed={"/amount": "much", "/order": "A-1"})
    drawn = json.dumps(dialog_of(await rig.deliver(_dialog("task/submit", data))))
    assert '"much"' in drawn
    assert "number" in drawn
    assert rig.desk.done == []


async def test_a_refusal_ends_the_dialog_with_its_sentence() -> None:
    """The card changed since."""
    rig = Rig()
    rig.desk.cards["rev_refund4721"] = replace(cards.refund(), revision=2)
    data = _data(Verb.REJECT, ("reason",))
    assert "revision 2" in said_of(await rig.deliver(_dialog("task/submit", data)))


async def test_a_control_that_is_gone_is_too_late() -> None:
    """Somebody decided meanwhile."""
    rig = Rig()
    rig.desk.cards["rev_refund4721"] = replace(cards.refund(), blocks=(), status="Approved")
    assert said_of(await rig.deliver(_dialog("task/fetch", _data()))) == "Approved: too late."


async def test_a_form_is_opened_for_who_may_see_the_review_alone() -> None:
    """It holds the arguments."""
    rig = Rig()
    assert said_of(await rig.deliver(_dialog("task/fetch", _data(), TEAMS_BO))) == "Nobody here has this identity."
    rig.desk.hidden["rev_refund4721"] = {"ana"}
    assert "not yours to see" in said_of(await rig.deliver(_dialog("task/fetch", _data())))


@pytest.mark.parametrize("name", ["task/fetch", "task/submit"])
async def test_a_crafted_dialog_is_answered_and_does_nothing(name: str) -> None:
    """With a sentence; and a failure of ours with another."""
    rig = Rig()
    assert said_of(await rig.deliver(_dialog(name, {"placet": 1, "way": "form"}))) == FOREIGN
    rig.desk.faults.append(StoreUnavailable("The database did not take it."))
    assert said_of(await rig.deliver(_dialog(name, _data()))) == "The database did not take it."
    assert rig.desk.done == []
