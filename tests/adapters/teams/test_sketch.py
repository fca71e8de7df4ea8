"""The preview on the page is the message in harmless HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from adapters.teams import render, sketch, views
from tests.adapters.teams.checker import seen
from tests.fakes import cards
from tests.fakes.samples import queue


class _Page(HTMLParser):
    """The tags, their attributes and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data


def _read(html: str) -> _Page:
    page = _Page()
    page.feed(str(html))
    return page


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_the_preview_is_the_message_in_harmless_html(name: str) -> None:
    """Every word of it, no script, no form, links to web pages alone."""
    card = cards.ALL[name]
    page = _read(sketch.preview(card))
    assert page.tags <= {"div", "p", "span", "strong", "em", "code", "a", "table", "tr", "td", "br"}
    assert page.names <= {"class", "href", "rel"}
    assert all(link.startswith("https://") for link in page.links)
    for line in seen(render.content(render.message(card, "preview"))).splitlines():
        said = sketch._MOMENT.sub(sketch._moment, line)
        assert said.replace(" ", "") in page.words.replace(" ", "")


def test_buttons_are_pictures_of_buttons() -> None:
    """A preview must not be able to decide anything."""
    page = _read(sketch.preview(cards.refund()))
    assert "ApproveRejectEditRequest changesMore…" in page.words
    assert not page.tags & {"button", "form", "input"}


def test_a_list_has_its_buttons_too() -> None:
    """Beside each line."""
    page = _read(sketch.sketch(render.content(views.welcome(queue(3), ""))))
    assert page.words.count("Open") == 3


def test_an_instant_is_shown_as_one() -> None:
    """A client would show it in its reader's time zone; the page knows none of Teams' templates."""
    page = _read(sketch.sketch(render.content(views.welcome(queue(1), ""))))
    assert re.search(r"\d\d [A-Z][a-z]{2} \d\d:\d\d UTC", page.words)
    assert "{{" not in page.words


def test_what_it_does_not_know_is_said() -> None:
    """So that no preview hides a part of the message."""
    assert "of type &lt;Badge&gt;" in sketch.sketch({"body": [{"type": "<Badge>"}]})
