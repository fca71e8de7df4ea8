"""`placet oncall`: who is on call now, who is next, and when nobody is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import house
from bot.cli.options import DEFAULT, AsJson, ConfigFile

if TYPE_CHECKING:
    from reviews.model import Object

app = typer.Typer(no_args_is_help=True, help="Who is on call now, who is next, and when nobody is.")


@app.command()
def now(as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Who is on call now, layer by layer, and until when."""
    found = house.run(config, "oncall")
    if as_json:
        typer.echo(json.dumps(found))
        return
    _table(found, "now", "Until", "until")


@app.command("next")
def following(as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Who is on call next, and from when; as far as 14 days ahead."""
    found = house.run(config, "oncall")
    if as_json:
        typer.echo(json.dumps(found))
        return
    _table(found, "next", "From", "from")


@app.command()
def gaps(
    days: Annotated[float, typer.Option(help="How far to look ahead.", min=1, max=90)] = 14.0,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """When nobody is on call, and what in a calendar names nobody. Exit code 1 when there is such a time."""
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    found = house.run(config, "oncall", days=days)
    there = [(layer["layer"], gap) for layer in found for gap in layer["gaps"]]
    if as_json:
        typer.echo(json.dumps(found))
        raise typer.Exit(1 if there else 0)
    rows = [
        (layer, show.instant(gap["from"]), show.instant(gap["until"]), gap["why"] or "no event") for layer, gap in there
    ]
    columns = ("Rotation", "Nobody from", "Until", "Why")
    show.table(columns, rows, f"Somebody is on call at every moment of the next {days:g} days.")
    _notes(found)
    for layer in found:
        for said in layer["unclear"]:
            show.console().print(f"{layer['layer']}: {show.plain(said)}", soft_wrap=True)
    if there:
        raise typer.Exit(1)


def _table(found: list[Object], which: str, head: str, when: str) -> None:
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    rows = [(layer["layer"], *_when(layer[which], when)) for layer in found]
    show.table(("Rotation", "On call", head), rows, "There are no rotations in placet.yml.")
    _notes(found)


def _when(stretch: Object | None, when: str) -> tuple[str, str]:
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    return ("–", "–") if stretch is None else (_people(stretch), show.instant(stretch[when]))


def _people(stretch: Object) -> str:
    return " and ".join(map(_person, stretch["people"])) or "nobody"


def _person(person: Object) -> str:
    if person["instead"]:
        return f"{person['instead']} (for {person['name']}, who is away)"
    return f"{person['name']} (away, nobody stands in)" if person.get("away") else str(person["name"])


def _notes(found: list[Object]) -> None:
    """Of each calendar, as of when it is known; and why not as of now."""
    from bot.cli import show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    for layer in found:
        if layer["note"]:
            show.console().print(f"{layer['layer']}: {show.plain(layer['note'])}.", soft_wrap=True)
        elif layer["read_at"]:
            show.console().print(f"{layer['layer']}: calendar read {show.instant(layer['read_at'])}.", soft_wrap=True)
