"""How to stop an agent, walked: every file saved, every command typed, and the rest pressed over HTTP."""

from __future__ import annotations

import json

import pytest

from reviews.model import Object
from tests.walk import Walk, save, steps

PAGE = "docs/how-to/stop-an-agent.md"


@pytest.mark.slow
def test_how_to_stop_an_agent(reader: Walk) -> None:
    """Let through before, held while it is stopped, let through again; and an approval undone while it rests."""
    printed, folder = "", reader.folder / "halt"
    for block in steps(PAGE):
        if block.info == "sh server":
            reader.serve(block.text)
        elif block.info == "sh":
            printed += reader.type(block.text)
        elif "undo" in block.text:
            reader.end()
            save(folder, block.text)
        else:
            save(folder, block.text)
    before, held = (json.loads((folder / name).read_text("utf-8")) for name in ("before.json", "held.json"))
    assert (before["status"], before["held"]) == ("approved", False)
    assert (held["status"], held["held"], held["instruction"]) == ("pending", True, "Check the ledger first.")
    assert "refund-desk is stopped: 1 review is on hold" in printed
    assert "stopped by operator: It pays twice." in printed
    assert "refund-desk may go on." in printed
    reader.serve("placet serve")
    assert _read(reader, held)["status"] == "approved"
    _undone(reader)


def _read(reader: Walk, review: Object) -> Object:
    get = f'curl --silent --header "Authorization: Bearer $PLACET_KEY" "$PLACET_URL/v1/reviews/{review["id"]}"'
    return dict(json.loads(reader.type(get)))


def _undone(reader: Walk) -> None:
    """What the page says of a rest: approved, too early, undone, gone."""
    post = 'curl --silent --header "Authorization: Bearer $PLACET_KEY" --json'
    asked = json.loads(reader.type(f"""{post} '{{"action": {{"name": "refund.issue"}}}}' "$PLACET_URL/v1/reviews" """))
    where = f'"$PLACET_URL/v1/reviews/{asked["id"]}'
    reader.type("export PLACET_TOKEN=$(placet token bo | tail -n 1)")
    reader.type(f"placet approve {asked['id']}")
    assert _read(reader, asked)["grant"]["usable_from"]
    redeem = f"""{post} '{{"digest": "{asked["digest"]}"}}' {where}/redeem" """
    assert json.loads(reader.type(redeem))["status"] == 423
    vote = """curl --silent --header "Authorization: Bearer $PLACET_TOKEN" --json '{"vote": "undo", "revision": 1}' """
    assert json.loads(reader.type(f'{vote} {where}/votes"'))["grant"]["state"] == "revoked"
    assert json.loads(reader.type(redeem))["status"] == 410
