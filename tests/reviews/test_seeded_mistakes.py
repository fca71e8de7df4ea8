"""Would the tests notice? Mistakes are made on purpose in a copy of the domain, and each must be found.

Every mistake is one that would let an agent act where it may not, or call a thing what it is not. The copy lives
in a temporary folder with the tests that are to find it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.seeding import Bed, Mistake, bed

TESTS = (
    "voting",
    "granting",
    "glass",
    "appealing",
    "holding",
    "ladder",
    "eligibility",
    "opening",
    "lifecycle",
    "forms",
    "flood",
    "properties",
)

BESIDE = ("tests/fakes/__init__.py", "tests/fakes/builders.py", "tests/reviews/builders.py")
LOADS = ("hypothesis.stateful", "rfc8785")

pytestmark = pytest.mark.slow
MISTAKES = {
    "votes of an earlier revision count": Mistake(
        "model.py", "tuple(v for v in self.votes if v.revision == self.revision)", "self.votes"
    ),
    "an old proposal brings its votes back": Mistake(
        "model.py",
        "tuple(v for v in self.votes if v.revision == self.revision)",
        "tuple(v for v in self.votes if v.digest == self.proposal.digest)",
    ),
    "a revision number is taken from outside": Mistake("opening.py", "revision=review.revision + 1, ", ""),
    "a person fills two slots": Mistake(
        "eligibility.py",
        "    taken: dict[int, Vote] = {}\n    for vote in approvals:\n        _seat(",
        "    taken = {slot: vote for vote in approvals for slot in vote.slots}\n    for vote in ():\n        _seat(",
    ),
    "nobody moves to another slot": Mistake("eligibility.py", "if _seat(taken[slot], taken, tried):", "if False:"),
    "an owner approves their own agent": Mistake(
        "eligibility.py", "if person.id in review.owners and", "if not person.id and"
    ),
    "the person acted for approves": Mistake(
        "eligibility.py",
        "if (principal and not confirm) or (person.id in review.named and not principal):",
        "if False:",
    ),
    "whom the agent named approves": Mistake(
        "eligibility.py", "or (person.id in review.named and not principal):", "or False:"
    ),
    "anybody confirms": Mistake("eligibility.py", "if person.id == review.principal else None", "or None"),
    "an elector bypasses the level": Mistake(
        "eligibility.py",
        "if person.level >= (need.level or 0) else None",
        "if person.level >= (need.level or 0) or person.id in review.called else None",
    ),
    "notify_only makes electors": Mistake(
        "ladder.py", "{} if review.route.chain[rung].notify_only else who.persons", "who.persons"
    ),
    "electors outlive their chain": Mistake(
        "opening.py", "review.called if proposal.route.chain == review.route.chain else {}", "review.called"
    ),
    "scopes are not looked at": Mistake(
        "eligibility.py", "missing = review.route.scopes - person.scopes", "missing = ()"
    ),
    "sequence is no sequence": Mistake("eligibility.py", "if len(taken) in vote.slots:", "if True:"),
    "one rejection is not final": Mistake(
        "voting.py", "_alone(review, event, Verb.REJECT, Status.REJECTED)", "comment(review, event)"
    ),
    "what only a person does is approved": Mistake(
        "eligibility.py", "{Verb.APPROVE} if person_does else set()", "set()"
    ),
    "an editor approves what is beyond them": Mistake("voting.py", "if yes.answer is Answer.DONE:", "if True:"),
    "a revision is routed more leniently": Mistake(
        "lifecycle.py", "if new.tier.strictness < old.tier.strictness:", "if new is None:"
    ),
    "a revision gets into shadow mode": Mistake("lifecycle.py", "if new.shadow and not old.shadow", "if new is None"),
    "a late vote is accepted": Mistake("ladder.py", "at >= review.ladder.schedule.deadline_at:", "False:"),
    "a vote at the deadline is in time": Mistake(
        "ladder.py", "at >= review.ladder.schedule.deadline_at:", "at > review.ladder.schedule.deadline_at:"
    ),
    "expired is called rejected": Mistake(
        "ladder.py",
        'Status.EXPIRED, Cause.TIMEOUT, at, reason="Nobody decided in time."',
        'Status.REJECTED, Cause.TIMEOUT, at, reason="Nobody decided in time."',
    ),
    "silence approves": Mistake(
        "ladder.py",
        'Status.EXPIRED, Cause.TIMEOUT, at, reason="Nobody decided in time."',
        'Status.APPROVED, Cause.TIMEOUT, at, reason="Nobody decided in time."',
    ),
    "redeeming does not check the digest": Mistake(
        "granting.py", "    if event.digest != review.proposal.digest:", "    if not event.digest:"
    ),
    "an approval is used twice": Mistake("granting.py", "if grant.state is GrantState.USED:", "if False:"),
    "a used approval is revoked": Mistake(
        "lifecycle.py",
        "    return Phase.OVER if open_grant(review) is None else Phase",
        "    return Phase.OVER if review.grant is None else Phase",
    ),
    "an approval never lapses": Mistake(
        "ladder.py", "grant is not None and at >= grant.valid_until", "grant is not None and not grant"
    ),
    "anybody undoes": Mistake(
        "granting.py", "event.person.id not in {seat.person for seat in review.decision.by}", "False"
    ),
    "a timer of an old run fires": Mistake(
        "ladder.py", "event.epoch != ladder.epoch\n    if stale", "False\n    if stale"
    ),
    "a stopped agent's votes count": Mistake(
        "lifecycle.py", "if review.held and not isinstance", "if False and not isinstance"
    ),
    "a stopped clock runs": Mistake("ladder.py", "    if review.held:\n        return review, ()\n", ""),
    "a stopped clock does not go on later": Mistake(
        "holding.py", "deadline_at=old.deadline_at + pause", "deadline_at=old.deadline_at"
    ),
    "the loser of a race decides": Mistake("lifecycle.py", "    if ruling is Ruling.REFUSED:", "    if not ruling:"),
    "a vote on what was not seen counts": Mistake(
        "lifecycle.py", "if event.revision is not None and event.revision != review.revision:", "if False:"
    ),
    "feedback grants": Mistake(
        "model.py", "return self.about is not None and self.relation is not Relation.APPEAL", "return False"
    ),
    "one person votes by two identities": Mistake(
        "voting.py",
        "if any(v.person == event.person.id and",
        "if any((v.person, v.surface) == (event.person.id, event.surface) and",
    ),
    "an owner approves as somebody's deputy": Mistake(
        "eligibility.py", "if person.id in review.owners and", "if person.id in review.owners - {*review.called} and"
    ),
    "who decided the first decides the second": Mistake(
        "eligibility.py", "if person.id in review.excluded:", "if False:"
    ),
    "what was rejected is approved": Mistake(
        "lifecycle.py", "if review.status is Status.PENDING:", "if review.status in (Status.PENDING, Status.REJECTED):"
    ),
    "who breaks the glass observes it": Mistake("glass.py", "if asked.person == event.person.id:", "if not asked:"),
    "an observer comes too late": Mistake("glass.py", "event.at >= asked.until", "False"),
    "the glass is broken for oneself": Mistake(
        "glass.py", "own = review.owners | review.named | {review.principal}", "own = {review.principal}"
    ),
    "a broken glass stays open": Mistake("glass.py", "min(event.valid_for,", "max(event.valid_for,"),
    "a broken glass is not looked at again": Mistake(
        "glass.py", "effects=(entry, *effects, after)", "effects=(entry, *effects)"
    ),
    "the glass around what a person must do is broken": Mistake(
        "glass.py", "return voting.closed_to(review, Verb.APPROVE)", "return None"
    ),
    "the glass outlives its revision": Mistake("opening.py", "        glass=None,\n", ""),
    "who rejected it decides the appeal": Mistake(
        "appealing.py", "excluded = _rejecters(review) | review", "excluded = review"
    ),
    "who appeals decides the appeal": Mistake("appealing.py", " | {event.person.id}", ""),
    "who rejected it appeals": Mistake("appealing.py", "if event.person.id in _rejecters(review):", "if False:"),
    "an appeal changes the verdict": Mistake(
        "appealing.py", "replace(review, appeal=event.follow)", "replace(review, appeal=event.follow, decision=None)"
    ),
    "an appeal is appealed to the same level": Mistake(
        "appealing.py", "event.level <= _level(review)", "event.level < 0"
    ),
    "a rejection is appealed twice": Mistake("appealing.py", "if review.appeal is not None:", "if False:"),
    "what was done already is appealed": Mistake(
        "appealing.py", "and by_hand and not review.afterwards", "and by_hand"
    ),
    "an approval is used while it can be undone": Mistake("granting.py", "event.at < grant.usable_from", "False"),
    "an approval does not rest": Mistake("steps.py", "rests = cause is Cause.HUMAN and", "rests = False and"),
    "what policy lets through rests": Mistake("steps.py", "rests = cause is Cause.HUMAN and", "rests ="),
    "it is approved after a person must do it": Mistake("ladder.py", "by_hand is not None and at >= by_hand", "False"),
    "a new revision opens it to approval again": Mistake("opening.py", ", by_hand=review.ladder.by_hand)", ")"),
    "an edit approves what a person must do": Mistake(
        "eligibility.py", "        closed.add(Verb.EDIT)", "        pass"
    ),
    "auto is let through while stopped": Mistake(
        "opening.py", "    if held is not None:", "    if held and review.route.needs:"
    ),
    "a stopped agent's new plan is let through": Mistake("opening.py", "    if fresh.held:", "    if fresh is None:"),
    "what was asked while stopped never sets out": Mistake("holding.py", "if review.started else", "if review else"),
    "a stopped agent is not told": Mistake(
        "steps.py", "return held, (entry, Deliver(message=Message.AGENT_STOPPED))", "return held, (entry,)"
    ),
    "whom it is handed to is not told": Mistake("holding.py", "for target in event.targets)", "for target in ())"),
    "a reminder calls somebody": Mistake(
        "ladder.py", "        if chain[rung].notify:\n", "        if chain[rung].notify or chain[rung].remind:\n"
    ),
    "what is hidden and left blank is lost": Mistake("forms.py", "if name in locked or value in", "if value in"),
    "what is hidden is put into another line": Mistake(
        "forms.py", "return isinstance(given, dict) and isinstance(arguments, dict)", "return isinstance(given, dict)"
    ),
    "what was written instead of something hidden is lost": Mistake(
        "forms.py", "if _has_room(complete, arguments, segments(inner)):", "if '/0' not in inner:"
    ),
    "what could do harm folds": Mistake("flood.py", "and review.route.risk is RiskLevel.LOW", ""),
    "whoever is called in person gets a line only": Mistake("flood.py", "and copy.target.person is None ", ""),
    "the agent is not told": Mistake("steps.py", "Refresh(), Deliver(message=Message.DECIDED))", "Refresh())"),
}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """Where the copies are tried."""
    with bed(tmp_path_factory.mktemp("bed"), "reviews", TESTS, beside=BESIDE, loads=LOADS) as made:
        yield made


def test_the_copy_without_a_mistake_passes(seeded: Bed, tmp_path: Path) -> None:
    """Else the others would prove nothing."""
    came = seeded.clean(tmp_path)
    assert came.code == 0, came.said


@pytest.mark.parametrize("mistake", list(MISTAKES.values()), ids=list(MISTAKES))
def test_a_mistake_is_found(mistake: Mistake, seeded: Bed, tmp_path: Path) -> None:
    """A test fails by its assertion."""
    came = seeded.tried(tmp_path, mistake)
    assert came.found, came.said
