"""`placet gateways`: trying the ways to people who have no card before them."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bot.cli import house
from bot.cli.options import DEFAULT, AsJson, ConfigFile

app = typer.Typer(no_args_is_help=True, help="SMS, e-mail, pagers: try whether they reach people.")


@app.callback()
def room() -> None:
    """SMS, e-mail, pagers: try whether they reach people."""


@app.command("test")
def send_test(
    gateway: Annotated[str, typer.Argument(metavar="GATEWAY", help="Its name in placet.yml, such as sms.")],
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Whom to send it to.")],
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Have the running server send one person a test message. This really sends it."""
    sent = house.run(config, "gateways.test", gateway=gateway, person=person)
    typer.echo(
        json.dumps(sent) if as_json else f"{gateway} took a test message to {sent['name']}. Ask whether it came."
    )
