"""`placet agent …`, `token`, `link`: who may ask and who may come in. Secrets are printed once, alone, last."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.options import DEFAULT, AsJson, ConfigFile, Person
from reviews.errors import PlacetError

app = typer.Typer(help="Agents and their keys.", no_args_is_help=True)
_PANEL = "Who may ask, who decides"

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The agent's name.")]


class BadName(PlacetError):
    """An agent's name that could not be written down in a URL, a log or a policy without trouble."""


class Answer(StrEnum):
    """What a sandbox key is always answered."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    CHANGES = "changes"
    SILENCE = "silence"


def register(root: typer.Typer) -> None:
    """Add the commands that stand at the top."""
    root.command(rich_help_panel=_PANEL)(token)
    root.command(rich_help_panel=_PANEL)(link)


@app.command()
def add(
    name: Name,
    owner: Annotated[
        list[str] | None,
        typer.Option(metavar="PERSON", help="A person who owns it and may not decide for it. Repeat for more."),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="SCOPE", help="A scope its reviewers must have. Repeat for more.")
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST", help="A callback host it may name; none means any that is allowed. Repeat for more."
        ),
    ] = None,
    acts_for: Annotated[str | None, typer.Option(metavar="PERSON", help="The person it always acts for.")] = None,
    rate: Annotated[float | None, typer.Option(help="Requests a second.  [default: 100]", min=0.01)] = None,
    burst: Annotated[int | None, typer.Option(help="Requests at once.  [default: 500]", min=1)] = None,
    max_open: Annotated[int | None, typer.Option(help="Open reviews at most.  [default: 1000]", min=1)] = None,
    sandbox: Annotated[
        Answer | None, typer.Option(help="A key for the CI of its builders: a script answers, never a person.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Make an agent. Its callback secret and its key are printed once: the key alone, as the last line."""
    if not _NAME.fullmatch(name):
        raise BadName(
            f"{name!r} is no name for an agent: write up to 64 lower-case letters, digits, dots, hyphens and "
            "underscores, a letter or a digit first, such as refund-desk."
        )
    from bot.cli import house  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    made = house.run(
        config,
        "agent.add",
        name=name,
        owners=owner or [],
        scopes=scope or [],
        hosts=host or [],
        acts_for=acts_for,
        rate=rate,
        burst=burst,
        max_open=max_open,
        sandbox=sandbox.value if sandbox else None,
    )
    if as_json:
        typer.echo(json.dumps(made))
        return
    typer.echo(f"Agent {name}. Both secrets are shown this once; keep them where the agent reads them.")
    typer.echo(f"callback secret: {made['secret']}")
    typer.echo("key:")
    typer.echo(made["key"])


@app.command("list")
def list_(as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """List the agents, revoked ones too."""
    from bot.cli import house, show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    found = house.run(config, "agent.list")
    if as_json:
        typer.echo(json.dumps(found))
        return
    rows = [
        (
            agent["name"],
            "revoked" if agent["revoked"] else f"sandbox: {agent['sandbox']}" if agent["sandbox"] else "in force",
            ", ".join(agent["owners"]) or "–",
            f"{agent['rate']:g}/s",
            str(agent["max_open"]),
            show.instant(agent["created_at"]),
        )
        for agent in found
    ]
    nothing = "There is no agent yet; `placet agent add NAME` makes one."
    show.table(("Agent", "Key", "Owners", "Rate", "Open at most", "Since"), rows, nothing)


@app.command()
def revoke(name: Name, config: ConfigFile = DEFAULT) -> None:
    """Take an agent's key away at once."""
    from bot.cli import house  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    house.run(config, "agent.revoke", name=name)
    typer.echo(f"{name}'s key is not valid any more. What it asked stays, and can still be rejected.")


@app.command()
def secret(name: Name, as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Make a fresh callback secret. The one before signs too, until the next change."""
    from bot.cli import house  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    made = house.run(config, "agent.secret", name=name)
    if as_json:
        typer.echo(json.dumps(made))
        return
    typer.echo(f"The new callback secret of {name}, shown this once. The old one signs too, until the next change:")
    typer.echo(made["secret"])


def token(person: Person, as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Make a token for votes over HTTP, good for 8 hours. It is the last line."""
    from bot.cli import house  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from bot.config import load  # noqa: PLC0415 - as above

    made = house.run(config, "token", person=person)
    if as_json:
        typer.echo(json.dumps(made))
        return
    if not load(config).server.votes_by_token:
        typer.echo("Votes by token are off; set `server.votes_by_token: true` in placet.yml and restart.", err=True)
    typer.echo(f"A token for {person}, shown this once. `export PLACET_TOKEN=…`, then `placet inbox`:")
    typer.echo(made["token"])


def link(person: Person, as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Make a link a person signs in with, once, within the hour. It is the last line."""
    from bot.cli import house  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    made = house.run(config, "link", person=person)
    if as_json:
        typer.echo(json.dumps(made))
        return
    typer.echo(f"A link for {person}, good once and for an hour:")
    typer.echo(made["url"])
