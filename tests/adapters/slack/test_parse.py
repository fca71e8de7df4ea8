"""Payloads to interactions, and what is not one of ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.selection import Pick
from adapters.slack import parse
from adapters.slack.press import Back
from adapters.token import Malformed, Token
from reviews.card import Go
from reviews.model import Identity, Verb

TOKEN = Token(copy="copy-1", review="rev_1", revision=3, shown="d" * 64)


def _payload(**action: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": "U1", "name": "Ana Ruiz", "team_id": "T1"},
        "team": {"id": "T2"},
        "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1"},
        "message": {"ts": "1.1", "thread_ts": "1.0"},
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "trigger_id": "1.2.3",
        "actions": [{"action_id": "placet:approve", "action_ts": "1.5", "value": str(TOKEN), **action}],
    }


def test_a_press_says_who_where_and_on_what() -> None:
    """The user's own team counts, which in a shared channel is not the channel's."""
    press = _pressed(_payload())
    assert press.origin.identity == Identity(surface="slack", id="U1", tenant="T1")
    assert (press.origin.channel, press.origin.thread, press.origin.trigger) == ("C1", "1.0", "1.2.3")
    assert press.token == TOKEN
    assert press.interaction.revision == 3
    assert press.interaction.ref == {"channel": "C1", "ts": "1.1", "parent": "1.0", "copy": "copy-1"}
    assert press.interaction.mark is None, "what is said in somebody's thread need not be for us"
    assert press.interaction.once == "1.5:U1:placet:approve"


def test_a_card_with_replies_is_in_no_thread_of_its_own() -> None:
    """Slack names it as its thread. An answer goes beside it, and its mark is what replies beneath it name."""
    payload = _payload()
    payload["message"]["thread_ts"] = payload["container"]["thread_ts"] = payload["container"]["message_ts"]
    press = _pressed(payload)
    assert press.origin.thread == ""
    assert press.interaction.ref == {"channel": "C1", "ts": "1.1", "copy": "copy-1"}
    assert press.interaction.mark == "C1:1.1"


def test_a_token_without_a_copy_or_digest_says_so() -> None:
    """None, never an empty word."""
    press = _pressed(_payload(value="|rev_1|1|"))
    assert press.interaction.copy is None
    assert press.interaction.shown is None
    assert press.interaction.ref is None


def _pressed(payload: dict[str, Any]) -> parse.Press:
    found = parse.press(payload)
    assert isinstance(found, parse.Press)
    return found


def _step(payload: dict[str, Any]) -> parse.Step:
    found = parse.press(payload)
    assert isinstance(found, parse.Step)
    return found


def test_an_ephemeral_message_is_no_copy_to_adopt() -> None:
    """It lies nowhere: only its response_url leads back."""
    payload = _payload()
    payload["container"]["is_ephemeral"] = True
    press = _pressed(payload)
    assert press.interaction.ref is None
    assert (press.origin.message, press.origin.response) == ("", "https://hooks.slack.com/actions/T1/1/x")


def test_a_press_in_a_modal_leads_back_to_where_it_was_opened() -> None:
    """Slack names no channel there; the modal kept it."""
    kept = Back(channel="C1", thread="1.0", message="1.1", response="https://hooks.slack.com/x")
    view = {"id": "V1", "type": "modal", "private_metadata": str(kept)}
    payload = {k: v for k, v in _payload().items() if k in ("user", "actions", "trigger_id")}
    press = _pressed({**payload, "container": {"type": "view", "view_id": "V1"}, "view": view})
    origin = press.origin
    assert (origin.view, origin.channel, origin.thread, origin.message) == ("V1", "C1", "1.0", "1.1")
    assert origin.response == "https://hooks.slack.com/x"
    assert Back.read(press.back).token == str(TOKEN)


def test_a_press_on_home_is_in_no_modal() -> None:
    """So a modal is opened there and not put upon another."""
    payload = {k: v for k, v in _payload().items() if k in ("user", "actions", "trigger_id")}
    origin = parse.press({**payload, "view": {"id": "V1", "type": "home", "private_metadata": ""}}).origin
    assert (origin.view, origin.channel, origin.message) == ("", "", "")


@pytest.mark.parametrize(("line", "way"), [("take|act", "act"), ("hand|form", "form")])
def test_a_line_of_the_menu_is_a_control(line: str, way: str) -> None:
    """Its token is in its block's id."""
    menu = {"action_id": "placet:more", "block_id": f"3|{TOKEN}", "selected_option": {"value": line}, "value": None}
    press = _pressed(_payload(**menu))
    assert (press.interaction.verb, press.way, press.token) == (Verb(line.split("|")[0]), way, TOKEN)


