"""`placet init`: a configuration that works at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Begin and run"
STARTER = "starter"


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(rich_help_panel=_PANEL)(init)


def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; take the defaults and what is given.")] = False,
    dir_: Annotated[Path, typer.Option("--dir", help="The folder to write to.", metavar="DIR")] = Path(),
    person: Annotated[str | None, typer.Option(help="Your id, short, such as ana.  [default: me]")] = None,
    second: Annotated[
        str | None,
        typer.Option(help="The id of a second person, for a policy that asks for two.  [default: a placeholder]"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Your name, as cards show it.  [default: the id]")] = None,
    port: Annotated[int | None, typer.Option(help="The port.  [default: 8080]", min=0, max=65535)] = None,
    policy: Annotated[
        str | None, typer.Option(help=f"{STARTER}, or one of the library.  [default: {STARTER}]", metavar="NAME")
    ] = None,
) -> None:
    """Write a placet.yml and a policy that work at once. Nothing that is there is overwritten."""
    from bot.cli import starting  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    chosen = starting.Choices(person=person, name=name, port=port, policy=policy, second=second)
    if not yes:
        chosen = starting.ask(chosen)
    for path in starting.write(dir_, chosen.complete()):
        typer.echo(f"wrote {path}")
    if starting.PLACEHOLDER in (dir_ / "placet.yml").read_text("utf-8"):
        typer.echo("This policy asks for more people than you: put in who stands where placet.yml says Nobody yet.")
    here = "" if dir_ == Path() else f" --config {dir_ / 'placet.yml'}"
    typer.echo("")
    typer.echo("Next, in this terminal and another:")
    typer.echo(f"  placet serve{here}")
    typer.echo(f"  placet agent add my-agent{here}")
    typer.echo(f"  placet link {chosen.complete().person}{here}")
