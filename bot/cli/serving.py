"""`placet serve` and `placet demo`: what runs until it is told to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.options import DEFAULT, ConfigFile

_PANEL = "Begin and run"


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.command(rich_help_panel=_PANEL)(serve)
    root.command(rich_help_panel=_PANEL)(demo)


def serve(config: ConfigFile = DEFAULT) -> None:
    """Serve until Ctrl-C or SIGTERM. SIGHUP loads the policy and placet.yml anew."""
    from bot.cli import logs, server  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    logs.begin()
    server.serve(config)


def demo(
    headless: Annotated[
        float | None,
        typer.Option(
            help="No browser: scripted reviewers, for so long; prints what happened and checks it.",
            metavar="SECONDS",
            min=0.5,
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port to serve on.  [default: 8080 if free]", min=0, max=65535)
    ] = None,
) -> None:
    """See the whole loop on this machine: a server, two agents that keep asking, and you. Leaves nothing behind."""
    import logging  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    from bot.cli import logs  # noqa: PLC0415 - as above
    from bot.demo import run  # noqa: PLC0415 - as above

    logs.begin(logging.WARNING)
    raise typer.Exit(run(headless=headless, port=port))
