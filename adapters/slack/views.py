"""Cards and lists as modals and as Home. Pure.

https://docs.slack.dev/surfaces/modals
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.asking import ASK
from adapters.parts import ahead, behind
from adapters.selection import NONE_CHOSEN, NOTHING, SEVERAL, Result, nothing_of, which
from adapters.slack import limits, render
from adapters.slack.controls import ways
from adapters.slack.forms import holds, modal, modal_title, notice, option
from adapters.slack.press import ASKING, PICK, PICKING, READING, VALUE, Back
from adapters.slack.render import VIEW
from adapters.slack.rich import brk as words
from adapters.slack.rich import bullets, rich, section
from adapters.slack.text import Json, plain
from adapters.text import clean, cut, line
from adapters.token import Token
from reviews.card import Card, Divider, Form, Go, Way
from reviews.ports import QueueItem
from reviews.values import replace

#: Lines to choose from at once: each one should be read. The most blocks of ten lines.
_GROUPS = 2
#: Actions to choose one of.
_ACTIONS = 100
_HELD = "Slack cannot hold this form. Ask for the review on the full page."


def card_modal(card: Card, token: Token, back: str) -> Json:
    """A review, or a list of them, in a modal, with its long parts beneath. `back` is kept by Slack."""
    more = ahead(card)
    blocks = [*card.blocks, *([Divider()] if more else []), *more]
    title = "Review" if card.review else card.title
    return _read(title, render.whole(card, blocks, VIEW, token), back)


def history(card: Card) -> Json:
    """What happened to a review: changes asked for, comments, earlier ones of the same subject, its timeline."""
    past = behind(card)
    if not past:
        return notice("History", "Nothing has happened yet.", card.link)
    return _read("History", render.whole(card, past, VIEW, None))


def home(card: Card) -> Json:
    """The Home of one person."""
    return {"type": "home", "blocks": render.whole(card, card.blocks, VIEW, None)}


# ---------------------------------------------------------------------------------------------- a selection


def bulk_actions(waiting: Mapping[str, int], back: str) -> Json:
    """Which action to approve several of: `waiting` counts those that may be, by action."""
    if not waiting:
        return notice(SEVERAL, NOTHING)
    going = [Way(go=Go.BULK, label=f"{name} ({many})", value=name) for name, many in waiting.items()][:_ACTIONS]
    left = len(waiting) - len(going)
    rows = [ways(going[n : n + limits.ACTIONS], n) for n in range(0, len(going), limits.ACTIONS)]
    return _read(SEVERAL, [{"type": "section", "text": plain(which(left), limits.TEXT)}, *rows], back)


def bulk_form(action: str, items: Sequence[QueueItem], back: str = "{}") -> Json:
    """Lines of one action to choose from. None is chosen beforehand: each one should be read."""
    lines = [item for item in items if len(_value(item)) <= limits.OPTION_VALUE]
    shown = lines[: _GROUPS * limits.CHECKBOXES]
    if not shown:
        return notice(SEVERAL, nothing_of(action))
    groups = [shown[n : n + limits.CHECKBOXES] for n in range(0, len(shown), limits.CHECKBOXES)]
    left = len(items) - len(shown)
    said = f"Choose those of {line(action)} that you approve. " + (f"{left} more come after these." if left else "")
    return {
        "type": "modal",
        "callback_id": PICKING,
        "private_metadata": str(replace(Back.read(back), action=action)),
        "title": modal_title(SEVERAL),
        "submit": plain("Approve chosen", limits.MODAL_TITLE),
        "close": plain("Cancel", limits.MODAL_TITLE),
        "blocks": [
            {"type": "section", "text": plain(said, limits.TEXT)},
            *(_group(n, some) for n, some in enumerate(groups)),
        ],
    }


def results(done: Sequence[Result]) -> Json:
    """What came of each line chosen."""
    lines = [section([words(f"{'✅' if one.good else '⛔'} {_said(one)}")]) for one in done]
    drawn = rich([bullets(lines)])
    return _read(SEVERAL, drawn or notice(SEVERAL, NONE_CHOSEN)["blocks"])


def _said(one: Result) -> str:
    return f"{cut(line(one.title), limits.HEADER)}: {cut(line(one.text), limits.CONFIRM_TEXT) or 'done'}"


def _group(nth: int, items: Sequence[QueueItem]) -> Json:
    label = "Reviews" if nth == 0 else "More reviews"
    options = [option(_value(item), item.title) | {"description": _beside(item)} for item in items]
    return {
        "type": "input",
        "block_id": f"{PICK}{nth}",
        "optional": True,
        "label": plain(label, limits.INPUT_LABEL),
        "element": {"type": "checkboxes", "action_id": VALUE, "options": options},
    }


def _value(item: QueueItem) -> str:
    return f"{item.id}|{item.revision}|{item.digest}"


def _beside(item: QueueItem) -> Json:
    said = f"{item.risk.capitalize()} risk · {line(item.agent)} · until {item.deadline_at:%d %b %H:%M} UTC"
    return plain(said, limits.OPTION_DESCRIPTION)


# ---------------------------------------------------------------------------------------------- asking


def ask_form(form: Form, back: str, text: str = "") -> Json:
    """The form to ask for a review with; `text` is what was pointed at, as the first value of the field `text`."""
    said = cut(clean(text), limits.INPUT_TEXT)
    fields = tuple(replace(f, value=cut(said, f.max_length)) if f.name == "text" and said else f for f in form.fields)
    asked = replace(form, fields=fields)
    return modal(asked, ASK, ASKING, back) if holds(asked) else notice(ASK, _HELD)


# ---------------------------------------------------------------------------------------------- parts


def _read(title: str, blocks: Sequence[Json], back: str = "{}") -> Json:
    return {
        "type": "modal",
        "callback_id": READING,
        "private_metadata": back,
        "title": modal_title(title),
        "close": plain("Close", limits.MODAL_TITLE),
        "blocks": list(blocks),
    }
