"""Cards and queues as HTML: every block, every state, nothing foreign as markup or as our own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from adapters.web import render
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
)
from reviews.events import Answer, Reply
from reviews.model import Verb
from reviews.ports import Backlog, QueueFilter, QueuePage
from tests.fakes import cards
from tests.fakes.desk import ANA, CLEO, sample_queue

VISIT = render.Visit(now=cards.NOW, person=ANA, csrf="tok")
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Reader(HTMLParser):
    """Reads a page strictly: tags must nest, ids be single; collects elements and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []
        ids = [a["id"] for _, a in self.elements if "id" in a]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The innermost element ends."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text, but for what stands in fields to be edited."""
        if self._open[-1:] != ["textarea"]:
            self.words.append(data)

    def find(self, tag: str, **attrs: str) -> list[dict[str, str | None]]:
        """Elements of this tag with these attributes."""
        return [a for t, a in self.elements if t == tag and all(a.get(k) == v for k, v in attrs.items())]

    @property
    def text(self) -> str:
        """All text, white space made single."""
        return " ".join("".join(self.words).split())


def page(card: Card, **more: object) -> Reader:
    """A card's full page, read."""
    return Reader(render.review(card, VISIT, **more))


def inline(reader: Reader) -> Iterator[str]:
    """Whatever a strict content security policy would have to stop."""
    for tag, attrs in reader.elements:
        yield from (name for name in attrs if name.startswith("on") or name in ("style", "srcdoc"))
        if tag in ("style", "iframe", "object", "base") or (tag == "script" and "src" not in attrs):
            yield tag
        for name in ("src", "href", "action"):
            target = attrs.get(name) or ""
            if not target.startswith(("/", "?", "#")) and (tag, name) != ("a", "href") and target:
                yield target


@pytest.mark.parametrize("name", list(cards.ALL))
def test_every_sample_is_a_page_in_order(name: str) -> None:
    """Well-formed, single ids, a title, no inline script or style, nothing from another host."""
    card = cards.ALL[name]
    reader = page(card)
    assert list(inline(reader)) == []
    assert len(reader.find("h1")) == 1
    assert reader.find("article", id="review")[0]["data-revision"] == str(card.revision)


LINES = Lines(
    title="Waiting",
    items=(Line(review="rev_1", text="refund.issue: “A-1”", detail="Low risk", at=cards.NOW),),
    more=7,
)
BLOCKS = [
    (Text(text="A paragraph"), '<p class="words plain"><bdi>A paragraph</bdi></p>'),
    (Text(text="Why", style=Style.HEADING), "<h2>Why</h2>"),
    (Text(text="Why", style=Style.HEADING, voice=Voice.AGENT), "<strong><bdi>Why</bdi></strong>"),
    (Text(text="x = 1", style=Style.CODE), "x = 1</pre>"),
    (Text(text="said", voice=Voice.PERSON), "A reviewer’s words"),
    (Facts(items=(Fact(label="Risk", value="high · final"),)), '<span class="risk risk-high">high</span>'),
    (
        Facts(items=(Fact(label="Risk", value="Critical, final"),)),
        '<span class="risk risk-critical">Critical</span>, final',
    ),
    (
        Facts(items=(Fact(label="Until", value="noon", at=cards.NOW + timedelta(hours=1)),)),
        "data-relative>in 1 h</time>",
    ),
    (Facts(items=(Fact(label="iban", value="••", redacted=True),)), "redacted"),
    (Diff(items=(Difference(pointer="/a", before=None, after="2"),)), "added"),
    (Diff(items=(Difference(pointer="/a", before="1", after=None),)), "removed"),
    (Evidence(items=(Snippet(title="T", score=0.93),), more=4), "4 more not shown here."),
    (Table(columns=("A",), rows=(("cell",),)), '<th scope="col"><bdi>A</bdi></th>'),
    (Callout(title="Guide", text="Look.", tone=Tone.ATTENTION), '<aside class="callout attention"'),
    (Callout(title="Approved", text="By Ana", tone=Tone.SUCCESS, voice=Voice.AGENT), '<figure class="said agent">'),
    (Timeline(items=(Happening(at=cards.NOW, text="asked"),)), 'datetime="2026-11-25T11:40:00Z"'),
    (LINES, '<a href="/reviews/rev_1"><bdi>refund.issue: “A-1”</bdi></a> <span class="small"><time'),
    (LINES, '<p class="small">Low risk</p>'),
    (LINES, "<h2>Waiting</h2>"),
    (LINES, "7 more not shown here."),
    (Divider(), "<hr>"),
]


