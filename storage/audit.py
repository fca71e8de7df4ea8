"""The log's entries: the bytes that will be proved, and the particulars kept apart from them. No I/O.

The bytes name the particulars by a salted hash only, so that what is personal can be erased without breaking a proof.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson

from reviews.digest import canonical
from reviews.errors import DigestImpossible
from reviews.events import Record
from reviews.keeping import Entry
from reviews.model import Object
from storage.rows import Params, Row, instant, micros

ENTRY_COLUMNS = ("seq", "at", "review", "kind", "actor", "body", "detail", "public")


def entry_columns(record: Record, review: str | None) -> Params:
    """The row of a log entry. Raises DigestImpossible for particulars without a canonical form."""
    # A closed word is its plain text: the canonicaliser's quick way takes exact types only.
    words = {name: str(held) if isinstance(held, StrEnum) else held for name, held in record.detail.items()}
    detail = canonical({**words, "salt": os.urandom(16).hex()})
    return {
        "at": micros(record.at),
        "review": review,
        "kind": record.kind,
        "actor": record.actor,
        "public": int(record.public),
        "body": body_of(record, review, hashlib.sha256(detail).hexdigest()),
        "detail": detail.decode(),
    }


def body_of(record: Record, review: str | None, detail_sha256: str) -> bytes:
    """The canonical bytes (RFC 8785) of an entry: five texts, written under sorted keys.

    Raises DigestImpossible for a text with a lone surrogate.
    """
    entry = {
        "actor": record.actor,
        "at": stamp(record.at),
        "detail_sha256": detail_sha256,
        "kind": record.kind,
        "review": review,
    }
    try:
        return orjson.dumps(entry)
    except orjson.JSONEncodeError as fault:
        raise DigestImpossible(str(fault)) from fault


def stamp(at: datetime) -> str:
    """The instant as the log writes it: UTC, always six digits of a second."""
    # `isoformat` takes four times as long; this leaves a fraction out where there is none.
    raw = orjson.dumps(at.astimezone(UTC))
    return (raw[1:27] if at.microsecond else raw[1:20] + b".000000").decode() + "Z"


def entry_from(row: Row) -> Entry:
    """A log entry from the columns of ENTRY_COLUMNS."""
    seq, at, review, kind, actor, body, detail, public = row
    return Entry(
        seq=seq,
        at=instant(at),
        review=review,
        kind=kind,
        actor=actor,
        body=body,
        detail=_object(detail),
        public=bool(public),
    )


def _object(text: str) -> Object:
    kept: dict[str, Any] = json.loads(text)
    return kept