def test_a_line_of_the_menu_may_be_a_way() -> None:
    """It decides nothing and needs no token."""
    menu = {"action_id": "placet:more", "block_id": "x", "selected_option": {"value": "go|history|rev_1"}}
    step = _step(_payload(**menu))
    assert (step.go, step.value) == (Go.HISTORY, "rev_1")


@pytest.mark.parametrize("value", ["rev_9", None])
def test_a_way_says_what_to_show(value: str | None) -> None:
    """Nothing where it needs nothing."""
    step = _step(_payload(action_id="placet:go:queue", value=value))
    assert (step.go, step.value, step.origin.channel) == (Go.QUEUE, value or "", "C1")
    assert Back.read(step.back).channel == "C1"


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
        _payload(action_id="placet:more", block_id=f"0|{TOKEN}"),
        _payload(action_id="placet:more", block_id="0|", selected_option={"value": "take|act"}),
        _payload(action_id="placet:more", block_id=f"0|{TOKEN}", selected_option={"value": "go|away|x"}),
        _payload(action_id="placet:more", block_id=f"0|{TOKEN}", selected_option={"value": "burn|act"}),
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
    for key in ("user", "team", "channel", "container", "message", "actions", "view", "event", "text"):
        for read in (
            parse.press,
            parse.submission,
            parse.asking,
            parse.picked,
            parse.command,
            parse.shortcut,
            parse.reply,
            parse.opened,
        ):
            try:
                read({**_payload(), key: value})
            except Malformed:
                continue


# ---------------------------------------------------------------------------------------------- forms


def _sent(values: dict[str, Any], **kept: str) -> dict[str, Any]:
    view = {"id": "V1", "type": "modal", "private_metadata": str(Back(**kept)), "state": {"values": values}}
    return {"user": {"id": "U1"}, "team": {"id": "T2"}, "trigger_id": "1.2", "view": view}


def test_a_form_gives_its_values_by_name() -> None:
    """Blank ones are empty, for emptied is not the same as not asked; nothing is trimmed."""
    values = {
        "field:reason": {"value": {"type": "static_select", "selected_option": {"value": "freeze"}}},
        "field:notes": {"value": {"type": "plain_text_input", "value": None}},
        "field:/text": {"value": {"type": "plain_text_input", "value": " words "}},
        "field:/on": {"value": {"type": "datepicker", "selected_date": "2026-11-26"}},
        "field:": {"value": {"type": "plain_text_input", "value": "{}"}},
        "field:/yes": {"value": {"type": "checkboxes", "selected_options": [{"value": "true"}]}},
        "field:/no": {"value": {"type": "checkboxes", "selected_options": []}},
    }
    sent = parse.submission(_sent(values, verb="reject", token=str(TOKEN), channel="C1", message="1.1"))
    ticks = {"/yes": "true", "/no": "false"}
    assert sent.values == {"reason": "freeze", "notes": "", "/text": " words ", "/on": "2026-11-26", "": "{}"} | ticks
    assert sent.fields["notes"] == "field:notes"
    assert (sent.interaction.verb, sent.interaction.reason, sent.origin.view) == (Verb.REJECT, None, "V1")
    assert sent.interaction.ref == {"channel": "C1", "ts": "1.1", "copy": "copy-1"}
    assert sent.origin.identity.tenant == "T2"


def test_a_form_sent_again_with_its_fault_mended_is_another_sending() -> None:
    """The same view, but not the same delivery: it must not be taken for a repeat."""
    first = parse.submission(_sent({}, verb="edit", token=str(TOKEN)))
    again = parse.submission({**_sent({}, verb="edit", token=str(TOKEN)), "trigger_id": "1.3"})
    assert first.interaction.once != again.interaction.once


@pytest.mark.parametrize("kept", [{}, {"verb": "edit"}, {"verb": "burn", "token": str(TOKEN)}])
def test_a_form_that_is_for_nothing_is_malformed(kept: dict[str, str]) -> None:
    """A modal that is only read has no verb."""
    with pytest.raises(Malformed):
        parse.submission(_sent({}, **kept))


