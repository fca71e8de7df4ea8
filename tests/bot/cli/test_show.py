"""What is printed for people: texts of others stay texts."""

from __future__ import annotations

import pytest

from bot.cli import page, show


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
