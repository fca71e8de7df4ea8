"""Card and queue -> HTML. Pure: values in, text out; the templates are part of the code.

Every value is escaped by Jinja2's autoescape; texts of agents go through `visible` besides, and into boxes that say
whose words they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, assert_never

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adapters import fields
from adapters.selection import Pick, Result, pick_value
from adapters.web import parse
from adapters.web.links import VIEWS, safe_link, way_link
from adapters.web.visible import cut, plain, unseen, visible
from reviews import filled
from reviews.card import (
    Actions,
    Block,
    Callout,
    Card,
    Control,
    Diff,
    Divider,
    Evidence,
    Facts,
    Form,
    Input,
    Kind,
    Lines,
    Style,
    Table,
    Text,
    Timeline,
    Voice,
)
from reviews.events import Reply
from reviews.filled import Faults
from reviews.model import Person, Verb
from reviews.ports import QueueFilter, QueueItem, QueuePage
from reviews.values import replace

EMPTY = {
    "mine": "Nothing is waiting for you in person. Your roles’ queue may hold more.",
    "roles": "Nothing is waiting for your roles. New reviews appear here by themselves.",
    "decided": "Nothing has been decided yet. What you and your roles decide is kept here.",
    "all": "There are no reviews yet. The first one an agent asks for appears here by itself.",
}
#: Controls beside each other at 390 px.
IN_BAR = 4
KEYS = {
    Verb.APPROVE: "a",
    Verb.REJECT: "r",
    Verb.EDIT: "e",
    Verb.REQUEST_CHANGES: "q",
    Verb.ESCALATE: "x",
    Verb.COMMENT: "c",
    Verb.ANSWER: "w",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who looks and from where. `seen` is the live counter at the time of drawing; `csrf` goes into every form.

    `once` is this drawing's own: what is sent from it twice is taken once.
    """

    now: datetime
    title: str = "Placet"
    person: Person | None = None
    csrf: str = ""
    scope: str | None = None
    before: Person | None = None
    demo: bool = False
    seen: str = ""
    assets: str = ""
    once: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The answer to what was just done. `verb` is the control it belongs to; `values` what was typed."""

    text: str
    good: bool
    verb: Verb | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, reply: Reply, verb: Verb, values: Mapping[str, str]) -> Said:
        """What the desk replied; the typed values are kept only where they must be typed again."""
        bad = reply.kind == "bad"
        return cls(text=reply.text, good=not bad, verb=verb, errors=reply.errors, values=values if bad else {})

    @classmethod
    def of_faults(cls, faults: Faults, verb: Verb | None) -> Said:
        """What is wrong with a form that was sent, and what was typed in it."""
        return cls(text=faults.text, good=False, verb=verb, errors=faults.errors, values=faults.values)


# ---------------------------------------------------------------------------------------------- pages


def landing(person: Person) -> str:
    """The view of the queue that opens first: what one may decide; all, for who only reads."""
    return "all" if person.auditor and not person.roles else "roles"


def inbox(page: QueuePage, filter: QueueFilter, visit: Visit, said: Said | None = None) -> str:
    """The queue."""
    views = {name: label for name, label in VIEWS.items() if name != "all" or (visit.person and visit.person.reads_all)}
    return _page("inbox.html", visit, page=page, filter=filter, views=views, empty=EMPTY[filter.view], said=said)


def review(
    card: Card,
    visit: Visit,
    *,
    said: Said | None = None,
    opened: Verb | None = None,
    revealed: bool = False,
    previews: Sequence[str] = (),
    preview: tuple[str, str] | None = None,
) -> str:
    """The full page of a review.

    `opened` is the control whose form is open (the one answered with a fault, else the one asked for); `previews`
    are the surfaces with a tab, `preview` the one chosen and its look.
    """
    if said is not None and not said.good:
        opened = said.verb or opened
    control = filled.control(card, opened) if opened is not None else None
    return _page(
        "review.html",
        visit,
        card=card,
        said=said,
        opened=opened,
        busy=control if control is not None and control.form is not None else None,
        revealed=revealed,
        previews=previews,
        preview=preview,
        main=[draw(b, visit.now) for b in card.blocks if not isinstance(b, Actions)],
        side=[draw(b, visit.now) for b in card.thread if not isinstance(b, Actions)],
        actions=[_within_reach(b, card.review) for b in card.blocks if isinstance(b, Actions)],
    )


def bulk(cards: Sequence[tuple[Pick, Card]], changed: Sequence[str], visit: Visit) -> str:
    """The question before a bulk approval: each with what would happen. `changed` are titles no longer as chosen."""
    lines = [(pick, card, [draw(block, visit.now) for block in _consequence(card)]) for pick, card in cards]
    return _page("bulk.html", visit, lines=lines, changed=changed)


def bulk_done(results: Sequence[Result], visit: Visit) -> str:
    """What came of each line of a bulk approval."""
    return _page("bulk_done.html", visit, results=results)


def desk(card: Card, visit: Visit, typed: str = "", *, said: Said | None = None, opened: Verb | None = None) -> str:
    """What the house answers a person: a card that is of no review, and where to type a command.

    `opened` is the control whose form is open: the one answered with a fault, else the one asked for.
    """
    parts = [draw(block, visit.now) for block in card.blocks]
    actions = [block for block in card.blocks if isinstance(block, Actions) and block.controls]
    if said is not None:
        opened = None if said.good else said.verb
    return _page("desk.html", visit, card=card, parts=parts, actions=actions, typed=typed, said=said, opened=opened)


def ask(form: Form, visit: Visit, *, once: str = "", faults: Faults | None = None) -> str:
    """The form to ask for a review with; `once` is that of the form it is drawn again for."""
    said = Said.of_faults(faults, None) if faults else None
    return _page("ask.html", visit, form=form, once=once or visit.once, said=said)


def enter(person: Person, link: str, to: str, visit: Visit) -> str:
    """`Continue as Ana`: what opening a link shows."""
    return _page("enter.html", visit, who=person, link=link, to=to)


def spent(text: str, link: str, visit: Visit) -> str:
    """What a link that ran out shows: why, and a button that has another sent to whose it was."""
    return _page("spent.html", visit, text=text, link=link)


def demo(people: Sequence[Person], to: str, visit: Visit) -> str:
    """Pick a person, in the demo."""
    return _page("demo.html", visit, people=people, to=to)


def message(title: str, text: str, visit: Visit, *, back: str = "") -> str:
    """A page of one sentence; `back` is a path to go on to."""
    return _page("message.html", visit, heading=title, text=text, back=back)


# ---------------------------------------------------------------------------------------------- blocks


def draw(block: Block, now: datetime) -> Markup:
    """One block as HTML. Controls are drawn by the page, which knows the session."""
    macros: Any = _BLOCKS.module
    drawn: Markup
    match block:
        case Text():
            drawn = macros.text(block)
        case Facts():
            drawn = macros.facts(block, now)
        case Diff():
            drawn = macros.diff(block)
        case Evidence():
            drawn = macros.evidence(block)
        case Table():
            drawn = macros.table(block)
        case Callout():
            drawn = macros.callout(_said_once(block))
        case Timeline():
            drawn = macros.timeline(block)
        case Lines():
            drawn = macros.lines(block, now)
        case Divider():
            drawn = Markup("<hr>")
        case Actions(controls=(), overflow=()):
            drawn = macros.ways(block.ways)
        case Actions() | Form() | Input():
            drawn = Markup("")
        case _:
            assert_never(block)
    return drawn


def _said_once(block: Callout) -> Callout:
    """The callout without a title that its text begins with: `Approved` above `Approved by Ana`."""
    again = block.title and re.match(rf"{re.escape(block.title)}(?!\w)", block.text)
    return replace(block, title="") if again else block


def _consequence(card: Card) -> tuple[Block, ...]:
    """What approving a card would let happen: its risk, its preview, what was changed, its arguments."""
    return tuple(part for block in card.blocks if (part := _told_in_bulk(block)) is not None)


def _told_in_bulk(block: Block) -> Block | None:
    match block:
        case Facts(voice=Voice.AGENT) | Facts(title="Arguments") | Diff() | Table():
            return block
        case Text(voice=Voice.AGENT, style=Style.QUOTE):
            return block
        case Facts(items=items):
            risk = tuple(item for item in items if item.label == "Risk")
            return Facts(items=risk) if risk else None
        case _:
            return None


def relative(at: datetime, now: datetime) -> str:
    """`in 18 min`, `3 h 5 min ago`, `now`."""
    span = at - now
    words = _span(abs(span))
    if words == "0 s":
        return "now"
    return f"in {words}" if span > timedelta(0) else f"{words} ago"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 and days < 3 else f"{days} d"


def _clock(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%-d %b %H:%M} UTC"


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _urgency(item: QueueItem, now: datetime) -> str:
    left = item.deadline_at - now
    if item.status.over or item.held:
        return "calm"
    return "late" if left < timedelta(minutes=5) else "soon" if left < timedelta(minutes=30) else "calm"


def _input_kind(about: Input) -> str:
    """Which HTML control holds this value without changing it (a date input blanks what is not a date)."""
    if about.kind is Kind.DATE and about.value and not re.fullmatch(r"\d{4}-\d\d-\d\d", about.value):
        return Kind.TEXT
    if about.kind is Kind.TEXT and "\n" in about.value:
        return Kind.MULTILINE
    return about.kind


def _taps(control: Control) -> tuple[str, ...]:
    """The reasons that are one tap each."""
    fields = control.form.fields if control.form is not None and control.verb is Verb.REJECT else ()
    return next((about.choices for about in fields if about.name == "reason"), ())


def _asked(control: Control) -> tuple[Input, ...]:
    """The fields to fill in. Beside one-tap reasons free words are `text`, so that a tap is never overwritten."""
    fields = control.form.fields if control.form is not None else ()
    if not _taps(control):
        return fields
    own = (replace(f, name="text", label="In your own words") if f.name == "reason" else f for f in fields)
    return tuple(about for about in own if about.kind is not Kind.CHOICE)


def _within_reach(actions: Actions, review: str) -> Actions:
    """The same controls, with no more in the bar than a phone's width holds; the others open with `More`.

    Where only rare ones are left (undo, comment) they take the bar: nothing else wants it. What a way shows of the
    review itself stands on its page already.
    """
    front = actions.controls or actions.overflow
    rare = actions.overflow if actions.controls else ()
    ways = tuple(way for way in actions.ways if way.value != review)
    return Actions(controls=front[:IN_BAR], overflow=(*front[IN_BAR:], *rare), ways=ways)


def _risk_word(text: str) -> tuple[str, str]:
    """A risk in words as its level and what is said of it; no level when it begins with none."""
    found = re.match(r"(?i)low|medium|high|critical", text)
    return (found[0], text[found.end() :]) if found else ("", text)


def _dom_id(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", lambda m: f"-{ord(m[0]):x}-", text)[:80]


def _page(template: str, visit: Visit, **values: Any) -> str:
    return _ENV.get_template(template).render(visit=visit, now=visit.now, **values)


def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("adapters.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters |= {"visible": visible, "plain": plain, "stamp": _stamp, "dom_id": _dom_id}
    env.globals |= {
        "cut": cut,
        "unseen": unseen,
        "risk_word": _risk_word,
        "way_link": way_link,
        "safe_link": safe_link,
        "relative": relative,
        "span": _span,
        "clock": _clock,
        "urgency": _urgency,
        "input_kind": _input_kind,
        "is_tick": fields.is_tick,
        "taps": _taps,
        "asked": _asked,
        "pick_value": pick_value,
        "Pick": Pick,
        "PREFIX": parse.PREFIX,
        "KEYS": KEYS,
    }
    return env


_ENV = _environment()
_BLOCKS = _ENV.get_template("blocks.html")
