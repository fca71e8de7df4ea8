"""From the log to the lines people read. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from reviews.card import Happening
from reviews.keeping import Entry
from reviews.model import Object

_Words = Callable[[str, Object], str]


def _people(detail: Object) -> str:
    return ", ".join(detail.get("persons", ())) or "the channel"


def _named(detail: Object, names: Mapping[str, str]) -> Object:
    """The detail with names where it has ids of people."""
    persons, by = ([names.get(str(who), str(who)) for who in detail.get(key, ())] for key in ("persons", "by"))
    owner = detail.get("owner")
    return detail | {"persons": persons, "by": by, "owner": names.get(str(owner), owner)}


def _ended(word: str, by_policy: str = "") -> _Words:
    """How a review ended, and by whom."""

    def line(who: str, detail: Object) -> str:
        if by_policy and detail.get("cause") == "policy":
            return by_policy
        by = " and ".join(detail["by"])
        return f"{word} by {by}" if by else word

    return line


#: What each kind of entry reads like; kinds not here are not for the timeline.
_LINES: Mapping[str, _Words] = {
    "review.opened": lambda who, d: f"{who} asked for a review ({d.get('tier')}, rule: {d.get('rule')})",
    "review.called": lambda who, d: f"Called {_people(d)}",
    "review.escalated": lambda who, d: f"Escalated to {_people(d)} ({d.get('why')})",
    "review.sla_missed": lambda who, d: "The promised time has passed",
    "review.pushed": lambda who, d: f"{who} escalated",
    "review.taken": lambda who, d: f"{d.get('owner')} has it in hand",
    "review.revised": lambda who, d: f"{who} proposed revision {d.get('revision')}",
    "review.commented": lambda who, d: f"{who} commented",
    "review.revealed": lambda who, d: f"{who} looked at what is redacted: {d.get('reason')}",
    "review.held": lambda who, d: f"{who} stopped the agent",
    "review.released": lambda who, d: f"{who} let the agent go on",
    "review.glass_broken": lambda who, d: f"{who} broke the glass: {d.get('reason')}",
    "review.outcome": lambda who, d: f"{who} reports: {d.get('result')}",
    "vote.approve": lambda who, d: f"{who} approved ({d.get('eligibility')})",
    "vote.reject": lambda who, d: f"{who} rejected",
    "vote.edit": lambda who, d: f"{who} edited, making revision {d.get('revision')}",
    "vote.answer": lambda who, d: f"{who} did it",
    "vote.request_changes": lambda who, d: f"{who} asked for changes",
    "review.approved": _ended("Approved", "Let through by policy"),
    "review.rejected": _ended("Rejected", "Rejected by policy"),
    "review.answered": _ended("Answered"),
    "review.expired": lambda who, d: f"Expired. {d.get('reason') or 'Nobody decided in time.'}",
    "review.withdrawn": lambda who, d: f"{who} withdrew it",
    "copy.unknown": lambda who, d: f"Perhaps posted: {d.get('why')}",
    "rung.unreachable": lambda who, d: f"Could not be reached: {d.get('why')}",
    "grant.used": lambda who, d: f"{who} used the approval",
    "grant.lapsed": lambda who, d: "The approval lapsed unused",
    "grant.revoked": lambda who, d: f"{who} took the approval back",
    "grant.returned": lambda who, d: f"{who} gave the approval back unused",
    "delivery.dead": lambda who, d: "The agent could not be told; an operator can send it again",
}

#: What people are told beneath the copies they were called by; the rest they read on the card.
NEWS = frozenset(
    {
        "review.escalated",
        "review.revised",
        "review.taken",
        "review.held",
        "review.released",
        "vote.approve",
        "vote.request_changes",
        "review.approved",
        "review.rejected",
        "review.answered",
        "review.expired",
        "review.withdrawn",
        "grant.revoked",
        "grant.lapsed",
    }
)


def timeline(entries: Iterable[Entry], names: Mapping[str, str]) -> tuple[Happening, ...]:
    """The lines of a review's timeline, oldest first. `names` maps person ids to names."""
    return tuple(
        Happening(at=entry.at, text=_LINES[entry.kind](actor_name(entry.actor, names), _named(entry.detail, names)))
        for entry in entries
        if entry.kind in _LINES
    )


def news(entries: Sequence[Entry], names: Mapping[str, str], after: int) -> tuple[tuple[Happening, ...], int]:
    """What is news in a review's log since its number `after`, oldest first, and the log's last number.

    Its lines are made of names and of the house's words: no agent's or person's words, which may tell what is hidden.
    """
    fresh = [entry for entry in entries if entry.seq > after and entry.kind in NEWS]
    # The last approval and what it came to are one piece of news.
    approved = {entry.at for entry in fresh if entry.kind == "review.approved"}
    told = [entry for entry in fresh if entry.kind != "vote.approve" or entry.at not in approved]
    return timeline(told, names), max((entry.seq for entry in entries), default=after)


def actor_name(actor: str, names: Mapping[str, str]) -> str:
    """`person:ana` as the person's name, `agent:x` as x."""
    kind, _, who = actor.partition(":")
    return names.get(who, who) if kind == "person" else who or kind
