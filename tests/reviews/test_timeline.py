"""The log as lines people read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reviews.keeping import Entry
from reviews.model import Object
from reviews.timeline import NEWS, actor_name, news, timeline
from reviews.values import replace
from tests.fakes.builders import START

NAMES = {"ana": "Ana Ruiz", "bo": "Bo Lindqvist"}


def log(*entries: tuple[str, str, Object]) -> list[Entry]:
    """Entries given as kind, actor and detail, a minute apart, numbered from 1."""
    return [
        Entry(seq=n, at=START + timedelta(minutes=n), review="r", kind=kind, actor=actor, body=b"{}", detail=detail)
        for n, (kind, actor, detail) in enumerate(entries, 1)
    ]


def lines(*entries: tuple[str, str, Object]) -> list[str]:
    """The timeline of such entries."""
    return [line.text for line in timeline(log(*entries), NAMES)]


def test_people_are_named() -> None:
    """Who acted, who was called, who has it; who is no longer known, by id."""
    assert lines(
        ("review.opened", "agent:billing-bot", {"tier": "approve", "rule": "refunds"}),
        ("review.called", "system", {"persons": ["ana", "gone"]}),
        ("review.escalated", "person:ana", {"persons": [], "why": "pressed"}),
        ("review.escalated", "system", {"persons": [], "roles": ["lead", "chief"], "why": "slack has failed."}),
        ("review.called", "system", {"persons": [], "queues": ["manager", "level 2"]}),
        ("review.called", "system", {"persons": [], "queues": []}),
        ("review.taken", "person:ana", {"owner": "bo"}),
        ("vote.reject", "person:bo", {}),
        ("card.viewed", "person:bo", {}),
    ) == [
        "billing-bot asked for a review (approve, rule: refunds)",
        "Called Ana Ruiz, gone",
        "Escalated to the channel (pressed)",
        "Escalated to lead, chief (slack has failed)",
        "Called manager, level 2, in their queue",
        "Called nobody",
        "Bo Lindqvist has it in hand",
        "Bo Lindqvist rejected",
    ]


def test_an_actor_is_who_it_is() -> None:
    """A person by name, an agent by its own."""
    assert [actor_name(who, NAMES) for who in ("person:ana", "agent:x", "system")] == ["Ana Ruiz", "x", "system"]


def test_an_end_says_who_brought_it() -> None:
    """Persons by name, the policy as such, silence as it was."""
    assert lines(
        ("review.approved", "person:bo", {"cause": "human", "by": ["ana", "bo"]}),
        ("review.approved", "policy", {"cause": "policy", "by": []}),
        ("review.rejected", "person:ana", {"cause": "human", "by": ["ana"]}),
        ("review.rejected", "policy", {"cause": "policy", "by": []}),
        ("review.answered", "person:bo", {"cause": "human", "by": ["bo"]}),
        ("review.expired", "placet", {"cause": "timeout", "by": [], "reason": "No other proposal came in time."}),
        ("review.withdrawn", "agent:x", {"cause": "agent", "by": [], "reason": "done by hand"}),
    ) == [
        "Approved by Ana Ruiz and Bo Lindqvist",
        "Let through by policy",
        "Rejected by Ana Ruiz",
        "Rejected by policy",
        "Answered by Bo Lindqvist",
        "Expired. No other proposal came in time.",
        "x withdrew it",
    ]


def test_news_is_what_came_since() -> None:
    """In order, with the log's last number to go on from; of what nobody was called for, nothing."""
    entries = log(
        ("review.opened", "agent:x", {}),
        ("vote.approve", "person:ana", {"eligibility": "role manager"}),
        ("card.viewed", "person:bo", {}),
        ("review.escalated", "placet", {"persons": ["bo"], "why": "silence"}),
        ("copy.posted", "placet", {}),
    )
    told, last = news(entries, NAMES, 0)
    assert [line.text for line in told] == ["Ana Ruiz approved (role manager)", "Escalated to Bo Lindqvist (silence)"]
    assert last == 5
    assert news(entries, NAMES, 2)[0] == told[1:]
    assert news(entries, NAMES, 5) == ((), 5)
    assert news([], NAMES, 7) == ((), 7)


