"""A card as Teams draws it: an Adaptive Card 1.5 in a message, and a line for notifications. Pure, no SDK that calls.

A card has a head (status, title), its blocks, a foot with the link to the full page, and its buttons. Each block gets
the same room; when the whole is too large it is drawn again with less, and the foot says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from microsoft_teams.cards import (
    Action,
    CardElement,
    ExecuteAction,
    RefreshDefinition,
    TeamsCardProperties,
)

from adapters.teams import blocks as draw
from adapters.teams import controls, forms, limits
from adapters.teams.budget import MESSAGE, PRIVATE, ROOMS, Frame, Pen, fits, size
from adapters.teams.press import How, data, name_of
from adapters.teams.rich import LOOK, MARK, bold, box, dumped, flat, link, para, paras, runs, sheet, soft
from adapters.teams.seam import Json
from adapters.text import clean, cut, line
from adapters.token import Token
from reviews import filled
from reviews.card import Actions, Block, Callout, Card, Control, Happening, Voice
from reviews.model import Verb
from reviews.values import replace

#: The elements of one block.
_Part: TypeAlias = list[CardElement]

#: What a message with a card calls it.
CARD = "application/vnd.microsoft.card.adaptive"
_CUT = "This is not all of it: it was cut to fit Teams. "
_REFUSED = "Teams did not take this card. Open the full page to read it and to decide."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """All of a card but the parts drawn in the room there is: what stands above, what below, and its buttons."""

    card: Card
    head: list[CardElement]
    end: list[CardElement]
    actions: list[Action]
    token: Token | None

    def content(self, parts: Iterable[_Part], *, short: bool) -> Json:
        """The card as JSON."""
        shown = [item for part in parts for item in part]
        made = sheet([*self.head, *shown, *self.end, *_foot(self.card, short=short)], self.actions)
        made.fallback_text = _spoken(self.card)
        made.msteams = TeamsCardProperties(width="full")
        if self.token is not None and self.token.copy:
            made.refresh = _refresh(self.token)
        return dumped(made)


def message(card: Card, copy: str) -> Json:
    """The message with the compact card, within every limit of Teams. `copy` goes into its controls."""
    return activity(card, whole(card, card.blocks, Token.of(card, copy)))


def private(card: Card, token: Token | None) -> Json:
    """The compact card for one person alone; without a token it has ways, but no controls."""
    return activity(card, whole(card, card.blocks, token, frame=PRIVATE))


def details(card: Card) -> Json | None:
    """The long parts, for a reply beneath the card; None when there are none. They have no controls."""
    if not card.thread:
        return None
    title = f"Details of revision {card.revision}"
    return activity(card, whole(card, card.thread, None, head=para(bold(title, size="Medium"))))


def minimal(card: Card) -> Json:
    """What is sent when Teams refused the card: no controls, for nobody decides on what they cannot see."""
    made = sheet([*_head(card), *para(runs(_REFUSED)), *_foot(card, short=False)])
    return activity(card, dumped(made))


def news(lines: Sequence[Happening]) -> Json:
    """What happened since, for a reply beneath a card."""
    said = " · ".join(line(happened.text) for happened in lines)
    return _said(said, dumped(sheet(_news(lines)))) if lines else note(said)


def note(text: str) -> Json:
    """A sentence for one person, without a card."""
    return {"type": "message", "text": cut(clean(text).strip(), limits.NOTE) or "–", "textFormat": "plain"}


def faulty(card: Card, copy: str, verb: Verb, values: Mapping[str, str], errors: Mapping[str, str], text: str) -> Json:
    """The card with the form of a verb open, what was typed still in it, and a sentence at each fault.

    Without that control on it, the card as it stands.
    """
    control, token = filled.control(card, verb), Token.of(card, copy)
    if control is None:
        return message(card, copy) if copy else private(card, token)
    end, sends = forms.filled_in(control, token, card, values=values, errors=errors, text=text)
    title = para(bold(_name(control), size="Medium"), "Large")
    actions: list[Action] = [*sends, controls.cancel(token)]
    shown = [block for block in card.blocks if not isinstance(block, Actions)]
    made = _Whole(card=card, head=_head(card), end=[*title, *end], actions=actions, token=token)
    return activity(card, _fit(made, shown, MESSAGE))


def content(found: Json) -> Json:
    """The card within a message."""
    card: Json = found["attachments"][0]["content"]
    return card


def activity(card: Card, drawn: Json) -> Json:
    """A message with a card; its summary is what notifications read."""
    return _said(card.fallback or card.title, drawn)


def _said(summary: str, drawn: Json) -> Json:
    said = flat(summary, limits.SUMMARY) or "A review"
    return {"type": "message", "summary": said, "attachments": [{"contentType": CARD, "content": drawn}]}


# ---------------------------------------------------------------------------------------------- the whole


def whole(
    card: Card,
    blocks: Sequence[Block],
    token: Token | None,
    *,
    frame: Frame = MESSAGE,
    head: list[CardElement] | None = None,
) -> Json:
    """Head, blocks, foot and buttons within the size of a card; without a token no controls."""
    found = [block for block in blocks if isinstance(block, Actions)]
    shown = [block for block in blocks if not isinstance(block, Actions)]
    above = _head(card) if head is None else head
    made = _Whole(card=card, head=above, end=[], actions=_buttons(card, found, token), token=token)
    return _fit(made, shown, frame)


def _buttons(card: Card, found: Sequence[Actions], token: Token | None) -> list[Action]:
    """The buttons with as many forms behind them as leave the card its room; the others are dialogs."""
    made: list[Action] = []
    for dialogs in controls.DIALOGS:
        made = controls.buttons(card, found, token, dialogs)
        if size([dumped(each) for each in made]) <= limits.BUTTONS_BYTES:
            break
    return made


def _fit(made: _Whole, blocks: Sequence[draw.Shown], frame: Frame) -> Json:
    """The card with the largest room per block at which the whole fits."""
    parts: list[_Part] = []
    for room in ROOMS:
        parts, short = _draw(blocks, room, frame, made.card.status)
        drawn = made.content(parts, short=short)
        if fits(drawn):
            return drawn
    return _drop(made, parts)


def _drop(made: _Whole, parts: list[_Part]) -> Json:
    """Leave out the last parts until the whole fits."""
    while parts and not fits(made.content(parts, short=True)):
        parts = parts[:-1]
    return made.content(parts, short=True)


def _draw(blocks: Sequence[draw.Shown], room: int, frame: Frame, status: str) -> tuple[list[_Part], bool]:
    parts: list[_Part] = []
    short = False
    for block in blocks:
        pen = Pen(room)
        parts.append(draw.block(_once(block, status), pen, frame))
        short = short or pen.short
    return parts, short


def _once(block: draw.Shown, status: str) -> draw.Shown:
    """A callout without its title where that is the status, which the head says."""
    if isinstance(block, Callout) and block.voice is Voice.HOUSE and block.title == status:
        return replace(block, title="")
    return block


# ---------------------------------------------------------------------------------------------- head and foot


def _head(card: Card) -> list[CardElement]:
    """The status in a band of its tone, and the title."""
    # A list of reviews has no revision of its own.
    revision = soft(f"  ·  revision {card.revision}", size="Small") if card.review else []
    status = bold(MARK[card.tone] + line(card.status)) if line(card.status) else []
    title = para(bold(cut(line(card.title), limits.TITLE) or "–", size="Large"), "Small")
    return [*box([*para([*status, *revision], "None"), *title], LOOK[card.tone], "None")] if status else title


def _foot(card: Card, *, short: bool) -> list[CardElement]:
    said = soft(_CUT, size="Small") if short else []
    return para([*said, *(link(card.link, "Full page", Pen(limits.URL)) if card.link else [])], "Medium")


def _spoken(card: Card) -> str:
    return flat(card.fallback or card.title, limits.SUMMARY) or "A review"


def _refresh(token: Token) -> RefreshDefinition:
    """What brings the card as it stands: by hand from the message's menu, for nobody is named.

    It says which review and which copy, and nothing of their state: Teams may send what an older card held.
    """
    bare = replace(token, revision=0, shown="")
    action = ExecuteAction(verb=name_of(How.REFRESH), data=data(How.REFRESH, token=bare))
    return RefreshDefinition(action=action, user_ids=[])


def _name(control: Control) -> str:
    return flat(control.label, limits.BUTTON_TEXT)


def _news(lines: Sequence[Happening]) -> list[CardElement]:
    drawn: list[CardElement] = []
    for room in ROOMS:
        pen = Pen(room)
        drawn = draw.happenings(lines, pen)
        drawn += paras(["There is more on the full page."]) if pen.short else []
        if fits(dumped(sheet(drawn))):
            break
    return drawn
