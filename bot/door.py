"""How people come in on the web: links that are spent once, sessions, and in the demo a list to pick from.

A link sent with a review is for that review alone; when it ran out, another goes to the address that is known, never to
whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.ids import hash_of
from bot.keys import make_ticket, valid_ticket
from bot.people import Directory
from reviews.errors import NotFound
from reviews.events import COURTESY, Post, Record
from reviews.keeping import Copy, Store, Ticket, Tx
from reviews.model import Person
from reviews.ports import Clock, Refusal, Session
from reviews.values import replace

_SPENT = Refusal(text="This link was used, or is too old. Ask an operator for another: `placet link PERSON` makes one.")
#: Said whoever asks for another link, so that nobody learns whether theirs was ever one.
SENT = (
    "If this link came with a review that still waits, a new one is on its way to where the first was sent. "
    "It takes a moment, and there is one every five minutes at most. Otherwise ask whoever runs Placet."
)
#: How often one person is sent a new link to one review.
_AGAIN = timedelta(minutes=5)
#: How often one link is heeded that asks for another, whatever it comes to.
_BETWEEN = timedelta(seconds=10)


class FrontDoor:
    """Implements `reviews.ports.Door`."""

    def __init__(
        self, store: Store, directory: Callable[[], Directory], clock: Clock, *, base: str = "", demo: bool = False
    ) -> None:
        self._store, self._directory, self._clock, self._demo = store, directory, clock, demo
        self._base = base
        self._tokens: dict[str, Ticket] = {}
        self._asked: dict[str, datetime] = {}

    async def link(self, person: str, *, scope: str | None = None) -> str:
        """Make a sign-in link's secret for a person; with `scope`, for one review only. Raises NotFound."""
        if self._directory().person(person) is None:
            raise NotFound(f"There is nobody {person!r} in placet.yml.")
        return (await self._store.tx(lambda tx: _made(tx, "link", person, "link" if scope else "signin", scope)))[0]

    async def token(self, person: str) -> str:
        """Make a token for votes over HTTP. Raises NotFound."""
        if self._directory().person(person) is None:
            raise NotFound(f"There is nobody {person!r} in placet.yml.")
        return (await self._store.tx(lambda tx: _made(tx, "token", person, "token", None)))[0]

    async def token_person(self, token: str) -> Person | None:
        """The person behind a token, while it is good; none is revoked, so one found once is known until then."""
        now = self._clock.now()
        ticket = self._tokens.get(hash_of(token))
        if ticket is None or now >= ticket.expires_at:
            ticket = await self._store.view(lambda tx: valid_ticket(tx, "token", token, now))
            if ticket is None:
                return None
            self._tokens[ticket.hash] = ticket
        return self._directory().person(ticket.person)

    async def peek(self, link: str) -> Person | Refusal:
        """Whose link this is; spends nothing."""
        now = self._clock.now()
        ticket = await self._store.view(lambda tx: valid_ticket(tx, "link", link, now))
        return (self._directory().person(ticket.person) if ticket else None) or _SPENT

    async def enter(self, link: str) -> Session | Refusal:
        """Spend a link, once, and open a session."""

        def spend(tx: Tx) -> tuple[str, Ticket] | None:
            ticket = valid_ticket(tx, "link", link, tx.now())
            if ticket is None:
                return None
            tx.put_ticket(replace(ticket, used_at=tx.now()))
            return _made(tx, "session", ticket.person, ticket.via, ticket.scope)

        # Looked at first: whoever tries links that are none costs a read, and keeps nobody from writing.
        known = isinstance(await self.peek(link), Person)
        return self._opened(await self._store.tx(spend)) if known else _SPENT

    async def invite(self, person: str, review: str) -> str:
        """A link by which a person may look at one review, for an hour. Its address. Raises NotFound."""
        return f"{self._base}/enter?link={await self.link(person, scope=review)}"

    async def again(self, link: str) -> str:
        """Send a link that ran out anew, to where its person was called to that review, while it waits."""
        ticket = await self._store.view(lambda tx: tx.ticket(hash_of(link)))
        # The answer is the same, and so is what it costs: only a link of ours, and only now and then, is a write.
        if ticket is not None and ticket.kind == "link" and self._turn(ticket):
            await self._store.tx(lambda tx: self._send_again(tx, tx.ticket(ticket.hash)))
        return SENT

    def _turn(self, ticket: Ticket) -> bool:
        """Whether another link was not asked for with this one a moment ago; a restart forgives."""
        now = self._clock.now()
        self._asked = {link: at for link, at in self._asked.items() if now - at < _BETWEEN}
        if ticket.hash in self._asked:
            return False
        self._asked[ticket.hash] = now
        return True

    def _send_again(self, tx: Tx, ticket: Ticket | None) -> None:
        if ticket is None or ticket.kind != "link" or ticket.scope is None:
            return
        review = tx.lock(ticket.scope)
        if review is None or review.status.over:
            return
        sent = [copy for copy in tx.copies(review.id) if self._known(copy, ticket.person)]
        called = max(sent, key=lambda copy: (copy.created_at, copy.target.surface), default=None)
        if called is None or not tx.once(f"link:{ticket.person}:{review.id}", within=_AGAIN):
            return
        detail = {"surface": called.target.surface}
        asked = Record(kind="link.again", at=tx.now(), actor=f"person:{ticket.person}", detail=detail, public=False)
        tx.save(review, review, (asked, Post(target=called.target, epoch=called.epoch, rung=COURTESY)))

    def _known(self, copy: Copy, person: str) -> bool:
        """Whether a copy was sent by a gateway to an address that is this person's still."""
        surface, directory = copy.target.surface, self._directory()
        if copy.target.person != person or surface not in directory.config.gateways:
            return False
        return copy.target.address == directory.address(person, surface)

    async def session(self, secret: str) -> Session | None:
        """The session behind a cookie, while it lasts and its person is still here."""
        now = self._clock.now()
        ticket = await self._store.view(lambda tx: valid_ticket(tx, "session", secret, now))
        if ticket is None:
            return None
        opened = self._opened((secret, ticket))
        return opened if isinstance(opened, Session) else None

    async def leave(self, secret: str) -> None:
        """End a session."""

        def end(tx: Tx) -> None:
            ticket = tx.ticket(hash_of(secret))
            if ticket is not None:
                tx.put_ticket(replace(ticket, used_at=tx.now()))

        await self._store.tx(end)

    async def demo_people(self) -> tuple[Person, ...]:
        """People to pick from in the demo; nobody anywhere else."""
        return self._directory().people() if self._demo else ()

    async def enter_demo(self, person: str) -> Session | Refusal:
        """Open a session as a person picked, in the demo only."""
        if not self._demo or self._directory().person(person) is None:
            return Refusal(text="Picking a person is for the demo. Ask an operator for a link: `placet link PERSON`.")
        return self._opened(await self._store.tx(lambda tx: _made(tx, "session", person, "demo", None)))

    def _opened(self, made: tuple[str, Ticket] | None) -> Session | Refusal:
        if made is None:
            return _SPENT
        secret, ticket = made
        person = self._directory().person(ticket.person)
        if person is None:
            return Refusal(text="You are no longer in placet.yml. Ask an operator.")
        return Session(secret=secret, person=person, expires_at=ticket.expires_at, via=ticket.via, scope=ticket.scope)


def _made(tx: Tx, kind: str, person: str, via: str, scope: str | None) -> tuple[str, Ticket]:
    secret, ticket = make_ticket(tx, kind, person, via=via, scope=scope)
    tx.record(Record(kind=f"{kind}.made", at=tx.now(), actor=f"person:{person}", detail={"via": via}, public=False))
    return secret, ticket
