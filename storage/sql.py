"""One statement for two engines, and what the store asks of a connection.

Statements are SQLAlchemy Core. PostgreSQL runs them through SQLAlchemy; for SQLite each is compiled once to text and
an order of parameters and runs on the bare connection, which is eight times faster there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, Table, bindparam, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import UpdateBase

from storage.rows import Params, Row

_SQLITE = sqlite.dialect()

#: Written out rather than bound: a partial index serves only a condition its planner can read.
ONE: ColumnElement[int] = literal_column("1")
ZERO: ColumnElement[int] = literal_column("0")


class Statement:
    """A Core statement and its SQLite form. `keys` names the columns of an INSERT or UPDATE set by parameters."""

    __slots__ = ("_pick", "args", "core", "fixed", "text")

    def __init__(self, core: UpdateBase | Select[Any], keys: Sequence[str] | None = None) -> None:
        compiled = core.compile(dialect=_SQLITE, column_keys=None if keys is None else list(keys))
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"not a statement: {core!r}")
        self.core = core
        self.text = compiled.string
        self.args: tuple[str, ...] = tuple(compiled.positiontup or ())
        self.fixed: Params = {name: bind.value for bind, name in compiled.bind_names.items() if bind.value is not None}
        # `itemgetter` gives a tuple only of two values or more.
        self._pick = itemgetter(*self.args) if len(self.args) > 1 else self._few

    def ordered(self, params: Params) -> Sequence[Any]:
        """The parameters as SQLite wants them. Raises KeyError for a missing one."""
        picked: Sequence[Any] = self._pick(self.fixed | params if self.fixed else params)
        return picked

    def _few(self, params: Params) -> list[Any]:
        return [params[name] for name in self.args]


class Db(Protocol):
    """A connection inside a transaction, synchronous on every engine. `locks`: rows can be locked one by one."""

    locks: bool

    def one(self, statement: Statement, params: Params) -> Row | None:
        """The first row, if there is one."""
        ...

    def all(self, statement: Statement, params: Params) -> Sequence[Row]:
        """Every row."""
        ...

    def run(self, statement: Statement, params: Params) -> int:
        """Run it; how many rows it touched."""
        ...

    def many(self, statement: Statement, rows: Sequence[Params]) -> None:
        """Run it for each of the rows."""
        ...

    def alone(self, work: str) -> None:
        """Wait until no other transaction does this work, and keep others waiting to the end of this one."""
        ...

    def now(self) -> datetime:
        """The engine's instant."""
        ...


class Part:
    """A part of the transaction: statements over one connection. `changed` are the names others are told of."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._now: datetime | None = None
        self.changed: set[str] = set()

    def now(self) -> datetime:
        """The transaction's instant: asked once, then the same to the end."""
        if self._now is None:
            self._now = self._db.now()
        return self._now


def columns(table: Table) -> tuple[str, ...]:
    """The columns a new row sets: all but the number the engine gives."""
    return tuple(c.name for c in table.columns if c.name != "seq")


def adding(table: Table) -> Statement:
    """INSERT; a second row under a key in use is an error of ours."""
    return Statement(insert(table), columns(table))


def adding_once(table: Table, shape: Callable[[Insert], UpdateBase] = lambda made: made) -> Statement:
    """INSERT that touches no row where a key is in use: PostgreSQL's transaction survives that, an error it would not.

    `shape` may add what comes back.
    """
    return Statement(shape(insert(table).on_conflict_do_nothing()), columns(table))


def putting(table: Table) -> Statement:
    """INSERT, or replace what lies under the primary key."""
    made = insert(table)
    keys = [c.name for c in table.primary_key.columns]
    new = {c.name: made.excluded[c.name] for c in table.columns if c.name not in keys}
    return Statement(made.on_conflict_do_update(index_elements=keys, set_=new), columns(table))


def big(name: str) -> BindParameter[int]:
    """A parameter of 64 bits; PostgreSQL would take an untyped one for 32."""
    return bindparam(name, type_=BigInteger())


__all__ = ["ONE", "ZERO", "Db", "Part", "Statement", "adding", "adding_once", "big", "columns", "putting"]
