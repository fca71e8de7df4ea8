"""Votes over HTTP with a person's token: for terminals, other front ends and tests. Off unless the operator says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot import bounds, wire
from bot.api import is_id, read_object, whole
from bot.desk import FrontDesk
from bot.door import FrontDoor
from bot.listing import may_see
from bot.problems import problem
from bot.service import Service
from reviews import redact
from reviews.events import Answer, Interaction, Reply
from reviews.forms import ARGUMENTS
from reviews.model import Identity, Object, Person, Review, Verb
from reviews.ports import QueueFilter
from reviews.values import replace

NOT_HERE = "There is no such review, or it is not yours to see."
#: How far a queue can be paged.
MAX_CURSOR = 999_999_999

#: Where a review shows words of agents and people, in which what is hidden may be repeated.
_THEIRS = (
    "action",
    "subject",
    "instruction",
    "task_id",
    "correlation_id",
    "session_id",
    "metadata",
    "changes_requested",
    "outcomes",
    "request",
)
_THEIRS_DECIDED = ("action", "changes", "reason", "notes", "answer", "comments")

PersonHandler = Callable[[web.Request, Person], Awaitable[web.StreamResponse]]
_STATUS = {
    Answer.DONE: 200,
    Answer.SAME: 200,
    Answer.WHISPER: 409,
    Answer.FORBIDDEN: 403,
    Answer.REFUSED: 409,
    Answer.GONE: 410,
    Answer.LOCKED: 423,
    Answer.MISSING: 404,
}


class Vote(BaseModel):
    """The body of a vote. `vote` is a verb; `revision` and `digest` are what the person saw.

    `about` points at what changes are asked for; `bulk` is the action shared by a selection approved together.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    vote: str
    revision: int
    digest: str | None = None
    arguments: dict[str, Any] | None = None
    reason: str | None = Field(default=None, max_length=wire.MAX_WORDS)
    notes: str | None = Field(default=None, max_length=wire.MAX_WORDS)
    to: str | None = None
    about: str | None = Field(default=None, max_length=bounds.MAX_NAME)
    bulk: str | None = Field(default=None, max_length=bounds.MAX_NAME)


