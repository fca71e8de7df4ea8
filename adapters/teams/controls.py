"""The controls of a card as buttons. Pure.

A control with a form shows it beneath the card, or opens it as a dialog where the card has no room; one that asks
first shows its question; every other one acts at once. At most five buttons: the rest lie behind “More…”, for
Teams does not open what a button of its own overflow menu shows (msteams-docs#9223).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Literal

from microsoft_teams.cards import Action as Button
from microsoft_teams.cards import ActionSet, CardElement, ExecuteAction, ShowCardAction, SubmitAction

from adapters.parts import AFTERWARDS
from adapters.teams import forms, limits
from adapters.teams.press import How, data, name_of
from adapters.teams.rich import flat, sheet
from adapters.token import Token
from reviews.card import Actions, Card, Control, Line, Way
from reviews.model import Verb

#: Which forms are dialogs, one set after the other, until the buttons leave room for the card.
DIALOGS: tuple[frozenset[Verb], ...] = (frozenset(), frozenset({Verb.EDIT}), frozenset(Verb))
_MORE = "More…"


def buttons(card: Card, found: Sequence[Actions], token: Token | None, dialogs: Set[Verb]) -> list[Button]:
    """The buttons at a card's end; without a token only the ways. Forms of `dialogs` are opened as dialogs.

    A card that is over has no buttons that could decide.
    """
    if token is not None and len(str(token)) > limits.TOKEN:
        # A button that could not say what it stands for must not be there.
        token = None
    made: dict[str, Button] = {}
    if token is not None:
        made |= {str(each.verb): _button(each, card, token, dialogs) for each in _allowed(card, found)}
    for way in (way for block in found for way in block.ways):
        made[f"{way.go} {way.value}"] = _way(way, card.review)
    every = list(made.values())
    if len(every) <= limits.BUTTONS:
        return every
    return [*every[: limits.BUTTONS - 1], _more(every[limits.BUTTONS - 1 :])]


def beside(line: Line) -> list[CardElement]:
    """What stands at the end of a line of a list: its ways."""
    made: dict[str, Button] = {f"{way.go} {way.value}": _way(way, line.review) for way in line.ways}
    return [ActionSet(actions=list(made.values())[: limits.BUTTONS])] if made else []


def chosen(waiting: Sequence[Way]) -> list[CardElement]:
    """Rows of ways alone, such as the actions to choose one of."""
    made: list[Button] = [_way(way, "") for way in waiting]
    return _rows(made)


def cancel(token: Token) -> ExecuteAction:
    """The button that brings the card back as it stands, and sends nothing that was typed."""
    return ExecuteAction(
        title="Cancel", verb=name_of(How.REFRESH), data=data(How.REFRESH, token=token), associated_inputs="none"
    )


def _allowed(card: Card, found: Sequence[Actions]) -> list[Control]:
    every = [control for block in found for control in (*block.controls, *block.overflow)]
    return [control for control in every if not card.over or control.verb in AFTERWARDS]


def _more(rest: Sequence[Button]) -> Button:
    """The menu of what is used rarely; in rows, for Teams hides what is too much for one."""
    if len(rest) <= limits.ROW:
        return ShowCardAction(title=_MORE, card=sheet([], rest))
    return ShowCardAction(title=_MORE, card=sheet(_rows(rest)))


def _rows(made: Sequence[Button]) -> list[CardElement]:
    return [ActionSet(actions=list(made[n : n + limits.BUTTONS])) for n in range(0, len(made), limits.BUTTONS)]


def _button(item: Control, card: Card, token: Token, dialogs: Set[Verb]) -> Button:
    title = flat(item.label, limits.BUTTON_TEXT) or "–"
    if item.form is not None and item.verb in dialogs:
        sent = data(How.FORM, verb=item.verb, token=token, version=card.version)
        return SubmitAction(title=title, data=sent | {"msteams": {"type": "task/fetch"}}, style=_style(item))
    if item.form is not None or item.confirm:
        return ShowCardAction(title=title, card=forms.opened(item, token, card), style=_style(item))
    return ExecuteAction(
        title=title,
        verb=name_of(How.ACT, item.verb),
        data=data(How.ACT, verb=item.verb, token=token, version=card.version),
        style=_style(item),
    )


def _style(control: Control) -> Literal["positive", "destructive"] | None:
    match control.style:
        case "primary":
            return "positive"
        case "danger":
            return "destructive"
        case _:
            return None


def _way(way: Way, review: str) -> ExecuteAction:
    return ExecuteAction(
        title=flat(way.label, limits.BUTTON_TEXT) or "–",
        verb=name_of(How.GO, go=way.go),
        data=data(How.GO, go=way.go, value=way.value or review),
        # Beside a form that is open it would wait for the form's fields.
        associated_inputs="none",
    )
