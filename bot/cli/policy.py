"""`placet policy check | test | explain | diff | apply`: the rules, before they hold, and how a change comes to."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import house
from bot.cli.options import DEFAULT, AsJson, ConfigFile
from reviews.errors import PlacetError

if TYPE_CHECKING:
    from bot.people import Directory
    from policies.model import Known, Policy
    from reviews.model import Object, Request

app = typer.Typer(help="Check, test and explain the rules, before they hold.", no_args_is_help=True)

Rules = Annotated[
    Path | None,
    typer.Argument(metavar="[PATH]", help="A policy file, or a folder with main.yml; by default the configured one."),
]


class Unusable(PlacetError):
    """What was given to a policy command cannot be read."""


@app.command()
def check(path: Rules = None, config: ConfigFile = DEFAULT) -> None:
    """Load a policy strictly; print every fault and warning as FILE:LINE."""
    policy = _load(path, config)
    for warning in policy.warnings:
        typer.echo(f"warning: {warning}", err=True)
    counted = f"{_many(len(policy.rules), 'rule')}, {_many(len(policy.actions), 'action')}"
    warned = f", {_many(len(policy.warnings), 'warning')}" if policy.warnings else ""
    unchecked = "" if policy.known is not None else "; its names were not checked, for there is no configuration"
    typer.echo(f"{policy.ref}: {counted}, {_many(len(policy.tests), 'test')}{warned}{unchecked}.")


@app.command("test")
def try_out(path: Rules = None, config: ConfigFile = DEFAULT) -> None:
    """Run the policy's own `tests:`."""
    from policies.explain import run_tests  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    policy = _load(path, config)
    base = _folder(path, config)
    results = run_tests(policy)
    for result in results:
        typer.echo(f"{'ok    ' if result.passed else 'FAILED'} {result.name}")
        for wrong in result.wrong:
            typer.echo(f"       {base / result.file}:{result.line}: {wrong}")
    failed = sum(not result.passed for result in results)
    typer.echo(f"{_many(len(results), 'test')}, {failed} failed.")
    if failed:
        raise typer.Exit(1)


@app.command()
def explain(
    request: Annotated[
        Path, typer.Argument(metavar="REQUEST", help="A request as JSON; - reads it from standard input.")
    ],
    policy: Annotated[Path | None, typer.Option("--policy", help="Another policy than the configured one.")] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(help="As if asked then, such as 2026-03-04T22:00; give it again to compare.", metavar="TIME"),
    ] = None,
    agent: Annotated[str, typer.Option(help="As if asked by this agent.")] = "test",
    count: Annotated[int, typer.Option(help="Requests of this agent and subject before this one.", min=0)] = 0,
    total: Annotated[float, typer.Option("--sum", help="The sum of their amounts.", min=0)] = 0.0,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Say how a request would be routed, and why; and who is called when while nobody answers."""
    from bot.cli import escalation  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from policies.model import Fixed  # noqa: PLC0415 - as above

    rules = _load(policy, config)
    instants = [_instant(each, rules) for each in at] if at else [_instant(None, rules)]
    asked = _asked(_request(request))
    people, counters = _people(config), Fixed(counted=count, summed=total)
    found = [escalation.told(rules, asked, now, agent=agent, counters=counters, people=people) for now in instants]
    if as_json:
        told = [each.as_json() for each in found]
        typer.echo(json.dumps(told if len(told) > 1 else told[0], default=str))
        return
    for each in found:
        each.show(with_rules=len(found) == 1)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A policy file or folder.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another.")],
    config: ConfigFile = DEFAULT,
) -> None:
    """Say what changes from one policy to another, rule by rule, in the words of the policy."""
    from policies.explain import diff as differences  # noqa: PLC0415 - a quick start, as above

    typer.echo(differences(_load(old, config, known=False), _load(new, config, known=False)), nl=False)


@app.command()
def apply(
    path: Rules = None,
    by: Annotated[
        str | None,
        typer.Option("--as", metavar="PERSON", help="Who proposes the change; they decide nothing of it themselves."),
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Ask two people to approve a change of the policy; it holds once they have (`policy_changes: reviewed`)."""
    found = house.run(config, "policy.apply", text=_load(path, config).text, by=by)
    if as_json:
        typer.echo(json.dumps(found))
        return
    review = f"#{found['seq']}"
    typer.echo(found["diff"], nl=False)
    if found["status"] == "rejected":
        typer.echo(f"{review}: the policy in force refuses changes of itself; it stays as it is.")
        raise typer.Exit(1)
    typer.echo(f"{review} asks people to approve this, in chat or on the web; what is in force stays until then.")


# ---------------------------------------------------------------------------------------------- shared


def _load(path: Path | None, config: Path, *, known: bool = True) -> Policy:
    """Load a policy, its names checked where there is a configuration. Raises Unusable with FILE:LINE of each fault."""
    from policies.errors import PolicyFault  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from policies.load import load  # noqa: PLC0415 - as above

    where = path or _configured(config)
    names = _known(config) if known and (path is None or config.exists()) else None
    try:
        return load(where, names)
    except PolicyFault as fault:
        base = _folder(path, config)
        lines = [str(base / str(each)) for each in fault.faults]
        raise Unusable("\n".join([f"the policy does not load: {_many(len(lines), 'fault')}.", *lines])) from None


def _configured(config: Path) -> Path:
    from bot.config import load  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    return house.folder_of(config) / load(config).policy


def _known(config: Path) -> Known:
    from bot.config import load  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from bot.people import Directory  # noqa: PLC0415 - as above

    return Directory(load(config)).known


def _folder(path: Path | None, config: Path) -> Path:
    """Where a policy's file names begin."""
    where = path or _configured(config)
    return where if where.is_dir() else where.parent


def _request(path: Path) -> Object:
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text("utf-8")
        found = json.loads(text)
    except OSError as fault:
        raise Unusable(f"{path} cannot be read: {fault.strerror}.") from None
    except ValueError as fault:
        raise Unusable(f"{path} is not JSON: {fault}.") from None
    if not isinstance(found, dict):
        raise Unusable(f"{path} must hold a JSON object: a request as an agent sends it.")
    return found


def _asked(body: Object) -> Request:
    """The request a body makes, by the same reading as the API's. Raises Unusable with each field at fault."""
    from bot import wire  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    try:
        return wire.request_of(body)
    except wire.BadRequest as fault:
        lines = [f"{each.pointer}: {each.message}" for each in fault.faults]
        raise Unusable("\n".join([str(fault), *lines])) from None


def _people(config: Path) -> Directory | None:
    """Who people are, where there is a configuration."""
    if not config.exists():
        return None
    from bot.cli import escalation  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from bot.config import load  # noqa: PLC0415 - as above

    return escalation.people_of(load(config), house.folder_of(config))


def _instant(text: str | None, policy: Policy) -> datetime:
    if text is None:
        return datetime.now(policy.calendar.zone)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write a time such as 2026-03-04T22:00", param_hint="--at") from None
    return at if at.tzinfo else at.replace(tzinfo=policy.calendar.zone)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
