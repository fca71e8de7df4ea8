"""What an older Placet kept is read by this one, with what it could not say yet at its default."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, make_url, text

import storage
from reviews.keeping import Query, Stop, Tx
from reviews.model import Cause, Decision, Grant, GrantState, Relation, Review, Status
from reviews.ports import Backlog
from storage import rows, upgrade
from storage.postgres import with_connection
from tests.fakes.builders import START, a_review, a_vote
from tests.fakes.clock import FakeClock
from tests.fakes.postgres import Postgres

# As revision 0005 wrote them, byte for byte.
DIGEST = "5c7a9a65bb6496e545d37d762e79a00ec769558f8505c8f4c26f39952bc537ce"
STATE = (
    '{"id":"rev_1","agent":"billing-bot","created_at":"2026-11-21T09:00:00Z","ladder":{"epoch":0,"schedule":{"rungs":'
    '["2026-11-21T09:00:00Z","2026-11-21T09:10:00Z"],"deadline_at":"2026-11-22T09:00:00Z","sla_at":null},"fired":0,'
    '"sla_passed":false,"paused_until":null},"status":"approved","version":1,"votes":[{"person":"ana","name":"Ana",'
    '"verb":"approve","revision":1,"at":"2026-11-21T09:01:00Z","surface":"web","slots":[0],"eligibility":'
    '"role manager","reason":null,"notes":null,"digest":"' + DIGEST + '","shown":null}],"comments":[],"changes":[],'
    '"called":{"ana":"oncall"},"owners":[],"principal":null,"named":[],"owner":null,"reply_by":null,"held_since":null,'
    '"decision":{"verdict":"approved","cause":"human","decided_at":"2026-11-21T09:00:00Z","revision":1,"digest":"'
    + DIGEST
    + '","by":[],"reason":null,"notes":null,"answer":null},"grant":{"state":"open","valid_until":'
    '"2026-11-21T10:00:00Z","redemption_id":null,"redeem_key":null,"at":null},"outcomes":[],"about":"rev_0",'
    '"sandbox":false}'
)
PROPOSAL = (
    '{"revision":1,"request":{"action":{"name":"refund.issue","arguments":{"order":"A-4721","amount":180.0,"currency":'
    '"USD"},"schema":null,"reversible":null,"preview":null},"subject":"order:A-4721","summary":"Refund order A-4721",'
    '"confidence":null,"risk":{"level":null,"score":null,"amount":null,"currency":null,"domain":null,"sentiment":null},'
    '"task_id":null,"correlation_id":null,"session_id":null,"trigger_id":null,"producer":null,"validation_id":null,'
    '"validation":null,"on_behalf_of":null,"scopes":[],"review_type":"approval","reviewer_role":null,'
    '"review_deadline":null,"escalate_after_seconds":null,"allowed_decisions":null,"callback_url":null,"context":'
    '{"goal":null,"reasoning":[],"conversation":[],"attempted":[],"failure":null,"facts":{},"policy":[],'
    '"recommendation":null,"alternatives":[]},"evidence":[],"sensitive":[],"ui_hint":{"show_snippets":true,'
    '"highlight_terms":[]},"metadata":{}},"route":{"tier":"approve","needs":[{"role":"manager","level":null}],"order":'
    '"any","sla":null,"chain":[{"after":"PT0S","notify":["channel:role"],"via":[],"notify_only":false,"then":null,'
    '"clock":"always"},{"after":"PT10M","notify":["person:bo"],"via":["dm"],"notify_only":false,"then":null,"clock":'
    '"always"}],"chain_name":"","allowed":["approve","edit","reject","request_changes"],"valid_for":"PT1H",'
    '"reply_within":"P1D","reasons":[],"guide":null,"risk":"medium","reversible":false,"amount":null,"sensitive":[],'
    '"scopes":[],"schema":null,"listed":false,"rule":"default","explanation":"","p":null,"shadow":false},"digest":"'
    + DIGEST
    + '","request_digest":"'
    + DIGEST
    + '","policy":"test@1#sha256:'
    + "0" * 64
    + '","proposed_by":"agent","trace":[]}'
)
AGENT = (
    '{"name":"billing-bot","key_hash":"h","secrets":["s"],"owners":["\\"stopped\\":true"],"acts_for":null,"scopes":[],'
    '"hosts":[],"rate":100.0,"burst":500,"max_open":1000,"sandbox":null,"revoked":false,"stopped":%s,"created_at":%s}'
)
WHY = "Stopped before reasons were kept."


def the_review() -> Review:
    """What `STATE` and `PROPOSAL` say."""
    review = a_review(id="rev_1", called={"ana": "oncall"}, about="rev_0", status=Status.APPROVED)
    digest = review.proposal.digest
    return dataclasses.replace(
        review,
        votes=(a_vote(review, "ana"),),
        decision=Decision(verdict=Status.APPROVED, cause=Cause.HUMAN, decided_at=START, revision=1, digest=digest),
        grant=Grant(state=GrantState.OPEN, valid_until=START + timedelta(hours=1)),
        relation=Relation.FEEDBACK,
    )


def test_an_older_review_is_read() -> None:
    """With nobody left out or assigned, started, its approval usable at once, its chain reminding nobody."""
    assert rows.review_from(0, STATE, PROPOSAL, None) == the_review()


@pytest.mark.parametrize(
    ("stopped", "created", "expected"),
    [
        ("false", '"2026-11-21T09:00:00Z"', None),
        ("true", '"2026-11-21T09:00:00Z"', Stop(by="operator", at=START, reason=WHY)),
        ("true", "null", Stop(by="operator", at=datetime(1970, 1, 1, tzinfo=UTC), reason=WHY)),
    ],
)
def test_an_older_agent_is_read(stopped: str, created: str, expected: Stop | None) -> None:
    """One that was stopped stays so; what only looks like it within a name does not count."""
    agent = rows.agent_from(AGENT % (stopped, created))
    assert (agent.stop, agent.key_hash) == (expected, "h")
    assert rows.agent_from(rows.agent_columns(agent)["body"]) == agent


def fill(connection: Connection) -> None:
    """Bring an empty database to revision 0005 and keep what it kept."""
    upgrade.upgrade(connection, "0005")
    add_agent = text("INSERT INTO agents (name, body) VALUES ('billing-bot', :body)")
    connection.execute(add_agent, {"body": AGENT % ("true", "null")})
    follows = json.loads(STATE)
    change = {"person": "bo", "name": "Bo", "text": "x", "at": "2026-11-21T09:00:00Z", "revision": 1, "about": "rev_9"}
    tricky = follows | {"about": None, "changes": [change], "called": {'","sandbox":false}': "x"}}
    pending = follows | {"about": None, "status": "pending", "decision": None, "grant": None, "sandbox": True}
    for name, state, due in (("rev_1", follows, 1), ("rev_2", tricky, None), ("rev_3", pending, 1)):
        _add_review(connection, state | {"id": name}, due)
    connection.execute(
        text(
            "INSERT INTO copies (id, review, surface, address, epoch, rung, state, wanted, shown, attempts, "
            "created_at, kind, told, thread, open) VALUES ('c', 'rev_3', 's', 'C1', 0, 0, 'posted', 1, 1, 0, 1, "
            "'card', 0, '', 1)"
        )
    )


def _add_review(connection: Connection, state: dict[str, Any], due: int | None) -> None:
    kept = {
        "id": state["id"],
        "status": state["status"],
        "open": int(state["status"] == "pending"),
        "due": due,
        "ended": None if state["status"] == "pending" else rows.micros(START),
        "at": rows.micros(START),
        "state": json.dumps(state, separators=(",", ":")),
    }
    add_review = (
        "INSERT INTO reviews (id, agent, fingerprint, status, open, action, tier, risk, rule, rank, created_at, "
        "deadline_at, due_at, ended_at, revision, version, held, sandbox, state) VALUES (:id, 'billing-bot', 'f', "
        ":status, :open, 'refund.issue', 'approve', 'low', 'r', 1, :at, :at, :due, :ended, 1, 1, 0, 0, :state)"
    )
    connection.execute(text(add_review), kept)
    add_revision = text("INSERT INTO revisions (review, revision, proposal, at) VALUES (:id, 1, :proposal, 1)")
    connection.execute(add_revision, {"id": state["id"], "proposal": PROPOSAL})
    for who in ("role:manager", "level:2", "person:ana"):
        add_audience = text("INSERT INTO audience (who, review) VALUES (:who, :id)")
        connection.execute(add_audience, {"who": who, "id": state["id"]})


async def check(url: str) -> None:
    """What was kept in revision 0005 is found as this one keeps it."""

    def found(tx: Tx, **asked: Any) -> list[str]:
        return [review.id for review in tx.find(Query(order="oldest", **asked))]

    def everything(tx: Tx) -> None:
        assert found(tx) == ["rev_1", "rev_2", "rev_3"]
        assert found(tx, asked=True) == ["rev_2", "rev_3"]
        assert found(tx, live=True, agent="billing-bot") == ["rev_1", "rev_3"]
        assert len(tx.recent("billing-bot", None, START)) == 2
        assert tx.pace("billing-bot", START) == 2
        assert tx.backlog() == [Backlog(whom=whom, waiting=1, oldest=START) for whom in ("level 2", "manager")]
        assert tx.read("rev_1") == dataclasses.replace(the_review(), seq=1)
        assert [copy.muted for copy in tx.copies("rev_3")] == [""]
        agent = tx.agent("billing-bot")
        assert agent is not None
        assert agent.stop is not None
        assert agent.stop.reason == WHY

    store = storage.open_store(url, FakeClock())
    await store.start()
    await store.view(everything)
    await store.stop()


async def test_an_older_file_is_read(tmp_path: Path) -> None:
    """Upgraded at the start: what follows from what, what waits for whom, who was stopped."""
    url = f"sqlite:///{tmp_path / 'placet.db'}"
    with create_engine(url).begin() as connection:
        fill(connection)
    await check(url)


async def test_an_older_postgres_is_read(postgres: Postgres) -> None:
    """The same on the other engine."""
    url = await asyncio.to_thread(postgres.empty)
    await with_connection(make_url(url), fill)
    await check(url)
