"""The web inbox under the contract of every adapter: people with browsers that draw nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser

from aiohttp import ClientResponse, ClientSession

from adapters.web.adapter import WebAdapter
from reviews.model import Identity, Target, Verb
from reviews.ports import MessageRef
from tests.adapters.web.inn import Inn, inn
from tests.adapters.web.test_render import Reader, inline
from tests.contracts.harness import BLANK, Harness, Seen
from tests.fakes.desk import FakeDesk


@dataclass(kw_only=True)
class WebHarness:
    """Ana and Bo signed in by the operator's link.

    `open` is the page each has open, by review; `sent` what each sent last.
    """

    inn: Inn
    client: ClientSession
    open: dict[tuple[str, str], str] = field(default_factory=dict)
    sent: dict[tuple[str, Verb], dict[str, str]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    target: Target = field(default_factory=lambda: Target(surface="web", address="ana", person="ana"))
    direct: Target = field(default_factory=lambda: Target(surface="web", address="ana", person="ana"))
    ana: Identity = field(default_factory=lambda: Identity(surface="web", id="ana", tenant="signin"))
    bo: Identity = field(default_factory=lambda: Identity(surface="web", id="bo", tenant="signin"))

    @property
    def adapter(self) -> WebAdapter:
        """The inbox."""
        return self.inn.adapter

    @property
    def desk(self) -> FakeDesk:
        """Its desk."""
        return self.inn.desk

    def _cookie(self, who: Identity) -> dict[str, str]:
        secret = self.secrets.get(who.id) or self.inn.door.sign_in(self.inn.door.people[who.id]).secret
        self.secrets[who.id] = secret
        return {"Cookie": f"placet-session={secret}"}

    async def _get(self, path: str, who: Identity) -> ClientResponse:
        return await self.client.get(self.inn.url(path), headers=self._cookie(who))

    async def _page(self, ref: MessageRef, who: Identity) -> str:
        return await (await self._get(f"/reviews/{ref.ref['review']}", who)).text()

    # ------------------------------------------------------------------------------------------ looking

    async def read_back(self, ref: MessageRef) -> str:
        """The words of the page, and those that stand in its fields."""
        return Reader(await self._page(ref, self.ana)).text

    async def weight(self, ref: MessageRef) -> int:
        """The bytes of the page."""
        return len((await self._page(ref, self.ana)).encode())

    async def markup(self, ref: MessageRef) -> list[str]:
        """What runs, leads off or acts and was not drawn by us."""
        reader = Reader(await self._page(ref, self.ana))
        foreign = [tag for tag, _ in reader.elements if tag in ("img", "at", "svg")]
        named = [a["name"] or "" for a in reader.find("button") if a.get("name") not in (None, "f.reason")]
        links = [a["href"] or "" for a in reader.find("a") if (a.get("href") or "").startswith(("javascript", "data"))]
        return [*inline(reader), *foreign, *named, *links]

    async def controls(self, ref: MessageRef) -> set[Verb]:
        """What the page's forms do."""
        reader = Reader(await self._page(ref, self.ana))
        return {Verb(a["value"] or "") for a in reader.find("input", name="verb")}

    async def whispers(self, identity: Identity) -> list[str]:
        """What a page opened now is told."""
        stream = await self._get("/events/stream", identity)
        await self.adapter.whisper(identity, _END)
        told: list[str] = []
        async with asyncio.timeout(10):
            while _END not in told:
                line = (await stream.content.readline()).decode()
                if line.startswith("data: "):
                    told.append(str(json.loads(line.removeprefix("data: ")).get("text", "")))
        stream.close()
        return [text for text in reversed(told) if text not in ("", _END)]

    async def beneath(self, ref: MessageRef) -> list[str]:
        """Nothing is said beneath a page."""
        return []

    # ------------------------------------------------------------------------------------------ pressing

    async def look(self, ref: MessageRef, who: Identity) -> None:
        """Open the page and leave it open."""
        self.open[who.id, ref.ref["review"]] = await self._page(ref, who)

    async def press(
        self, ref: MessageRef, verb: Verb, who: Identity, values: Mapping[str, str] = BLANK, *, again: bool = False
    ) -> Seen:
        """Send the control's form of the page one has open, filled in; the page that comes of it."""
        review = ref.ref["review"]
        page = self.open.pop((who.id, review), None) or await self._page(ref, who)
        typed = {f"f.{name}": value for name, value in values.items()}
        data = self.sent[who.id, verb] if again else _form(page, verb) | typed
        self.sent[who.id, verb] = data
        answer = await self.client.post(self.inn.url(f"/reviews/{review}"), data=data, headers=self._cookie(who))
        html = await answer.text()
        return Seen(text=Reader(html).text, errors=_Forms(html).errors)


_END = "That is all."


def _form(page: str, verb: Verb) -> dict[str, str]:
    """A control's form as it was drawn."""
    return next(form for form in _Forms(page).forms if form.get("verb") == verb)


class _Forms(HTMLParser):
    """The forms of a page, as a browser would send them, and the faults at their fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.errors: dict[str, str] = {}
        self._faulty: dict[str, str] = {}
        self._name = ""
        self._into: Callable[[str], None] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A form or a field begins."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        elif tag in ("input", "select", "textarea") and self.forms and "name" in found:
            self._field(tag, found)
        elif tag == "option" and "selected" in found:
            self.forms[-1][self._name] = found["value"]
        elif found.get("class") == "error":
            self._into = partial(self._fault, self._faulty[found["id"]])

    def _field(self, tag: str, found: dict[str, str]) -> None:
        self._name = found["name"]
        described = found.get("aria-describedby", "").split()
        self._faulty |= {name: self._name.removeprefix("f.") for name in described if name.endswith("-error")}
        if tag == "textarea":
            self._into = self._text
        if found.get("type") not in ("radio", "checkbox") or "checked" in found:
            self.forms[-1][self._name] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """A text area or a fault ends."""
        if tag in ("textarea", "p"):
            self._into = None

    def handle_data(self, data: str) -> None:
        """What stands in it."""
        if self._into is not None:
            self._into(data)

    def _text(self, data: str) -> None:
        # The first line break after the tag is not part of the value.
        self.forms[-1][self._name] += data if self.forms[-1][self._name] else data.removeprefix("\n")

    def _fault(self, name: str, data: str) -> None:
        self.errors[name] = self.errors.get(name, "") + data


@asynccontextmanager
async def web_harness() -> AsyncIterator[Harness]:
    """An inbox of one's own."""
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(inn())
        yield WebHarness(inn=house, client=await stack.enter_async_context(ClientSession()))
