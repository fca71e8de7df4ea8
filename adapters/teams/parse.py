"""What Teams sends, as an Interaction or as a wish to see something. Pure, no SDK.

The payloads are the Bot Connector's own JSON, and their token was verified before they come here. Who did something is
the directory's object id and tenant, never a name. All else in them is hostile.
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from adapters.teams import press
from adapters.teams.press import Pressed
from adapters.teams.seam import Json
from adapters.token import Malformed
from reviews.events import Interaction
from reviews.model import Identity, Verb

SURFACE = "teams"

#: What a repeat is not the domain's to see: only the card's version tells a second press from one sent again.
_ONCE = frozenset({Verb.COMMENT, Verb.ESCALATE, Verb.TAKE, Verb.HAND, Verb.REVEAL})
#: What a thread hangs on, in the id of its conversation.
ROOT = ";messageid="
#: What begins the invokes of what is offered everywhere, also where we are not and may not write.
_ANYWHERE = "composeExtension/"
_LONGEST_LINK = 2000
#: More of a message nobody is shown, and reading it takes time.
_LONGEST = 40_000
#: Mentions of us taken out of a message: each goes through all of a long text.
_MENTIONS = 50
_QUOTED = re.compile(r'itemtype="https?://schema\.skype\.com/Reply"[^>]{0,200}\bitemid="(\d{1,40})"')
_TAG = re.compile(r"</?at(?:\s[^<>]{0,200})?>")
#: A tag, one that never ends too. No parser: Python's takes minutes over a message made to keep it busy.
_MARKUP = re.compile(r"<(?:/?([A-Za-z][A-Za-z0-9]*)|[/!?])[^<>]*(?:>|(?=<)|\Z)")
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "blockquote"})


class Kind(StrEnum):
    """The kinds of conversation."""

    CHANNEL = "channel"
    GROUP = "group"
    PERSONAL = "personal"


class Invoke(StrEnum):
    """The names of what is answered in the response, and nowhere else."""

    ACTION = "adaptiveCard/action"
    FETCH = "task/fetch"
    SUBMIT = "task/submit"
    POINT = "composeExtension/fetchTask"
    ASK = "composeExtension/submitAction"


class Nobody(Malformed):
    """Teams did not say who did it; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who did something, and where an answer for them goes.

    `conversation` is its exact id, `channel` that without the message it hangs on, which is `root` (empty in chats).
    `activity` is the message pressed or replied to, `sent` what came. `user` is Teams' own id (`29:…`), `service` the
    verified address of the service.
    """

    identity: Identity
    conversation: str
    channel: str
    kind: Kind
    root: str = ""
    activity: str = ""
    service: str = ""
    user: str = ""
    sent: str = ""

    @property
    def alone(self) -> bool:
        """Whether it was in the person's own chat with us, which nobody else reads."""
        return self.kind is Kind.PERSONAL

    @property
    def mark(self) -> str:
        """How a reply there names the message it stands beneath."""
        return mark_of(self.channel, self.root) if self.root else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody typed, without our name. `meant`: it is for us. `quoted` is the message it answers, in a chat."""

    origin: Origin
    text: str
    meant: bool
    quoted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """A message somebody pointed at: its words (untrusted), the address of it, and the message its thread hangs on."""

    text: str
    link: str
    thread: str


# ---------------------------------------------------------------------------------------------- where from


def origin(payload: Json) -> Origin:
    """Who did it and where. Raises Nobody where Teams names nobody, Malformed where it names no conversation."""
    user, place = _dict(payload, "from"), _dict(payload, "conversation")
    tenant = _text(place, "tenantId") or _text(_dict(_dict(payload, "channelData"), "tenant"), "id")
    object_id, conversation = _text(user, "aadObjectId").strip().lower(), _text(place, "id")
    if not object_id:
        raise Nobody("Teams did not say who you are; nothing was done. Sign in to Teams with your work account.")
    if not conversation:
        raise Malformed("the payload names no conversation")
    channel, _, root = conversation.partition(ROOT)
    kind = kind_of(channel, _text(place, "conversationType"))
    if anywhere(payload) and channel.startswith("19:") and kind is Kind.PERSONAL:
        kind = Kind.GROUP  # a chat of two people, which Teams names as it names one with us
    return Origin(
        identity=Identity(surface=SURFACE, id=object_id, tenant=tenant.lower() or None),
        conversation=conversation,
        channel=channel,
        kind=kind,
        root=root,
        activity=_text(payload, "replyToId"),
        service=_text(payload, "serviceUrl"),
        user=_text(user, "id"),
        sent=_text(payload, "id"),
    )


def kind_of(channel: str, named: str = "") -> Kind:
    """The kind of a conversation, as Teams names it (`groupChat`), else by how its id ends."""
    kinds = {"channel": Kind.CHANNEL, "groupChat": Kind.GROUP, "personal": Kind.PERSONAL}
    if named in kinds:
        return kinds[named]
    if channel.endswith(("@thread.tacv2", "@thread.skype")):
        return Kind.CHANNEL
    return Kind.GROUP if channel.endswith("@thread.v2") else Kind.PERSONAL


def threaded(channel: str, root: str) -> str:
    """The conversation of the thread that hangs on a channel's message."""
    return f"{channel}{ROOT}{root}"


def mark_of(channel: str, activity: str) -> str:
    """How a reply names a message of ours."""
    return f"{channel}:{activity}"


def invoked(payload: Json) -> str:
    """The name of an invoke; empty for every other activity."""
    return _text(payload, "name") if payload.get("type") == "invoke" else ""


