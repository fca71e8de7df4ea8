"""Sandbox keys: scripted answers for the CI of agent builders, by the same lifecycle as everybody else's.

A sandbox review is never routed to people, and the script's person is nobody in placet.yml; a real key never
comes here. `edit` changes the first text or number it finds; `silence` lets the review expire in seconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.service import Service
from reviews.events import Approved, ChangesRequested, Edited, Event, Rejected
from reviews.lifecycle import phase
from reviews.model import Object, Person, Review, Status
from reviews.values import replace

SCRIPT = Person(id="sandbox", name="Sandbox script", roles=frozenset({"sandbox"}), level=9)


class Sandbox:
    """Answers sandbox reviews as their key says."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(self, review: Review, answer: str) -> Review:
        """Give the scripted answer to a pending sandbox review; the review as it stands then."""
        if review.status is not Status.PENDING or answer == "silence":
            return review
        done = await self._service.apply(review.id, lambda current, at: self._event(current, at, answer))
        return done.review if done is not None else review

    def _event(self, review: Review, at: datetime, answer: str) -> Event | None:
        common: dict[str, Any] = {"person": SCRIPT, "at": at, "surface": "api", "revision": review.revision}
        if not review.sandbox or phase(review) != "pending":
            return None
        match answer:
            case "approve":
                return Approved(**common)
            case "reject":
                return Rejected(**common, reason="The sandbox rejects.")
            case "changes":
                return ChangesRequested(**common, reason="The sandbox asks for another proposal.")
            case _:
                action = replace(review.request.action, arguments=_edited(review.request.action.arguments))
                request = replace(review.request, action=action)
                routed = self._service.router.sandbox(request, review.revision + 1, at)
                return Edited(**common, proposal=routed.proposal, schedule=routed.schedule, reach=())


def _edited(arguments: Object) -> Object:
    for name, value in arguments.items():
        if isinstance(value, str):
            return {**arguments, name: f"{value} (edited)"}
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {**arguments, name: value / 2 if isinstance(value, float) else value // 2}
    return {**arguments, "edited": True}
