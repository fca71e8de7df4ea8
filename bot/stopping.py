"""Stops agents and lets them go on: said in one transaction, carried out in batches, by whoever serves.

The order is the agent's row: from its commit on, whatever reads the row (asking, voting, redeeming) keeps to it. What
is open already is held or let go a batch at a time; what a process that died left undone the next sweep goes on with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from bot import bulletins
from bot.keys import Keyring, named
from bot.linking import held_by
from bot.people import Directory
from bot.service import Service
from reviews.card import Tone
from reviews.errors import PlacetError
from reviews.events import Answer, Held, Record, Released, Transition
from reviews.keeping import Agent, Query, Stop, Store, Tx
from reviews.model import Object, Person, Review, Right, Target, Verb
from reviews.unseen import clean
from reviews.values import replace

log = structlog.get_logger(__name__)

#: Reviews held or let go in one transaction.
AT_ONCE = 200
#: Who stops an agent by command, on the machine itself.
OPERATOR = "operator"
#: Words about a stop (characters).
MOST = 2000
#: So much of a name that need not be an agent's is written down (characters).
_LONGEST = 100


class NotStopped(PlacetError):
    """It was not done: `answer` says how, `field` which of what was filled in is at fault, if one is."""

    def __init__(self, text: str, answer: Answer = Answer.REFUSED, *, field: str | None = None) -> None:
        super().__init__(text)
        self.answer, self.field = answer, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What stopping or resuming came to. `new`: it was not so before; `held`: reviews on hold now; `text` says it."""

    agent: str
    stop: Stop | None
    new: bool
    held: int
    text: str = ""


class Stopping:
    """Stops and resumes agents. `service` is None where nobody serves: whoever serves next carries it out."""

    def __init__(
        self, store: Store, keyring: Keyring, directory: Callable[[], Directory], service: Service | None
    ) -> None:
        self._store, self._keyring, self._directory, self._service = store, keyring, directory, service

    # ---------------------------------------------------------------------------- the order

    async def stop(
        self, agent: str, by: Person | None, reason: str, instruction: str | None = None, *, once: str | None = None
    ) -> Order:
        """Stop an agent; `by` None is the operator. `once` names the press, which changes nothing when it comes again.

        Raises NotFound, NotStopped.
        """
        await self._permit(by, Verb.STOP, agent)
        stopped = (clean(reason).strip(), clean(instruction or "").strip())
        if not stopped[0]:
            raise NotStopped("Say why it is stopped: the agent and everybody concerned read it.", field="reason")
        for field, text in zip(("reason", "notes"), stopped, strict=True):
            if len(text) > MOST:
                raise NotStopped(f"At most {MOST} characters; this has {len(text)}.", field=field)

        def order(tx: Tx) -> bool:
            before = named(tx, agent)
            if before.stop is not None or (once is not None and not tx.once(once)):
                return False
            stop = Stop(by=_id(by), at=tx.now(), reason=stopped[0], instruction=stopped[1] or None)
            tx.put_agent(replace(before, stop=stop, resuming=None))
            self._say(tx, before, by, "stopped", {"reason": stop.reason, "instruction": stop.instruction})
            return True

        return await self._ordered(agent, order)

    async def resume(self, agent: str, by: Person | None, *, once: str | None = None) -> Order:
        """Let an agent go on. Raises NotFound, NotStopped."""
        await self._permit(by, Verb.RESUME, agent)

        def order(tx: Tx) -> bool:
            before = named(tx, agent)
            if before.stop is None or (once is not None and not tx.once(once)):
                return False
            tx.put_agent(replace(before, stop=None, resuming=_id(by)))
            self._say(tx, before, by, "resumed", {})
            return True

        return await self._ordered(agent, order)

    async def _permit(self, by: Person | None, verb: Verb, agent: str) -> None:
        """Let the operator and whoever may pass. Raises NotStopped; that they tried is written down."""
        if by is not None and Right.STOP not in by.may:
            text = "Stopping agents and letting them go on is for people whose role says `may: [stop]` in placet.yml."
            await self.refused(by, verb, agent, text)
            raise NotStopped(text, Answer.FORBIDDEN)

    async def refused(self, by: Person, verb: Verb, agent: str, why: str) -> None:
        """Write down that somebody tried what they may not, or not this way. Raises StoreUnavailable."""
        await self._store.tx(lambda tx: tx.record(refused(by, verb, why, tx.now(), agent=clean(agent)[:_LONGEST])))

    async def _ordered(self, agent: str, order: Callable[[Tx], bool]) -> Order:
        new = await self._store.tx(order)
        await self._keyring.load()
        found = self._keyring.agent(agent)
        assert found is not None, "it was there to be ordered"
        await self._carry_out(found)
        if self._service is not None:
            self._service.hub.copies.set()
        on_hold = Query(agent=agent, live=True, held=True)
        held = await self._store.view(lambda tx: tx.count(on_hold))
        made = Order(agent=agent, stop=found.stop, new=new, held=held)
        return replace(made, text=_said(made, self._directory().names(), served=self._service is not None))

    def _say(self, tx: Tx, agent: Agent, by: Person | None, what: str, detail: Object) -> None:
        """Write it down, and tell whoever owns the agent or could have stopped it."""
        at, actor = tx.now(), OPERATOR if by is None else f"person:{by.id}"
        kept = {key: value for key, value in detail.items() if value}
        tx.record(Record(kind=f"agent.{what}", at=at, actor=actor, detail={"agent": agent.name, **kept}))
        who = by.name if by is not None else "An operator"
        lines = [f"{who} {what} {agent.name} at {at:%H:%M} UTC.", *(f"{k.capitalize()}: {v}" for k, v in kept.items())]
        title = f"{agent.name} is stopped" if what == "stopped" else f"{agent.name} goes on"
        tone = Tone.ATTENTION if what == "stopped" else Tone.SUCCESS
        bulletins.publish(tx, title, "\n".join(lines), self._targets(agent), tone=tone)

    def _targets(self, agent: Agent) -> tuple[Target, ...]:
        directory = self._directory()
        able = [name for name, entry in directory.config.roles.items() if Right.STOP in entry.may]
        channels = [place for role in able for place in directory.channels(role)]
        people = dict.fromkeys((*agent.owners, *(person.id for person in directory.with_right(Right.STOP))))
        return tuple(dict.fromkeys((*channels, *directory.first_places(people))))

    # ---------------------------------------------------------------------------- carrying it out

    async def look(self) -> None:
        """Go on with whatever is not carried out yet, by this process or another. Raises StoreUnavailable."""
        for agent in self._keyring.agents():
            if agent.resuming is not None or (agent.stop is not None and await self._late(agent)):
                await self._carry_out(agent)

    async def _late(self, agent: Agent) -> bool:
        return bool(await self._store.view(lambda tx: tx.find(_undone(agent, 1))))

    async def _carry_out(self, agent: Agent) -> None:
        """Hold, or let go, every review of an agent, batch by batch. Raises StoreUnavailable."""
        service = self._service
        while service is not None:
            found, done = await self._store.tx(partial(self._batch, service, agent.name))
            for transition in done:
                service.announce(transition)
            if found < AT_ONCE or not done:
                break
        if service is not None and agent.resuming is not None:
            await self._store.tx(lambda tx: _finish(tx, agent.name))

    def _batch(self, service: Service, name: str, tx: Tx) -> tuple[int, list[Transition]]:
        """How many were found that are not as they must be, and what came of them."""
        agent = tx.agent(name)
        if agent is None or (agent.stop is None and agent.resuming is None):
            return 0, []
        found = tx.find(_undone(agent, AT_ONCE))
        locked = [review for review in (tx.lock(review.id) for review in found) if review is not None]
        late = [review for review in locked if review.held != (agent.stop is not None)]
        events = [(review, event) for review in late if (event := _made(service, tx, agent, review)) is not None]
        return len(found), [service.keep(tx, review, event) for review, event in events]