def anywhere(payload: Json) -> bool:
    """Whether it is of what is offered everywhere, so that it says nothing of where we are."""
    return invoked(payload).startswith(_ANYWHERE)


# ---------------------------------------------------------------------------------------------- presses


def pressed(payload: Json) -> Pressed:
    """What was pressed or sent, of an invoke or of a message that carries a `value`. Raises Malformed."""
    value = payload.get("value")
    held = value if isinstance(value, dict) else {}
    match invoked(payload):
        case "":
            return press.read(value)
        case Invoke.ACTION:
            return press.read(_dict(held, "action").get("data"))
        case _:
            return press.read(held.get("data"))


def interaction(where: Origin, what: Pressed) -> Interaction:
    """What a control does, without what was filled in. Raises Malformed for one that does nothing.

    `ref` and `mark` let a copy be adopted that was posted without our knowing: its answer was lost.
    """
    if what.verb is None or what.token is None:
        raise Malformed(f"a control to {what.way} decides nothing")
    token = what.token
    lies = bool(token.copy and where.activity)
    first = where.root in ("", where.activity)
    return Interaction(
        verb=what.verb,
        identity=where.identity,
        review=token.review,
        revision=token.revision,
        copy=token.copy or None,
        shown=token.shown or None,
        # What is kept of a copy says more, and what both say is compared: so no more than these two.
        ref={"channel": where.channel, "activity": where.activity} if lies else None,
        mark=mark_of(where.channel, where.activity) if lies and first else None,
        once=_once(where, what) if what.verb in _ONCE else None,
    )


def _once(where: Origin, what: Pressed) -> str:
    """One press of one card as it was drawn, however often Teams sends it: the second time under another id."""
    token = what.token
    told = (where.identity.id, token and token.review, what.version, what.verb, sorted(what.values.items()))
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


# ---------------------------------------------------------------------------------------------- words


def said(payload: Json) -> Said:
    """Read a message that somebody typed. Raises as `origin`."""
    where = origin(payload)
    text, meant = _text(payload, "text"), where.alone
    us = _text(_dict(payload, "recipient"), "id")
    for mention in islice(_mentions(payload, us), _MENTIONS if us else 0):
        text, meant = text.replace(_text(mention, "text") or "\0", " ", 1), True
    plain = html.unescape(_TAG.sub("", text)).replace("\xa0", " ").strip()
    return Said(origin=where, text=plain, meant=meant, quoted=_quoted(payload))


def _mentions(payload: Json, who: str) -> Iterator[Json]:
    """The mentions of somebody, by Teams' id."""
    named = (one for one in _list(payload, "entities") if _text(one, "type") == "mention")
    return (one for one in named if _text(_dict(one, "mentioned"), "id") == who)


def _quoted(payload: Json) -> str:
    """The id of the message that a chat's message answers: Teams quotes it in an attachment."""
    for attached in _list(payload, "attachments"):
        if _text(attached, "contentType") == "text/html" and (found := _QUOTED.search(_text(attached, "content"))):
            return found[1]
    return ""


def comment(said: Said, text: str) -> Interaction | None:
    """A comment beneath a card; None where what it stands beneath is not to be told."""
    where = said.origin
    mark = where.mark or (mark_of(where.channel, said.quoted) if said.quoted else "")
    if not mark:
        return None
    # A message is sent again with its own id.
    return Interaction(verb=Verb.COMMENT, identity=where.identity, reason=text, mark=mark, once=where.sent or None)


def pointed(payload: Json) -> Pointed:
    """The message that an action on messages was chosen for; an empty one where Teams says nothing of it."""
    held = payload.get("value")
    message = _dict(held if isinstance(held, dict) else {}, "messagePayload")
    body, at = _dict(message, "body"), _text(message, "id")
    text = _text(body, "content")
    return Pointed(
        text=_worded(text) if _text(body, "contentType") == "html" else text.strip(),
        link=_link(_text(message, "linkToMessage")),
        thread=_text(message, "replyToId") or at,
    )


def _link(url: str) -> str:
    """The address, if it is one a browser may be sent to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme == "https" and parts.netloc and len(url) <= _LONGEST_LINK else ""


def _worded(markup: str) -> str:
    """The words of a message in HTML, without anything that could be a tag."""
    words = html.unescape(_MARKUP.sub(_parted, markup[:_LONGEST]))
    lines = (line.strip() for line in words.replace("\xa0", " ").splitlines())
    return "\n".join(line for line in lines if line)


def _parted(tag: re.Match[str]) -> str:
    """What stands where a tag was: the line breaks where the message does."""
    return "\n" if tag[1] and tag[1].lower() in _BREAKS else ""


# ---------------------------------------------------------------------------------------------- comings and goings


def welcomed(payload: Json) -> bool:
    """Whether we were just added where this comes from."""
    if payload.get("type") == "installationUpdate":
        return payload.get("action") == "add"
    us = _text(_dict(payload, "recipient"), "id")
    added = _list(payload, "membersAdded") if payload.get("type") == "conversationUpdate" else []
    return bool(us) and any(_text(member, "id") == us for member in added)


# ---------------------------------------------------------------------------------------------- shapes


def _dict(holder: Json, key: str) -> dict[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def _list(holder: Json, key: str) -> Iterator[Json]:
    found = holder.get(key)
    yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))


def _text(holder: Json, key: str) -> str:
    found = holder.get(key)
    return found if isinstance(found, str) else ""