def test_the_approval_that_decides_is_told_once() -> None:
    """The vote and what it came to are written down at one instant."""
    first, vote, end = log(
        ("vote.approve", "person:ana", {"eligibility": "role manager"}),
        ("vote.approve", "person:bo", {"eligibility": "role security"}),
        ("review.approved", "person:bo", {"by": ["ana", "bo"]}),
    )
    told, _ = news([first, vote, replace(end, at=vote.at)], NAMES, 0)
    assert [line.text for line in told] == [
        "Ana Ruiz approved (role manager)",
        "Approved by Ana Ruiz and Bo Lindqvist",
    ]


@pytest.mark.parametrize("kind", sorted(NEWS))
def test_news_tells_nothing_hidden(kind: str) -> None:
    """It is posted where anybody reads it: what people and agents wrote is not in it."""
    words = ("reason", "notes", "text", "about", "request", "instruction")
    detail: Object = dict.fromkeys(words, "ES9121000418450200051332")
    told, _ = news(log((kind, "person:ana", detail | {"cause": "human"})), NAMES, 0)
    assert len(told) == 1
    assert kind == "review.expired" or "ES91" not in told[0].text


UNTIL = (START + timedelta(hours=1)).isoformat()


def test_escalation_reads_as_what_happened() -> None:
    """Turns, reminders, who it is given to, what was tried instead, and the end of approving."""
    until = f"{START + timedelta(hours=1):%H:%M} UTC"
    assert lines(
        ("review.called", "placet", {"persons": ["bo"], "turn": "lead"}),
        ("review.called", "placet", {"persons": [], "turn": "lead"}),
        ("review.assigned", "placet", {"persons": ["ana"]}),
        ("review.reminded", "placet", {"needed": "manager", "until": UNTIL, "rungs": [1]}),
        ("review.by_hand", "placet", {}),
        ("review.handed", "person:ana", {"from": "ana", "to": "bo", "until": UNTIL}),
        ("rung.unreachable", "placet", {"rung": 1, "why": "The app was removed.", "instead": "teams"}),
        ("rung.unreachable", "placet", {"rung": 1, "why": "Bo has no phone."}),
    ) == [
        "lead comes now: called Bo Lindqvist",
        "lead comes now: called the channel",
        "Assigned to Ana Ruiz",
        f"Still waiting for manager; until {until}",
        "Nobody approved it in time; from now on a person must do it",
        f"Ana Ruiz handed it to Bo Lindqvist, who has it in hand until {until}",
        "Could not be reached: The app was removed. Tried by teams instead.",
        "Could not be reached: Bo has no phone.",
    ]


def test_the_glass_an_appeal_and_a_stop_name_who() -> None:
    """Both who broke it; the level that looks again; what the next plan is to heed."""
    until = f"{START + timedelta(hours=1):%H:%M} UTC"
    assert lines(
        ("review.glass_asked", "person:ana", {"reason": "The shop is down", "until": UNTIL}),
        ("review.glass_broken", "person:bo", {"reason": "The shop is down", "asked_by": "ana"}),
        ("review.appealed", "person:ana", {"level": 3, "appeal": "rev_2"}),
        ("review.linked", "placet", {"review": "rev_2", "relation": "appeal"}),
        ("review.held", "person:ana", {"reason": "odd", "instruction": "Ask before each step"}),
        ("review.held", "operator", {"reason": "odd"}),
    ) == [
        f"Ana Ruiz wants to break the glass, until {until}: The shop is down",
        "Ana Ruiz broke the glass and Bo Lindqvist observed it: The shop is down",
        "Ana Ruiz appealed; somebody of level 3 or more looks again",
        "Looked at again in rev_2",
        "Ana Ruiz stopped the agent: Ask before each step",
        "operator stopped the agent",
    ]
