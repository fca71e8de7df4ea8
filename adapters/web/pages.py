"""The inbox's pages and forms over HTTP. Every answer goes through `_answer`, which sets the headers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from adapters import selection
from adapters.port import Setup
from adapters.web import assets, counter, door, guard, links, parse, render
from adapters.web.config import WebConfig
from adapters.web.live import Event, Hub
from reviews.card import Card
from reviews.errors import NotFound, StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.filled import Faults
from reviews.model import Verb
from reviews.ports import QueueFilter, Session

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Signed = Callable[[web.Request, Session], Awaitable[web.StreamResponse]]

#: Seconds between signs of life on a stream; at the latest then a session that ended closes it.
HEARTBEAT = 15.0

_STATUS = {
    Answer.DONE: 200,
    Answer.SAME: 200,
    Answer.WHISPER: 200,
    Answer.FORBIDDEN: 403,
    Answer.REFUSED: 409,
    Answer.GONE: 410,
    Answer.LOCKED: 423,
    Answer.MISSING: 404,
}


class Pages:
    """Everything a browser can ask for."""

    def __init__(
        self, setup: Setup, section: WebConfig, hub: Hub, previews: Mapping[str, Callable[[Card], str]]
    ) -> None:
        self.setup = setup
        self.section = section
        self.hub = hub
        self.previews = previews
        self.assets = assets.load()
        self.stamp = assets.stamp(self.assets)

    def routes(self) -> list[web.AbstractRouteDef]:
        """The routes, GET ones also for HEAD; none of them decides."""
        entrance, desk = door.Doorway(self), counter.Counter(self)
        return [
            web.get("/", self._home),
            web.get("/inbox", self.signed(self._inbox)),
            web.post("/bulk", self.signed(self._bulk)),
            web.get("/reviews/{review}", self.signed(self._review)),
            web.post("/reviews/{review}", self.signed(self._act)),
            web.get("/events/stream", self.signed(self._stream), allow_head=False),
            web.get("/static/web/{name}", self._asset),
            *entrance.routes(),
            *desk.routes(),
        ]

    # ------------------------------------------------------------------------------------------ shared

    def visit(self, session: Session | None = None, csrf: str = "") -> render.Visit:
        """Who looks, for the templates."""
        return render.Visit(
            now=self.setup.clock.now(),
            title=self.section.title,
            person=session.person if session else None,
            csrf=guard.token(session.secret) if session else csrf,
            scope=session.scope if session else None,
            demo=self.setup.demo,
            seen=self.hub.seen,
            assets=self.stamp,
            once=secrets.token_urlsafe(12),
        )

    async def session(self, request: web.Request) -> Session | None:
        """The session of a request's cookie, while it lasts."""
        secret = request.cookies.get(guard.cookie_name(self.setup.public_url))
        return await self.setup.door.session(secret) if secret else None

    def answer(self, body: str, status: int = 200) -> web.Response:
        """A personal page."""
        return web.Response(text=body, status=status, content_type="text/html", headers=guard.PERSONAL)

    def sentence(
        self, title: str, text: str, status: int, session: Session | None = None, back: str = ""
    ) -> web.Response:
        """A page of one sentence."""
        return self.answer(render.message(title, text, self.visit(session), back=back), status)

    def elsewhere(self, path: str) -> web.Response:
        """Go and GET another page of ours."""
        return web.Response(status=303, headers={**guard.PERSONAL, "Location": path})

    def status(self, reply: Reply) -> int:
        """The HTTP status of a page that shows a reply."""
        return 422 if reply.errors else _STATUS[reply.answer]

    def stale(self, session: Session | None = None) -> web.Response:
        """A form that does not come from a page of this session."""
        text = "This page is out of date, or the form was not sent from Placet. Open the page again and repeat it."
        return self.sentence("Not taken", text, 400, session)

    def from_us(self, request: web.Request, secret: str, given: str) -> bool:
        """Whether a POST was sent from a page of ours in this session."""
        ours = guard.same_site(request.headers, self.setup.public_url, request.host)
        return ours and guard.token_fits(secret, given)

    def guarded(self, handler: Handler) -> Handler:
        """The handler, with the failures people can wait out said in a sentence."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except StoreUnavailable as fault:
                return self.sentence("Not now", str(fault) or str(StoreUnavailable.__doc__), 503)

        return guarded

    def signed(self, handler: Signed) -> Handler:
        """The handler for people signed in; others are sent to the door, a live form is told 401."""

        async def signed(request: web.Request) -> web.StreamResponse:
            session = await self.session(request)
            if session is None:
                return self._signed_out(request)
            return await handler(request, session)

        return self.guarded(signed)

    def _signed_out(self, request: web.Request) -> web.Response:
        if request.method == "POST" or "HX-Request" in request.headers or request.path == "/events/stream":
            return self.sentence("Signed out", "Your session has ended. Sign in again, then repeat it.", 401)
        return self.elsewhere(f"/enter?to={parse.destination(request.path)}")

    # ------------------------------------------------------------------------------------------ looking

    async def _home(self, request: web.Request) -> web.Response:
        return self.elsewhere("/inbox")

    async def _asset(self, request: web.Request) -> web.Response:
        return assets.answer(self.assets, request.match_info["name"])

    async def _inbox(self, request: web.Request, session: Session) -> web.Response:
        if session.scope is not None:
            return self.elsewhere(f"/reviews/{session.scope}")
        view = request.query.get("view", "")
        filter = QueueFilter(
            view=view if view in links.VIEWS else render.landing(session.person),
            action=request.query.get("action", "").strip() or None,
            limit=self.section.page_size,
            cursor=request.query.get("cursor") or None,
        )
        visit = self.visit(session)  # before reading: what changes meanwhile is then heard of
        page = await self.setup.desk.queue(session.person, filter)
        return self.answer(render.inbox(page, filter, visit))

    async def _review(self, request: web.Request, session: Session) -> web.Response:
        visit = self.visit(session)
        card = await self._read(request.match_info["review"], session)
        if card is None:
            return self.not_here(session)
        opened = parse.verb({"verb": request.query.get("open", "")})
        return self.answer(self._draw(card, visit, opened=opened, chosen=request.query.get("as", "")))

    async def _read(self, review: str, session: Session, *, reveal: bool = False) -> Card | None:
        if session.scope not in (None, review):
            return None
        try:
            return await self.setup.desk.read(review, session.person, surface="web", reveal=reveal)
        except NotFound:
            return None

    def not_here(self, session: Session) -> web.Response:
        """What is not for this person, or not by the way they came in."""
        if session.scope is not None:
            text = "The link you came by is for one review only. Sign in to see others."
            return self.sentence("Not this one", text, 403, session, back=f"/reviews/{session.scope}")
        text = "There is no such review, or it is not yours to see: people see the reviews of their roles."
        return self.sentence("Not found", text, 404, session, back="/inbox")

    def _draw(
        self,
        card: Card,
        visit: render.Visit,
        *,
        said: render.Said | None = None,
        opened: Verb | None = None,
        revealed: bool = False,
        chosen: str = "",
    ) -> str:
        look = self.previews.get(chosen)
        return render.review(
            card,
            visit,
            said=said,
            opened=opened,
            revealed=revealed,
            previews=tuple(self.previews),
            preview=(chosen, look(card)) if look else None,
        )

    # ------------------------------------------------------------------------------------------ acting

    async def _act(self, request: web.Request, session: Session) -> web.Response:
        data = await form(request)
        if not self.from_us(request, session.secret, data.get("csrf", "")):
            return self.stale(session)
        card = await self._read(request.match_info["review"], session)
        if card is None:
            return self.not_here(session)
        made = parse.interaction(data, card, parse.identity(session))
        if isinstance(made, Faults):
            said = render.Said.of_faults(made, parse.verb(data))
            return self.answer(self._draw(card, self.visit(session), said=said), 422)
        return await self._interact(made, parse.typed(data), session)

    async def _interact(self, made: Interaction, values: Mapping[str, str], session: Session) -> web.Response:
        reply = await self.setup.desk.interact(made)
        said = render.Said.of(reply, made.verb, values)
        revealed = made.verb is Verb.REVEAL and said.good
        visit = self.visit(session)
        try:
            card = await self._read(made.review, session, reveal=revealed)
        except StoreUnavailable:
            card = None  # what came of it is known and said, though the page cannot be drawn
        status = self.status(reply)
        if card is None:
            return self.sentence("Done" if said.good else "Not done", reply.text, status, session, back="/inbox")
        return self.answer(self._draw(card, visit, said=said, revealed=revealed), status)

    async def _bulk(self, request: web.Request, session: Session) -> web.Response:
        data = await request.post()
        if not self.from_us(request, session.secret, str(data.get("csrf", ""))):
            return self.stale(session)
        if session.scope is not None:
            return self.not_here(session)
        chosen = selection.picks([str(pick) for pick in data.getall("pick", [])])
        if isinstance(chosen, Faults):
            return self.sentence("Not taken", chosen.text, 422, session, back="/inbox")
        if data.get("sure") != "yes":
            return await self._bulk_question(chosen, session)
        results = await selection.approve(self.setup.desk, parse.identity(session), chosen)
        return self.answer(render.bulk_done(results, self.visit(session)))

    async def _bulk_question(self, chosen: Sequence[selection.Pick], session: Session) -> web.Response:
        cards = [(pick, await self._read(pick.review, session)) for pick in chosen]
        good = [(pick, card) for pick, card in cards if card and card.revision == pick.revision and not card.over]
        kept = {pick.review for pick, _ in good}
        changed = [card.title if card else pick.review for pick, card in cards if pick.review not in kept]
        return self.answer(render.bulk(good, changed, self.visit(session)))

    # ------------------------------------------------------------------------------------------ live

    async def _stream(self, request: web.Request, session: Session) -> web.StreamResponse:
        review = request.query.get("review") or session.scope
        if session.scope not in (None, review):
            return self.not_here(session)
        if review is not None and await self._read(review, session) is None:
            return self.not_here(session)
        seen = request.headers.get("Last-Event-ID") or request.query.get("seen", "")
        headers = {**guard.PERSONAL, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        with self.hub.page(session.person.id, review, seen, only=session.scope is not None) as page:
            await response.prepare(request)
            try:
                while await self._told(response, await page.next(HEARTBEAT), session):
                    pass
            except (EOFError, ConnectionResetError, asyncio.IncompleteReadError):
                pass  # the server stops, or the page was closed: both are how streams end
            except StoreUnavailable:
                pass  # nobody can say whether the session still lasts: the page connects again by itself
        return response

    async def _told(self, response: web.StreamResponse, event: Event | None, session: Session) -> bool:
        """Tell a page, as far as its person may know by now; False when this was the last of it."""
        now = await self.setup.door.session(session.secret)
        if now is None:
            return False
        if event is not None and event.about is not None and await self._read(event.about, now) is None:
            # To look again is all there is left to say: the page is told that it may not.
            await response.write(Event(name="sync", id=event.id).encode())
            return False
        await response.write(event.encode() if event else b": still here\n\n")
        return True


async def form(request: web.Request) -> dict[str, str]:
    """A posted form as text fields; files are left out, for no form of ours has one."""
    data = await request.post()
    return {key: value for key, value in data.items() if isinstance(value, str)}
