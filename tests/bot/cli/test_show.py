"""What is printed for people: texts of others stay texts."""

from __future__ import annotations

import pytest

from bot.cli import page, show
from reviews.model import Object


def test_no_text_moves_the_cursor_or_becomes_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and direction marks are shown as replaced, markup as written."""
    show.table(("What",), [("\x1b[2Jwiped\u202eesrever [red]x[/red]",)], "nothing")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "wiped" in out
    assert "[red]x[/red]" in out


def test_nothing_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Rather than an empty table."""
    show.table(("What",), [], "Nothing is waiting for you.")
    assert capsys.readouterr().out.strip() == "Nothing is waiting for you."


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "–"), (0.26, "0.3 s"), (59.0, "59.0 s"), (90, "1.5 min"), (7200, "2.0 h")]
)
def test_durations_read_well(seconds: float | None, words: str) -> None:
    """Seconds, minutes, hours."""
    assert show.seconds(seconds) == words


def test_a_review_is_told_with_its_decision(capsys: pytest.CaptureFixture[str]) -> None:
    """Who decided and why; parts that are empty leave no heading."""
    page.draw(
        {
            "id": "rev_1",
            "revision": 2,
            "status": "rejected",
            "agent": "refunds",
            "action": {"name": "refund.issue", "arguments": {"amount": 5}},
            "request": {"action": {"name": "refund.issue"}, "confidence": 0.5},
            "route": {"risk": "low", "reversible": True, "needs": [{"level": 2}], "explanation": "Because."},
            "deadline_at": "2026-03-04T10:00:00.000Z",
            "held": False,
            "grant": None,
            "changes_requested": [{"by": "bo", "text": "less"}],
            "decision": {
                "verdict": "rejected",
                "cause": "human",
                "by": [{"name": "Ana"}],
                "decided_at": "2026-03-04T10:00:00.000Z",
                "reason": "duplicate",
            },
        }
    )
    out = capsys.readouterr().out
    assert "rejected by Ana" in out
    assert "duplicate" in out
    assert "needs level 2" in out
    assert "bo: less" in out
    assert "50% sure" in out
    assert "evidence" not in out
    assert "04 Mar 10:00:00 UTC" in out
    assert "until" not in out


PENDING: Object = {
    "id": "rev_1",
    "revision": 1,
    "status": "pending",
    "held": False,
    "agent": "refunds",
    "action": {"name": "refund.issue", "arguments": {}},
    "request": {"action": {"name": "refund.issue"}},
    "route": {"risk": "low", "reversible": True, "needs": [], "explanation": "Because."},
    "deadline_at": "2026-03-04T10:00:00.000Z",
    "reply_by": None,
    "grant": None,
    "changes_requested": [],
    "decision": None,
}
OPEN = {"state": "open", "valid_until": "2026-03-04T11:00:00.000Z", "at": None}
USED = OPEN | {"state": "used", "at": "2026-03-04T10:30:00.000Z"}


@pytest.mark.parametrize(
    ("stands", "says"),
    [
        ({}, "until 04 Mar 10:00:00 UTC; if nobody answers, it expires"),
        ({"held": True}, "on hold while its agent is stopped"),
        (
            {"status": "changes_requested", "reply_by": "2026-03-05T10:00:00.000Z"},
            "the agent's turn until 05 Mar 10:00:00 UTC",
        ),
        ({"status": "approved", "grant": OPEN}, "the agent may act until 04 Mar 11:00:00 UTC"),
        ({"status": "approved", "grant": OPEN, "held": True}, "the agent may act until 04 Mar 11:00:00 UTC"),
        ({"status": "approved", "grant": USED}, "the right to act: used, 04 Mar 10:30:00 UTC"),
    ],
)
def test_what_runs_out_is_told_as_the_review_stands(
    capsys: pytest.CaptureFixture[str], stands: Object, says: str
) -> None:
    """A deadline while it waits, the agent's time once it is approved; nothing else expires."""
    page.draw(PENDING | stands)
    out = capsys.readouterr().out
    assert says in out
    assert ("expires" in out) == (stands.get("status") != "approved" and not stands.get("held"))