@pytest.mark.parametrize(("block", "part"), BLOCKS)
def test_each_block(block: object, part: str) -> None:
    """Every kind of block, each in the voice that speaks."""
    assert part in render.draw(block, cards.NOW)


@pytest.mark.parametrize(
    ("way", "page"),
    [
        (Way(go=Go.OPEN, label="Open", value="rev_2"), "/reviews/rev_2"),
        (Way(go=Go.HISTORY, label="History", value="rev_2"), "/reviews/rev_2#history"),
        (Way(go=Go.QUEUE, label="Queue", value="mine"), "/inbox?view=mine"),
        (Way(go=Go.QUEUE, label="Queue", value="nowhere"), "/inbox"),
        (Way(go=Go.BULK, label="Several", value="a&b"), "/inbox?action=a%26b"),
        (Way(go=Go.BULK, label="Several"), "/inbox"),
    ],
)
def test_a_way_leads_to_a_page(way: Way, page: str) -> None:
    """From a line and from the menu, by a link: it decides nothing."""
    html = render.draw(Lines(items=(Line(review="rev_1", text="x", ways=(way,)),)), cards.NOW)
    card = replace(cards.refund(), blocks=(Actions(controls=(), ways=(way,)),))
    for drawn in (html, render.review(card, VISIT)):
        links = [a["href"] for tag, a in Reader(drawn).elements if tag == "a"]
        assert page in links


def test_what_stands_on_the_page_is_not_led_to() -> None:
    """Its own history is on a review's page, below."""
    reader = page(cards.refund())
    assert not [a for a in reader.find("a") if (a["href"] or "").endswith("#history")]
    assert reader.find("section", id="history")


def test_an_agents_callout_is_not_ours() -> None:
    """An agent's "Approved" gets no colour of success and no place outside its box."""
    html = render.draw(Callout(title="Approved", text="By Ana", tone=Tone.SUCCESS, voice=Voice.AGENT), cards.NOW)
    assert "callout" not in html
    assert "success" not in html


def test_hostile_text_is_shown_and_does_nothing() -> None:
    """Markup stays text, links that are not web addresses are not links, invisible characters are named."""
    reader = page(cards.hostile())
    assert "alert(1)" in reader.text
    assert [a for a in reader.find("a") if not (a["href"] or "").startswith(("/", "?", "#"))] == [
        {
            "href": 'https://evil.example/"onclick="x',
            "rel": "noopener noreferrer nofollow",
            "target": "_blank",
        }
    ]
    assert len(reader.find("script")) == 2
    assert {a["name"] for a in reader.find("button") if "name" in a} == {"f.reason"}
    assert "\u202e" not in reader.text
    assert "U+202E" in reader.text
    assert "Holds characters one cannot see: U+200B, U+200D, U+FEFF, U+2060." in reader.text


def test_hostile_values_come_back_unchanged_from_the_edit_form() -> None:
    """What is typed in a form is the value itself, not its safe look: else every edit would change it."""
    html = render.review(cards.hostile(), VISIT)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;" in html
    values = [a["value"] for a in Reader(html).find("option") if "selected" in a]
    assert cards.HOSTILE[2] in values


