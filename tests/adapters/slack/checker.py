"""Our own checker of final Block Kit JSON: what Slack would refuse, found before it does.

Numbers come from `slackblocks` where it has them, so that this file and `adapters/slack/limits.py` cannot be wrong in
the same way. It knows the block types we draw and refuses any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from slackblocks import _limits as known

Json = dict[str, Any]

#: Undocumented: near 13,200 characters Slack answers `msg_blocks_too_long`.
TOTAL = 13_000
FIELD = 2000
CONTEXT_TEXT = 2000
#: Slack takes no view larger than this.
VIEW_BYTES = 250_000
#: The table block takes this many characters over all its cells.
TABLE_TEXT = 10_000


def message_faults(blocks: Any, text: Any = "x") -> list[str]:
    """What is wrong with a message; empty when Slack would take it."""
    faults = _blocks(blocks, known.MESSAGE_BLOCKS_MAX_ITEMS, MESSAGE)
    size = len(json.dumps(blocks, ensure_ascii=False))
    if size > TOTAL:
        faults.append(f"blocks: {size} characters in all")
    if not isinstance(text, str) or not text:
        faults.append("text: empty, so notifications and screen readers say nothing")
    if sum(b.get("type") == "table" for b in blocks) > 1:
        faults.append("blocks: only one table allowed")
    return faults


def view_faults(view: Json) -> list[str]:
    """What is wrong with a modal."""
    faults = [] if view.get("type") == "modal" else [f"type: {view.get('type')} is no modal"]
    faults += _blocks(view.get("blocks"), known.VIEW_BLOCKS_MAX_ITEMS, MODAL) + _view(view)
    for key in ("title", "submit", "close"):
        if key in view or key == "title":
            faults += _plain(view.get(key), known.VIEW_TITLE_MAX_LENGTH, key)
    if any(b.get("type") == "input" for b in view.get("blocks") or ()) and "submit" not in view:
        faults.append("submit: a modal with inputs needs one")
    return faults


def home_faults(view: Json) -> list[str]:
    """What is wrong with a Home."""
    faults = [] if view.get("type") == "home" else [f"type: {view.get('type')} is no home"]
    faults += [f"{key}: not on Home" for key in ("title", "submit", "close") if key in view]
    return faults + _blocks(view.get("blocks"), known.VIEW_BLOCKS_MAX_ITEMS, HOME) + _view(view)


def _view(view: Json) -> list[str]:
    size = len(json.dumps(view))
    return [
        *([f"view: {size} bytes"] if size > VIEW_BYTES else []),
        *_most(view.get("private_metadata", ""), known.VIEW_PRIVATE_METADATA_MAX_LENGTH, "private_metadata"),
        *_most(view.get("callback_id", ""), known.VIEW_CALLBACK_ID_MAX_LENGTH, "callback_id"),
    ]


def texts(value: Any) -> Iterator[Json]:
    """Every text-bearing object, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def seen(blocks: Any) -> str:
    """All words of a message as a person reads them."""
    words = [_read(item) for item in texts(blocks)]
    return "\n".join(words)


def _read(item: Json) -> str:
    text: str = item["text"]
    if item.get("type") in ("plain_text", "mrkdwn"):
        return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text


# ---------------------------------------------------------------------------------------------- parts


def _blocks(blocks: Any, most: int, allowed: dict[str, Callable[[Json, str], list[str]]]) -> list[str]:
    if not isinstance(blocks, list) or not blocks:
        return ["blocks: none"]
    faults = [f"blocks: {len(blocks)} of them"] if len(blocks) > most else []
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        faults.append("block_id: used twice")
    for n, block in enumerate(blocks):
        where = f"/{n}/{block.get('type')}"
        check = allowed.get(block.get("type", ""))
        faults += check(block, where) if check else [f"{where}: not a block we draw here"]
        faults += _most(block.get("block_id", ""), known.BLOCK_ID_MAX_LENGTH, f"{where}/block_id")
    return faults


def _most(text: Any, most: int, where: str) -> list[str]:
    return [] if isinstance(text, str) and len(text) <= most else [f"{where}: longer than {most}"]


def _plain(item: Any, most: int, where: str) -> list[str]:
    if not isinstance(item, dict) or item.get("type") != "plain_text" or not isinstance(item.get("text"), str):
        return [f"{where}: not a plain_text object"]
    faults = _most(item["text"], most, where)
    bare = item["text"].replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    if any(sign in bare for sign in "&<>"):
        faults.append(f"{where}: not escaped")
    return faults + ([] if item["text"].strip() else [f"{where}: empty"])


