"""A sketch in HTML of the Block Kit JSON that `render` makes. Pure; everything is escaped, classes only, no style.

It knows the blocks we draw and says so of any other, so that a preview never hides a part of the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from adapters.slack.text import Json, unescape


def sketch(blocks: Sequence[Json]) -> str:
    """The message as one `<div class="slack-message">`."""
    return f'<div class="slack-message">{"".join(map(_block, blocks))}</div>'


def _block(block: Json) -> str:
    match block["type"]:
        case "header":
            return f'<h3 class="slack-header">{_plain(block["text"])}</h3>'
        case "section":
            beside = f" {_control(block['accessory'])}" if "accessory" in block else ""
            return f'<p class="slack-section">{_plain(block["text"])}{beside}</p>'
        case "context":
            return f'<p class="slack-context">{" ".join(map(_plain, block["elements"]))}</p>'
        case "divider":
            return '<hr class="slack-divider">'
        case "rich_text":
            return f'<div class="slack-rich">{"".join(map(_part, block["elements"]))}</div>'
        case "table":
            return f'<table class="slack-table">{"".join(map(_row, block["rows"]))}</table>'
        case "actions":
            return f'<div class="slack-actions">{"".join(map(_control, block["elements"]))}</div>'
        case other:
            return f'<p class="slack-unknown">(a block of type {_text(other)})</p>'


def _part(part: Json) -> str:
    inner = "".join(map(_inline, part["elements"]))
    match part["type"]:
        case "rich_text_quote":
            return f'<blockquote class="slack-quote">{inner}</blockquote>'
        case "rich_text_preformatted":
            return f'<pre class="slack-code">{inner}</pre>'
        case "rich_text_list":
            items = "".join(f"<li>{''.join(map(_inline, item['elements']))}</li>" for item in part["elements"])
            return f'<ul class="slack-list">{items}</ul>'
        case _:
            return f'<p class="slack-text">{inner}</p>'


def _inline(element: Json) -> str:
    match element["type"]:
        case "link":
            return _link(element)
        case "date":
            return f"<time>{_text(element['fallback'])}</time>"
        case "text":
            return _styled(_text(element["text"]), element.get("style", {}))
        case _:
            return ""


def _styled(html: str, style: Json) -> str:
    html = f"<em>{html}</em>" if style.get("italic") else html
    return f"<strong>{html}</strong>" if style.get("bold") else html


def _link(element: Json) -> str:
    if urlsplit(element["url"]).scheme not in ("http", "https"):
        return _text(element["text"])
    return f'<a rel="noopener noreferrer nofollow" href="{_text(element["url"])}">{_text(element["text"])}</a>'


def _row(row: Sequence[Json]) -> str:
    cells = "".join(f"<td>{_text(cell['text'])}</td>" for cell in row)
    return f"<tr>{cells}</tr>"


def _control(element: Json) -> str:
    """A picture of a control: a span, for the preview must not be able to decide anything."""
    if element["type"] == "overflow":
        return '<span class="slack-button">⋯</span>'
    words = element.get("text") or element["placeholder"]
    look = f" slack-{element['style']}" if element.get("style") in ("primary", "danger") else ""
    kind = "slack-menu" if element["type"] == "static_select" else "slack-button"
    return f'<span class="{kind}{look}">{_plain(words)}</span>'


def _plain(text: Json) -> str:
    return _text(unescape(text["text"]))


def _text(text: str) -> str:
    return escape(str(text)).replace("\n", "<br>")
