"""A Request from an object, strictly: unknown fields are refused, nothing is coerced that JSON can say."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from policies.errors import RequestFault
from reviews.model import Object, Request


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Request]:
    return TypeAdapter(Request)


def request_from(obj: Object) -> Request:
    """The request an object describes; its keys are the fields of `Request`. Raises RequestFault."""
    try:
        # Through JSON, because only there strict means what JSON means: lists for tuples, texts for instants.
        return _adapter().validate_json(json.dumps(obj, allow_nan=False), strict=True, extra="forbid")
    except (ValueError, TypeError, RecursionError) as fault:
        if not isinstance(fault, ValidationError):
            raise RequestFault({"": f"is no JSON: {fault}"}) from fault
        raise RequestFault({_pointer(e["loc"]): str(e["msg"]) for e in fault.errors(include_url=False)}) from fault


def _pointer(location: tuple[Any, ...]) -> str:
    return "".join(f"/{part}" for part in location)
