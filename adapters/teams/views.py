"""Cards that are of no posted copy: histories, lists, selections, forms and dialogs. Pure.

https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/task-modules/task-modules-bots
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from microsoft_teams.cards import CardElement, ExecuteAction, ToggleInput

from adapters import parts
from adapters.asking import ASK
from adapters.selection import MAX_PICKS, NONE_CHOSEN, NOTHING, SEVERAL, Offer, Result, nothing_of, which
from adapters.teams import controls, forms, limits, render
from adapters.teams.budget import PRIVATE, Pen, fits
from adapters.teams.press import How, data, name_of, pick_id
from adapters.teams.rich import bold, box, dumped, flat, moment, para, paras, row, runs, sheet, soft
from adapters.teams.seam import Json
from adapters.text import cut, line
from adapters.token import Token
from reviews.card import Card, Control, Form, Go, Text, Way, plain_card
from reviews.ports import QueueItem
from reviews.values import replace

_HELD = "Teams cannot hold this form. Ask for the review on the full page."
#: Lines to choose from at once: each one should be read.
_LINES = 20
#: Actions to choose one of.
_ACTIONS = 30
_TITLE, _SAID = 200, 300


def history(card: Card) -> Json:
    """What happened to a review: changes asked for, comments, earlier ones of the same subject, its timeline."""
    past = parts.behind(card)
    shown = past or (Text(text="Nothing has happened yet."),)
    made = replace(card, fallback=f"History: {card.title}")
    return render.activity(made, render.whole(made, shown, None, frame=PRIVATE))


def welcome(home: Card | None, text: str) -> Json:
    """What a person is greeted with: a sentence, and their Home where they are known."""
    if home is None:
        return render.note(text)
    blocks = [*([Text(text=text)] if text else []), *home.blocks]
    return render.activity(home, render.whole(home, blocks, None, frame=PRIVATE))


# ---------------------------------------------------------------------------------------------- a selection


def bulk_actions(offer: Offer) -> Json:
    """Which action to approve several of: those that may be, each with how many wait."""
    if not offer.waiting:
        return _notice(SEVERAL, NOTHING)
    going = [Way(go=Go.BULK, label=f"{name} ({many})", value=name) for name, many in offer.waiting.items()]
    left = len(going) - _ACTIONS
    return _plain(SEVERAL, [*para(runs(which(left))), *controls.chosen(going[:_ACTIONS])])


def bulk_form(offer: Offer) -> Json:
    """Lines of one action to choose from. None is chosen beforehand: each one should be read."""
    shown = offer.items[: min(_LINES, MAX_PICKS)]
    while shown:
        drawn = _selection(offer, shown)
        if fits(render.content(drawn)):
            return drawn
        shown = shown[:-1]
    return _notice(SEVERAL, nothing_of(offer.action))


def _selection(offer: Offer, shown: Sequence[QueueItem]) -> Json:
    left = len(offer.items) - len(shown)
    said = f"Choose those of {cut(line(offer.action), _TITLE)} that you approve."
    more = soft(f" {left} more come after these.") if left else []
    sent = ExecuteAction(
        title="Approve chosen",
        verb=name_of(How.BULK),
        data=data(How.BULK, action=offer.action),
        style="positive",
    )
    return _plain(SEVERAL, [*para([*runs(said), *more]), *map(_choice, shown)], [sent])


def _choice(item: QueueItem) -> CardElement:
    """A line to choose: the words stand beside the box to tick, for Teams reads Markdown in the box's own."""
    tick = ToggleInput(id=pick_id(item), title=f"#{item.seq}", value="false", spacing="None")
    about = f"{item.risk.capitalize()} risk · {cut(line(item.agent), _TITLE)} · until "
    beneath = [*soft(about, size="Small"), *moment(item.deadline_at, size="Small", is_subtle=True)]
    words = [*para(bold(cut(line(item.title), _TITLE) or "–"), "None"), *para(beneath, "None")]
    return row(("auto", [tick]), ("stretch", words), gap="Medium")


def results(done: Sequence[Result]) -> Json:
    """What came of each line chosen."""
    if not done:
        return _notice(SEVERAL, NONE_CHOSEN)
    return _plain(SEVERAL, [e for one in done for e in _result(one)])


def _result(one: Result) -> list[CardElement]:
    mark = runs("✅ " if one.good else "⛔ ")
    said = runs(f": {cut(line(one.text), _SAID) or 'done'}")
    return para([*mark, *bold(cut(line(one.title), _TITLE) or one.review), *said])


# ---------------------------------------------------------------------------------------------- forms


def ask_form(
    form: Form,
    text: str = "",
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    nonce: str,
) -> Json:
    """The form to ask for a review with; `text` is what was pointed at, `nonce` tells one asking from another."""
    asked = forms.begun(form, text)
    if not forms.holds(asked):
        return _notice(ASK, _HELD)
    return _plain(ASK, forms.inputs(asked, None, values, errors), [forms.ask_button(asked, nonce)])


def form_dialog(
    card: Card,
    token: Token,
    control: Control,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    text: str = "",
) -> Json:
    """The form of one control of the card as a dialog."""
    body, sends = forms.filled_in(control, token, card, values=values or {}, errors=errors or {}, text=text)
    about = box(para(bold(cut(line(card.title), limits.TITLE) or "–")), "emphasis")
    made = dumped(sheet([*about, *body], sends))
    # A form that fits alone may not do so beneath the title, nor with its faults.
    return dialog(control.label, made if fits(made) else dumped(sheet(body, sends)))


def dialog(title: str, card: Json) -> Json:
    """The `task` of an answer that opens a dialog with a card: there Teams sends only what is an Action.Submit."""
    content = {"contentType": render.CARD, "content": _submitted(card)}
    value = {"title": flat(title, limits.DIALOG_TITLE), "height": "large", "width": "large", "card": content}
    return {"type": "continue", "value": value}


def said(text: str) -> Json:
    """The `task` of an answer that closes a dialog with a sentence."""
    return {"type": "message", "value": cut(text, limits.NOTE) or "–"}


def _submitted(found: Json) -> Json:
    """The card with each Action.Execute as an Action.Submit, also those behind buttons."""

    def changed(item: object) -> object:
        if isinstance(item, list):
            return [changed(each) for each in item]
        if not isinstance(item, dict):
            return item
        made = {name: each if name == "data" else changed(each) for name, each in item.items()}
        if item.get("type") != "Action.Execute":
            return made
        return {name: each for name, each in made.items() if name != "verb"} | {"type": "Action.Submit"}

    return {name: changed(each) for name, each in found.items() if name != "refresh"}


# ---------------------------------------------------------------------------------------------- parts


def _plain(title: str, body: Sequence[CardElement], sends: Sequence[ExecuteAction] = ()) -> Json:
    made = sheet([*para(bold(title, size="Large"), "None"), *body], sends)
    made.fallback_text = title
    return render.activity(plain_card(title, ()), dumped(made))


def _notice(title: str, text: str) -> Json:
    return _plain(title, paras(Pen(limits.NOTE).lines(text)))
