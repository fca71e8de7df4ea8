"""Commands people type, on every surface that takes them: each answers with a card for them alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.absence import Absences, Unclear, until_of
from bot.listing import Some, backlog_facts, backlog_of, list_card, may_see, some
from bot.people import Directory, Turn
from bot.service import Service
from bot.stopping import NotStopped, Stopping
from policies import durations
from reviews import eligibility
from reviews.card import Block, Callout, Card, Fact, Facts, Table, Text, Tone, plain_card
from reviews.controls import over_agents
from reviews.eligibility import Barred
from reviews.errors import NotFound
from reviews.keeping import Agent, Query, Tx
from reviews.model import Object, Person, Reach, Review, Right, Rung
from reviews.ports import Backlog, Desk, QueueFilter
from reviews.present import title_of
from reviews.redact import scrubber
from reviews.unseen import clean

_COMMANDS = (
    ("list [action]", "Open reviews of your roles, most urgent first; of one action, if you name it"),
    ("mine", "Those you were called to or have in hand"),
    ("show ID", "One review, for you alone; ID is rev_… or its number, #12"),
    ("oncall", "Who is on call now, and who is away"),
    ("explain ID", "Why a review came to whom it did, and whether you may decide it"),
    ("away 2h", "Your deputy or the next on call is called instead of you; also away until 2026-11-26 09:00, away off"),
    ("agents", "The agents, and whether they are stopped"),
    ("stop AGENT why | what its next plan should heed", "Hold whatever an agent asks, now and from now on"),
    ("resume AGENT", "Let it go on"),
    ("help", "This"),
)
_NO_DEPUTY = "No deputy of yours is there, so the next on call is called instead, or else you"
#: A list names so many reviews; a message holds not many more.
_LISTED = 15
_DIGITS = 15
#: What stands before a command where it is typed among other words; elsewhere nothing.
_BEFORE = {"slack": "/placet "}
#: Where a surface takes commands, for people who wonder why it did not.
_TAKEN = {
    "slack": "Slack takes commands in channels and direct messages, not in threads.",
    "teams": "In channels and group chats, mention Placet before a command; the answer comes in your chat with it.",
}


class Commands:
    """Answers what people type."""

    def __init__(self, desk: Desk, service: Service, absences: Absences, stopping: Stopping) -> None:
        self._desk, self._service, self._absences, self._stopping = desk, service, absences, stopping

    async def answer(self, person: Person, text: str, surface: str) -> Card:
        """The answer to a command. What cannot be answered is said in a card too. Raises StoreUnavailable."""
        word, _, rest = text.strip().partition(" ")
        rest = rest.strip()
        try:
            match word.casefold():
                case "list" | "":
                    return await self._list("Your queue", person, QueueFilter(action=rest or None, limit=_LISTED))
                case "mine":
                    return await self._list("Yours", person, QueueFilter(view="mine", limit=_LISTED))
                case "show":
                    found = await self._named(rest, person, "show", surface)
                    return await self._desk.read(found.id, person, surface=surface)
                case "oncall":
                    return self._card("On call", self._on_call())
                case "explain":
                    return self._explained(await self._named(rest, person, "explain", surface), person)
                case "away":
                    return self._card("Away", [Callout(text=await self._away(rest, person, surface))])
                case "agents":
                    return self._card("Agents", await self.agents(person))
                case "stop" | "resume":
                    said = await self._order(word.casefold(), rest, person, surface)
                    return self._card("Agents", [Callout(text=said)])
                case "help":
                    return self._card("Commands", _help(surface))
                case _:
                    return self._said(f"There is no command “{clean(word)}”.", _help(surface))
        except (NotFound, Unclear, NotStopped) as fault:
            return self._said(str(fault))

    def _card(self, title: str, blocks: Iterable[Block]) -> Card:
        return plain_card(title, blocks, link=f"{self._service.base_url}/inbox")

    def _said(self, text: str, more: Iterable[Block] = ()) -> Card:
        """A card that says what was wrong."""
        blocks = (Callout(text=text, tone=Tone.ATTENTION), *more)
        return plain_card("Placet", blocks, link=f"{self._service.base_url}/inbox", tone=Tone.ATTENTION)

    async def _list(self, title: str, person: Person, filter: QueueFilter) -> Card:
        def look(tx: Tx) -> tuple[Some, tuple[Backlog, ...]]:
            return some(tx, person, filter), backlog_of(tx, person)

        found, backlog = await self._service.store.view(look)
        names, waiting = self._service.directory().names(), backlog_facts(backlog, self._service.clock.now())
        return list_card(title, found, person, names, f"{self._service.base_url}/inbox", waiting)

    async def _named(self, name: str, person: Person, command: str, surface: str) -> Review:
        """The review meant by an id or a number. Raises NotFound, with how to name one."""
        listed = _typed("list", surface)
        if not name:
            ways = f"{_typed(f'{command} rev_…', surface)} or {_typed(f'{command} #12', surface)}"
            raise NotFound(f"Say which review: {ways}. {listed} shows those there are.")

        def look(tx: Tx) -> Review | None:
            digits = name.removeprefix("#")
            if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS):
                return tx.read(name)
            found = tx.find(Query(before_seq=int(digits) + 1, limit=1))
            return found[0] if found and found[0].seq == int(digits) else None

        review = await self._service.store.view(look)
        if review is None or not may_see(review, person):
            raise NotFound(f"There is no review {clean(name)}, or it is not yours to see. {listed} shows yours.")
        return review

    # ---------------------------------------------------------------------------- who is where

    def calls(self) -> Facts | None:
        """Who is on call now, layer by layer; None where there are no rotations."""
        at, directory = self._service.clock.now(), self._service.directory()
        facts = [Fact(label=turn.layer, value=self._turn(turn, directory, at)) for turn in directory.on_call(at)]
        return Facts(items=tuple(facts), title="On call now") if facts else None

    def _turn(self, turn: Turn, directory: Directory, at: datetime) -> str:
        called = " and ".join(self._called(person, turn.layer, directory, at) for person in turn.people) or "nobody"
        return f"{called} ({clean(turn.note)})" if turn.note else called

    def _called(self, person: Person, layer: str, directory: Directory, at: datetime) -> str:
        if person.id not in directory.absent(at):
            return person.name
        instead = directory.names().get(directory.stand_in(person.id, at, layer) or "")
        return f"{instead} (for {person.name}, who is away)" if instead else f"{person.name} (away, nobody stands in)"

    def _on_call(self) -> list[Block]:
        at, directory = self._service.clock.now(), self._service.directory()
        names, absent = directory.names(), directory.absent(at)
        away = [
            Fact(label=names[person], value=f"until {_time(until, at)} UTC", at=until)
            for person, until in absent.items()
            if person in names
        ]
        blocks: list[Block] = [self.calls() or Text(text="There are no rotations in placet.yml.")]
        return [*blocks, Facts(items=tuple(away), title="Away")] if away else blocks

    async def _away(self, text: str, person: Person, surface: str) -> str:
        if text:
            now, zone = self._service.clock.now(), self._service.directory().zone(person.id)
            await self._absences.set(person, until_of(text, now, zone), surface=surface)
        return self.whether_away(person, surface)

    def whether_away(self, person: Person, surface: str = "") -> str:
        """Whether a person is away and who is called instead, in a sentence for them. `surface`: where it is read."""
        at, directory = self._service.clock.now(), self._service.directory()
        until = directory.absent(at).get(person.id)
        if until is None:
            return f"You are here: calls reach you. {self._if_away(person, surface)}"
        zone = directory.zone(person.id)
        instead = directory.names().get(directory.stand_in(person.id, at) or "")
        calls = f"{instead} is called instead" if instead else _NO_DEPUTY
        over = f"{_typed('away off', surface)} ends it."
        return f"You are away until {_time(until.astimezone(zone), at.astimezone(zone))} ({zone}). {calls}. {over}"

    def _if_away(self, person: Person, surface: str) -> str:
        """What saying that one is away would do, in a sentence."""
        directory = self._service.directory()
        deputy = next((entry.deputy for entry in directory.config.people if entry.id == person.id), None)
        if deputy is None:
            return "You have no deputy: while you are away the next on call is called instead of you, if there is one."
        name, way = directory.names().get(deputy, deputy), _typed("away 2h", surface)
        return f"The command {way} has {name}, your deputy, called instead, unless they are away too."

    # ---------------------------------------------------------------------------- agents

    async def agents(self, person: Person) -> list[Block]:
        """The agents there are, and whether they are stopped; for who may, the controls that change it."""
        found = await self._service.store.view(lambda tx: [agent for agent in tx.agents() if not agent.revoked])
        at, names = self._service.clock.now(), self._service.directory().names()
        rows = tuple((agent.name, _state(agent, names, at), _owners(agent, names)) for agent in found)
        if not rows:
            return [Text(text="There is no agent yet; an operator makes one: placet agent add NAME.")]
        going, stopped = ([each.name for each in found if (each.stop is None) is free] for free in (True, False))
        controls = over_agents(going, stopped) if Right.STOP in person.may else None
        return [Table(columns=("Agent", "State", "Owners"), rows=rows), *([controls] if controls is not None else [])]

    async def _order(self, word: str, text: str, person: Person, surface: str) -> str:
        agent, _, rest = text.partition(" ")
        if not agent:
            listed = _typed("agents", surface)
            raise NotFound(f"Say which agent: {_typed(f'{word} AGENT', surface)}. {listed} shows those there are.")
        if word == "resume":
            return (await self._stopping.resume(agent, person)).text
        reason, _, instruction = rest.partition("|")
        return (await self._stopping.stop(agent, person, reason, instruction)).text

    # ---------------------------------------------------------------------------- why

    def _explained(self, review: Review, person: Person) -> Card:
        """Why a review came to whom it did. Values are left out: conditions name them, the card shows them."""
        hide = scrubber(review.request, review.route.sensitive, review.original)
        route, link = review.route, f"{self._service.base_url}/reviews/{review.id}"
        stands = eligibility.standing(review, person)
        facts = (
            Fact(label="Rule", value=route.rule),
            Fact(label="Policy", value=_short_ref(review.proposal.policy)),
            Fact(label="Tier", value=f"{route.tier}, {route.risk} risk"),
            Fact(label="Why", value=hide(clean(route.explanation))),
            Fact(label="Needed", value=eligibility.needed(review)),
            Fact(label="You", value=stands.text if isinstance(stands, Barred) else f"may decide ({stands.source})"),
        )
        blocks = [Facts(items=tuple(fact for fact in facts if fact.value)), *_trace(review.proposal.trace, hide)]
        return plain_card(f"Why {title_of(review)}", (*blocks, *self._chain(review)), link=link)

    def _chain(self, review: Review) -> tuple[Block, ...]:
        """The ladder of this run, and whom each rung would reach now."""
        at, names = self._service.clock.now(), self._service.directory().names()
        reached = self._service.router.reach(review, at)
        rungs = zip(review.route.chain, review.ladder.schedule.rungs, reached, strict=False)
        fired = review.ladder.fired
        rows = tuple(
            (f"{_time(due, at)} UTC, {_when(rung, n < fired)}", _whom(rung), _reaches(rung, reach, names))
            for n, (rung, due, reach) in enumerate(rungs)
        )
        return (Table(columns=("When", "Whom", "Reaches now"), rows=rows, title="Escalation"),) if rows else ()


def _state(agent: Agent, names: dict[str, str], at: datetime) -> str:
    if agent.stop is None:
        return "may ask"
    stop = agent.stop
    return f"stopped by {names.get(stop.by, stop.by)}, {_time(stop.at, at)} UTC: {stop.reason}"


def _owners(agent: Agent, names: dict[str, str]) -> str:
    return ", ".join(names.get(owner, owner) for owner in agent.owners) or "–"


def _typed(command: str, surface: str) -> str:
    """A command in quotes, as it is typed on a surface."""
    return f"“{_BEFORE.get(surface, '')}{command}”"


def _time(then: datetime, now: datetime) -> str:
    """A time in words, with its year where that is not this one. Both are of one zone."""
    return f"{then:%d %b %H:%M}" if then.year == now.year else f"{then:%d %b %Y %H:%M}"


def _help(surface: str) -> tuple[Block, ...]:
    note = (Text(text=_TAKEN[surface]),) if surface in _TAKEN else ()
    return (Table(columns=("Command", "What it does"), rows=_COMMANDS), *note)


def _short_ref(ref: str) -> str:
    """`house@3 #sha256:…` with enough of the hash to tell two apart."""
    name, _, digest = ref.partition("#sha256:")
    return f"{name} ({digest[:12]})" if digest else name


def _trace(trace: Iterable[Object], hide: Callable[[str], str]) -> tuple[Block, ...]:
    """The rules looked at, in order, and what made the route stricter."""
    steps = tuple(trace)
    rules = tuple(
        (str(step["rule"]), str(step["result"]), hide(clean(str(step.get("why", "")))))
        for step in steps
        if step["step"] == "rule"
    )
    stricter = tuple(
        (str(step["what"]), hide(clean(str(step["why"])))) for step in steps if step["step"] == "tightened"
    )
    blocks: list[Block] = [Table(columns=("Rule", "Result", "Why"), rows=rules, title="Rules")] if rules else []
    blocks += [Table(columns=("What", "Why"), rows=stricter, title="Made stricter")] if stricter else []
    return tuple(blocks)


def _when(rung: Rung, fired: bool) -> str:
    return "called" if fired else f"after {durations.show(rung.after)}"


def _whom(rung: Rung) -> str:
    by = f" by {', '.join(rung.via)}" if rung.via else ""
    then = f"then {rung.then}" if rung.then is not None else ""
    return ", ".join(filter(None, (", ".join(rung.notify) + by if rung.notify else "", then)))


def _reaches(rung: Rung, reach: Reach, names: dict[str, str]) -> str:
    if not rung.notify or reach.unreachable is not None:
        return reach.unreachable or "nobody"
    called = dict.fromkeys([*reach.persons, *(target.person for target in reach.targets if target.person is not None)])
    people = [names.get(person, person) for person in called]
    places = [f"{target.surface} {target.address}" for target in reach.targets if target.person is None]
    return ", ".join((*people, *places)) or "their queue"