def _undone(agent: Agent, limit: int) -> Query:
    """The reviews of an agent that are not yet as its stop, or the end of it, would have them."""
    return Query(agent=agent.name, live=True, held=agent.stop is None, order="oldest", limit=limit)


def _made(service: Service, tx: Tx, agent: Agent, review: Review) -> Held | Released | None:
    """As `_event`; None for a review that cannot be let go, which keeps no other from it and is tried again."""
    try:
        return _event(service, tx, agent, review)
    except PlacetError as fault:
        log.error("not_let_go", review=review.id, why=str(fault))
        return None


def _event(service: Service, tx: Tx, agent: Agent, review: Review) -> Held | Released:
    at = tx.now()
    if agent.stop is not None:
        return held_by(agent.stop, at)
    reach = service.router.reach(review, at, tx=tx)
    schedule = None if review.started else service.router.schedule(review, at)
    return Released(at=at, by=agent.resuming or OPERATOR, schedule=schedule, reach=reach)


def _finish(tx: Tx, name: str) -> None:
    """Note that nothing is left to be let go."""
    agent = tx.agent(name, change=True)
    if agent is not None and agent.resuming is not None and not tx.find(_undone(agent, 1)):
        tx.put_agent(replace(agent, resuming=None))


def refused(by: Person, verb: Verb, why: str, at: datetime, **about: str) -> Record:
    """The log's line of an order, or of what goes past a review, that was tried and refused."""
    detail = {"event": str(verb), "why": why, **about}
    return Record(kind="event.refused", at=at, actor=f"person:{by.id}", detail=detail, public=False)


def _id(by: Person | None) -> str:
    return OPERATOR if by is None else by.id


def _said(order: Order, names: Mapping[str, str], *, served: bool) -> str:
    """What an order came to, in a sentence or two."""
    agent, stop = order.agent, order.stop
    if stop is None:
        left = f" {_count(order.held)} still on hold." if order.held and served else ""
        return f"{agent} may go on.{left}" if order.new else f"{agent} is not stopped."
    if not order.new:
        return f"{agent} is stopped already, by {names.get(stop.by, stop.by)} at {stop.at:%H:%M} UTC: {stop.reason}"
    if not served:
        return f"{agent} is stopped. What it has open is held as soon as Placet serves."
    return f"{agent} is stopped: {_count(order.held)} on hold, and so will be whatever it asks from now on."


def _count(reviews: int) -> str:
    return "1 review is" if reviews == 1 else f"{reviews} reviews are"
