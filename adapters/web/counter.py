"""What people ask the house itself: their home, typed commands, a review of their own. Only a POST changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from adapters.web import parse, render
from reviews import filled
from reviews.card import Card
from reviews.errors import StoreUnavailable
from reviews.events import Reply
from reviews.model import Verb
from reviews.ports import Asked, Refusal, Session
from reviews.typed import lines

if TYPE_CHECKING:
    from adapters.web.pages import Handler, Pages, Signed


class Counter:
    """The routes of people signed in; who came by a link for one review is there for that one only."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.setup.desk

    def routes(self) -> list[web.AbstractRouteDef]:
        """The counter's routes."""
        return [
            web.get("/home", self._open(self._home)),
            web.post("/home", self._open(self._posted)),
            web.get("/ask", self._open(self._form)),
            web.post("/ask", self._open(self._ask)),
        ]

    def _open(self, handler: Signed) -> Handler:
        """The handler for who may see more than one review, and for forms of ours."""

        async def opened(request: web.Request, session: Session) -> web.StreamResponse:
            if session.scope is not None:
                return self._pages.not_here(session)
            if request.method == "POST":
                token = (await request.post()).get("csrf", "")
                if not self._pages.from_us(request, session.secret, str(token)):
                    return self._pages.stale(session)
            return await handler(request, session)

        return self._pages.signed(opened)

    async def _home(self, request: web.Request, session: Session) -> web.Response:
        opened = parse.verb({"verb": request.query.get("open", "")})
        return self._card(await self._desk.home(session.person), session, opened=opened)

    async def _posted(self, request: web.Request, session: Session) -> web.Response:
        data = {key: text for key, text in (await request.post()).items() if isinstance(text, str)}
        return await (self._act(data, session) if "verb" in data else self._command(data, session))

    async def _act(self, data: dict[str, str], session: Session) -> web.Response:
        """A control of their home: what came of it stands above the home as it is then."""
        made = parse.interaction(data, await self._desk.home(session.person), parse.identity(session))
        if isinstance(made, filled.Faults):
            said, status = render.Said.of_faults(made, parse.verb(data)), 422
        else:
            reply = await self._desk.interact(made)
            said, status = render.Said.of(reply, made.verb, parse.typed(data)), self._pages.status(reply)
        try:
            home = await self._desk.home(session.person)
        except StoreUnavailable:  # what came of it is known and said, though the page cannot be drawn
            return self._pages.sentence("Done" if said.good else "Not done", said.text, status, session, back="/home")
        return self._card(home, session, said=said, status=status)

    async def _command(self, data: dict[str, str], session: Session) -> web.Response:
        typed = data.get("command", "").strip()
        card = await self._desk.command(session.person, typed, surface="web")
        if card.review:
            return self._pages.elsewhere(f"/reviews/{card.review}")
        return self._card(card, session, typed)

    def _card(
        self,
        card: Card,
        session: Session,
        typed: str = "",
        *,
        said: render.Said | None = None,
        opened: Verb | None = None,
        status: int = 200,
    ) -> web.Response:
        page = render.desk(card, self._pages.visit(session), typed, said=said, opened=opened)
        return self._pages.answer(page, status)

    # ------------------------------------------------------------------------------------------ asking

    async def _form(self, request: web.Request, session: Session) -> web.Response:
        return await self._asking(session)

    async def _ask(self, request: web.Request, session: Session) -> web.Response:
        data = {key: lines(text) for key, text in (await request.post()).items() if isinstance(text, str)}
        values, once = parse.typed(data), data.get("once", "")
        form = await self._desk.asking(session.person)
        if isinstance(form, Refusal):
            return self._refused(form, session)
        if lacks := filled.lacks(form.fields, values):
            faults = filled.Faults(errors=lacks, values=values)
            return await self._asking(session, once, faults)
        asked = Asked(
            person=session.person,
            text=values.get("text", ""),
            summary=values.get("summary", ""),
            role=values.get("role") or None,
            once=f"web:{once}" if once else None,
        )
        return await self._answered(await self._desk.ask(asked), session, once, values)

    async def _answered(self, reply: Reply, session: Session, once: str, values: dict[str, str]) -> web.Response:
        if reply.kind == "bad":
            return await self._asking(session, once, filled.Faults(errors=reply.errors, values=values, text=reply.text))
        back = f"/reviews/{reply.review.id}" if reply.review else "/inbox"
        return self._pages.sentence("Asked", reply.text, 200, session, back=back)

    async def _asking(self, session: Session, once: str = "", faults: filled.Faults | None = None) -> web.Response:
        form = await self._desk.asking(session.person)
        if isinstance(form, Refusal):
            return self._refused(form, session)
        page = render.ask(form, self._pages.visit(session), once=once, faults=faults)
        return self._pages.answer(page, 200 if faults is None else 422)

    def _refused(self, refusal: Refusal, session: Session) -> web.Response:
        return self._pages.sentence("Not here", refusal.text, 403, session, back="/inbox")
