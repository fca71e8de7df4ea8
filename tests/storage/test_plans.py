"""What is asked often is answered by an index, so that a hundred thousand pending reviews weigh nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from reviews.keeping import Query
from reviews.model import Status
from storage import listing, outbound, registry, store
from storage.sql import Statement
from tests.fakes.postgres import Postgres

QUEUE = Query(roles=("manager",), called="ana", levels_up_to=2, open_only=True, order="priority")


def asked(query: Query) -> Statement:
    """The statement behind `find`."""
    return listing.listing(listing._shape(query), query.order)


def counted(query: Query) -> Statement:
    """The statement behind `count`."""
    return listing.counting(listing._shape(query))


STATEMENTS = {
    "due": (store._DUE, "ix_reviews_due"),
    "next due": (store._NEXT_DUE, "ix_reviews_due"),
    "queue": (asked(QUEUE), "ix_reviews_queue"),
    "everyone's queue": (asked(Query(open_only=True, order="priority")), "ix_reviews_queue"),
    "an agent's reviews": (asked(Query(agent="a", before_seq=5)), "ix_reviews_agent_seq"),
    "an agent's open ones, counted": (counted(Query(agent="a", open_only=True)), "ix_reviews_open"),
    "somebody's, counted": (counted(QUEUE), "pk_audience"),
    "what an agent could act on": (asked(Query(agent="a", live=True, order="oldest")), "ix_reviews_granted"),
    "what an agent could act on, and is open": (counted(Query(agent="a", live=True, held=False)), "ix_reviews_open"),
    "what waits for whom": (listing._BACKLOG, "ix_reviews_backlog"),
    "an agent's pace": (listing._PACE, "ix_reviews_ended"),
    "history of a subject": (asked(Query(subject="s", action="x", limit=5)), "ix_reviews_subject_seq"),
    "recent of a subject": (store._RECENT_OF_SUBJECT, "ix_reviews_recent"),
    "by key": (store._READ_BY_KEY, "uq_reviews_agent_idem_key"),
    "one status, counted": (counted(Query(statuses=(Status.EXPIRED,))), "ix_reviews_status"),
    "stats": (registry._ASKED, "ix_reviews_created_at"),
    "due copies": (outbound._DUE_COPIES, "ix_copies_due"),
    "next copy": (outbound._NEXT_COPY, "ix_copies_due"),
    "copies at a place": (outbound._STANDING, "ix_copies_place"),
    "a copy by its mark": (outbound._MARKED, "ix_copies_mark"),
    "what somebody was told lately": (outbound._notices(1), "ix_bulletins_at"),
    "due deliveries": (outbound._DUE_DELIVERIES, "ix_deliveries_due"),
    "whom deliveries are due to": (outbound._LANES, "ix_deliveries_due"),
}
#: Where a few rows already found are put in order; everything else reads its order from an index.
SORTS = {"due copies"}


VALUES = {
    "to": "r1",
    "agent": "agent-1",
    "subject": "s1",
    "action": "x",
    "key": "rev_1",
    "idem_key": "k1",
    "since": 19_990,
    "on_surface": "s",
    "there": "a7",
    "in_state": "posted",
    "named": "m5",
    "told": "ana",
    "surface_0": "s",
    "address_0": "a7",
}


def value(name: str) -> Any:
    """A value for a parameter, such as is found in the rows below."""
    if name.startswith("status_"):
        return "expired"
    return "role:r1" if name.startswith("who_") else VALUES.get(name, 10)


@pytest.mark.parametrize("name", STATEMENTS)
def test_sqlite_reads_an_index(name: str, sqlite_file: Path) -> None:
    """No table is read from end to end, and what is paged is not sorted."""
    statement, index = STATEMENTS[name]
    conn = sqlite3.connect(sqlite_file)
    params = statement.ordered({arg: value(arg) for arg in statement.args if arg not in statement.fixed})
    plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statement.text}", params)]
    conn.close()
    names = {"uq_reviews_agent_idem_key": "agent=? AND idem_key=?", "pk_audience": "who=?"}
    assert any(names.get(index, index) in line for line in plan), plan
    assert not [line for line in plan if line.startswith("SCAN reviews") and "INDEX" not in line], plan
    assert name in SORTS or not [line for line in plan if "TEMP B-TREE" in line], plan


_FILL = """
    INSERT INTO reviews (id, agent, idem_key, fingerprint, status, open, action, subject, tier, risk, rule, rank,
        created_at, deadline_at, due_at, ended_at, revision, version, held, sandbox, linked, needs, state)
    SELECT 'rev_' || n, 'agent-' || n % 50, 'k' || n, 'f', 'pending', CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END, 'x',
        's' || n % 1000, 'approve', 'low', 'r', n, n, n, CASE WHEN n % 10 < 2 THEN n END,
        CASE WHEN n % 10 > 0 THEN n END, 1, 1, 0, 0, 0, 'role:r' || n % 20, '{}'
    FROM generate_series(1, 20000) n;
    INSERT INTO revisions SELECT 'rev_' || n, 1, '{}', n FROM generate_series(1, 20000) n;
    INSERT INTO audience SELECT 'role:r' || n % 20, 'rev_' || n FROM generate_series(1, 20000) n;
    INSERT INTO copies (id, review, surface, address, epoch, rung, state, wanted, shown, attempts, created_at, due_at,
        kind, told, thread, mark, muted, open)
    SELECT 'c' || n, 'rev_' || n, 's', 'a' || n % 50, 0, 0, 'posted', 1, 1, 0, n, CASE WHEN n % 50 = 0 THEN n END,
        'card', 0, '', 'm' || n, '', CASE WHEN n % 10 = 7 THEN 1 ELSE 0 END
    FROM generate_series(1, 20000) n;
    INSERT INTO bulletins (id, title, text, tone, at)
    SELECT 'bul_' || n, 't', 't', 'neutral', n FROM generate_series(1, 20000) n;
    INSERT INTO deliveries (id, review, agent, message, url, receiver, body, state, due_at, attempts)
    SELECT 'd' || n, 'rev_' || n, 'a', 'm', 'u', 'r' || n % 3, '', CASE WHEN n % 50 = 0 THEN 'due' ELSE 'done' END, n, 0
    FROM generate_series(1, 20000) n
"""


def test_postgres_reads_an_index(postgres: Postgres) -> None:
    """With many rows there, each statement that is asked often reads the index made for it."""

    url = postgres.database()

    async def plans() -> dict[str, str]:
        conn = await asyncpg.connect(url)
        await conn.execute(_FILL)
        await conn.execute("VACUUM ANALYZE")
        found = {}
        for name, (statement, _) in STATEMENTS.items():
            compiled: Any = statement.core.compile(dialect=dialect.dialect())
            params = [compiled.params[arg] if arg in statement.fixed else value(arg) for arg in compiled.positiontup]
            found[name] = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {compiled}", *params))
        await conn.close()
        return found

    found = asyncio.run(plans())
    missing = {name: found[name] for name, (_, index) in STATEMENTS.items() if index not in found[name]}
    assert missing == {}
