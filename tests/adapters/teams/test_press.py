"""What a control carries comes back as it was, and nothing else is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.selection import Pick
from adapters.teams import press
from adapters.teams.press import How
from adapters.token import Malformed, Token
from reviews.card import Go
from reviews.model import Verb
from tests.fakes.samples import item

TOKEN = Token(copy="copy-1", review="rev_1", revision=3, shown="d" * 64)
REJECT = press.data(How.FORM, verb=Verb.REJECT, token=TOKEN, version=7, fields=["reason", "text"])


@pytest.mark.parametrize("verb", list(Verb))
def test_a_control_comes_back_as_it_was_drawn(verb: Verb) -> None:
    """Verb, token and the card's version, through JSON."""
    sent = json.loads(json.dumps(press.data(How.ACT, verb=verb, token=TOKEN, version=7)))
    assert press.read(sent) == press.Pressed(way=How.ACT, verb=verb, token=TOKEN, version=7)


def test_what_teams_leaves_out_is_blank() -> None:
    """A blank input is not sent, so the data names those that were asked; other forms' inputs are not read."""
    sent = {
        **REJECT,
        press.field_id(Verb.REJECT, "reason"): "paid",
        press.field_id(Verb.COMMENT, "reason"): "x",
    }
    assert press.read(sent).values == {"reason": "paid", "text": ""}


@pytest.mark.parametrize(("value", "text"), [(180, "180"), (1.5, "1.5"), (True, "true"), (False, "false"), (None, "")])
def test_a_client_may_send_a_number_for_a_text(value: Any, text: str) -> None:
    """What an input holds is text, in whatever type it comes."""
    assert press.read({**REJECT, press.field_id(Verb.REJECT, "text"): value}).values["text"] == text


@given(names=st.lists(st.text(max_size=30), unique=True, max_size=6), value=st.text(max_size=30))
def test_any_name_of_a_field_comes_back(names: list[str], value: str) -> None:
    """Also the empty one, and those with colons, slashes and what other ids begin with."""
    sent = press.data(How.FORM, verb=Verb.EDIT, token=TOKEN, fields=names)
    sent |= {press.field_id(Verb.EDIT, name): value for name in names}
    assert press.read(sent).values == dict.fromkeys(names, value)


def test_a_way_carries_its_value() -> None:
    """Where it leads, and to what."""
    sent = press.data(How.GO, go=Go.BULK, value="refund.issue")
    assert press.read(sent) == press.Pressed(way=How.GO, go=Go.BULK, value="refund.issue")


def test_a_selection_is_the_lines_that_are_ticked() -> None:
    """Each with the revision and the digest it was shown with."""
    sent = press.data(How.BULK, action="refund.issue")
    sent |= {press.pick_id(item(1)): "true", press.pick_id(item(2)): "false", press.pick_id(item(3)): "true"}
    picks = tuple(Pick(review=item(n).id, revision=1, digest="d" * 64, action="refund.issue") for n in (1, 3))
    assert press.read(sent).picks == picks


def test_an_asking_carries_its_nonce() -> None:
    """So that one sent twice is one."""
    sent = press.data(How.ASK, nonce="n1", fields=["text"]) | {press.field_id(None, "text"): "Look at this"}
    assert press.read(sent) == press.Pressed(way=How.ASK, nonce="n1", values={"text": "Look at this"})


@pytest.mark.parametrize(
    "changes",
    [
        {"placet": 2},
        {"placet": True},
        {"way": "sudo"},
        {"way": ["act"]},
        {"verb": "sudo"},
        {"verb": None},
        {"token": 7},
        {"token": "a|b"},
        {"token": "c|rev_1|x|d"},
        {"version": -1},
        {"version": "7"},
        {"version": 1.5},
        {"version": 1e300},
        {"version": True},
        {"fields": "field:reject:reason"},
        {"fields": ["reason"]},
        {"fields": [7]},
        {"value": 7},
        {"nonce": {}},
        {"way": "go"},
        {"way": "go", "go": "away"},
        {"way": "bulk"},
        {"way": "ask"},
        {"way": "bulk", "action": "a", "pick:rev_1|x|d": "true"},
        {press.field_id(Verb.REJECT, "reason"): {"a": 1}},
    ],
)
def test_what_is_not_ours_is_refused(changes: dict[str, Any]) -> None:
    """Nothing is guessed."""
    with pytest.raises(Malformed):
        press.read({**REJECT, **changes})


@pytest.mark.parametrize("found", [None, "x", 7, [], {}, {"msteams": {}}, {"placet": 1, "way": "refresh"}])
def test_other_data_is_refused(found: Any) -> None:
    """Data of somebody else's card, or none."""
    with pytest.raises(Malformed):
        press.read(found)


def test_what_teams_adds_is_ignored() -> None:
    """A dialog's data comes with more beside ours."""
    assert press.read(REJECT | {"msteams": {"type": "task/fetch"}, "key": 1}).verb is Verb.REJECT
