"""Our own checker of final Adaptive Cards: what Teams would refuse, or read as it was not meant, found before it does.

The schema of 1.5 finds typos; the rest is what Teams' documents and defects say beyond it. It knows the elements we
draw and refuses any other, so that no text ever comes to an element in which Teams reads Markdown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from adapters.teams import press
from adapters.token import Malformed
from reviews.unseen import UNSEEN
from tests.fakes import schemas

Json = dict[str, Any]

#: Bytes of a card: some of Teams' ways refuse 28 KB.
MOST = 24_000
#: Buttons that Teams shows of one row.
ROW = 6
#: How deep cards behind buttons lie: a menu, and the form behind one of its buttons.
DEEP = 2

_INPUTS = {"Input.Text", "Input.Number", "Input.Date", "Input.ChoiceSet", "Input.Toggle"}
_ACTIONS = {"Action.Execute", "Action.Submit", "Action.ShowCard"}
_HIDDEN = re.compile(UNSEEN)
#: The one thing in two braces that we write: an instant.
_INSTANT = re.compile(r"\{\{(DATE\(([\dT:-]+Z), SHORT|TIME\(([\dT:-]+Z))\)\}\}")
#: What is drawn as words outside of text runs.
_PLAIN = ("title", "label", "placeholder", "errorMessage", "fallbackText", "summary")


def message_faults(message: Json) -> list[str]:
    """What is wrong with a message; empty when Teams would take it."""
    faults = [] if message.get("type") == "message" else ["type: no message"]
    if "attachments" not in message:
        good = message.get("textFormat") == "plain" and str(message.get("text", "")).strip()
        return faults + ([] if good else ["text: none, or parsed for markup"])
    faults += [f"{name}: beside a card" for name in ("text", "textFormat") if name in message]
    faults += [] if str(message.get("summary", "")).strip() else ["summary: empty, so notifications say nothing"]
    cards = message["attachments"]
    if len(cards) != 1 or cards[0].get("contentType") != "application/vnd.microsoft.card.adaptive":
        return [*faults, "attachments: not one card"]
    return faults + card_faults(cards[0]["content"])


def dialog_faults(task: Json) -> list[str]:
    """What is wrong with the `task` of an answer to task/fetch or task/submit."""
    value = task.get("value")
    if task.get("type") == "message":
        return [] if isinstance(value, str) and value else ["value: no words"]
    if task.get("type") != "continue" or not isinstance(value, dict) or not value.get("title"):
        return ["task: neither a card with a title nor words"]
    card = value["card"]["content"]
    deaf = [action["title"] for action in actions(card) if action["type"] == "Action.Execute"]
    return [*card_faults(card, dialog=True), *(f"{title}: a dialog knows no Action.Execute" for title in deaf)]


def card_faults(card: Json, *, dialog: bool = False) -> list[str]:
    """What is wrong with a card. In a `dialog` an Action.Submit sends; elsewhere it may only open one."""
    size = len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode())
    faults = [f"{size} bytes in all"] if size > MOST else []
    bare = {name: value for name, value in fallback_only(card).items() if name != "msteams"}
    faults += [f"{'/'.join(map(str, e.instance_path))}: {e.message[:200]}" for e in _schema().iter_errors(bare)]
    faults += _card(card, dialog, 0)
    ids = [item["id"] for item in walk(card) if "id" in item]
    faults += [f"{one}: an id used twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
    return faults + [fault for item in walk(card) for fault in _words(item)]


def fallback_only(found: Any) -> Any:
    """The same with the fallback in place of each element that has one, as a client that does not know it draws."""
    if isinstance(found, list):
        kept = [each for each in found if not (isinstance(each, dict) and each.get("fallback") == "drop")]
        return [fallback_only(each) for each in kept]
    if not isinstance(found, dict):
        return found
    if isinstance(found.get("fallback"), dict):
        return fallback_only(found["fallback"])
    return {name: value if name == "data" else fallback_only(value) for name, value in found.items()}


def walk(found: Any) -> Iterator[Json]:
    """Every element and action, at any depth, but nothing of what an action sends."""
    if isinstance(found, list):
        for each in found:
            yield from walk(each)
    elif isinstance(found, dict):
        yield found
        for name, each in found.items():
            if name not in ("data", "refresh"):
                yield from walk(each)


def actions(card: Json) -> list[Json]:
    """Every action of a card and of what its buttons show."""
    return [item for item in walk(card) if item.get("type") in _ACTIONS]


def inputs(card: Json) -> dict[str, Json]:
    """Every input by its id."""
    return {item["id"]: item for item in walk(card) if item.get("type") in _INPUTS}


def seen(card: Json) -> str:
    """All words a person reads in the card's body, a paragraph a line; not those behind buttons."""
    texts = [item for item in walk(card["body"]) if item.get("type") == "RichTextBlock"]
    return "\n".join("".join(run["text"] for run in item["inlines"]) for item in texts)


# ---------------------------------------------------------------------------------------------- parts


@cache
def _schema() -> jsonschema_rs.Draft6Validator:
    return jsonschema_rs.Draft6Validator(schemas.adaptive())


def _card(card: Json, dialog: bool, deep: int) -> list[str]:
    faults = [f"a card {deep} buttons deep"] if deep > DEEP else []
    own = set(_own_inputs(card["body"]))
    for item in card["body"]:
        faults += _element(item, dialog, deep, own)
    return faults + (_row(card["actions"], dialog, deep, own) if "actions" in card else [])