class VotesApi:
    """`/v1/inbox`, `/v1/inbox/{id}` and `/v1/reviews/{id}/votes`."""

    def __init__(self, service: Service, desk: FrontDesk, door: FrontDoor, *, enabled: bool) -> None:
        self._service, self._desk, self._door, self._enabled = service, desk, door, enabled

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/v1/inbox", self._known(self._inbox), allow_head=False),
            web.get("/v1/inbox/{id}", self._known(self._one), allow_head=False),
            web.post("/v1/reviews/{id}/votes", self._known(self._vote)),
        ]

    def _known(self, handler: PersonHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self._enabled:
                return problem(404, "Votes over HTTP are off here; `server.votes_by_token: true` turns them on.")
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            token = token.strip() if scheme.casefold() == "bearer" else ""
            person = await self._door.token_person(token) if token.startswith("plr_") else None
            if person is None:
                hint = "Send `Authorization: Bearer plr_…` with a person's token; `placet token PERSON` makes one."
                return problem(401, hint, headers={"WWW-Authenticate": "Bearer"})
            return await handler(request, person) if is_id(request) else problem(404, NOT_HERE)

        return guarded

    async def _inbox(self, request: web.Request, person: Person) -> web.StreamResponse:
        view = request.query.get("view", "roles")
        if view not in ("mine", "roles", "decided", "all"):
            raise wire.BadRequest("`view` is one of mine, roles, decided, all.")
        cursor = request.query.get("cursor")
        if cursor is not None:
            whole(cursor, "cursor", 1, MAX_CURSOR)
        page = await self._desk.queue(person, QueueFilter(view=view, cursor=cursor))
        items = [
            {
                "id": item.id,
                "title": item.title,
                "action": item.action,
                "agent": item.agent,
                "status": item.status,
                "held": item.held,
                "risk": item.risk,
                "tier": item.tier,
                "waiting_for": item.waiting_for,
                "revision": item.revision,
                "deadline_at": wire.stamp(item.deadline_at),
            }
            for item in page.items
        ]
        return _json({"items": items, "cursor": page.cursor})

    async def _one(self, request: web.Request, person: Person) -> web.StreamResponse:
        """One review as this person may see it; `hidden` are the pointers into its arguments that are masked."""
        review_id = request.match_info["id"]
        await self._desk.read(review_id, person, surface="api")  # whether they may, and that they looked
        review = await self._service.store.view(lambda tx: tx.read(review_id))
        assert review is not None
        hidden = [p.removeprefix(ARGUMENTS) for p in review.route.sensitive if p.startswith(ARGUMENTS + "/")]
        return _json(redacted_json(review, self._service.base_url) | {"hidden": hidden})

    async def _vote(self, request: web.Request, person: Person) -> web.StreamResponse:
        vote = _vote_of(await read_object(request))
        interaction = Interaction(
            verb=Verb(vote.vote),
            identity=Identity(surface="api", id=person.id),
            review=request.match_info["id"],
            revision=vote.revision,
            shown=vote.digest,
            arguments=vote.arguments,
            reason=vote.reason,
            notes=vote.notes,
            to=vote.to,
            about=vote.about,
            bulk=vote.bulk,
        )
        return self._told(await self._desk.interact(interaction), person)

    def _told(self, reply: Reply, person: Person) -> web.Response:
        status = _STATUS[reply.answer]
        review = reply.review
        visible = review is not None and may_see(review, person)
        shown = redacted_json(review, self._service.base_url, context=False) if review and visible else None
        if status == 200 and shown is not None:
            return _json(shown)
        errors = [{"pointer": _place(pointer), "message": text} for pointer, text in reply.errors.items()]
        more: Object = {"review": shown} if shown else {}
        if errors:
            more["errors"] = errors
        return problem(422 if errors else status, reply.text, **more)


def _place(field: str) -> str:
    """Where in the body a field of the desk's answer is: a pointer into the arguments, or the name of another field."""
    return f"/{field}" if field and not field.startswith("/") else f"/arguments{field}"


def _vote_of(body: Object) -> Vote:
    try:
        vote = Vote.model_validate(body)
        Verb(vote.vote)
    except ValidationError as fault:
        faults = tuple(
            wire.FieldFault(pointer=redact.join(*e["loc"]), message=str(e["msg"]))
            for e in fault.errors(include_url=False)
        )
        raise wire.BadRequest("The vote has faults.", faults) from None
    except ValueError:
        faults = (wire.FieldFault(pointer="/vote", message=f"one of {', '.join(Verb)}"),)
        raise wire.BadRequest("The vote has faults.", faults) from None
    return vote


def redacted_json(review: Review, base: str, *, context: bool = True) -> Object:
    """The review as a reviewer may read it: what is sensitive is hidden, wherever it stands."""
    hidden = review.route.sensitive
    if not hidden:
        return wire.review_json(review, base, context=context)
    safe_action = replace(
        review.request.action, arguments=redact.masked(review.request.action.arguments, hidden, ARGUMENTS)
    )
    scrub = redact.scrubber(review.request, hidden, review.original)
    masked = replace(
        review,
        proposal=replace(review.proposal, request=replace(review.request, action=safe_action)),
        original=redact.masked(review.original, hidden, ARGUMENTS),
    )
    shown = wire.review_json(masked, base, context=context)
    if context:
        shown["request"] = redact.masked(shown["request"], hidden)
    theirs = {key: shown[key] for key in _THEIRS if key in shown}
    decision = shown["decision"] or {}
    theirs_decided = {key: decision[key] for key in _THEIRS_DECIDED if key in decision}
    safe, safe_decided = scrub.inside((theirs, theirs_decided))
    shown.update(safe)
    decision.update(safe_decided)
    return shown


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
