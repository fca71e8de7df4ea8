"""The checker itself finds what Slack refuses: a test with it can fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.slack.checker import home_faults, message_faults, view_faults


def _text(text: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": text}


def _rich(*spans: dict[str, Any], kind: str = "rich_text_section") -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(spans)}]}


def _options(many: int, **more: Any) -> list[dict[str, Any]]:
    return [{"text": _text("x"), "value": str(n), **more} for n in range(many)]


def _button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": _text("x"), "value": "v", **changes}


def _overflow(options: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"type": "overflow", "action_id": "a", "options": options, **more}


def _input(**element: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": "a", "label": _text("x"), "optional": True, "element": element}


GOOD = {"type": "section", "text": _text("fine")}
ROW = {"type": "actions", "elements": [_button(), {**_overflow(_options(5)), "action_id": "b"}]}


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [GOOD] * 51,
        [{"type": "alert", "text": _text("modals only")}],
        [{"type": "header", "text": _text("x" * 151)}],
        [{"type": "header", "text": _text("x", "mrkdwn")}],
        [{"type": "section", "text": _text("")}],
        [{"type": "section", "text": _text("<!here>")}],
        [{"type": "section", "text": _text("*x*", "mrkdwn")}],
        [{"type": "context", "elements": []}],
        [{"type": "actions", "elements": []}],
        [
            {
                "type": "actions",
                "elements": [{"type": "button", "action_id": "a", "text": _text("x" * 76), "value": "v"}],
            }
        ],
        [{"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": _text("x"), "value": "v"}] * 2}],
        [{"type": "table", "rows": [[_text("a", "raw_text")] * 21]}],
        [{"type": "table", "rows": [[_text("", "raw_text")]]}],
        [{"type": "table", "rows": [[_text("a", "raw_text")]]}] * 2,
        [{"type": "actions", "elements": [_overflow(_options(6))]}],
        [{"type": "actions", "elements": [_overflow([])]}],
        [{"type": "actions", "elements": [_overflow([{"text": _text("x"), "value": "v" * 151}])]}],
        [{"type": "actions", "elements": [_overflow(_options(1, url="https://x.example"))]}],
        [{"type": "actions", "elements": [_overflow(_options(1), confirm={})]}],
        [{"type": "actions", "elements": [_button(url="https://x.example")]}],
        [{**GOOD, "accessory": _button(text=_text("x" * 76))}],
        [_input(type="plain_text_input")],
        [_rich(_text("", "text"))],
        [_rich({"type": "link", "url": "javascript:x", "text": "x"})],
        [_rich({"type": "user", "user_id": "U1"})],
        [_rich(kind="rich_text_quote")],
        [{**GOOD, "block_id": "a"}, {**GOOD, "block_id": "a"}],
        [{"type": "section", "text": _text("x" * 2900)}] * 5,
    ],
)
def test_what_slack_refuses_is_found(blocks: list[dict[str, Any]]) -> None:
    """Each of these was refused, or is documented to be."""
    assert message_faults(blocks)


def test_what_slack_takes_is_taken() -> None:
    """No fault is made up."""
    assert message_faults([GOOD, _rich(_text("a < b", "text")), {"type": "divider"}]) == []
    assert message_faults([{**GOOD, "accessory": _button()}, ROW]) == []
    assert message_faults([GOOD], "") != []


TABLE = {"type": "table", "rows": [[_text("a", "raw_text")]]}
MODAL = {"type": "modal", "title": _text("Title"), "submit": _text("Send"), "blocks": [GOOD, ROW]}


@pytest.mark.parametrize(
    "change",
    [
        {"type": "home"},
        {"title": _text("x" * 25)},
        {"submit": _text("x" * 25)},
        {"blocks": []},
        {"blocks": [_input(type="plain_text_input")], "submit": None},
        {"blocks": [{**_input(type="plain_text_input"), "optional": None}]},
        {"blocks": [_input(type="plain_text_input", max_length=3001)]},
        {"blocks": [_input(type="plain_text_input", max_length=2, initial_value="abc")]},
        {"blocks": [_input(type="number_input", is_decimal_allowed=True, initial_value="many")]},
        {"blocks": [_input(type="datepicker", initial_date="soon")]},
        {"blocks": [_input(type="static_select", options=_options(101))]},
        {"blocks": [_input(type="static_select", options=_options(1), initial_option={"value": "z"})]},
        {"blocks": [_input(type="radio_buttons", options=_options(11))]},
        {"blocks": [_input(type="checkboxes", options=_options(11))]},
        {
            "blocks": [
                _input(type="checkboxes", options=_options(2), initial_options=_options(1)) | {"block_id": "pick:0"}
            ]
        },
        {"blocks": [_input(type="checkboxes", options=_options(1), initial_options=_options(2))]},
        {"blocks": [_input(type="checkboxes", options=_options(2, description=_text("x" * 76)))]},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"blocks": [TABLE]},
        {"blocks": [{"type": "divider"}] * 101},
        {"blocks": [{"type": "section", "text": _text("é" * 2900)}] * 20},
    ],
)
def test_a_modal_slack_refuses_is_found(change: dict[str, Any]) -> None:
    """The same for modals."""
    assert view_faults(MODAL) == []
    assert view_faults({key: value for key, value in {**MODAL, **change}.items() if value is not None})


@pytest.mark.parametrize(
    "change",
    [{"type": "modal"}, {"title": _text("x")}, {"blocks": [TABLE]}, {"blocks": [{"type": "divider"}] * 101}],
)
def test_a_home_slack_refuses_is_found(change: dict[str, Any]) -> None:
    """And for Home, which has no title and no form."""
    home = {"type": "home", "blocks": [GOOD, ROW]}
    assert home_faults(home) == []
    assert home_faults({**home, **change})
