"""Any parts of a card, for property tests, and lists of reviews as the desk hands them out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from reviews.card import (
    Actions,
    Callout,
    Card,
    Control,
    Diff,
    Difference,
    Divider,
    Evidence,
    Fact,
    Facts,
    Form,
    Go,
    Happening,
    Input,
    Kind,
    Line,
    Lines,
    Snippet,
    Style,
    Table,
    Text,
    Timeline,
    Tone,
    Voice,
    Way,
    plain_card,
)
from reviews.model import RiskLevel, Status, Verb
from reviews.ports import QueueItem
from reviews.values import replace
from tests.fakes import cards

#: Any words: none, and half a character too.
WORDS = st.text(max_size=300)
FACTS = st.builds(
    Facts,
    items=st.lists(st.builds(Fact, label=WORDS, value=WORDS), max_size=8).map(tuple),
    title=WORDS,
    voice=st.sampled_from(Voice),
)
WAY = st.builds(Way, go=st.sampled_from(Go), label=WORDS, value=WORDS)
LINE = st.builds(
    Line, review=WORDS, text=WORDS, detail=WORDS, at=st.just(cards.NOW), ways=st.lists(WAY, max_size=7).map(tuple)
)
INPUT = st.builds(
    Input,
    name=WORDS.map(lambda name: "/" + name.replace("/", "")) | st.sampled_from(["reason", "text", "to", "about"]),
    label=WORDS,
    kind=st.sampled_from(Kind),
    value=WORDS,
    required=st.booleans(),
    choices=st.lists(WORDS, max_size=12).map(tuple),
    hint=WORDS,
    locked=st.booleans(),
    max_length=st.integers(min_value=1, max_value=4000),
)
FORM = st.builds(Form, fields=st.lists(INPUT, max_size=5, unique_by=lambda about: about.name).map(tuple), submit=WORDS)
CONTROL = st.builds(
    Control,
    verb=st.sampled_from(Verb),
    label=WORDS,
    style=st.sampled_from(["", "primary", "danger"]),
    confirm=WORDS,
    form=st.none() | FORM,
)
#: A row of controls; a card has one.
ROW = st.builds(
    Actions,
    controls=st.lists(CONTROL, max_size=8).map(tuple),
    overflow=st.lists(CONTROL, max_size=8).map(tuple),
    ways=st.lists(WAY, max_size=6).map(tuple),
)
#: Any other block.
BLOCKS = st.one_of(
    st.builds(Text, text=WORDS, style=st.sampled_from(Style), voice=st.sampled_from(Voice)),
    FACTS,
    st.builds(Callout, text=WORDS, title=WORDS, tone=st.sampled_from(Tone), voice=st.sampled_from(Voice)),
    st.builds(
        Diff,
        items=st.lists(st.builds(Difference, pointer=WORDS, before=st.none() | WORDS, after=WORDS), max_size=4).map(
            tuple
        ),
    ),
    st.builds(
        Evidence,
        items=st.lists(
            st.builds(Snippet, title=WORDS, snippet=WORDS, url=st.none() | WORDS, host=WORDS),
            max_size=4,
        ).map(tuple),
        highlight=st.lists(WORDS, max_size=3).map(tuple),
    ),
    st.builds(
        Table,
        columns=st.lists(WORDS, max_size=25).map(tuple),
        rows=st.lists(st.lists(WORDS, max_size=25).map(tuple), max_size=4).map(tuple),
        title=WORDS,
    ),
    st.builds(
        Lines, items=st.lists(LINE, max_size=20).map(tuple), title=WORDS, more=st.integers(min_value=0, max_value=9)
    ),
    st.just(Timeline(items=(Happening(at=cards.NOW, text=""),))),
    st.just(Timeline(items=())),
    st.just(Divider()),
)


def queue(many: int = 3, more: int = 0, **changes: Any) -> Card:
    """A card that lists reviews, as Home, a command and a place's queue do."""
    waiting = tuple(_line(n, "waits for manager", hours=n + 1) for n in range(many))
    call = Fact(label="it-ops", value="Ana Ruiz, then Bo Lindqvist")
    blocks = (
        Callout(text="You are not away."),
        Lines(items=waiting, title="Waiting for you", more=more),
        Actions(controls=(), ways=(Way(go=Go.BULK, label="Approve several"),)),
        Facts(items=(call,), title="On call"),
    )
    link = "https://placet.example.com/inbox"
    made = plain_card("Placet: Ana Ruiz", blocks, link=link, fallback=f"{many} reviews wait")
    return replace(made, **changes)


def _line(n: int, stands: str, hours: int) -> Line:
    return Line(
        review=f"rev_{n}",
        text=f"refund.issue: “Refund order A-47{n:02}, parcel lost”",
        detail=f"#{n} · Low risk · {stands} · asked by refund-desk",
        at=cards.NOW + timedelta(hours=hours),
        ways=(Way(go=Go.OPEN, label="Open", value=f"rev_{n}"),),
    )


def item(n: int, **changes: Any) -> QueueItem:
    """A line of the queue that may be approved with others."""
    made = QueueItem(
        id=f"rev_{n:032x}",
        seq=n,
        title=f"refund.issue: “Refund {n}.00 EUR for order C-{n}”",
        action="refund.issue",
        agent="refund-desk",
        status=Status.PENDING,
        risk=RiskLevel.LOW,
        tier="approve",
        priority=1.0,
        created_at=cards.NOW,
        deadline_at=cards.NOW + timedelta(hours=4),
        owner=None,
        waiting_for="manager",
        held=False,
        bulk=True,
        revision=1,
        digest="d" * 64,
    )
    return replace(made, **changes)
