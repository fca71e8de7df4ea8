"""Slack's messages, modals and Home as pages for a browser: drawn by slack-blocks-to-jsx, in Chromium."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.slack import forms, render, views
from adapters.slack.press import Back
from adapters.token import Token
from reviews import filled
from tests.adapters.web.browser import chromium
from tests.fakes import cards, node_process, rare
from tests.fakes.samples import item, queue

Blocks = Sequence[Mapping[str, Any]]

#: How wide a message is drawn, and the modes of Slack's own pages.
WIDTH = 720
THEMES = ("light", "dark")
#: The samples that go into docs/pictures/, each in the light.
SHOWN = ("card", "decided", "home", "edit")

_BACK = str(Back(channel="C1", message="1.1"))


def scenes() -> dict[str, Blocks]:
    """What is drawn, by name: every sample card as a message and in a modal, every form, the lists."""
    found: dict[str, Blocks] = {}
    for name, card in cards.ALL.items():
        found[name] = render.message(card, "copy").blocks
        found[f"{name}-modal"] = _modal(views.card_modal(card, Token.of(card, ""), _BACK))
        long = render.details(card)
        found |= {f"{name}-details": long.blocks} if long else {}
    refund = cards.refund()
    for made in filled.controls(refund):
        found[str(made.verb)] = _modal(forms.form(made, _BACK, refund.link))
    for made in filled.controls(rare.plan()):
        found[f"plan-{made.verb}"] = _modal(forms.form(made, _BACK, refund.link))
    return found | {
        "card": render.message(refund, "copy").blocks,
        "history": _modal(views.history(refund)),
        "home": views.home(queue(4, more=3))["blocks"],
        "list": render.private(queue(15), None).blocks,
        "bulk": _modal(views.bulk_form("refund.issue", [item(n) for n in range(4)])),
        "actions": _modal(views.bulk_actions({"refund.issue": 4, "mail.send": 2}, _BACK)),
        "loading": _modal(forms.loading("Edit")),
    }


def _modal(view: Mapping[str, Any]) -> Blocks:
    """A modal's blocks beneath its title: the package draws only blocks."""
    title = {"type": "header", "text": view["title"]}
    ends = " · ".join(view[name]["text"] for name in ("submit", "close") if name in view)
    foot = {"type": "context", "elements": [{"type": "plain_text", "text": f"Buttons of the modal: {ends}"}]}
    return [title, *view["blocks"], foot]


async def pages(drawn: Mapping[str, Blocks]) -> dict[tuple[str, str], str]:
    """HTML by name and theme."""
    keys = [(name, theme) for name in drawn for theme in THEMES]
    time = cards.NOW.isoformat()
    asked = [{"name": "Placet", "blocks": drawn[name], "theme": theme, "time": time} for name, theme in keys]
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "asked.json"), Path(folder, "pages.json")
        before.write_text(json.dumps(asked), "utf-8")
        script = Path(__file__).with_name("render.mjs")
        run = await asyncio.create_subprocess_exec(node_process.node(), str(script), str(before), str(after))
        assert await run.wait() == 0, "render.mjs failed; its words are above"
        made = json.loads(after.read_text("utf-8"))
    return dict(zip(keys, made, strict=True))


async def take(folder: Path, names: Sequence[str] = SHOWN, themes: Sequence[str] = ("light",)) -> None:
    """Pictures of scenes into `folder`, as `slack-NAME.png`; the dark ones as `slack-NAME-dark.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    every = scenes()
    made = await pages({name: every[name] for name in names})
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": WIDTH, "height": 200})
        for (name, theme), html in made.items():
            if theme in themes:
                await page.set_content(html)
                file = folder / f"slack-{name}{'-dark' if theme == 'dark' else ''}.png"
                await page.screenshot(path=file, full_page=True, animations="disabled")
