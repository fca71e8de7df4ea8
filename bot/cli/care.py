"""`placet doctor`: what would go wrong, before it does, each with its fix."""

from __future__ import annotations

import json

import typer

from bot.cli.options import DEFAULT, AsJson, ConfigFile

_MARKS = {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "bad": "[red]✗[/red]"}


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(rich_help_panel="Begin and run")(doctor)


def doctor(as_json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Look for what would go wrong, and say the fix. Exit code 1 when something must be mended."""
    from bot.cli import checks, show  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    found = checks.examine(config)
    bad = sum(finding.state == "bad" for finding in found)
    if as_json:
        typer.echo(json.dumps([finding.as_json() for finding in found]))
        raise typer.Exit(1 if bad else 0)
    out = show.console()
    for finding in found:
        out.print(f"{_MARKS[finding.state]} [bold]{finding.name}[/bold]: {show.plain(finding.text)}", soft_wrap=True)
        if finding.fix:
            out.print(f"    → {show.plain(finding.fix)}", soft_wrap=True)
    warned = sum(finding.state == "warn" for finding in found)
    out.print(f"{bad} to mend, {warned} to look at, {len(found) - bad - warned} well.")
    if bad:
        raise typer.Exit(1)
