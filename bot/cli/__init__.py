"""The command line, room by room. Nothing heavy is loaded before a command that needs it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli import agents, care, deciding, gateways, oncall, people, policy, records, serving, setup
from bot.cli.surfaces import Rooms

app = typer.Typer(
    name="placet",
    cls=Rooms,
    help="Placet puts a person in the loop of AI agents. Begin with `placet demo`, or with `placet init`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata  # noqa: PLC0415 - a quick start: loaded when it is asked for

        typer.echo(f"placet {metadata.version('placet')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Placet puts a person in the loop of AI agents. Begin with `placet demo`, or with `placet init`."""


for room in (setup, serving, care):
    room.register(app)
app.add_typer(agents.app, name="agent", rich_help_panel="Who may ask, who decides")
for room in (agents, deciding):
    room.register(app)
app.add_typer(oncall.app, name="oncall", rich_help_panel="Who may ask, who decides")
app.add_typer(people.app, name="people", rich_help_panel="Who may ask, who decides")
app.add_typer(gateways.app, name="gateways", rich_help_panel="Who may ask, who decides")
app.add_typer(policy.app, name="policy", rich_help_panel="Rules and records")
records.register(app)
