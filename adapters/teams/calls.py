"""What a failed call to Teams means to the house, and how to mend it."""

from __future__ import annotations

import random
from collections.abc import Callable
from http import HTTPStatus

from adapters.teams.config import APP_PASSWORD
from adapters.teams.seam import Failed
from reviews.errors import PlacetError, SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable

INSTALL = "Install the Placet app for them in Teams, or add it to a team they are in."
_ROOM = "Add the Placet app to that team or chat in Teams."

#: Teams' word for a refusal, and what to do about it.
#: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
FIXES = {
    "ActivityNotFoundInConversation": "the message was deleted. The full page still shows the review.",
    "BotDisabledByAdmin": "an administrator has switched the app off. Allow it in the Teams admin center.",
    "BotDisabledByUser": "they have switched the app off. They can allow it again in Teams, under Apps.",
    "BotNotInConversationRoster": f"the bot is not in that conversation. {_ROOM}",
    "BotNotRegistered": "Azure has no such bot. Check `teams.app_id`, and the bot's channel Microsoft Teams.",
    "ConversationBlockedByUser": "they have blocked the bot. They can unblock it in its chat.",
    "ConversationNotFound": "there is no such conversation. Check its id in placet.yml.",
    "ForbiddenOperationException": f"the bot may not write there. {INSTALL}",
    "InvalidBotApiHost": "the bot is called at the wrong address. Set `teams.service_url` for your cloud.",
    "MessageSizeTooBig": "the message is too long for Teams.",
    "MessageWritesBlocked": f"they have blocked or removed the bot. {INSTALL}",
    "NotEnoughPermissions": "the bot lacks a permission. Install the app package of this version again.",
    "UserNotFound": "there is no such person. Check `identities: {teams: …}` in placet.yml: it is their Object ID.",
}
_OTHERWISE: dict[int, str] = {
    HTTPStatus.FORBIDDEN: f"the bot may not write there. {INSTALL}",
    HTTPStatus.NOT_FOUND: "there is no such conversation or message. Check the id in placet.yml.",
}

#: What an `AADSTS…` code of the directory's means.
#: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
DIRECTORY = {
    "AADSTS700016": "no such app in this tenant. Check `teams.app_id` and `teams.tenant_id`.",
    "AADSTS7000215": f"the client secret is wrong. Put its value, not its id, into {APP_PASSWORD}.",
    "AADSTS7000222": f"the client secret has expired. Make a new one in Azure and put its value into {APP_PASSWORD}.",
    "AADSTS7000112": "the app is switched off. Switch it on in the Entra admin center, Enterprise applications.",
    "AADSTS7000229": "the app has no service principal in this tenant. Run `az ad sp create --id` with `teams.app_id`.",
    "AADSTS53003": "a Conditional Access policy keeps the app out. Let it in from this server's address.",
    "AADSTS90002": "there is no such tenant. Check `teams.tenant_id`.",
    "AADSTS900023": "the tenant is not named as Entra does. Check `teams.tenant_id`.",
}

_DRAWN_BADLY = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
#: What says that nothing was done: too many calls, and two at once.
_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_FAILED})


class Refused(SurfaceRefused):
    """Teams refused a call. `code` is its word for why."""

    def __init__(self, text: str, *, code: str) -> None:
        super().__init__(text)
        self.code = code


class CardRefused(Refused):
    """Teams did not take this card."""


def translated(fault: Failed, *, posting: bool = False, chance: Callable[[], float] = random.random) -> PlacetError:
    """What a failed call is to the house: SurfaceUnavailable, SurfaceRefused or, for a post, SurfaceAmbiguous."""
    status = fault.status
    if fault.code.startswith("AADSTS"):
        return SurfaceUnavailable(f"Entra gives no token ({fault.code}): {DIRECTORY.get(fault.code, fault.text)}")
    if status == HTTPStatus.UNAUTHORIZED:
        return SurfaceUnavailable(f"Teams did not accept who we are ({_named(fault)}). Run `placet doctor`.")
    if status in _LATER or _waits(fault, posting):
        return _patience(fault, chance)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not status:
        return _lost(fault, posting)
    if status in _DRAWN_BADLY and fault.code not in FIXES.keys() - {"MessageSizeTooBig"}:
        return CardRefused(f"Teams did not take the card ({_named(fault)}): {fault.text}", code=fault.code)
    fix = FIXES.get(fault.code) or _OTHERWISE.get(status, f"it says: {fault.text}")
    return Refused(f"Teams refused ({_named(fault)}): {fix}", code=fault.code)


def _waits(fault: Failed, posting: bool) -> bool:
    """Whether a failure with a time to come back at is surely one to repeat; a gateway may have passed a post on."""
    return fault.retry_after is not None and (fault.status == HTTPStatus.SERVICE_UNAVAILABLE or not posting)


def _patience(fault: Failed, chance: Callable[[], float]) -> SurfaceUnavailable:
    """Wait as told and up to a fifth longer, so that not all who were told come back at once."""
    asked = 1.0 if fault.retry_after is None else fault.retry_after
    spread = 1.0 if fault.retry_after is None else asked * 0.2
    return SurfaceUnavailable(f"Teams asks for {asked:g} s of patience.", retry_after=asked + spread * chance())


def _lost(fault: Failed, posting: bool) -> PlacetError:
    """A failure after which nobody knows whether it was done; only a post minds, and only if it went out."""
    text = f"Teams failed ({_named(fault)}): {fault.text}" if fault.status else fault.text
    if posting and (fault.sent or fault.status):
        return SurfaceAmbiguous(f"{text} The card may or may not be there.")
    return SurfaceUnavailable(text, retry_after=fault.retry_after)


def _named(fault: Failed) -> str:
    return fault.code or str(fault.status or "no answer")
