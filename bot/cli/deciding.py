"""`placet inbox`, `show`, `approve`, `reject`, `edit`: a reviewer's terminal, by a personal token over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import house
from bot.cli.options import DEFAULT, AsJson, ConfigFile, Notes, Reason, ReviewId, Revision, ServerUrl, Token

if TYPE_CHECKING:
    from bot.cli.remote import Remote
    from reviews.model import Object

_PANEL = "Who may ask, who decides"
_VIEWS = ("mine", "roles", "decided", "all")
#: Votes that say nothing more than that, and the help of their commands.
_VERDICTS = {"approve": "Approve what stands now.", "reject": "Reject it. One rejection is final."}


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.command(rich_help_panel=_PANEL)(inbox)
    root.command(rich_help_panel=_PANEL)(show)
    for verb, told in _VERDICTS.items():
        root.command(verb, help=told, rich_help_panel=_PANEL)(_verdict(verb))
    root.command(rich_help_panel=_PANEL)(edit)


def inbox(
    view: Annotated[
        str, typer.Option(help="mine, roles (what your roles may decide), decided, all (auditors, break_glass).")
    ] = "roles",
    as_json: AsJson = False,
    token: Token = None,
    server: ServerUrl = None,
    config: ConfigFile = DEFAULT,
) -> None:
    """List the reviews that wait for you, the most urgent first."""
    from bot.cli import show as out  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    if view not in _VIEWS:
        raise typer.BadParameter(f"one of {', '.join(_VIEWS)}", param_hint="--view")
    items = _remote(token, server, config).inbox(view)
    if as_json:
        typer.echo(json.dumps(items))
        return
    rows = [
        (
            item["id"],
            item["risk"],
            item["title"],
            item["status"],
            item["waiting_for"],
            "on hold" if item["held"] else out.instant(item["deadline_at"]),
        )
        for item in items
    ]
    out.table(("Review", "Risk", "What", "Status", "Waiting for", "Until"), rows, "Nothing is waiting for you.")


def show(
    review: ReviewId,
    as_json: AsJson = False,
    token: Token = None,
    server: ServerUrl = None,
    config: ConfigFile = DEFAULT,
) -> None:
    """Show one review: what would happen, why, and what stands."""
    from bot.cli import page  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    found = _remote(token, server, config).review(review)
    if as_json:
        typer.echo(json.dumps(found))
        return
    page.draw(found)


def _verdict(verb: str) -> Callable[..., None]:
    """The command that votes so."""

    def vote(
        review: ReviewId,
        reason: Reason = None,
        notes: Notes = None,
        revision: Revision = None,
        token: Token = None,
        server: ServerUrl = None,
        config: ConfigFile = DEFAULT,
    ) -> None:
        remote = _remote(token, server, config)
        _vote(remote, remote.review(review), revision, vote=verb, reason=reason, notes=notes)

    return vote


def edit(
    review: ReviewId,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="An argument and its new value, JSON or text. Repeat for more.", metavar="NAME=VALUE"
        ),
    ] = None,
    arguments: Annotated[
        Path | None, typer.Option(help="A file with the complete arguments as JSON.", metavar="FILE", allow_dash=True)
    ] = None,
    reason: Reason = None,
    notes: Notes = None,
    revision: Revision = None,
    token: Token = None,
    server: ServerUrl = None,
    config: ConfigFile = DEFAULT,
) -> None:
    """Change the arguments and approve them so. A hidden argument keeps its value unless you set it."""
    if bool(change) == bool(arguments):
        raise typer.BadParameter("say what to change: --set NAME=VALUE, or --arguments FILE")
    from bot.cli import editing  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    whole = editing.read(arguments) if arguments else None
    remote = _remote(token, server, config)
    standing = remote.review(review)
    wanted = editing.changed(standing, change or ()) if whole is None else whole
    _vote(remote, standing, revision, vote="edit", arguments=wanted, reason=reason, notes=notes)


# ---------------------------------------------------------------------------------------------- shared


def _remote(token: str | None, server: str | None, config: Path) -> Remote:
    from bot.cli.remote import Remote  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    if token is None:
        raise typer.BadParameter("give your token with --token or in PLACET_TOKEN; `placet token PERSON` makes one")
    if server is None:
        from bot.config import load  # noqa: PLC0415 - only where the configuration must be read

        server = house.address(load(config))
    return Remote(server, token)


def _vote(remote: Remote, standing: Object, revision: int | None, **vote: Any) -> None:
    """Vote on what stands now, bound to the digest just read: what changes in between is refused."""
    seen = {"revision": revision or standing["revision"], "digest": standing["digest"]}
    given = {key: value for key, value in vote.items() if value is not None}
    after = remote.vote(standing["id"], given | seen)
    typer.echo(f"{standing['id']}: {str(after['status']).replace('_', ' ')}, revision {after['revision']}.")
