"""`placet agent …`, `token`, `link`: who may ask and who may come in. Secrets are printed once, alone, last."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from bot.cli import house
from bot.cli.options import DEFAULT, AsJson, ConfigFile, Person
from reviews.errors import PlacetError

if TYPE_CHECKING:
    from reviews.model import Object

app = typer.Typer(help="Agents and their keys.", no_args_is_help=True)
_PANEL = "Who may ask, who decides"

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class BadName(PlacetError):
    """An agent's name that could not be written down in a URL, a log or a policy without trouble."""


class Answer(StrEnum):
    """What a sandbox key is always answered."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    CHANGES = "changes"
    SILENCE = "silence"


Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="The agent's name.")]
Owners: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--owner", metavar="PERSON", help="A person who owns it and may not decide for it. Repeat for more."),
]
Scopes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="SCOPE", help="A scope its reviewers must have. Repeat for more."),
]
Hosts: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--host", metavar="HOST", help="A callback host it may name; none means any that is allowed. Repeat for more."
    ),
]
ActsFor: TypeAlias = Annotated[str | None, typer.Option(metavar="PERSON", help="The person it always acts for.")]
Rate: TypeAlias = Annotated[float | None, typer.Option(help="Requests a second.  [default: 100]", min=0.01)]
Burst: TypeAlias = Annotated[int | None, typer.Option(help="Requests at once.  [default: 500]", min=1)]
MaxOpen: TypeAlias = Annotated[int | None, typer.Option(help="Open reviews at most.  [default: 1000]", min=1)]
Sandbox: TypeAlias = Annotated[
    Answer | None, typer.Option(help="A key for the CI of its builders: a script answers, never a person.")
]


def register(root: typer.Typer) -> None:
    """Add the commands that stand at the top."""
    root.command(rich_help_panel=_PANEL)(token)
    root.command(rich_help_panel=_PANEL)(link)


@app.command()
def add(
    name: Name,
    owners: Owners = None,
    scopes: Scopes = None,
    hosts: Hosts = None,
    acts_for: ActsFor = None,
    rate: Rate = None,
    burst: Burst = None,
    max_open: MaxOpen = None,
    sandbox: Sandbox = None,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Make an agent. Its callback secret and its key are printed once: the key alone, as the last line."""
    made = house.run(
        config,
        "agent.add",
        name=_proper(name),
        owners=owners or [],
        scopes=scopes or [],
        hosts=hosts or [],
        acts_for=acts_for,
        rate=rate,
        burst=burst,
        max_open=max_open,
        sandbox=sandbox.value if sandbox else None,
    )
    said = f"Agent {name}. Both secrets are shown this once; keep them where the agent reads them."
    _tell(made, as_json, said, f"callback secret: {made['secret']}", "key:", made["key"])


def _proper(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadName(
            f"{name!r} is no name for an agent: write up to 64 lower-case letters, digits, dots, hyphens and "
            "underscores, a letter or a digit first, such as refund-desk."
        )
    return name


def _tell(made: Object, as_json: bool, *lines: str) -> None:
    """What was made: an object for programs; lines for people, the last of them the secret alone."""
    for line in [json.dumps(made)] if as_json else lines:
        typer.echo(line)


@app.command("list")
def list_(as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """List the agents, revoked ones too."""
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    found = house.run(config, "agent.list")
    if as_json:
        typer.echo(json.dumps(found))
        return
    rows = [
        (
            agent["name"],
            _state(agent),
            ", ".join(agent["owners"]) or "–",
            f"{agent['rate']:g}/s",
            str(agent["max_open"]),
            show.instant(agent["created_at"]),
        )
        for agent in found
    ]
    nothing = "There is no agent yet; `placet agent add NAME` makes one."
    show.table(("Agent", "Key", "Owners", "Rate", "Open at most", "Since"), rows, nothing)


def _state(agent: Object) -> str:
    if agent["revoked"]:
        return "revoked"
    if stopped := agent["stopped"]:
        return f"stopped by {stopped['by']}: {stopped['reason']}"
    return f"sandbox: {agent['sandbox']}" if agent["sandbox"] else "in force"


@app.command()
def stop(
    name: Name,
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why, for the agent and for everybody concerned.")],
    instruction: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the agent's next plan is to heed.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Hold whatever an agent asks, now and from now on, and every approval it has not used yet."""
    done = house.run(config, "agent.stop", name=name, reason=reason, instruction=instruction)
    typer.echo(json.dumps(done) if as_json else done["text"])


@app.command()
def resume(name: Name, as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Let a stopped agent go on; its reviews go on from where their clocks stopped."""
    done = house.run(config, "agent.resume", name=name)
    typer.echo(json.dumps(done) if as_json else done["text"])


@app.command()
def revoke(name: Name, config: ConfigFile = DEFAULT) -> None:
    """Take an agent's key away at once."""
    house.run(config, "agent.revoke", name=name)
    typer.echo(f"{name}'s key is not valid any more. What it asked stays, and can still be rejected.")


@app.command()
def secret(name: Name, as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Make a fresh callback secret. The one before signs too, until the next change."""
    made = house.run(config, "agent.secret", name=name)
    said = f"The new callback secret of {name}, shown this once. The old one signs too, until the next change:"
    _tell(made, as_json, said, made["secret"])


def token(person: Person, as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Make a token for votes over HTTP, good for 8 hours. It is the last line."""
    from bot.config import load  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    made = house.run(config, "token", person=person)
    if not as_json and not load(config).server.votes_by_token:
        typer.echo("Votes by token are off; set `server.votes_by_token: true` in placet.yml and restart.", err=True)
    said = f"A token for {person}, shown this once. `export PLACET_TOKEN=…`, then `placet inbox`:"
    _tell(made, as_json, said, made["token"])


def link(person: Person, as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Make a link a person signs in with, once, within the hour. It is the last line."""
    made = house.run(config, "link", person=person)
    _tell(made, as_json, f"A link for {person}, good once and for an hour:", made["url"])