def test_the_lines_chosen_are_read_with_their_action() -> None:
    """From every group; nothing chosen is nothing."""
    groups = {
        "pick:0": {"value": {"type": "checkboxes", "selected_options": [{"value": "rev_1|2|ab"}]}},
        "pick:1": {"value": {"type": "checkboxes", "selected_options": []}},
    }
    chosen = parse.picked(_sent(groups, action="refund.issue"))
    assert chosen == (Pick(review="rev_1", revision=2, digest="ab", action="refund.issue"),)
    assert parse.picked(_sent({}, action="refund.issue")) == ()
    groups["pick:1"]["value"]["selected_options"] = [{"value": "rev_1"}]
    with pytest.raises(Malformed):
        parse.picked(_sent(groups, action="refund.issue"))


def test_the_form_to_ask_with_says_what_was_pointed_at() -> None:
    """Where the message lies is kept by the modal."""
    values = {"field:summary": {"value": {"type": "plain_text_input", "value": "Is this right?"}}}
    sent = parse.asking(_sent(values, channel="C1", message="1.1", thread="1.0"))
    assert sent.values == {"summary": "Is this right?"}
    assert (sent.origin.channel, sent.origin.message, sent.origin.thread) == ("C1", "1.1", "1.0")
    assert sent.once


# ---------------------------------------------------------------------------------------------- words


COMMAND = {
    "command": "/placet",
    "text": " show &lt;rev_1&gt; ",
    "user_id": "U1",
    "team_id": "T1",
    "channel_id": "C1",
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.slack.com/commands/x",
}


def test_a_command_is_its_words() -> None:
    """Without its name, as they were typed."""
    command = parse.command(COMMAND)
    assert command.text == "show <rev_1>"
    assert command.origin.identity == Identity(surface="slack", id="U1", tenant="T1")
    assert (command.origin.channel, command.origin.response) == ("C1", "https://hooks.slack.com/commands/x")
    with pytest.raises(Malformed):
        parse.command({**COMMAND, "user_id": ""})


@pytest.mark.parametrize(("thread", "expected"), [(None, "1.1"), ("1.0", "1.0")])
def test_a_shortcut_says_which_message_it_points_at(thread: str | None, expected: str) -> None:
    """The card will lie in that message's thread."""
    payload = _payload()
    payload["message"] = {"ts": "1.1", "text": "Pay &amp; go", **({"thread_ts": thread} if thread else {})}
    found = parse.shortcut(payload)
    assert (found.text, found.origin.message, found.origin.thread) == ("Pay & go", "1.1", expected)
    assert Back.read(found.back) == Back(channel="C1", thread=expected, message="1.1", response=found.origin.response)
    with pytest.raises(Malformed):
        parse.shortcut({**payload, "message": {}})


def _event(**changes: Any) -> dict[str, Any]:
    event = {"type": "message", "channel": "C1", "user": "U1", "team": "T1", "text": "a &lt; b", "ts": "2.0",
             "thread_ts": "1.1"}  # fmt: skip
    return {"type": "event_callback", "event_id": "Ev1", "team_id": "T2", "event": {**event, **changes}}


def test_a_reply_in_a_thread_is_a_comment() -> None:
    """Which review it is about, the house knows by the message replied to."""
    said = parse.reply(_event())
    assert said is not None
    assert (said.verb, said.reason, said.mark, said.once) == (Verb.COMMENT, "a < b", "C1:1.1", "Ev1")
    assert said.identity == Identity(surface="slack", id="U1", tenant="T1")


@pytest.mark.parametrize(
    "changes",
    [
        {"thread_ts": None},
        {"thread_ts": "2.0"},
        {"bot_id": "B1"},
        {"subtype": "message_changed"},
        {"subtype": "bot_message"},
        {"user": None},
        {"text": "  "},
    ],
)
def test_what_no_person_wrote_in_a_thread_is_no_comment(changes: dict[str, Any]) -> None:
    """Our own updates and notes come as messages too."""
    assert parse.reply(_event(**changes)) is None


def test_the_author_of_a_shared_channel_is_never_taken_for_one_of_ours() -> None:
    """The envelope's workspace is ours even when the author is a guest."""
    bare = _event(team=None)
    assert parse.reply(bare).identity.tenant == "T2"  # type: ignore[union-attr] # it is a comment
    assert parse.reply({**bare, "is_ext_shared_channel": True}).identity.tenant is None  # type: ignore[union-attr] # the same
    assert parse.reply(_event(user_team="T9")).identity.tenant == "T9"  # type: ignore[union-attr] # the same


def test_home_is_opened_by_a_person() -> None:
    """The other tabs of the app are none of our business."""
    event = {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"}
    found = parse.opened({"team_id": "T1", "event": event})
    assert found is not None
    assert found.identity == Identity(surface="slack", id="U1", tenant="T1")
    assert parse.opened({"team_id": "T1", "event": {**event, "tab": "messages"}}) is None
