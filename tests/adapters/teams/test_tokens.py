"""Which inbound calls are believed to be from Teams, and which keys they are believed by."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from adapters.teams.config import TeamsConfig
from adapters.teams.seam import Json, Unauthorized
from adapters.teams.tokens import Tokens
from tests.fakes.loopwatch import loop_watched
from tests.fakes.serving import serving

APP, TENANT = "0b8f6f52-6f0e-4a56-8a43-5b0f7c1d2e02", "7f0c2a34-1b6d-4c55-9a3e-2f5d8e6b1c01"
ISSUER, SERVICE = "https://api.botframework.com", "https://smba.example.com/emea/"
EMULATOR = "https://login.microsoftonline.com/d6d49420-f39b-4df7-a1dc-d59a935871db/v2.0"
CALL: Json = {"type": "message", "channelId": "msteams", "serviceUrl": SERVICE}
ONE, TWO = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "12")


def published(key: rsa.RSAPrivateKey, name: str, **more: Any) -> Json:
    """A public key as Microsoft publishes it."""
    listed: Json = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return listed | {"kid": name, "use": "sig", "endorsements": ["msteams", "webchat"]} | more


def signed(key: rsa.RSAPrivateKey = ONE, name: str | None = "one", **claims: Any) -> str:
    """The header of a call from Teams, with these claims instead of good ones; None leaves one out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": APP, "serviceurl": SERVICE, "nbf": now - 5, "exp": now + 600}
    said = {claim: value for claim, value in (good | claims).items() if value is not None}
    return "Bearer " + jwt.encode(said, key, algorithm="RS256", headers={"kid": name} if name else None)


class Publisher:
    """Publishes keys over HTTP. `down` is the status it answers with instead; `elsewhere` redirects the keys."""

    def __init__(self) -> None:
        self.keys: Any = [published(ONE, "one")]
        self.down = 0
        self.elsewhere = ""
        self.named: Any = ""
        self.asked = 0
        self.held: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.root = ""

    @property
    def openid(self) -> str:
        """Where it says where its keys are."""
        return f"{self.root}/openid"

    def tokens(self, cooldown: float = 0.0, **more: Any) -> Tokens:
        """What believes it."""
        return Tokens(TeamsConfig(app_id=APP, tenant_id=TENANT, openid_url=self.openid), cooldown=cooldown, **more)

    async def on_openid(self, _: web.Request) -> web.Response:
        """The document."""
        return web.json_response({"jwks_uri": self.named or f"{self.root}/keys"}, status=self.down or 200)

    async def on_keys(self, _: web.Request) -> web.Response:
        """The keys."""
        self.asked += 1
        if self.held is not None:
            self.reached.set()
            await self.held.wait()
        if self.elsewhere:
            raise web.HTTPFound(self.elsewhere)
        return web.json_response({"keys": self.keys})


@asynccontextmanager
async def publishing(publisher: Publisher) -> AsyncIterator[Publisher]:
    """Serve it on loopback."""
    routes = [web.get("/openid", publisher.on_openid), web.get("/keys", publisher.on_keys)]
    async with serving(routes) as publisher.root:
        yield publisher


@pytest.fixture
async def microsoft() -> AsyncIterator[Publisher]:
    """Publishes the key `one`."""
    async with publishing(Publisher()) as publisher:
        yield publisher


# ---------------------------------------------------------------------------------------------- tokens


async def test_a_good_token_says_which_service_called(microsoft: Publisher) -> None:
    """The address in it is the one that may be answered to; a slash at its end makes no other of it."""
    claims = await microsoft.tokens().check(signed(), CALL | {"serviceUrl": SERVICE.rstrip("/")})
    assert (claims.audience, claims.service) == (APP, SERVICE)
    assert claims.all["iss"] == ISSUER


def unsigned() -> str:
    """A token that says it needs no signature."""
    return "Bearer " + jwt.encode({"iss": ISSUER, "aud": APP, "serviceurl": SERVICE}, "", algorithm="none")


def shared() -> str:
    """A token signed by a secret, which could be the public key itself."""
    claims = {"iss": ISSUER, "aud": APP, "serviceurl": SERVICE, "exp": int(time.time()) + 600}
    return "Bearer " + jwt.encode(claims, "0" * 40, algorithm="HS256", headers={"kid": "one"})


