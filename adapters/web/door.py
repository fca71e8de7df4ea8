"""Coming in and leaving: links, the demo's pick of people, cookies. A GET shows whose link it is and spends nothing."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from aiohttp import web

from adapters.web import guard, parse, render
from reviews.ports import Refusal, Session

if TYPE_CHECKING:
    from adapters.web.pages import Pages

ASK_FOR_LINK = (
    "Placet knows people by links that work once. Ask whoever runs it for one (they call `placet link` with your id), "
    "or open a review from the message that called you."
)


class Doorway:
    """The routes of people who are not signed in yet, and of those who leave."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._door = pages.setup.door
        self._url = pages.setup.public_url

    def routes(self) -> list[web.AbstractRouteDef]:
        """The door's routes."""
        guarded = self._pages.guarded
        return [
            web.get("/enter", guarded(self._show)),
            web.post("/enter", guarded(self._enter)),
            web.post("/enter/again", guarded(self._again)),
            web.get("/demo", guarded(self._people)),
            web.post("/demo", guarded(self._pick)),
            web.post("/leave", guarded(self._leave)),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        to = parse.destination(request.query.get("to", ""))
        link = request.query.get("link", "")
        if not link:
            if self._pages.setup.demo and await self._door.demo_people():
                return self._pages.elsewhere(f"/demo?to={to}")
            return self._pages.sentence("Sign in", ASK_FOR_LINK, 200)
        session = await self._pages.session(request)
        person = await self._door.peek(link)
        if isinstance(person, Refusal):
            return self._spent(request, session, person, link)
        secret, visit = self._before(request, session)
        return self._remember(self._pages.answer(render.enter(person, link, to, visit)), secret)

    async def _enter(self, request: web.Request) -> web.Response:
        data = await _text(request)
        if not self._from_us(request, data.get("csrf", "")):
            return self._pages.stale()
        link = data.get("link", "")
        session = await self._door.enter(link)
        if isinstance(session, Refusal):
            return self._spent(request, await self._pages.session(request), session, link)
        return self._in(session, data.get("to", ""))

    def _spent(self, request: web.Request, session: Session | None, why: Refusal, link: str) -> web.Response:
        """Why a link does not open, and the offer of another; who has a session may go on in it."""
        secret, visit = self._before(request, session)
        return self._remember(self._pages.answer(render.spent(why.text, link, visit), 403), secret)

    async def _again(self, request: web.Request) -> web.Response:
        """Have another link sent; the answer is one for every link, ours or not."""
        data = await _text(request)
        if not self._from_us(request, data.get("csrf", "")):
            return self._pages.stale()
        return self._pages.sentence("Thank you", await self._door.again(data.get("link", "")), 200)

    async def _people(self, request: web.Request) -> web.Response:
        people = await self._door.demo_people() if self._demo(request) else ()
        if not people:
            return self._pages.sentence("Not found", "Picking a person is for the demo on this machine only.", 404)
        to = parse.destination(request.query.get("to", ""))
        secret, visit = self._before(request, None)
        return self._remember(self._pages.answer(render.demo(people, to, visit)), secret)

    async def _pick(self, request: web.Request) -> web.Response:
        data = await _text(request)
        if not self._demo(request) or not self._from_us(request, data.get("csrf", "")):
            return self._pages.stale()
        session = await self._door.enter_demo(data.get("person", ""))
        return self._refused(session) if isinstance(session, Refusal) else self._in(session, data.get("to", ""))

    async def _leave(self, request: web.Request) -> web.Response:
        session = await self._pages.session(request)
        if session is not None:
            data = await _text(request)
            if not self._pages.from_us(request, session.secret, data.get("csrf", "")):
                return self._pages.stale(session)
            await self._door.leave(session.secret)
        response = self._pages.elsewhere("/enter")
        response.del_cookie(guard.cookie_name(self._url), secure=guard.secure(self._url), httponly=True, samesite="Lax")
        return response

    # ------------------------------------------------------------------------------------------ cookies

    def _demo(self, request: web.Request) -> bool:
        return self._pages.setup.demo and guard.local_host(request.host, self._url)

    def _before(self, request: web.Request, session: Session | None) -> tuple[str, render.Visit]:
        """A secret for the form token of somebody not signed in yet, and the visit that carries the token."""
        secret = request.cookies.get(guard.cookie_name(self._url, "door")) or secrets.token_urlsafe(24)
        visit = self._pages.visit()
        who = session.person if session else None
        return secret, render.Visit(
            now=visit.now, title=visit.title, demo=visit.demo, assets=visit.assets, csrf=guard.token(secret), before=who
        )

    def _from_us(self, request: web.Request, given: str) -> bool:
        secret = request.cookies.get(guard.cookie_name(self._url, "door"), "")
        return bool(secret) and self._pages.from_us(request, secret, given)

    def _remember(self, response: web.Response, secret: str) -> web.Response:
        response.set_cookie(
            guard.cookie_name(self._url, "door"),
            secret,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=guard.secure(self._url),
        )
        return response

    def _in(self, session: Session, to: str) -> web.Response:
        response = self._pages.elsewhere(f"/reviews/{session.scope}" if session.scope else parse.destination(to))
        left = session.expires_at - self._pages.setup.clock.now()
        response.set_cookie(
            guard.cookie_name(self._url),
            session.secret,
            max_age=max(0, int(left.total_seconds())),
            path="/",
            httponly=True,
            samesite="Lax",
            secure=guard.secure(self._url),
        )
        return response

    def _refused(self, refusal: Refusal) -> web.Response:
        return self._pages.sentence("This link does not open", refusal.text, 403)


async def _text(request: web.Request) -> dict[str, str]:
    data = await request.post()
    return {key: value for key, value in data.items() if isinstance(value, str)}