def _own_inputs(found: Any) -> Iterator[str]:
    """The ids of the inputs of a card itself, not of what its buttons show: these are sent together."""
    if isinstance(found, list):
        for each in found:
            yield from _own_inputs(each)
    elif isinstance(found, dict):
        if found.get("type") in _INPUTS:
            yield found["id"]
        for name in ("items", "columns", "rows", "cells"):
            yield from _own_inputs(found.get(name, []))


def _element(item: Json, dialog: bool, deep: int, own: set[str]) -> list[str]:
    kind = item.get("type")
    match kind:
        case "RichTextBlock":
            return [] if item["inlines"] else ["an empty paragraph"]
        case "Container":
            return _all(item["items"], dialog, deep, own)
        case "ColumnSet":
            return [f for column in item["columns"] or [{}] for f in _all(column.get("items", []), dialog, deep, own)]
        case "Table":
            widths = {len(row["cells"]) for row in item["rows"]} | {len(item["columns"])}
            uneven = [f"a table with rows of {sorted(widths)}"] if len(widths) > 1 else []
            cells = [cell for row in item["rows"] for cell in row["cells"]]
            return uneven + [fault for cell in cells for fault in _all(cell["items"], dialog, deep, own)]
        case "ActionSet":
            return _row(item["actions"], dialog, deep, own)
        case _ if kind in _INPUTS:
            return _input(item)
        case _:
            return [f"{kind}: not an element we draw"]


def _all(items: list[Json], dialog: bool, deep: int, own: set[str]) -> list[str]:
    return [f for item in items for f in _element(item, dialog, deep, own)] if items else ["nothing in a container"]


def _input(item: Json) -> list[str]:
    name = item["id"]
    faults = [] if item.get("label") or item["type"] == "Input.Toggle" else [f"{name}: no label"]
    faults += [] if not item.get("isRequired") or item.get("errorMessage") else [f"{name}: required, and says nothing"]
    if item["type"] == "Input.ChoiceSet":
        values = [choice["value"] for choice in item["choices"]]
        faults += [] if values and all(values) and len(values) == len(set(values)) else [f"{name}: bad choices"]
        faults += [] if item.get("value", values[0] if values else "") in values else [f"{name}: none of its choices"]
        faults += [] if item.get("style") == "compact" else [f"{name}: Teams reads Markdown in a list drawn at length"]
    if item["type"] == "Input.Toggle":
        picked, title = name.startswith("pick"), item["title"]
        faults += [] if not picked or item.get("value") == "false" else [f"{name}: chosen beforehand"]
        plain = re.fullmatch(r"#\d+" if picked else "Yes", title)
        faults += [] if plain else [f"{name}: Teams reads Markdown in {title!r}"]
    if item["type"] == "Input.Text" and len(item.get("value", "")) > item.get("maxLength", 0):
        faults.append(f"{name}: its own value is too long")
    return faults


def _row(row: list[Json], dialog: bool, deep: int, own: set[str]) -> list[str]:
    faults = [] if 1 <= len(row) <= ROW else [f"{len(row)} buttons in a row"]
    titles = [action.get("title", "") for action in row]
    faults += [] if all(titles) else ["a button without words"]
    return faults + [fault for action in row for fault in _action(action, dialog, deep, own)]


def _action(action: Json, dialog: bool, deep: int, own: set[str]) -> list[str]:
    if "mode" in action:
        return [f"{action['title']}: Teams opens nothing from its overflow menu"]
    match action["type"]:
        case "Action.ShowCard":
            return _card(action["card"], dialog, deep + 1)
        case "Action.Execute":
            named = [] if str(action.get("verb", "")).startswith("placet/") else [f"{action['title']}: no verb"]
            return named + _data(action, own)
        case "Action.Submit":
            opens = action["data"].get("msteams") == {"type": "task/fetch"}
            lost = [] if dialog or opens else [f"{action['title']}: sends a message"]
            return lost + ([] if opens else _data(action, own))
        case other:
            return [f"{other}: not an action we draw"]


def _data(action: Json, own: set[str]) -> list[str]:
    """What an action sends must be readable, and ask for the very inputs beside it."""
    data = action.get("data")
    try:
        press.read(data)
    except Malformed as fault:
        return [f"{action['title']}: {fault}"]
    sent = set() if action.get("associatedInputs") == "none" else own
    asked = set(data["fields"]) if isinstance(data, dict) and "fields" in data else set()
    fields = {name for name in sent if not name.startswith(press.PICK)}
    return [] if asked == fields else [f"{action['title']}: asks for {sorted(asked)}, beside {sorted(fields)}"]


def _words(item: Json) -> list[str]:
    if item.get("type") == "TextRun":
        bad = "{{" in _INSTANT.sub("", item["text"]) or not item["text"]
        faults = [f"read as the card's language, or empty: {item['text']!r:.80}"] if bad else []
        link = item.get("selectAction")
        if link and (link["type"] != "Action.OpenUrl" or urlsplit(link["url"]).scheme not in ("http", "https")):
            faults.append(f"not a link: {link}")
        return faults + ([f"hides words: {item['text']!r:.80}"] if _HIDDEN.search(item["text"]) else [])
    plain = [(name, item[name]) for name in _PLAIN if isinstance(item.get(name), str)]
    bad_ones = [name for name, text in plain if "{{" in text or _HIDDEN.search(text) or "\n" in text]
    return [f"{name}: {item[name]!r:.80} is not plain words" for name in bad_ones]