NOW = int(time.time())
BAD = {
    "no header": ("", "no bearer"),
    "no token": ("Bearer", "no bearer"),
    "another scheme": ("Basic YTpi", "no bearer"),
    "garbage": ("Bearer a.b.c", "not a JWT"),
    "bytes that are no text": ("Bearer \udcff.\udcff.\udcff", "not a JWT"),
    "a header of brackets": (f"Bearer {b64encode(b'[' * 6000).decode()}.e30.e30", "not a JWT"),
    "a header that is no object": (f"Bearer {b64encode(b'[1]').decode()}.e30.e30", "not a JWT"),
    "a key that is no name": ("Bearer " + b64encode(b'{"alg":"RS256","kid":[1]}').decode() + ".e30.e30", "not a JWT"),
    "no dots": ("Bearer abc", "not a JWT"),
    "no algorithm": (unsigned(), "RS256"),
    "a shared secret": (shared(), "RS256"),
    "no key named": (signed(name=None), "names no key"),
    "a key nobody published": (signed(TWO, "two"), "not published"),
    "another's signature": (signed(TWO, "one"), "InvalidSignature"),
    "another issuer": (signed(iss="https://sts.example.com"), "InvalidIssuer"),
    "the Emulator": (signed(iss=EMULATOR), "InvalidIssuer"),
    "no issuer": (signed(iss=None), "MissingRequiredClaim"),
    "another bot": (signed(aud=TENANT), "another bot"),
    "several bots": (signed(aud=[APP, TENANT]), "another bot"),
    "nobody": (signed(aud=None), "MissingRequiredClaim"),
    "expired": (signed(exp=NOW - 3600), "ExpiredSignature"),
    "without an end": (signed(exp=None), "MissingRequiredClaim"),
    "not yet valid": (signed(nbf=NOW + 3600), "ImmatureSignature"),
    "another service": (signed(serviceurl="https://evil.example.com/"), "another service address"),
    "no service": (signed(serviceurl=None), "another service address"),
    "a service that is no text": (signed(serviceurl=[SERVICE]), "another service address"),
}


@pytest.mark.parametrize(("header", "said"), BAD.values(), ids=BAD)
async def test_a_bad_token_proves_nothing(microsoft: Publisher, header: str, said: str) -> None:
    """Each of them, with the reason for the log; the token itself is not in it."""
    with pytest.raises(Unauthorized, match=said) as told:
        await microsoft.tokens().check(header, CALL)
    assert not header or header.removeprefix("Bearer ") not in str(told.value)


async def test_clocks_may_differ_by_minutes(microsoft: Publisher) -> None:
    """As the protocol has it: five."""
    now = int(time.time())
    for near in (signed(exp=now - 240), signed(nbf=now + 240)):
        assert (await microsoft.tokens().check(near, CALL)).audience == APP
    for far in (signed(exp=now - 360), signed(nbf=now + 420)):
        with pytest.raises(Unauthorized, match="Signature"):
            await microsoft.tokens().check(far, CALL)


async def test_a_signature_is_over_what_it_signs(microsoft: Publisher) -> None:
    """Other claims under a good signature."""
    head, _, sign = signed().split(".")
    _, body, _ = signed(aud=APP, extra="more").split(".")
    with pytest.raises(Unauthorized, match="InvalidSignature"):
        await microsoft.tokens().check(f"{head}.{body}.{sign}", CALL)


@pytest.mark.parametrize("said", [{"serviceUrl": "https://evil.example.com/"}, {"serviceUrl": None}, {"serviceUrl": 7}])
async def test_the_service_is_the_one_the_token_names(microsoft: Publisher, said: Json) -> None:
    """Or our own token would be sent wherever the call says."""
    with pytest.raises(Unauthorized, match="another service address"):
        await microsoft.tokens().check(signed(), CALL | said)


async def test_a_service_without_https_is_none(microsoft: Publisher) -> None:
    """Our token would travel in the clear."""
    plain = "http://smba.example.com/"
    with pytest.raises(Unauthorized, match="https"):
        await microsoft.tokens().check(signed(serviceurl=plain), CALL | {"serviceUrl": plain})


@pytest.mark.parametrize("channel", ["webchat", "directline", "MSTEAMS", "", None])
async def test_another_channel_is_refused_even_endorsed(microsoft: Publisher, channel: str | None) -> None:
    """In Web Chat and Direct Line anybody may say they are Ana."""
    with pytest.raises(Unauthorized, match="another channel"):
        await microsoft.tokens().check(signed(), CALL | {"channelId": channel})


@pytest.mark.parametrize("endorsements", [["webchat"], [], None, "msteams"])
async def test_a_key_signs_for_its_own_channels(microsoft: Publisher, endorsements: object) -> None:
    """A key without endorsements signs for none."""
    microsoft.keys = [published(ONE, "one", endorsements=endorsements)]
    with pytest.raises(Unauthorized, match="may not sign for Teams"):
        await microsoft.tokens().check(signed(), CALL)


# ---------------------------------------------------------------------------------------------- keys


async def test_keys_are_fetched_once(microsoft: Publisher) -> None:
    """By whoever comes first; who comes meanwhile waits for the same fetch."""
    tokens = microsoft.tokens(cooldown=30)
    await asyncio.gather(*(tokens.check(signed(), CALL) for _ in range(20)))
    assert microsoft.asked == 1


