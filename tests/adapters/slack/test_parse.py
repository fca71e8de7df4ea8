"""Payloads to interactions, and what is not one of ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack import parse
from adapters.slack.press import Malformed, Token, action_id, verb_of
from reviews.model import Identity, Verb

TOKEN = Token(copy="copy-1", review="rev_1", revision=3, shown="d" * 64)


def _payload(**action: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": "U1", "name": "Ana Ruiz", "team_id": "T1"},
        "team": {"id": "T2"},
        "channel": {"id": "C1"},
        "message": {"ts": "1.1", "thread_ts": "1.0"},
        "trigger_id": "1.2.3",
        "actions": [{"action_id": "placet:approve", "value": str(TOKEN), **action}],
    }


def test_a_press_says_who_where_and_on_what() -> None:
    """The user's own team counts, which in a shared channel is not the channel's."""
    press = parse.press(_payload())
    assert press.origin.identity == Identity(surface="slack", id="U1", tenant="T1")
    assert (press.origin.channel, press.origin.thread, press.origin.trigger) == ("C1", "1.0", "1.2.3")
    assert press.token == TOKEN
    assert press.interaction.revision == 3


def test_a_token_without_a_copy_or_digest_says_so() -> None:
    """None, never an empty word."""
    press = parse.press(_payload(value="|rev_1|1|"))
    assert press.interaction.copy is None
    assert press.interaction.shown is None


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"user": {"id": "U1"}},
        {"user": {"id": "U1"}, "actions": []},
        {"user": {"id": "U1"}, "actions": ["x"]},
        {**_payload(), "user": {}},
        _payload(action_id="placet:destroy"),
        _payload(action_id="approve"),
        _payload(action_id=None),
        _payload(value=None),
        _payload(value="copy|rev|-1|x"),
        _payload(value="copy|rev|²|x"),
        _payload(value="copy||1|x"),
        _payload(action_id="placet:reject:because", block_id=f"0|{TOKEN}"),
        _payload(action_id="placet:reject:because", block_id="x", selected_option={"value": "freeze"}),
    ],
)
def test_what_is_not_ours_is_malformed(payload: dict[str, Any]) -> None:
    """One kind of error, and no guess."""
    with pytest.raises(Malformed):
        parse.press(payload)


@settings(max_examples=50, deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_no_shape_breaks_the_reader(value: Any) -> None:
    """Whatever lies where: an interaction or Malformed."""
    for key in ("user", "team", "channel", "message", "actions", "view"):
        for read in (parse.press, parse.submission):
            try:
                read({**_payload(), key: value})
            except Malformed:
                continue


@given(
    copy=st.text(st.characters(blacklist_characters="|")),
    review=st.text(st.characters(blacklist_characters="|"), min_size=1),
    revision=st.integers(min_value=0),
    shown=st.text("0123456789abcdef"),
)
def test_a_token_reads_back_as_it_was_written(copy: str, review: str, revision: int, shown: str) -> None:
    """Buttons outlive the process that drew them."""
    token = Token(copy=copy, review=review, revision=revision, shown=shown)
    assert Token.read(str(token)) == token


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("way", ["act", "because", "form"])
def test_an_action_id_reads_back_as_it_was_written(verb: Verb, way: str) -> None:
    """Every verb, in every way."""
    assert verb_of(action_id(verb, way)) == (verb, way)


def test_a_form_gives_its_values_by_name() -> None:
    """Blank ones are left out; choices, dates and texts are read alike."""
    values = {
        "field:reason": {"value": {"type": "static_select", "selected_option": {"value": "freeze"}}},
        "field:notes": {"value": {"type": "plain_text_input", "value": None}},
        "field:text": {"value": {"type": "plain_text_input", "value": "words"}},
    }
    view = {"id": "V1", "private_metadata": f"reject|{TOKEN}", "state": {"values": values}}
    sent = parse.submission({"user": {"id": "U1"}, "team": {"id": "T2"}, "view": view})
    assert (sent.interaction.verb, sent.interaction.reason, sent.interaction.notes) == (Verb.REJECT, "freeze", "words")
    assert sent.fields["notes"] == "field:notes"
    assert sent.origin.identity.tenant == "T2"
