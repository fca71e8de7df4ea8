"""`placet inbox`, `show`, `approve`, `reject`, `edit`: a reviewer's terminal, by a personal token over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import DEFAULT, AsJson, ConfigFile, Notes, Reason, ReviewId, Revision, ServerUrl, Token
from reviews import redact
from reviews.model import Object

if TYPE_CHECKING:
    from bot.cli.remote import Remote

_PANEL = "Who may ask, who decides"
_VIEWS = ("mine", "roles", "decided", "all")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    for command in (inbox, show, approve, reject, edit):
        root.command(rich_help_panel=_PANEL)(command)


def inbox(
    view: Annotated[
        str, typer.Option(help="mine, roles (what your roles may decide), decided, all (auditors).")
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
        (item["id"], item["risk"], item["title"], item["status"], item["waiting_for"], out.instant(item["deadline_at"]))
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


def approve(
    review: ReviewId,
    reason: Reason = None,
    notes: Notes = None,
    revision: Revision = None,
    token: Token = None,
    server: ServerUrl = None,
    config: ConfigFile = DEFAULT,
) -> None:
    """Approve what stands now."""
    remote = _remote(token, server, config)
    _vote(remote, review, revision, {"vote": "approve", "reason": reason, "notes": notes})


def reject(
    review: ReviewId,
    reason: Reason = None,
    notes: Notes = None,
    revision: Revision = None,
    token: Token = None,
    server: ServerUrl = None,
    config: ConfigFile = DEFAULT,
) -> None:
    """Reject it. One rejection is final."""
    remote = _remote(token, server, config)
    _vote(remote, review, revision, {"vote": "reject", "reason": reason, "notes": notes})


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
    remote = _remote(token, server, config)
    if arguments is not None:
        wanted = _read(arguments)
    else:
        wanted = _visible(remote.review(review)) | dict(map(_setting, change or ()))
    _vote(remote, review, revision, {"vote": "edit", "arguments": wanted, "reason": reason, "notes": notes})


# ---------------------------------------------------------------------------------------------- shared


def _remote(token: str | None, server: str | None, config: Path) -> Remote:
    from bot.cli.remote import Remote  # noqa: PLC0415 - a quick start: loaded by the command that needs it

    if token is None:
        raise typer.BadParameter("give your token with --token or in PLACET_TOKEN; `placet token PERSON` makes one")
    if server is None:
        from bot.cli import house  # noqa: PLC0415 - only where the configuration must be read
        from bot.config import load  # noqa: PLC0415 - as above

        server = house.address(load(config))
    return Remote(server, token)


def _vote(remote: Remote, review: str, revision: int | None, vote: Object) -> None:
    """Vote on what stands now, bound to the digest just read: what changes in between is refused."""
    standing = remote.review(review)
    seen = {"revision": revision or standing["revision"], "digest": standing["digest"]}
    given = {key: value for key, value in vote.items() if value is not None}
    after = remote.vote(review, given | seen)
    typer.echo(f"{review}: {str(after['status']).replace('_', ' ')}, revision {after['revision']}.")


def _visible(review: Object) -> Object:
    """The arguments as shown, without the hidden ones: the server keeps what is left blank.

    A text that mentions something hidden is masked in part, and sent back so it would become the argument.
    """
    arguments: Object = review["action"]["arguments"]
    for pointer in review["hidden"]:
        arguments = _without(arguments, redact.segments(pointer))
    masked = [name for name, value in arguments.items() if redact.MASK in json.dumps(value, ensure_ascii=False)]
    if masked:
        raise typer.BadParameter(
            f"{', '.join(masked)} is hidden from you in part; set it too, or give --arguments", param_hint="--set"
        )
    return arguments


def _without(value: Any, path: list[str]) -> Any:
    if not isinstance(value, dict) or path[0] not in value:
        return value
    rest = {key: inner for key, inner in value.items() if key != path[0]}
    return rest if len(path) == 1 else {**value, path[0]: _without(value[path[0]], path[1:])}


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE", param_hint="--set")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _read(path: Path) -> Object:
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text("utf-8")
        found = json.loads(text)
    except (OSError, ValueError) as fault:
        raise typer.BadParameter(f"{path}: {fault}", param_hint="--arguments") from None
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{path}: write a JSON object", param_hint="--arguments")
    return found