async def test_a_new_key_is_noticed(microsoft: Publisher) -> None:
    """And the old one is no longer good."""
    tokens = microsoft.tokens()
    await tokens.check(signed(), CALL)
    microsoft.keys = [published(TWO, "two")]
    await tokens.check(signed(TWO, "two"), CALL)
    with pytest.raises(Unauthorized):
        await tokens.check(signed(), CALL)


async def test_made_up_keys_do_not_make_us_fetch(microsoft: Publisher) -> None:
    """One fetch in each cooldown; who names a known key is not kept waiting by it."""
    now = 1000.0
    tokens = microsoft.tokens(cooldown=30, clock=lambda: now)
    await tokens.start()
    for name in ("x", "y", "z"):
        with pytest.raises(Unauthorized, match="not published"):
            await tokens.check(signed(TWO, name), CALL)
    assert microsoft.asked == 1
    now += 31
    microsoft.held = asyncio.Event()
    unknown = asyncio.create_task(tokens.check(signed(TWO, "two"), CALL))
    await microsoft.reached.wait()
    await tokens.check(signed(), CALL)
    microsoft.keys = [published(ONE, "one"), published(TWO, "two")]
    microsoft.held.set()
    await unknown


async def test_keys_a_day_old_are_fetched_again(microsoft: Publisher) -> None:
    """A key that was taken back does not live on here."""
    now = 1000.0
    tokens = microsoft.tokens(cooldown=30, clock=lambda: now)
    await tokens.check(signed(), CALL)
    microsoft.keys = [published(TWO, "two")]
    now += 86_401
    with pytest.raises(Unauthorized, match="not published"):
        await tokens.check(signed(), CALL)


async def test_where_keys_cannot_be_fetched_nobody_is_let_in(microsoft: Publisher) -> None:
    """The operator reads why; as soon as they can be had again, calls are taken."""
    microsoft.down = 503
    tokens = microsoft.tokens()
    await tokens.start()
    with pytest.raises(Unauthorized, match="cannot be fetched"):
        await tokens.check(signed(), CALL)
    assert microsoft.openid in tokens.fault
    microsoft.down = 0
    await tokens.check(signed(), CALL)
    assert tokens.fault == ""


async def test_nobody_listens_where_the_keys_should_be() -> None:
    """An address that was served and is not."""
    async with publishing(Publisher()) as gone:
        pass
    with pytest.raises(Unauthorized, match="cannot be reached"):
        await gone.tokens().check(signed(), CALL)


async def test_old_keys_outlive_an_outage_but_not_a_long_one(microsoft: Publisher) -> None:
    """A week."""
    now = 1000.0
    tokens = microsoft.tokens(clock=lambda: now)
    await tokens.check(signed(), CALL)
    microsoft.down = 500
    now += 2 * 86_400
    await tokens.check(signed(), CALL)
    assert tokens.fault
    now += 6 * 86_400
    with pytest.raises(Unauthorized, match="cannot be fetched"):
        await tokens.check(signed(), CALL)


@pytest.mark.parametrize(
    "keys",
    [
        [],
        "none",
        [published(ONE, "one", use="enc")],
        [{"kty": "oct", "k": "AAAA", "kid": "one"}, "one", {"kid": "one"}],
        [{"kid": 1}],
    ],
)
async def test_what_is_no_key_for_signatures_is_none(microsoft: Publisher, keys: object) -> None:
    """Other kinds and uses of keys, and nonsense."""
    microsoft.keys = keys
    with pytest.raises(Unauthorized, match="there are no keys"):
        await microsoft.tokens().check(signed(), CALL)


async def test_keys_from_elsewhere_are_not_taken(microsoft: Publisher) -> None:
    """Neither by a redirect, nor from an address anybody on the way could answer for."""
    microsoft.elsewhere = f"{microsoft.root}/openid"
    with pytest.raises(Unauthorized, match="cannot be fetched"):
        await microsoft.tokens().check(signed(), CALL)
    microsoft.elsewhere, microsoft.named = "", "http://keys.example.com/"
    with pytest.raises(Unauthorized, match="no https address"):
        await microsoft.tokens().check(signed(), CALL)


async def test_the_loop_is_not_held_up(microsoft: Publisher) -> None:
    """Fetching and checking wait for nothing within the loop."""
    await microsoft.tokens().check(signed(), CALL)
    tokens, header = microsoft.tokens(), signed()
    with loop_watched() as seen:
        await tokens.start()
        await asyncio.gather(*(tokens.check(header, CALL) for _ in range(50)))
    assert seen.waited == []
    assert seen.longest < 20_000, seen.where
