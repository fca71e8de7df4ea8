"""A sketch in HTML of the Adaptive Card that `render` makes. Pure; everything is escaped, classes only, no style.

It knows the elements we draw and says so of any other, so that a preview never hides a part of the message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from urllib.parse import urlsplit

from markupsafe import Markup

from adapters.teams import render
from adapters.teams.seam import Json
from reviews.card import Card

#: An instant as `rich.moment` writes it, which a client shows in its reader's time zone.
_MOMENT = re.compile(r"\{\{DATE\(([^,)]+), SHORT\)\}\} \{\{TIME\(\1\)\}\}")


def preview(card: Card) -> str:
    """How a card looks in Teams, as HTML that is safe to put into a page; works where Teams is not set up too."""
    return Markup(sketch(render.content(render.message(card, "preview"))))  # noqa: S704 - every text in it is escaped here


def sketch(content: Json) -> str:
    """The card as one `<div class="teams-message">`."""
    return f'<div class="teams-message">{_all(content["body"])}{_actions(content.get("actions", ()))}</div>'


def _all(items: Sequence[Json]) -> str:
    return "".join(map(_element, items))


def _element(item: Json) -> str:
    match item["type"]:
        case "RichTextBlock":
            return f'<p class="teams-text">{"".join(map(_run, item["inlines"]))}</p>'
        case "Container":
            return f'<div class="teams-box teams-{_text(item.get("style", "default"))}">{_all(item["items"])}</div>'
        case "ColumnSet":
            cells = "".join(f"<div>{_all(column['items'])}</div>" for column in item["columns"])
            return f'<div class="teams-columns">{cells}</div>'
        case "Table":
            return f'<table class="teams-table">{"".join(map(_row, item["rows"]))}</table>'
        case "ActionSet":
            return _actions(item["actions"])
        case other:
            return f'<p class="teams-unknown">(an element of type {_text(other)})</p>'


def _run(run: Json) -> str:
    html = _text(_MOMENT.sub(_moment, run["text"]))
    html = f"<em>{html}</em>" if run.get("italic") else html
    html = f"<strong>{html}</strong>" if run.get("weight") == "Bolder" else html
    html = f"<code>{html}</code>" if run.get("fontType") == "Monospace" else html
    html = f'<span class="teams-soft">{html}</span>' if run.get("isSubtle") else html
    url = run.get("selectAction", {}).get("url", "")
    if urlsplit(url).scheme not in ("http", "https"):
        return html
    return f'<a rel="noopener noreferrer nofollow" href="{_text(url)}">{html}</a>'


def _moment(found: re.Match[str]) -> str:
    return f"{datetime.fromisoformat(found[1]):%d %b %H:%M} UTC"


def _row(row: Json) -> str:
    cells = "".join(f"<td>{_all(cell['items'])}</td>" for cell in row["cells"])
    return f"<tr>{cells}</tr>"


def _actions(actions: Sequence[Json]) -> str:
    """A picture of the buttons: spans, for the preview must not be able to decide anything."""
    made = "".join(
        f'<span class="teams-button teams-{_text(action.get("style", "plain"))}">{_text(action["title"])}</span>'
        for action in actions
    )
    return f'<div class="teams-actions">{made}</div>' if made else ""


def _text(text: str) -> str:
    return escape(str(text)).replace("\n", "<br>")
