"""An edit as it is written on the command line: arguments one by one over those shown, or all of them in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from reviews import redact
from reviews.model import Object


def changed(review: Object, settings: Iterable[str]) -> Object:
    """A review's arguments as shown, with `NAME=VALUE` settings over them. Raises typer.BadParameter.

    A text that mentions something hidden is masked in part, and sent back so it would become the argument.
    """
    given = dict(map(_setting, settings))
    kept = {name: value for name, value in _visible(review).items() if name not in given}
    masked = [name for name, value in kept.items() if redact.MASK in json.dumps(value, ensure_ascii=False)]
    if masked:
        raise typer.BadParameter(
            f"{', '.join(masked)} is hidden from you in part; set it too, or give --arguments", param_hint="--set"
        )
    return kept | given


def read(path: Path) -> Object:
    """The complete arguments, from a file or, for `-`, from standard input. Raises typer.BadParameter."""
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text("utf-8")
        found = json.loads(text)
    except (OSError, ValueError) as fault:
        raise typer.BadParameter(f"{path}: {fault}", param_hint="--arguments") from None
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{path}: write a JSON object", param_hint="--arguments")
    return found


def _visible(review: Object) -> Object:
    """The arguments as shown, without the hidden ones: the server keeps what is left blank."""
    arguments: Object = review["action"]["arguments"]
    for pointer in review["hidden"]:
        arguments = _without(arguments, redact.segments(pointer))
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
