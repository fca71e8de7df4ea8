"""`placet policy apply`: a change of the policy that people approve before it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import house
from bot.cli.options import DEFAULT, AsJson, ConfigFile


def register(policy: typer.Typer) -> None:
    """Add the command to the room of the policy."""
    policy.command()(apply)


def apply(
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="The policy to put in force; by default the configured one.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--as", metavar="PERSON", help="Who proposes the change; they decide nothing of it themselves."),
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Ask two people to approve a change of the policy; it holds once they have (`policy_changes: reviewed`)."""
    from bot.config import load  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from bot.people import Directory  # noqa: PLC0415 - as above
    from policies.load import load as load_policy  # noqa: PLC0415 - as above

    settings = load(config)
    fresh = load_policy(path or house.folder_of(config) / settings.policy, Directory(settings).known)
    found = house.run(config, "policy.apply", text=fresh.text, by=by)
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(found["diff"], nl=False)
    if found["status"] == "rejected":
        typer.echo(f"#{found['seq']}: the policy in force refuses changes of itself; it stays as it is.")
        raise typer.Exit(1)
    typer.echo(f"#{found['seq']} asks people to approve this. Until then the policy in force stays: placet inbox")
