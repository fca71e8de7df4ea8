"""What a headless run comes to: counted from what the agents received and read, and held against the script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.demo.agent import Asked

NAMES = (
    "asked", "auto", "sampled", "approved", "edited", "changes_requested", "rejected", "expired", "escalated",
    "delivered", "redeemed",
)  # fmt: skip
#: What a run that shows the whole loop has at least once.
WANTED = ("approved", "edited", "rejected", "expired", "escalated", "delivered")


def count(asked: Iterable[Asked]) -> dict[str, int]:
    """The numbers, by name.

    `auto`, `sampled`: let through by policy before anybody looked. `approved`: by people; `edited` are those of them
    with changed arguments. `delivered`: decisions that arrived, signed; `redeemed`: approvals turned into the act.
    """
    found = dict.fromkeys(NAMES, 0)
    for each in asked:
        for name in _names(each):
            found[name] += 1
    return found


def _names(asked: Asked) -> Iterable[str]:
    yield "asked"
    if asked.tier in ("auto", "sample"):
        yield "auto" if asked.tier == "auto" else "sampled"
    for message, name in (("review.escalated", "escalated"), ("review.changes_requested", "changes_requested")):
        if asked.was_told(message):
            yield name
    if asked.redeemed:
        yield "redeemed"
    if asked.decided is None:
        return
    yield "delivered"
    decision = asked.decided["decision"]
    if decision["verdict"] in ("rejected", "expired"):
        yield decision["verdict"]
    if decision["verdict"] == "approved" and decision["cause"] == "human":
        yield "approved"
        if asked.edited:
            yield "edited"


def faults(asked: Sequence[Asked], numbers: dict[str, int]) -> list[str]:
    """What went otherwise than it should have, a sentence each."""
    found = [f"{each.agent} {each.id}: {text}" for each in asked for text in _wrong(each)]
    return found + [f"nothing was {name}" for name in WANTED if not numbers[name]]


def _wrong(asked: Asked) -> Iterable[str]:
    yield from asked.faults
    script = asked.case.script
    last = script.then or script
    if asked.decided is None or asked.read is None:
        yield f"meant to be {last.ends}, and no decision arrived ({asked.case.body['summary']})"
        return
    told, read = asked.decided["decision"], asked.read["decision"]
    if told["verdict"] != last.ends:
        yield f"meant to be {last.ends}, and it is {told['verdict']}: {told['reason']}"
    if read is None or asked.read["status"] != told["verdict"] or read != told:
        yield f"the callback says {told['verdict']}, reading it says {asked.read['status']}, or they differ within"
    if asked.edited != last.edited:
        yield f"edited by a person: {asked.edited}, meant: {last.edited}"
    if asked.redeemed != (told["verdict"] == "approved"):
        yield f"{told['verdict']}, and redeemed is {asked.redeemed}"
    if script.verb is None and told["verdict"] == "expired" and not asked.was_told("review.escalated"):
        yield "expired, and nobody was called before"
