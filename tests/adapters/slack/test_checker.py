"""The checker itself finds what Slack refuses: a test with it can fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.slack.checker import message_faults, view_faults


def _text(text: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": text}


def _rich(*spans: dict[str, Any], kind: str = "rich_text_section") -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(spans)}]}


GOOD = {"type": "section", "text": _text("fine")}


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
    assert message_faults([GOOD], "") != []


@pytest.mark.parametrize(
    "change",
    [
        {"title": _text("x" * 25)},
        {"blocks": [{"type": "input", "block_id": "a", "label": _text("x"), "element": {"type": "plain_text_input"}}]},
        {"private_metadata": "x" * 3001},
        {"blocks": [{"type": "divider"}] * 101},
    ],
)
def test_a_modal_slack_refuses_is_found(change: dict[str, Any]) -> None:
    """The same for modals."""
    good = {"type": "modal", "title": _text("Title"), "blocks": [GOOD]}
    assert view_faults(good) == []
    assert view_faults({**good, **change})
