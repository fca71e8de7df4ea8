"""Reviews people ask for themselves: the house's own agent asks in their name, by the same door as every agent."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from bot import wire
from bot.backpressure import TooManyOpen
from bot.keys import desk
from bot.service import KeyReused, Refused, Service
from reviews import eligibility
from reviews.card import Form, Input, Kind
from reviews.eligibility import Standing
from reviews.errors import DigestImpossible, StoreUnavailable
from reviews.events import Answer, Reply
from reviews.keeping import Agent, Query, Tx
from reviews.model import GrantState, Ladder, Object, Order, Person, Request, Review, ReviewType, Status, Verb, Vote
from reviews.ports import Asked, Refusal
from reviews.status import DESK
from reviews.steps import sentence
from reviews.values import replace

log = structlog.get_logger(__name__)

_OFF = "Asking for a review is switched off here. An operator switches it on: `asks: {enabled: true}` in placet.yml."
_TAKEN = f"An agent is called {DESK}, the name people ask under. An operator revokes it: `placet agent revoke {DESK}`."
#: Nobody revises what a person asked, so it is not asked for.
_DECISIONS = (Verb.APPROVE, Verb.REJECT)
#: Where in a request each field of the form goes.
_FIELDS = {"/summary": "summary", "/action/arguments/text": "text", "/reviewer_role": "role"}


class Asking:
    """Takes what people ask. `agent` finds an agent by name."""

    def __init__(self, service: Service, agent: Callable[[str], Agent | None]) -> None:
        self._service, self._agent = service, agent

    def form(self, person: Person) -> Form | Refusal:
        """What is filled in to ask; a refusal where nobody can."""
        off = self._off()
        if off is not None:
            return Refusal(text=off)
        roles = self._roles(person)
        fields = [
            Input(name="summary", label="What should be decided?", required=True, max_length=200),
            Input(name="text", label="What it is about", kind=Kind.MULTILINE),
            Input(name="role", label="Who should decide? Empty: as the policy says", kind=Kind.CHOICE, choices=roles),
        ]
        intro = "You ask in your own name, so somebody else decides."
        return Form(fields=tuple(fields if roles else fields[:2]), submit="Ask", intro=intro)

    async def ask(self, asked: Asked) -> Reply:
        """Open a review. The same `once` again is the same review. Raises StoreUnavailable."""
        off = self._off()
        if off is not None:
            return Reply(answer=Answer.REFUSED, text=off)
        if not asked.summary.strip():
            return _faulty({"summary": "Say what should be decided."})
        key = None if asked.once is None else f"{asked.person.id}:{asked.once}"
        body = self._body(asked)
        try:
            missing = await self._missing(body, asked.person)
            if missing is not None:
                return Reply(answer=Answer.REFUSED, text=missing)
            done = await self._service.submit(desk(asked.person.id), body, key, place=asked.place)
        except wire.BadRequest as fault:
            return _faulty({_FIELDS.get(f.pointer, f.pointer): f.message for f in fault.faults}, str(fault))
        except KeyReused:
            return Reply(answer=Answer.REFUSED, text="This was asked already, in other words. Ask anew.")
        except TooManyOpen:
            text = "So many asked reviews are open that no more are taken. Try again when some are decided."
            return Reply(answer=Answer.REFUSED, text=text)
        except DigestImpossible as fault:
            return Reply(answer=Answer.REFUSED, text=str(fault))
        answer = Answer.SAME if done.replayed else Answer.DONE
        return Reply(answer=answer, text=f"Asked. {sentence(done.review)}", review=done.review)

    async def _missing(self, body: Object, asker: Person) -> str | None:
        """Who is missing for a decision, in a sentence, where everybody but the asker together could make none."""
        request = wire.request_of(body)
        directory = self._service.directory()
        if request.reviewer_role is not None and request.reviewer_role not in directory.config.roles:
            return None  # submitting it says so beside its field
        review = await self._service.store.view(lambda tx: self._would_be(tx, request, asker))
        left = eligibility.unfilled(_all_for_it(review, directory.people())) if review.route.tier.asks else ()
        if not left:
            return None
        needed = " and ".join(str(need) for need in left)
        return (
            f"This needs {needed}, and nobody is left besides you who could decide it. "
            "Choose another role, or ask an operator to give it to somebody else."
        )

    def _would_be(self, tx: Tx, request: Request, asker: Person) -> Review:
        """The review asking would open, with everybody its chain is to call until its end; nothing is kept."""
        at, agent = tx.now(), desk(asker.id)
        routed = self._service.router.first(tx, "", agent, request, at)
        route, directory = routed.proposal.route, self._service.directory()
        # Who is on call when a rung is due may not be who is on call now.
        reached = [directory.reach(route, due)[n] for n, due in enumerate(routed.schedule.rungs)]
        rungs = zip(route.chain, reached, strict=True)
        return Review(
            id="",
            agent=agent.name,
            created_at=at,
            proposal=routed.proposal,
            ladder=Ladder(epoch=1, schedule=routed.schedule),
            called={who: why for rung, reach in rungs if not rung.notify_only for who, why in reach.persons.items()},
            owners=frozenset(agent.owners),
            named=frozenset({asker.id}),
        )

    async def used(self, review: Review) -> None:
        """Use an approval of what a person asked: no program acts on it, so it must not lapse before their eyes."""
        grant = review.grant
        if review.agent != DESK or grant is None or grant.state is not GrantState.OPEN:
            return
        if grant.usable_from is not None and self._service.clock.now() < grant.usable_from:
            return
        try:
            await self._service.redeem(desk(), review.id, review.proposal.digest, None)
        except (Refused, StoreUnavailable) as fault:
            # The decision is kept and said already; the next look tries again.
            log.warning("asked_not_used", review=review.id, why=str(fault))

    async def look(self) -> None:
        """Use what can be used by now: an approval that could be undone first, one whose process died."""
        query = Query(agent=DESK, statuses=(Status.APPROVED,), live=True)
        for review in await self._service.store.view(lambda tx: tx.find(query)):
            await self.used(review)

    def _off(self) -> str | None:
        taken = self._agent(DESK)
        if taken is not None and not taken.revoked:
            return _TAKEN
        return None if self._service.directory().config.asks.enabled else _OFF

    def _roles(self, person: Person) -> tuple[str, ...]:
        """The roles somebody else holds."""
        others = [other for other in self._service.directory().people() if other.id != person.id]
        return tuple(role for role in self._service.directory().config.roles if any(role in o.roles for o in others))

    def _body(self, asked: Asked) -> Object:
        arguments = {name: _whole(value) for name, value in (("text", asked.text), ("link", asked.link)) if value}
        body: Object = {
            "action": {"name": self._service.directory().config.asks.action, "arguments": arguments},
            "summary": _whole(asked.summary.strip()),
            "review_type": ReviewType.HANDOFF,
            "allowed_decisions": list(_DECISIONS),
            # Named, and by that left out of deciding, whatever the risk.
            "on_behalf_of": asked.person.id,
        }
        return body | ({"reviewer_role": asked.role} if asked.role else {})


def _all_for_it(review: Review, people: Iterable[Person]) -> Review:
    """The review as if everybody who may had approved it, in whatever order it takes."""
    stands = ((person, eligibility.standing(review, person)) for person in people)
    votes = tuple(
        Vote(
            person=person.id,
            name=person.name,
            verb=Verb.APPROVE,
            revision=review.revision,
            at=review.created_at,
            surface="",
            slots=standing.slots,
        )
        for person, standing in stands
        if isinstance(standing, Standing)
    )
    route = replace(review.route, order=Order.ANY)
    return replace(review, proposal=replace(review.proposal, route=route), votes=votes)


def _whole(text: str) -> str:
    """A text without halves of characters, which no JSON can carry."""
    return text.encode("utf-8", "replace").decode()


def _faulty(errors: dict[str, str], text: str = "Some fields need another look.") -> Reply:
    return Reply(answer=Answer.REFUSED, text=text, errors=errors)