def test_the_controls_carry_what_was_seen() -> None:
    """Every form that acts has the token, the verb, the revision and the digest of the card."""
    reader = page(cards.refund())
    forms = reader.find("form", action="/reviews/rev_refund4721")
    assert len(forms) == len(reader.find("input", name="verb")) == 9
    for name, value in (("revision", "1"), ("shown", cards.refund().digest)):
        assert len(reader.find("input", name=name, value=value)) == 9
    assert all(a["method"] == "post" for a in forms)


def test_one_tap_rejects_with_a_reason() -> None:
    """Each reason of the rule is a button of the form; free words stand beside them."""
    reader = page(cards.refund())
    taps = [a["value"] for a in reader.find("button", name="f.reason")]
    assert taps == ["already refunded", "replacement sent", "not insured"]
    assert reader.find("input", name="f.text")


def test_reasons_and_free_words_in_one_field() -> None:
    """A reason field with choices that is also free text: taps and a field that cannot overwrite them."""
    form = Form(fields=(Input(name="reason", label="Why?", choices=("in use", "freeze")),), submit="Reject")
    card = replace(cards.refund(), blocks=(Actions(controls=(Control(verb=Verb.REJECT, label="Reject", form=form),)),))
    reader = page(card)
    assert [a["value"] for a in reader.find("button", name="f.reason")] == ["in use", "freeze"]
    assert reader.find("input", name="f.text")
    assert not reader.find("input", name="f.reason")


def test_what_a_phone_cannot_hold_is_behind_more() -> None:
    """Four controls in the bar, the fifth opens the menu; none is lost."""
    controls = tuple(Control(verb=verb, label=verb) for verb in list(Verb)[:6])
    html = render.review(replace(cards.refund(), blocks=(Actions(controls=controls),)), VISIT)
    bar, menu = html.split('class="menu"')
    assert [f'id="do-{c.verb}"' in bar for c in controls] == [True] * 4 + [False] * 2
    assert [f'id="do-{c.verb}"' in menu for c in controls] == [False] * 4 + [True] * 2


def test_what_alone_is_left_needs_no_menu() -> None:
    """After the decision undo and comment stand in the bar."""
    rare = (Control(verb=Verb.UNDO, label="Undo"), Control(verb=Verb.COMMENT, label="Comment"))
    html = render.review(replace(cards.decided(), blocks=(Actions(controls=(), overflow=rare),)), VISIT)
    assert 'id="do-undo"' in html
    assert 'class="menu"' not in html


def test_a_fault_stands_beside_its_field_and_nothing_typed_is_lost() -> None:
    """The form is open, the field marked and described, and holds what was typed."""
    said = render.Said(
        text="Look again.", good=False, verb=Verb.EDIT, errors={"/amount": "At most 500."}, values={"/amount": "900"}
    )
    reader = page(cards.refund(), said=said)
    field = reader.find("input", name="f./amount")[0]
    assert (field["value"], field["aria-invalid"]) == ("900", "true")
    assert (field["aria-describedby"] or "").split()[0] in {a.get("id") for _, a in reader.elements}
    assert "hidden" not in reader.find("section", id="panel-edit")[0]
    assert "hidden" in reader.find("section", id="panel-reject")[0]
    assert "Not done. Look again." in reader.text


FAULT = render.Said(text="Look again.", good=False, verb=Verb.EDIT, values={"/amount": "900"})


@pytest.mark.parametrize("how", [{"opened": Verb.EDIT}, {"said": FAULT}], ids=["open", "faulted"])
def test_beside_an_open_form_nothing_else_acts(how: dict[str, object]) -> None:
    """Approve would decide what the agent proposed, not what stands in the form: it waits, and the page says so."""
    reader = page(cards.refund(), **how)
    links = {a["id"]: a for a in reader.find("a") if (a.get("id") or "").startswith("do-")}
    buttons = {a["id"]: a for a in reader.find("button") if (a.get("id") or "").startswith("do-")}
    assert {name for name, a in buttons.items() if "disabled" not in a} == set()
    assert {name for name, a in links.items() if "href" in a} == {"do-edit"}
    assert links["do-edit"]["href"] == "#panel-edit"
    assert {a["aria-disabled"] for name, a in links.items() if name != "do-edit"} == {"true"}
    assert "Edit is open: send it or discard it first." in reader.text
    assert [a["href"] for a in reader.find("a") if "data-discard" in a] == ["/reviews/rev_refund4721"]


