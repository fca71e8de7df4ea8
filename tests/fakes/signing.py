"""Who signs what Teams sends, who gives the bot its token, and a front that signs for the Agents Playground."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import aiohttp
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.fakes.serving import serving

Json: TypeAlias = dict[str, Any]
ISSUER = "https://api.botframework.com"
#: Where Placet listens for what Teams sends.
PATH = "/api/messages"
#: Where a directory gives a bot its token, on its own root.
GRANT = "/{tenant}/oauth2/v2.0/token"


class Issuer:
    """A key, the documents that publish it, and tokens for one bot made with it."""

    def __init__(self, app_id: str) -> None:
        self.app_id = app_id
        self.rotate()

    def rotate(self) -> None:
        """Sign with another key from now on, and publish that one alone."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = f"key-{time.monotonic_ns()}"

    def token(self, service: str, **claims: Any) -> str:
        """A token for what comes from `service`; claims replace those of a good one."""
        now = int(time.time())
        good = {"iss": ISSUER, "aud": self.app_id, "serviceurl": service, "nbf": now - 5, "exp": now + 600}
        return jwt.encode(good | claims, self._key, algorithm="RS256", headers={"kid": self._kid})

    def routes(self) -> Sequence[web.RouteDef]:
        """`/openid`, and `/keys` on the same server."""
        return [web.get("/openid", self._openid), web.get("/keys", self._keys)]

    async def _openid(self, request: web.Request) -> web.Response:
        return web.json_response({"issuer": ISSUER, "jwks_uri": f"{request.url.origin()}/keys"})

    async def _keys(self, _: web.Request) -> web.Response:
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return web.json_response({"keys": [public | {"kid": self._kid, "use": "sig", "endorsements": ["msteams"]}]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Entra, as far as a bot asks it: gives `token` to the bot that knows its secret, in its own tenant.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """

    app_id: str
    tenant: str
    secret: str
    token: str

    def routes(self) -> Sequence[web.RouteDef]:
        """The one call bots make; the server these are mounted on is the `login_url`."""
        return [web.post(GRANT, self._give)]

    async def _give(self, request: web.Request) -> web.Response:
        return self.given(request.match_info["tenant"], dict(await request.post()))

    def given(self, tenant: str, form: Json) -> web.Response:
        """The answer to a form that asks for a token in a tenant."""
        if tenant != self.tenant:
            return _denied("invalid_request", "AADSTS90002: Tenant not found.", 400)
        asked = (form.get("grant_type"), form.get("client_id"), form.get("scope"))
        if asked != ("client_credentials", self.app_id, f"{ISSUER}/.default"):
            return _denied("unauthorized_client", f"AADSTS700016: no such application: {asked}", 400)
        if form.get("client_secret") != self.secret:
            return _denied("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": self.token})


def _denied(error: str, text: str, status: int) -> web.Response:
    return web.json_response({"error": error, "error_description": text}, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """An activity that came by, and what Placet answered: `body` is None where that was no JSON."""

    activity: Json
    status: int
    body: Json | None


@dataclass(kw_only=True)
class Front:
    """Signs each activity, sends it on to `bot`, and keeps what came by. `url` is its own root.

    `pressers` (`{"id", "name", "aadObjectId"}` each) press instead of who sits at the window, all at once; the window
    has the answer to the first.
    """

    issuer: Issuer
    session: aiohttp.ClientSession
    url: str = ""
    bot: str = ""
    pressers: tuple[Json, ...] = ()
    passed: list[Passed] = field(default_factory=list)

    @property
    def openid_url(self) -> str:
        """Where the keys are published, for the configuration of Placet."""
        return f"{self.url}/openid"

    async def send(self, activity: Json, **claims: Any) -> Passed:
        """Sign and send on; also what no Playground sends: again, or as somebody else."""
        headers = {"Authorization": f"Bearer {self.issuer.token(activity['serviceUrl'], **claims)}"}
        async with self.session.post(self.bot, json=activity, headers=headers) as answer:
            raw = await answer.read()
            body = json.loads(raw) if raw and answer.content_type == "application/json" else None
        done = Passed(activity=activity, status=answer.status, body=body)
        self.passed.append(done)
        return done

    async def handle(self, request: web.Request) -> web.Response:
        """What the Playground sends; before there is a bot, and to its looking whether one is there, 200."""
        if request.method != "POST" or not self.bot:
            return web.Response()
        activity = await request.json()
        pressers = self.pressers if activity["type"] == "invoke" else ()
        sent = [activity | {"from": who, "id": f"{activity['id']}-{who['id']}"} for who in pressers] or [activity]
        done, *_ = await asyncio.gather(*map(self.send, sent))
        return web.json_response(done.body, status=done.status) if done.body else web.Response(status=done.status)


@asynccontextmanager
async def signing(app_id: str) -> AsyncIterator[Front]:
    """A front for the bot of this id, on a free port of loopback, in this loop."""
    async with aiohttp.ClientSession() as session:
        front = Front(issuer=Issuer(app_id), session=session)
        async with serving([*front.issuer.routes(), web.route("*", PATH, front.handle)]) as front.url:
            yield front


@asynccontextmanager
async def directory(app_id: str, tenant: str, secret: str, token: str) -> AsyncIterator[str]:
    """The `login_url` of a directory on a free port of loopback."""
    known = Directory(app_id=app_id, tenant=tenant, secret=secret, token=token)
    async with serving(known.routes()) as root:
        yield root
