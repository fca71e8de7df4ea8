"""Agents, people's secrets, policy texts, who is away, where surfaces reach whom, what came already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from reviews.errors import PolicyConflict
from reviews.keeping import Absence, Agent, Ticket
from reviews.model import Object, Status
from storage import rows
from storage.rows import Row
from storage.sql import Part, Statement, adding_once, big, columns, putting
from storage.tables import absences, agents, policies, references, reviews, seen, tickets

_PUT_AGENT = putting(agents)
_AGENTS = Statement(select(agents.c.body).order_by(agents.c.name))
_one_agent = select(agents.c.body).where(agents.c.name == bindparam("key"))
_SEE_AGENT = Statement(_one_agent)
# Shared by all that depend on it; whoever changes it waits for them, and they for it: nothing slips past a stop.
_AGENT = Statement(_one_agent.with_for_update(read=True))
_CHANGE_AGENT = Statement(_one_agent.with_for_update())
_PUT_TICKET = putting(tickets)
# Locked, for a ticket that may be spent once: the second of two readers waits and then finds it spent.
_TICKET = Statement(
    select(*(tickets.c[name] for name in rows.TICKET_COLUMNS))
    .where(tickets.c.hash == bindparam("key"))
    .with_for_update()
)
_SEE_TICKET = Statement(
    select(*(tickets.c[name] for name in rows.TICKET_COLUMNS)).where(tickets.c.hash == bindparam("key"))
)
_PUT_POLICY = adding_once(policies)
_POLICY = Statement(
    select(policies.c.sha256).where(policies.c.name == bindparam("named"), policies.c.version == bindparam("v"))
)
_POLICY_TEXT = Statement(select(policies.c.text).where(policies.c.sha256 == bindparam("hash")).limit(1))
# Touches a row when the key is new, or came before `horizon`; of two at once the second waits and then touches none.
_come = insert(seen)
_ONCE = Statement(
    _come.on_conflict_do_update(
        index_elements=["what"], set_={"at": _come.excluded.at}, where=seen.c.at <= big("horizon")
    ),
    columns(seen),
)
_NEVER = -1
_FORGET = Statement(delete(seen).where(seen.c.at < big("before")))
_PUT_ABSENCE = putting(absences)
_END_ABSENCE = Statement(delete(absences).where(absences.c.person == bindparam("who")))
_ABSENCES = Statement(
    select(absences.c.person, absences.c.until, absences.c.by)
    .where(absences.c.until > big("now"))
    .order_by(absences.c.person)
)
_PUT_REFERENCE = putting(references)
_REFERENCE = Statement(
    select(references.c.fields).where(references.c.surface == bindparam("on"), references.c.key == bindparam("named"))
)
_ASKED = Statement(
    select(reviews.c.rule, reviews.c.status, reviews.c.created_at, reviews.c.ended_at).where(
        reviews.c.created_at >= big("since"), reviews.c.sandbox == 0
    )
)

_DECIDED = (Status.APPROVED, Status.REJECTED, Status.ANSWERED)


class Registry(Part):
    """The part of a transaction that knows agents, tickets and policies."""

    def put_agent(self, agent: Agent) -> None:
        """Keep an agent, new or changed."""
        self._db.run(_PUT_AGENT, rows.agent_columns(agent))
        self.changed.add("agents")

    def agents(self) -> list[Agent]:
        """Every agent."""
        return [rows.agent_from(row[0]) for row in self._db.all(_AGENTS, {})]

    def agent(self, name: str, *, change: bool = False) -> Agent | None:
        """One agent as it stands now, and so to the end of this transaction."""
        locking = _CHANGE_AGENT if change else _AGENT
        row = self._db.one(locking if self._db.locks else _SEE_AGENT, {"key": name})
        return None if row is None else rows.agent_from(row[0])

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep a ticket, new or changed."""
        self._db.run(_PUT_TICKET, rows.ticket_columns(ticket))

    def ticket(self, hash: str) -> Ticket | None:
        """Read a ticket by the hash of its secret."""
        row = self._db.one(_TICKET if self._db.locks else _SEE_TICKET, {"key": hash})
        return None if row is None else rows.ticket_from(row)

    def once(self, key: str, *, within: timedelta | None = None) -> bool:
        """Whether this is the first time, or the first within so long. Kept with the transaction."""
        now = self.now()
        horizon = _NEVER if within is None else rows.micros(now - within)
        return self._db.run(_ONCE, {"what": rows.term(key), "at": rows.micros(now), "horizon": horizon}) > 0

    def forget_once(self, before: datetime) -> None:
        """Forget keys older than this."""
        self._db.run(_FORGET, {"before": rows.micros(before)})

    def put_absence(self, absence: Absence) -> None:
        """Keep that a person is away; an `until` that has passed ends it."""
        if absence.until > self.now():
            self._db.run(_PUT_ABSENCE, rows.absence_columns(absence))
        else:
            self._db.run(_END_ABSENCE, {"who": absence.person})
        self.changed.add("absences")

    def absences(self) -> list[Absence]:
        """Who is away now, by person."""
        return [rows.absence_from(row) for row in self._db.all(_ABSENCES, {"now": rows.micros(self.now())})]

    def put_reference(self, surface: str, key: str, fields: Mapping[str, str]) -> None:
        """Keep where a surface reaches somebody or some place."""
        self._db.run(_PUT_REFERENCE, {"surface": surface, "key": key, "fields": rows.words_text(fields)})

    def reference(self, surface: str, key: str, *, change: bool = False) -> dict[str, str] | None:
        """What was kept so. Not its row is locked to `change` it, which may not be there yet, but its name."""
        if change:
            self._db.alone(f"reference.{surface}.{key}")
        row = self._db.one(_REFERENCE, {"on": surface, "named": key})
        return None if row is None else rows.words_from(row[0])

    def put_policy(self, name: str, version: int, sha256: str, text: str, at: datetime) -> None:
        """Keep a loaded text. Raises PolicyConflict when this name and version had another text."""
        kept = {"name": name, "version": version, "sha256": sha256, "text": text, "at": rows.micros(at)}
        if self._db.run(_PUT_POLICY, kept) == 0:
            row = self._db.one(_POLICY, {"named": name, "v": version})
            if row is None or row[0] != sha256:
                raise PolicyConflict(
                    f"Policy {name} version {version} was loaded before with another text. Raise `version` in the file."
                )

    def policy_text(self, sha256: str) -> str | None:
        """A kept policy text by its hash."""
        row = self._db.one(_POLICY_TEXT, {"hash": sha256})
        return None if row is None else str(row[0])

    def stats(self, since: datetime) -> list[Object]:
        """Per rule: `{rule, asked, approved, rejected, expired, p50, p95}`; times in seconds from ask to decision.

        Reviews asked for since then, sandboxes left out; `p50` and `p95` are None while nothing was decided.
        """
        return summary(self._db.all(_ASKED, {"since": rows.micros(since)}))


def summary(asked: Iterable[Row]) -> list[Object]:
    """Sum up rows of (rule, status, created_at, ended_at), instants in microseconds, by rule."""
    counts: dict[str, dict[str, int]] = {}
    took: dict[str, list[float]] = {}
    for rule, status, created, ended in asked:
        counted = counts.setdefault(rule, {})
        counted["asked"] = counted.get("asked", 0) + 1
        counted[status] = counted.get(status, 0) + 1
        if status in _DECIDED and ended is not None:
            took.setdefault(rule, []).append((ended - created) / 1_000_000)
    return [_line(rule, counts[rule], sorted(took.get(rule, ()))) for rule in sorted(counts)]


def _line(rule: str, counted: dict[str, int], took: list[float]) -> Object:
    ends = (Status.APPROVED, Status.REJECTED, Status.EXPIRED)
    return {
        "rule": rule,
        "asked": counted["asked"],
        **{end.value: counted.get(end.value, 0) for end in ends},
        "p50": _quantile(took, 0.5),
        "p95": _quantile(took, 0.95),
    }


def _quantile(ordered: list[float], share: float) -> float | None:
    """The nearest rank: a time that somebody really took."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