def test_a_question_alone_holds_nothing_up() -> None:
    """Where nothing can be typed nothing can be lost: every control acts."""
    reader = page(cards.refund(), opened=Verb.ESCALATE)
    assert "disabled" not in reader.find("button", id="do-approve")[0]
    assert "first." not in reader.text


def test_a_choice_reads_as_its_name() -> None:
    """People are chosen by name and sent by id; what a change is about likewise."""
    html = render.review(cards.refund(), VISIT)
    assert '<option value="bo">Bo Lindqvist</option>' in html
    assert '<option value="/evidence/0">Evidence “Carrier status”</option>' in html


def test_a_locked_field_is_empty() -> None:
    """A sensitive value is not in the page at all."""
    locked = render.review(cards.refund(), VISIT)
    assert [a.get("value") for a in Reader(locked).find("input", name="f./iban")] == [None]
    assert "iban hidden; leave blank to keep it" in Reader(locked).text


@pytest.mark.parametrize(
    ("title", "text", "shown"),
    [
        ("Approved", "Approved by Ana Ruiz.", "Approved by Ana Ruiz."),
        ("Approved (glass broken)", "Approved by Ana Ruiz.", "Approved (glass broken) Approved by Ana Ruiz."),
        ("Guide", "Guided tours are free.", "Guide Guided tours are free."),
    ],
)
def test_a_title_its_text_begins_with_is_said_once(title: str, text: str, shown: str) -> None:
    """`Approved Approved by Ana` is read twice by nobody."""
    assert " ".join(Reader(str(render.draw(Callout(title=title, text=text), cards.NOW))).text.split()) == shown


@pytest.mark.parametrize(
    ("field", "tag"),
    [
        (Input(name="/d", label="d", kind=Kind.DATE, value="2026-11-26T10:00:00Z"), "text"),
        (Input(name="/d", label="d", kind=Kind.DATE, value="2026-11-26"), "date"),
        (Input(name="/t", label="t", value="a\nb"), "multiline"),
    ],
)
def test_no_input_changes_a_value_by_showing_it(field: Input, tag: str) -> None:
    """A date input blanks what is no date, a line input drops line ends: then another one is used."""
    assert render._input_kind(field) == tag


def test_the_answer_is_in_a_live_region() -> None:
    """What was done is told where a screen reader hears it; the region is there before."""
    said = render.Said.of(Reply(answer=Answer.DONE, text="Approved <b>"), Verb.APPROVE, {"x": "y"})
    assert said.values == {}
    assert 'id="answer" role="status"' in render.review(cards.refund(), VISIT)
    assert "Approved &lt;b&gt;" in render.review(cards.decided(), VISIT, said=said)


def test_previews_are_tabs() -> None:
    """One tab for each surface that draws one: safe HTML as it is, a plain text as code; none, no tabs."""
    assert "tabs" not in render.review(cards.refund(), VISIT)
    markup = render.review(cards.refund(), VISIT, previews=("slack",), preview=("slack", Markup("<p>x</p>")))
    code = render.review(cards.refund(), VISIT, previews=("slack",), preview=("slack", '{"a": "<p>"}'))
    assert "<p>x</p>" in markup
    assert "&lt;p&gt;" in code
    assert Reader(markup).find("a", href="/reviews/rev_refund4721?as=slack")[0]["aria-current"] == "page"


