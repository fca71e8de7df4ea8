"""`placet stats`, `deliveries`, `resend`, `migrate`: what happened, and the database it is in."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli import house
from bot.cli.options import DEFAULT, AsJson, ConfigFile

_PANEL = "Rules and records"


class State(StrEnum):
    """What became of a delivery."""

    DUE = "due"
    DONE = "done"
    GONE = "gone"
    DEAD = "dead"


def register(root: typer.Typer) -> None:
    """Add the commands."""
    for command in (stats, deliveries, resend, migrate):
        root.command(rich_help_panel=_PANEL)(command)


def stats(
    days: Annotated[float, typer.Option(help="How far to look back.", min=0.001, max=36_500)] = 30.0,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Per rule: how often it asked, the share approved, and how long people took (p50, p95)."""
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    found = house.run(config, "stats", days=days)
    if as_json:
        typer.echo(json.dumps(found))
        return
    rows = [
        (
            line["rule"],
            str(line["asked"]),
            _share(line["approved"], line["approved"] + line["rejected"]),
            str(line["rejected"]),
            str(line["expired"]),
            show.seconds(line["p50"]),
            show.seconds(line["p95"]),
        )
        for line in found
    ]
    columns = ("Rule", "Asked", "Approved", "Rejected", "Expired", "p50", "p95")
    show.table(columns, rows, f"Nothing was asked in the last {days:g} days.")


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "–"


def deliveries(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=10_000)] = 50,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """List what agents are told, and what became of it."""
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    found = house.run(config, "deliveries", state=state.value if state else None, limit=limit)
    if as_json:
        typer.echo(json.dumps(found))
        return
    rows = [
        (d["id"], d["state"], d["message"], str(d["attempts"]), show.instant(d["due_at"]), d["error"] or "–")
        for d in found
    ]
    columns = ("Delivery", "State", "Message", "Attempts", "Due", "Last error")
    show.table(columns, rows, "There is no such delivery.")


def resend(
    delivery: Annotated[str, typer.Argument(metavar="ID", help="A delivery, as `placet deliveries` lists them.")],
    config: ConfigFile = DEFAULT,
) -> None:
    """Send a message to an agent again, now, under the same id."""
    house.run(config, "resend", delivery=delivery)
    typer.echo(f"{delivery} goes out again: at once while the server runs, else when it starts.")


def migrate(config: ConfigFile = DEFAULT) -> None:
    """Bring the database to this version's tables. `serve` does it by itself; an embedded one is copied aside first."""
    from bot import app  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from bot.cli import alone  # noqa: PLC0415 - as above
    from bot.config import load  # noqa: PLC0415 - as above

    settings, folder = load(config), house.folder_of(config)
    alone.opened(settings, folder)  # refuses what is no database of ours, with what to write
    before, after = app.revision_of(settings, folder), app.migrate(settings, folder)
    if before == after:
        typer.echo(f"The database is at revision {after}, the newest. Nothing was changed.")
    else:
        typer.echo(f"The database went from {before or 'empty'} to revision {after}.")
