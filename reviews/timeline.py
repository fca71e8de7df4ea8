"""From the log to the lines people read. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from reviews.card import Happening
from reviews.keeping import Entry
from reviews.model import Object
from reviews.values import replace

_Words = Callable[[str, Object], str]


def _people(detail: Object) -> str:
    if "queues" in detail:
        return f"{', '.join(detail['queues'])}, in their queue" if detail["queues"] else "nobody"
    return ", ".join(detail.get("persons") or detail.get("roles") or ("the channel",))


def _named(detail: Object, names: Mapping[str, str]) -> Object:
    """The detail with names where it has ids of people."""
    lists = {key: [names.get(str(who), str(who)) for who in detail.get(key, ())] for key in ("persons", "by")}
    ones = {key: names.get(str(detail.get(key)), detail.get(key)) for key in ("owner", "from", "to", "asked_by")}
    return detail | lists | ones


def _time(detail: Object, key: str = "until") -> str:
    """An instant of the log as people read it, which is ISO 8601 there."""
    return f"{datetime.fromisoformat(str(detail[key])):%H:%M} UTC" if detail.get(key) else "its deadline"


def _called(who: str, detail: Object) -> str:
    turn = detail.get("turn")
    return f"{turn} comes now: called {_people(detail)}" if turn else f"Called {_people(detail)}"


def _missed(who: str, detail: Object) -> str:
    instead = detail.get("instead")
    return f"Could not be reached: {detail.get('why')}" + (f" Tried by {instead} instead." if instead else "")


def _stopped(who: str, detail: Object) -> str:
    """What its next plan is to heed, if anything was said."""
    instruction = detail.get("instruction")
    return f"{who} stopped the agent" + (f": {instruction}" if instruction else "")


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
    "review.called": _called,
    "review.assigned": lambda who, d: f"Assigned to {_people(d)}",
    "review.reminded": lambda who, d: f"Still waiting for {d.get('needed')}; until {_time(d)}",
    "review.by_hand": lambda who, d: "Nobody approved it in time; from now on a person must do it",
    "review.escalated": lambda who, d: f"Escalated to {_people(d)} ({str(d.get('why')).removesuffix('.')})",
    "review.sla_missed": lambda who, d: "The promised time has passed",
    "review.pushed": lambda who, d: f"{who} escalated",
    "review.taken": lambda who, d: f"{d.get('owner')} has it in hand",
    "review.handed": lambda who, d: f"{d.get('from')} handed it to {d.get('to')}, who has it in hand until {_time(d)}",
    "review.revised": lambda who, d: f"{who} proposed revision {d.get('revision')}",
    "review.commented": lambda who, d: f"{who} commented",
    "review.revealed": lambda who, d: f"{who} looked at what is redacted: {d.get('reason')}",
    "review.held": _stopped,
    "review.released": lambda who, d: f"{who} let the agent go on",
    "review.glass_asked": lambda who, d: f"{who} wants to break the glass, until {_time(d)}: {d.get('reason')}",
    "review.glass_broken": lambda who, d: (
        f"{d.get('asked_by')} broke the glass and {who} observed it: {d.get('reason')}"
    ),
    "review.appealed": lambda who, d: f"{who} appealed; somebody of level {d.get('level')} or more looks again",
    "review.linked": lambda who, d: f"Looked at again in {d.get('review')}",
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
    "rung.unreachable": _missed,
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
        "review.reminded",
        "review.by_hand",
        "review.revised",
        "review.taken",
        "review.handed",
        "review.appealed",
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
#: Who was called is told again.
REMINDED = "review.reminded"
#: What tells that a review is over: all that is said where nothing posted can be drawn again.
ENDS = frozenset(
    {
        "review.approved",
        "review.rejected",
        "review.answered",
        "review.expired",
        "review.withdrawn",
        "grant.revoked",
    }
)


def timeline(entries: Iterable[Entry], names: Mapping[str, str]) -> tuple[Happening, ...]:
    """The lines of a review's timeline, oldest first. `names` maps person ids to names."""
    return tuple(
        Happening(at=entry.at, text=_LINES[entry.kind](actor_name(entry.actor, names), _named(entry.detail, names)))
        for entry in entries
        if entry.kind in _LINES
    )


def news(
    entries: Sequence[Entry], names: Mapping[str, str], after: int, kinds: Collection[str] = NEWS
) -> tuple[tuple[Happening, ...], int]:
    """What is news in a review's log since its number `after`, oldest first, and the log's last number.

    Its lines are made of names and of the house's words: no agent's or person's words, which may tell what is hidden.
    """
    fresh = [entry for entry in entries if entry.seq > after and entry.kind in kinds]
    # The last approval and what it came to are one piece of news.
    approved = {entry.at for entry in fresh if entry.kind == "review.approved"}
    told = [_public(entry) for entry in fresh if entry.kind != "vote.approve" or entry.at not in approved]
    return timeline(told, names), max((entry.seq for entry in entries), default=after)


def _public(entry: Entry) -> Entry:
    """What the agent is to heed is a person's words."""
    return replace(entry, detail={key: said for key, said in entry.detail.items() if key != "instruction"})


def actor_name(actor: str, names: Mapping[str, str]) -> str:
    """`person:ana` as the person's name, `agent:x` as x."""
    kind, _, who = actor.partition(":")
    return names.get(who, who) if kind == "person" else who or kind
