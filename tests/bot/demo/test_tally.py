"""The headless run's judgement: counted from what agents received, and every way it can be wrong is found."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo import cases, tally
from bot.demo.agent import Asked
from bot.demo.case import Case, Script
from reviews.model import Status


def _asked(script: Script, *, told: str, read: str | None = None, **more: Any) -> Asked:
    decision = {"verdict": told, "cause": more.pop("cause", "human"), "edited": False, "reason": None}
    case = Case(body={"summary": "x"}, script=script, done="done")
    asked = Asked(agent="a", case=case, id="rev_1", seq=1, tier=more.pop("tier", "approve"), needs="reviewer")
    asked.decided = {"decision": decision, "revision": more.pop("revision", 1)}
    asked.read = {"status": read or told, "decision": decision | ({"verdict": read} if read else {})}
    asked.redeemed = told == "approved"
    for name, value in more.items():
        setattr(asked, name, value)
    return asked


APPROVES = cases.approves("ana")


def test_numbers_are_of_what_arrived() -> None:
    """Policy's own approvals are not people's; an edit is an approval too; what did not arrive is not counted."""
    lost = _asked(APPROVES, told="approved")
    lost.decided, lost.redeemed = None, False
    found = tally.count(
        [
            _asked(cases.AUTO, told="approved", cause="policy", tier="auto"),
            _asked(cases.AUTO, told="approved", cause="policy", tier="sample"),
            _asked(APPROVES, told="approved"),
            _asked(cases.edits("ana", amount="1"), told="approved", revision=2),
            _asked(cases.SILENCE, told="expired", cause="timeout", messages=["review.escalated"]),
            lost,
        ]
    )
    assert found == dict.fromkeys(tally.NAMES, 0) | {
        "asked": 6, "auto": 1, "sampled": 1, "approved": 2, "edited": 1, "expired": 1, "escalated": 1, "delivered": 5,
        "redeemed": 4,
    }  # fmt: skip


def test_a_run_as_the_script_has_it_is_without_fault() -> None:
    """A proposal that was changed by its agent is not an edit of a person."""
    changed = _asked(cases.wants_changes("faye", "more"), told="approved", revision=2)
    changed.revision = 2
    for asked in (_asked(APPROVES, told="approved"), changed, _asked(cases.rejects("ana", "no"), told="rejected")):
        assert tally.faults([asked], dict.fromkeys(tally.NAMES, 1)) == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (_asked(APPROVES, told="rejected"), "meant to be approved, and it is rejected"),
        (_asked(cases.rejects("ana", "no"), told="approved"), "meant to be rejected"),
        (_asked(APPROVES, told="approved", read="pending"), "reading it says pending"),
        (_asked(APPROVES, told="approved", redeemed=False), "redeemed is False"),
        (_asked(cases.SILENCE, told="expired", messages=["review.escalated"], redeemed=True), "redeemed is True"),
        (_asked(cases.edits("ana", amount="1"), told="approved"), "edited by a person: False"),
        (_asked(APPROVES, told="approved", revision=2), "edited by a person: True"),
        (_asked(cases.SILENCE, told="expired"), "nobody was called before"),
        (_asked(APPROVES, told="approved", decided=None, redeemed=False), "no decision arrived"),
        (_asked(APPROVES, told="approved", faults=["redeeming was answered 409"]), "409"),
    ],
)
def test_whatever_is_not_as_meant_is_a_fault(asked: Asked, says: str) -> None:
    """A sentence with the agent, the review and what is wrong."""
    found = tally.faults([asked], dict.fromkeys(tally.NAMES, 1))
    assert len(found) >= 1
    assert says in " ".join(found)
    assert "a rev_1" in found[0]


def test_what_never_happened_is_a_fault() -> None:
    """Each of the wanted numbers is at least one."""
    found = tally.faults([], dict.fromkeys(tally.NAMES, 0))
    assert found == [f"nothing was {name}" for name in tally.WANTED]


def test_the_scripts_of_one_round_show_everything() -> None:
    """Within the first round every wanted kind comes up, and nobody is asked to fill two slots or left out."""
    import random

    from bot.demo.stage import ROUND

    rng = random.Random(1)
    sources = (cases.desk(rng), cases.operations(rng))
    scripts = [next(source).script for source in sources for _ in range(ROUND)]
    assert {script.verb for script in scripts} >= {None, "approve", "edit", "reject", "request_changes"}
    assert {script.ends for script in scripts} == {Status.APPROVED, Status.REJECTED, Status.EXPIRED}
    assert any(script.called for script in scripts)
    assert all((script.verb is None) is (not script.by) for script in scripts)