def _header(block: Json, where: str) -> list[str]:
    return _plain(block.get("text"), known.HEADER_TEXT_MAX_LENGTH, where)


def _section(block: Json, where: str) -> list[str]:
    beside = _control(block["accessory"], where) if "accessory" in block else []
    return _plain(block.get("text"), known.TEXT_MAX_LENGTH, where) + beside


def _context(block: Json, where: str) -> list[str]:
    elements = block.get("elements", [])
    faults = [] if 1 <= len(elements) <= known.CONTEXT_ELEMENTS_MAX_ITEMS else [f"{where}: {len(elements)} elements"]
    return faults + [fault for item in elements for fault in _plain(item, CONTEXT_TEXT, where)]


def _divider(block: Json, where: str) -> list[str]:
    return []


def _table(block: Json, where: str) -> list[str]:
    rows = block.get("rows", [])
    faults = [] if 1 <= len(rows) <= known.TABLE_ROWS_MAX_ITEMS else [f"{where}: {len(rows)} rows"]
    if len({len(row) for row in rows}) > 1:
        faults.append(f"{where}: rows of different lengths")
    if any(not 1 <= len(row) <= known.TABLE_COLUMNS_MAX_ITEMS for row in rows):
        faults.append(f"{where}: too many columns")
    cells = [cell for row in rows for cell in row]
    if any(cell.get("type") != "raw_text" or not cell.get("text") for cell in cells):
        faults.append(f"{where}: a cell without text")
    if sum(len(cell.get("text", "")) for cell in cells) > TABLE_TEXT:
        faults.append(f"{where}: too much text")
    return faults


def _rich(block: Json, where: str) -> list[str]:
    parts = block.get("elements", [])
    faults = [] if parts else [f"{where}: empty"]
    for part in parts:
        kind = part.get("type")
        if kind not in ("rich_text_section", "rich_text_quote", "rich_text_preformatted", "rich_text_list"):
            faults.append(f"{where}: {kind} is no rich text part")
        elif not part.get("elements"):
            faults.append(f"{where}: an empty {kind}")
        elif kind == "rich_text_list":
            faults += [f for item in part["elements"] for f in _spans(item.get("elements", []), where)]
        else:
            faults += _spans(part["elements"], where)
    return faults


def _spans(spans: Sequence[Json], where: str) -> list[str]:
    faults = [] if spans else [f"{where}: an empty list item"]
    for span in spans:
        match span.get("type"):
            case "text":
                faults += [] if span.get("text") else [f"{where}: an empty text"]
                faults += [] if set(span.get("style", {})) <= {"bold", "italic"} else [f"{where}: a strange style"]
            case "link":
                good = urlsplit(span.get("url", "")).scheme in ("http", "https") and span.get("text")
                faults += [] if good and len(span["url"]) <= known.BUTTON_URL_MAX_LENGTH else [f"{where}: a bad link"]
            case "date":
                faults += [] if isinstance(span.get("timestamp"), int) and span.get("format") else [f"{where}: a date"]
            case other:
                faults.append(f"{where}: {other} in rich text")
    return faults


def _actions(block: Json, where: str) -> list[str]:
    elements = block.get("elements", [])
    faults = [] if 1 <= len(elements) <= known.ACTIONS_ELEMENTS_MAX_ITEMS else [f"{where}: {len(elements)} elements"]
    ids = [element.get("action_id") for element in elements]
    if len(ids) != len(set(ids)):
        faults.append(f"{where}: an action_id used twice")
    return faults + [fault for element in elements for fault in _control(element, where)]


def _control(element: Json, where: str) -> list[str]:
    faults = _most(element.get("action_id"), known.ACTION_ID_MAX_LENGTH, f"{where}/action_id")
    match element.get("type"):
        case "button":
            faults += _plain(element.get("text"), known.BUTTON_TEXT_MAX_LENGTH, where)
            faults += _most(element.get("value", ""), known.BUTTON_VALUE_MAX_LENGTH, f"{where}/value")
            faults += [f"{where}: a button with an address opens it and is a click as well"] if "url" in element else []
            label = element.get("accessibility_label", "")
            faults += _most(label, known.BUTTON_ACCESSIBILITY_LABEL_MAX_LENGTH, f"{where}/accessibility_label")
            if element.get("style", "primary") not in ("primary", "danger"):
                faults.append(f"{where}: style {element['style']}")
        case "static_select":
            faults += _plain(element.get("placeholder"), known.SELECT_PLACEHOLDER_MAX_LENGTH, where)
            faults += _options(element, known.SELECT_OPTIONS_MAX_ITEMS, where)
        case "overflow":
            faults += _options(element, known.OVERFLOW_OPTIONS_MAX_ITEMS, where)
            faults += [f"{where}: confirm asks for every line of the menu"] if "confirm" in element else []
        case other:
            faults.append(f"{where}: {other} is not drawn by us")
    return faults + (_confirm(element["confirm"], where) if "confirm" in element else [])