def queue(**changes: object) -> Reader:
    """The sample queue, read."""
    filter = replace(QueueFilter(), **changes)
    return Reader(render.inbox(QueuePage(items=tuple(sample_queue()), counts={"roles": 7}), filter, VISIT))


def test_a_line_of_the_queue_says_everything_in_words() -> None:
    """What, which action, who asks, how risky, how strict, who is needed, until when."""
    text = queue().text
    assert (
        "refund.issue: “Refund 180.00 USD for order A-4721” refund-agent medium approve manager due in 20 min" in text
    )
    assert "held lead-engineer clock stopped" in text
    assert "My roles 7" in text


def test_the_action_is_said_once_in_a_line() -> None:
    """A title that begins with it needs it no second time."""
    line = replace(sample_queue()[1], title="refund.issue: “Parcel lost”")
    text = Reader(render.inbox(QueuePage(items=(line,)), QueueFilter(), VISIT)).text
    assert "refund.issue: “Parcel lost” refund-agent medium" in text


def test_only_bulk_lines_can_be_chosen_and_never_all() -> None:
    """A box stands on lines the desk marks, nowhere else, and there is no box for all."""
    boxes = queue().find("input", type="checkbox")
    assert [a["data-action"] for a in boxes] == ["refund.issue"] * 3
    assert all(a["name"] == "pick" and "checked" not in a for a in boxes)


def test_an_empty_queue_says_so() -> None:
    """A helpful sentence for each view."""
    for view, sentence in render.EMPTY.items():
        assert sentence in render.inbox(QueuePage(items=()), QueueFilter(view=view), VISIT)


def test_a_queue_without_choices_has_no_room_for_boxes() -> None:
    """The column for boxes is there when a line has one."""

    def choosing(*, bulk: bool) -> bool:
        items = tuple(item for item in sample_queue() if item.bulk is bulk)
        return "choosing" in (
            Reader(render.inbox(QueuePage(items=items), QueueFilter(), VISIT)).find("ol")[0]["class"] or ""
        )

    assert (choosing(bulk=True), choosing(bulk=False)) == (True, False)


def test_all_is_for_auditors() -> None:
    """Only who may read everything gets the tab."""
    assert "view=all" not in render.inbox(QueuePage(items=()), QueueFilter(), VISIT)
    assert "view=all" in render.inbox(QueuePage(items=()), QueueFilter(), replace(VISIT, person=CLEO))


def test_pages_keep_their_filter() -> None:
    """The next page is of the same view and action, whatever is in their names."""
    html = render.inbox(
        QueuePage(items=tuple(sample_queue()[:1]), cursor="c&1"), QueueFilter(view="decided", action='a&"b'), VISIT
    )
    assert Reader(html).find("a", rel="next")[0]["href"] == "/inbox?view=decided&action=a%26%22b&cursor=c%261"


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (timedelta(), "now"),
        (timedelta(seconds=30), "in 30 s"),
        (timedelta(minutes=-3), "3 min ago"),
        (timedelta(hours=2, minutes=5), "in 2 h 5 min"),
        (timedelta(hours=3), "in 3 h"),
        (timedelta(days=1, hours=2), "in 1 d 2 h"),
        (timedelta(days=12, hours=2), "in 12 d"),
    ],
)
def test_relative_times(after: timedelta, words: str) -> None:
    """A countdown in the two largest units that matter."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert render.relative(now + after, now) == words


def test_the_queue_says_what_waits_for_whom() -> None:
    """By role, with the age of the oldest; nothing where nothing waits."""
    backlog = (Backlog(whom="manager", waiting=12, oldest=cards.NOW - timedelta(hours=3)),)
    waits = QueuePage(items=(), backlog=backlog)
    assert "manager: 12 waiting, oldest 3 h" in Reader(render.inbox(waits, QueueFilter(), VISIT)).text
    assert "Waiting by role" not in render.inbox(replace(waits, backlog=()), QueueFilter(), VISIT)
