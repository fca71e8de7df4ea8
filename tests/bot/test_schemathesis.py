"""The running service against its own document: schemathesis makes requests, good and bad, and checks each answer.

Every built-in check is on. What a schema cannot say is put right in requests that are meant to be good (`_sayable`).
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from schemathesis.generation import GenerationMode

from bot.api import MAX_WAIT
from reviews.model import Object
from tests.fakes.app import running
from tests.fakes.receiver import Receiver

#: Examples for each operation and each stateful run; the whole takes well below a minute.
EXAMPLES = 10
#: What the examples call back; here it must be somewhere on this machine.
EXAMPLE_CALLBACK = "https://agent.example.com/hooks/placet"


@dataclass
class Found:
    """What a run came to: failures by check and operation, how many requests, faults of the run itself."""

    failures: list[str] = field(default_factory=list)
    cases: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)


def _sayable(case: Any, callback: str, key: str) -> Any:
    """Make a request that is meant to be good respect what only the server knows: rules between two values.

    Which callbacks and roles exist here; that arguments fit a schema sent with them, and it is one; that a revision
    keeps name and schema; that an idempotency key is used for one body. And what Python's patterns cannot: `\\p{C}`.
    """
    if _is_number(wait := (case.query or {}).get("wait")) and 0 < float(wait) <= MAX_WAIT:
        # As good a number, and nobody decides meanwhile: the whole minute would only be waited out.
        case.query["wait"] = 0.01
    body = case.body
    good = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    if not good or not isinstance(body, dict):
        return case
    body = {key: value for key, value in body.items() if key != "idempotency_key"}
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = key
    if isinstance(action := body.get("action"), dict):
        fixed = ("schema", "name") if case.path.endswith("/revisions") else ("schema",)
        body["action"] = {key: value for key, value in action.items() if key not in fixed}
        if "name" in body["action"]:
            body["action"]["name"] = _printable(body["action"]["name"])
    if body.get("callback_url") is not None:
        body["callback_url"] = callback
    if body.get("reviewer_role") is not None:
        body["reviewer_role"] = "manager"
    case.body = body
    return case


def _printable(name: str) -> str:
    return "".join(c for c in name if c.isprintable() and not c.isspace()) or "x"


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _run(document: Object, url: str, agent: str, person: str, callback: str) -> Found:
    """All phases: examples, coverage of every limit, fuzzing, and stateful along the document's links."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 20261121,
            "auth": {"openapi": {"agent": {"bearer": agent}, "person": {"bearer": person}}},
            "generation": {"max-examples": EXAMPLES, "deterministic": True},
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.config.update(base_url=url)
    fresh = itertools.count()

    @schema.hook("map_case")
    def sayable(_: Any, case: Any) -> Any:
        return _sayable(case, callback, f"run-{next(fresh)}")

    found = Found()
    for event in engine.from_schema(schema).execute():
        _note(found, event)
    return found


def _note(found: Found, event: Any) -> None:
    match event:
        case events.PhaseFinished():
            found.phases.append(event.phase.name.value)
        case events.ScenarioFinished():
            for checks in event.recorder.checks.values():
                found.failures += [_told(event.recorder.label, c) for c in checks if c.failure_info is not None]
            for interaction in event.recorder.interactions.values():
                found.cases[event.recorder.label] += 1
                found.answers[interaction.response.status_code if interaction.response else 0] += 1
        case events.NonFatalError():
            found.errors.append(f"{event.label}: {event.info}")
        case events.FatalError():
            found.errors.append(repr(event.exception))


def _told(label: str, check: Any) -> str:
    return f"{label}: {check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample}"


@pytest.mark.slow
async def test_the_service_does_what_its_document_says(tmp_path: Path, receiver: Receiver) -> None:
    """No failure in any phase; every operation was called, and the good requests came to good answers."""
    async with running(tmp_path, config={"callbacks": {"allow": [receiver.address]}}) as house:
        # Its callbacks may go to this one receiver only, so nothing made up is ever connected to.
        agent = await house.agent(rate=1e6, burst=10**6, max_open=10**6, hosts=[receiver.address])
        person = await house.person("cy")
        text = (await house.call("GET", "/v1/openapi.json")).raw.decode()
        document = json.loads(text.replace(EXAMPLE_CALLBACK, receiver.url()))
        found = await asyncio.to_thread(_run, document, house.url, agent.key, person.key, receiver.url())
    assert not found.failures, "\n\n".join(found.failures)
    assert not found.errors, "\n\n".join(found.errors)
    assert {"examples", "coverage", "fuzzing", "stateful"} <= set(found.phases)
    for path, calls in document["paths"].items():
        for method in calls:
            assert found.cases[f"{method.upper()} {path}"] > 0
    assert found.cases["Stateful tests"] > 10
    assert {200, 201, 400, 401, 404, 409, 422} <= set(found.answers)
    assert found.answers[500] == found.answers[0] == 0
