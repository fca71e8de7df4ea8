"""`placet people`: who is known, who is missing, who is away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import house
from bot.cli.options import DEFAULT, AsJson, ConfigFile, Person
from reviews.errors import PlacetError

if TYPE_CHECKING:
    from bot.importing import Found
    from reviews.model import Object

app = typer.Typer(no_args_is_help=True, help="Who is known, who is missing, who is away.")

#: The exit code that says that somebody must be settled by hand.
UNSETTLED = 3


class NothingToImport(PlacetError):
    """Say where people come from: --slack GROUP, --teams ROOM or --csv FILE."""


@app.command("import")
def import_(
    slack: Annotated[str | None, typer.Option(metavar="GROUP", help="A Slack user group, such as S01AB.")] = None,
    teams: Annotated[str | None, typer.Option(metavar="ROOM", help="A Teams conversation, such as 19:….")] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A table with columns of: id, name, email, phone, slack, teams, roles."),
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="ROLE", help="A role that new people get; may be repeated.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Add new people to placet.yml; FILE.bak is as before.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="With --write: also give people known already what is printed of them.")
    ] = False,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Match people by their directory's e-mail and print what placet.yml lacks. Exit code 3: some you must settle."""
    from bot import importing  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from bot.config import load  # noqa: PLC0415 - as above

    settings = load(config)
    groups = {"slack": slack, "teams": teams}
    if csv is None and not any(groups.values()):
        raise NothingToImport(NothingToImport.__doc__)
    rows = importing.gathered(settings, {s: group for s, group in groups.items() if group}, csv)
    found = importing.match(settings, rows, tuple(role or ()))
    if update and not write:
        raise typer.BadParameter("goes with --write; without either, it is printed what would change")
    changes = found.known if update else ()
    if write and (found.new or changes):
        importing.write(config, found.new, changes)
    if as_json:
        typer.echo(json.dumps(found.as_json(written=write) | {"updated": update}))
    else:
        _print(found, config, written=write, updated=update)
    raise typer.Exit(UNSETTLED if found.unsettled else 0)


def _print(found: Found, config: Path, *, written: bool, updated: bool) -> None:
    from bot import importing  # noqa: PLC0415 - a quick start: loaded by the command that needs it
    from bot.cli import show  # noqa: PLC0415 - as above

    if found.new and written:
        typer.echo(f"Added {len(found.new)} to {config}; it was as it is in {config}.bak.")
    elif found.new:
        typer.echo("# New: append to `people:`, or run this again with --write.")
        typer.echo(importing.as_yaml(found.new), nl=False)
    if found.known:
        done = f"# Known already, and changed in {config}; it was as it is in {config}.bak."
        todo = "# Known already: add these keys to the entry of the same id, or run this again with --write --update."
        typer.echo(done if updated else todo)
        typer.echo(importing.as_yaml(found.known), nl=False)
    if not (found.new or found.known or found.unsettled):
        typer.echo(f"Everybody is in {config} already.")
    if found.unsettled:
        rows = [(row.where, row.label, row.email or "–", why) for row, why in found.unsettled]
        show.table(("From", "Who", "E-mail", "Settle by hand"), rows, "")


@app.command()
def check(as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Whether everybody a rule asks for is there, and the groups of roles can be read. Exit code 1 when not."""
    import os  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    from bot.cli import checks_house, show  # noqa: PLC0415 - as above
    from bot.config import load  # noqa: PLC0415 - as above

    settings, folder = load(config), house.folder_of(config)
    found = [*checks_house.people(settings, folder), *checks_house.groups(settings, os.environ)]
    if as_json:
        typer.echo(json.dumps([finding.as_json() for finding in found]))
    else:
        show.table(("", "What", "Fix"), [(each.state, each.text, each.fix) for each in found], "")
    raise typer.Exit(1 if any(finding.state == "bad" for finding in found) else 0)


@app.command()
def whois(
    word: Annotated[
        str,
        typer.Argument(metavar="WORD", help="An id, an e-mail, part of a name, or an identity such as slack:U02AB."),
    ],
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Who somebody is: identities, roles and where they come from, whether away or on call, where they are told."""
    found = house.run(config, "people.whois", word=word)
    if as_json:
        typer.echo(json.dumps(found))
    elif found:
        for place, person in enumerate(found):
            typer.echo("", nl=place > 0)
            _card(person)
    else:
        typer.echo(f"Nobody in placet.yml is {word}.")
    raise typer.Exit(0 if found else 1)


def _card(person: Object) -> None:
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    roles = ", ".join(f"{role['role']} ({role['source']})" for role in person["roles"])
    rows = [
        ("Id", person["id"]),
        ("Name", person["name"]),
        ("E-mail", person["email"]),
        ("Phone", person["phone"]),
        ("Known as", ", ".join(f"{surface}:{who}" for surface, who in person["identities"].items())),
        ("Roles", roles or ("auditor" if person["auditor"] else "none")),
        ("Level", str(person["level"])),
        ("May", ", ".join(person["may"])),
        ("Scopes", ", ".join(person["scopes"])),
        ("Away", f"until {show.instant(person['away_until'])}" if person["away_until"] else None),
        ("Deputy", person["deputy"]),
        ("On call", ", ".join(person["on_call"])),
        ("Quiet", person["quiet"] and f"{person['quiet']} ({person['timezone']})"),
        ("Told on", ", then ".join(person["told_on"])),
    ]
    show.table((person["name"], ""), [(label, value) for label, value in rows if value], "")


@app.command()
def away(
    person: Person,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="`2d`, or a time in their zone: 2026-11-26T09:00.")
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="They are back.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Say that somebody is away, or back: their calls go to the deputy, else to the next on call."""
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    if (until is None) is not back:
        raise typer.BadParameter("write --until WHEN, or --back", param_hint="--until")
    found = house.run(config, "people.away", person=person, until=until)
    if as_json:
        typer.echo(json.dumps(found))
    elif found["until"] is None:
        typer.echo(f"{found['name']} is back.")
    else:
        instead = found["deputy"]
        called = f"; {instead} is called instead" if instead else "; nobody is called instead but the next on call"
        typer.echo(f"{found['name']} is away until {show.instant(found['until'])}{called}.")
