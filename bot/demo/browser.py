"""A reviewer's browser without a window: picks a person in the demo, reads pages, posts their forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=20)
_REVIEW = re.compile(r'href="/reviews/(rev_[0-9a-f]+)"')


@dataclass(slots=True)
class Form:
    """A form of a page, as a browser would post it untouched."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Finds the forms of a page with their fields' present values."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._area: str | None = None
        self._choice = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(action=given.get("action", "")))
        elif self.found and tag == "input":
            self._input(given)
        elif tag == "textarea":
            self._area, self._text = given.get("name", ""), ""
        elif tag == "select":
            self._choice = given.get("name", "")
        elif tag == "option" and self._choice and self.found and "selected" in given:
            self.found[-1].fields[self._choice] = given.get("value", "")

    def _input(self, given: dict[str, str]) -> None:
        marked = given.get("type") not in ("radio", "checkbox") or "checked" in given
        if "name" in given and marked:
            self.found[-1].fields[given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area and self.found:
            # A line break right after the tag is not part of the value (HTML, "textarea").
            self.found[-1].fields[self._area] = self._text.removeprefix("\n")
            self._area = None
        elif tag == "select":
            self._choice = ""


def forms(page: str) -> list[Form]:
    """The forms of a page."""
    parser = _Forms()
    parser.feed(page)
    return parser.found


class Browser:
    """One person's browser; use it as an async context manager."""

    def __init__(self, base: str, person: str) -> None:
        self._base, self._person = base, person

    async def __aenter__(self) -> Browser:
        # Browsers keep cookies of addresses without a name; aiohttp does so only when told.
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=TIMEOUT)
        try:
            (form, *_) = (f for f in forms((await self._get("/demo"))[1]) if f.action == "/demo")
            await self._post(form.action, form.fields | {"person": self._person})
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def queue(self) -> list[str]:
        """The ids of the reviews on the first page of the queue."""
        _, page = await self._get("/inbox?view=roles")
        return list(dict.fromkeys(_REVIEW.findall(page)))

    async def press(self, review: str, verb: str, fields: dict[str, str]) -> bool:
        """Press a control of a review's page and fill in its form. False when it is not there or was refused."""
        status, page = await self._get(f"/reviews/{review}")
        found = next((form for form in forms(page) if form.fields.get("verb") == verb), None)
        if status != 200 or found is None:
            return False
        given = {f"f.{name}": value for name, value in fields.items()}
        return await self._post(found.action, found.fields | given) == 200

    async def _get(self, path: str) -> tuple[int, str]:
        async with self._session.get(self._base + path) as answer:
            return answer.status, await answer.text()

    async def _post(self, path: str, data: dict[str, str]) -> int:
        async with self._session.post(self._base + path, data=data) as answer:
            await answer.read()
            return answer.status