def _confirm(confirm: Json, where: str) -> list[str]:
    return [
        *_plain(confirm.get("title"), known.CONFIRMATION_TITLE_MAX_LENGTH, where),
        *_plain(confirm.get("text"), known.CONFIRMATION_TEXT_MAX_LENGTH, where),
        *_plain(confirm.get("confirm"), known.CONFIRMATION_CONFIRM_MAX_LENGTH, where),
        *_plain(confirm.get("deny"), known.CONFIRMATION_DENY_MAX_LENGTH, where),
    ]


def _options(element: Json, most: int, where: str) -> list[str]:
    options = element.get("options", [])
    faults = [] if 1 <= len(options) <= most else [f"{where}: {len(options)} options"]
    if len({option.get("value") for option in options}) != len(options):
        faults.append(f"{where}: two options of one value")
    for option in options:
        faults += _plain(option.get("text"), known.OPTION_TEXT_MAX_LENGTH, f"{where}/option")
        value = option.get("value")
        faults += _most(value, known.OPTION_VALUE_MAX_LENGTH, f"{where}/option") if value else [f"{where}: no value"]
        beside = option.get("description")
        faults += _plain(beside, known.OPTION_DESCRIPTION_MAX_LENGTH, f"{where}/description") if beside else []
        if set(option) - {"text", "value", "description"}:
            faults.append(f"{where}: a strange option {sorted(option)}")
    if "initial_option" in element and element["initial_option"] not in options:
        faults.append(f"{where}: the initial option is none of the options")
    return faults


def _input(block: Json, where: str) -> list[str]:
    faults = _plain(block.get("label"), known.INPUT_LABEL_MAX_LENGTH, where)
    faults += [] if isinstance(block.get("optional"), bool) else [f"{where}: optional is not said"]
    faults += _plain(block["hint"], known.INPUT_HINT_MAX_LENGTH, where) if "hint" in block else []
    element = block.get("element", {})
    match element.get("type"):
        case "plain_text_input":
            most = element.get("max_length", 3000)
            faults += [] if 1 <= most <= known.PLAIN_TEXT_INPUT_MAX_LENGTH_MAX else [f"{where}: max_length {most}"]
            faults += _most(element.get("initial_value", ""), most, where)
        case "static_select":
            faults += _options(element, known.SELECT_OPTIONS_MAX_ITEMS, where)
        case "radio_buttons":
            faults += _options(element, known.RADIO_BUTTONS_OPTIONS_MAX_ITEMS, where)
        case "checkboxes":
            faults += _options(element, known.CHECKBOXES_OPTIONS_MAX_ITEMS, where)
            chosen = element.get("initial_options", [])
            picked = str(block.get("block_id")).startswith("pick:")
            faults += [f"{where}: chosen beforehand"] if picked and chosen else []
            faults += [f"{where}: an initial option is none of the options"] if _beside(chosen, element) else []
        case "number_input":
            faults += [] if isinstance(element.get("is_decimal_allowed"), bool) else [f"{where}: is_decimal_allowed"]
            faults += _initial(element, "initial_value", float, where)
        case "datepicker":
            faults += _initial(element, "initial_date", date.fromisoformat, where)
        case other:
            faults.append(f"{where}: {other} is no input of ours")
    return faults


def _beside(chosen: list[Json], element: Json) -> list[Json]:
    return [one for one in chosen if one not in element["options"]]


def _initial(element: Json, name: str, read: Callable[[str], Any], where: str) -> list[str]:
    try:
        read(element.get(name, "2026-11-21" if name == "initial_date" else "0"))
    except ValueError:
        return [f"{where}: {name} cannot be read"]
    return []


MESSAGE: dict[str, Callable[[Json, str], list[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "divider": _divider,
    "table": _table,
    "rich_text": _rich,
    "actions": _actions,
}
#: Slack takes no table in a modal; on Home we draw none either.
HOME = {name: check for name, check in MESSAGE.items() if name != "table"}
MODAL = {**HOME, "input": _input}
