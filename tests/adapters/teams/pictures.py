"""Teams' cards as pages for a browser: drawn by Microsoft's own `adaptivecards`, in Chromium, with Teams' colours.

The package knows Adaptive Cards 1.6 and none of Teams' own elements: what it leaves out is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from adapters.selection import Offer, Result
from adapters.teams import render, views
from adapters.teams.seam import Json
from adapters.token import Token
from reviews import filled
from reviews.model import Verb
from tests.adapters.web.browser import chromium
from tests.fakes import cards, rare
from tests.fakes.samples import item, queue

PACKAGE = Path("node_modules/adaptivecards/dist/adaptivecards.min.js")
#: How wide a message is drawn, and a phone.
WIDTH, NARROW = 720, 380
THEMES = ("light", "dark")
#: The samples that go into docs/pictures/: scene, and the buttons pressed before it is looked at.
SHOWN: dict[str, tuple[str, Sequence[str]]] = {
    "card": ("card", ()),
    "decided": ("decided", ()),
    "home": ("home", ()),
    "edit": ("card", ("Edit",)),
    "reject": ("card", ("Reject",)),
}


def scenes() -> dict[str, Json]:
    """What is drawn, by name: every sample card as a message, its long parts, every form, the lists."""
    found: dict[str, Json] = {}
    for name, card in cards.ALL.items():
        found[name] = render.content(render.message(card, "copy"))
    for name in ("refund", "hostile", "largest"):
        found[f"{name}-history"] = render.content(views.history(cards.ALL[name]))
        found[f"{name}-details"] = render.content(render.details(cards.ALL[name]) or {})
    refund = cards.refund()
    for made in filled.controls(refund):
        found[str(made.verb)] = _dialog(views.form_dialog(refund, Token.of(refund, "copy"), made))
    for made in filled.controls(plan := rare.plan()):
        found[f"plan-{made.verb}"] = _dialog(views.form_dialog(plan, Token.of(plan, "copy"), made))
    wrong = {"/amount": "9000", "/order": ""}
    said = {"/amount": "At most 500.", "/order": "This is needed."}
    offer = Offer(action="refund.issue", items=tuple(item(n) for n in range(1, 5)))
    return found | {
        "card": found["refund"],
        "faulty": render.content(
            render.faulty(refund, "copy", Verb.EDIT, wrong, said, "Some fields need another look.")
        ),
        "home": render.content(views.welcome(queue(4, more=3), "Welcome, Ana Ruiz.")),
        "list": render.content(render.private(queue(15), None)),
        "bulk": render.content(views.bulk_form(offer)),
        "actions": render.content(views.bulk_actions(Offer(waiting={"refund.issue": 4, "mail.send": 2}))),
        "results": render.content(views.results(RESULTS)),
    }


RESULTS = (
    Result(review="rev_1", title="refund.issue: “Refund 1.00 EUR”", text="Approved.", good=True),
    Result(review="rev_2", title="refund.issue: “Refund 2.00 EUR”", text="Bo Lindqvist was first.", good=False),
)


def _dialog(task: Json) -> Json:
    content: Json = task["value"]["card"]["content"]
    return content


# ---------------------------------------------------------------------------------------------- the browser


def _tone(words: str, faint: str) -> Json:
    return {"default": words, "subtle": faint}


def _look(back: str, words: str, faint: str, colours: dict[str, str]) -> Json:
    found = {name: _tone(colour, colour) for name, colour in colours.items()}
    return {"backgroundColor": back, "foregroundColors": {"default": _tone(words, faint), **found}}


#: Teams' colours (Fluent UI v9), by theme: the page, the card, its line, and the looks of containers.
PALETTE: dict[str, Json] = {
    "light": {
        "page": "#f5f5f5", "card": "#ffffff", "line": "#d1d1d1", "words": "#242424", "faint": "#616161",
        "brand": "#5b5fc7", "field": "#ffffff",
        "colours": {"accent": "#4f52b2", "good": "#0e700e", "warning": "#8a3707", "attention": "#b10e1c"},
        "looks": {"emphasis": "#f0f0f0", "accent": "#e8ebfa", "good": "#f1faf1", "warning": "#fff9f5",
                  "attention": "#fdf3f4"},
    },
    "dark": {
        "page": "#1f1f1f", "card": "#292929", "line": "#525252", "words": "#ffffff", "faint": "#adadad",
        "brand": "#7f85f5", "field": "#333333",
        "colours": {"accent": "#a6a7dc", "good": "#54b054", "warning": "#faa06b", "attention": "#e37d80"},
        "looks": {"emphasis": "#1f1f1f", "accent": "#2f2f4a", "good": "#052505", "warning": "#411200",
                  "attention": "#3b0509"},
    },
}  # fmt: skip


def host(theme: str) -> Json:
    """The settings that make the package draw like Teams."""
    p = PALETTE[theme]
    looks = {"default": p["card"], **p["looks"]}
    sizes = {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24}
    return {
        "fontFamily": "'Segoe UI', 'Open Sans', 'DejaVu Sans', Arial, sans-serif",
        "fontTypes": {
            "default": {"fontSizes": sizes, "fontWeights": {"lighter": 300, "default": 400, "bolder": 600}},
            "monospace": {"fontFamily": "'DejaVu Sans Mono', monospace", "fontSizes": {**sizes, "default": 12}},
        },
        "spacing": {"small": 8, "default": 12, "medium": 16, "large": 20, "extraLarge": 24, "padding": 12},
        "containerStyles": {n: _look(back, p["words"], p["faint"], p["colours"]) for n, back in looks.items()},
        "actions": {"maxActions": 6, "buttonSpacing": 8, "showCard": {"actionMode": "inline", "style": "emphasis"}},
        "inputs": {"label": {"inputSpacing": "small", "requiredInputs": {"weight": "bolder", "suffix": " *"}}},
        "imageSizes": {},
    }


def page_of(theme: str) -> str:
    """The page a card is drawn into."""
    p = PALETTE[theme]
    style = f"""
body {{ margin: 16px; background: {p["page"]}; color: {p["words"]}; font: 14px 'Segoe UI', 'Open Sans', sans-serif; }}
#card {{ background: {p["card"]}; border: 1px solid {p["line"]}; border-radius: 6px; overflow-wrap: anywhere; }}
.ac-container {{ border-radius: 4px; }}
.ac-pushButton, .ac-overflow-button {{ font: 600 14px 'Segoe UI', sans-serif; padding: 6px 14px; border-radius: 4px;
  border: 1px solid {p["line"]}; background: {p["card"]}; color: {p["words"]}; margin: 2px 0; }}
.style-positive {{ background: {p["brand"]}; border-color: {p["brand"]}; color: {p["card"]}; }}
.style-destructive {{ color: {p["colours"]["attention"]}; border-color: {p["colours"]["attention"]}; }}
.ac-input {{ font: 14px 'Segoe UI', sans-serif; width: 100%; box-sizing: border-box; padding: 6px 10px;
  border: 1px solid {p["line"]}; border-radius: 4px; background: {p["field"]}; color: {p["words"]}; }}
.ac-input-container input[type=checkbox] {{ width: auto; }}
textarea.ac-input {{ min-height: 72px; }}
.ac-anchor {{ color: {p["colours"]["accent"]}; }}
.sign {{ display: inline-block; width: 1.1em; height: 1.1em; background: center/contain no-repeat; color: transparent;
  overflow: hidden; vertical-align: -0.15em; }}"""
    body = '<div id="card"></div>'
    return f'<!doctype html><html lang="en"><head><style>{style}</style></head><body>{body}</body></html>'


#: Draws a card in the page.
_DRAW = Path(__file__).with_name("draw.js")


async def show(page: Page, card: Json, theme: str) -> list[str]:
    """Draw a card; what the package complained of."""
    await page.set_content(page_of(theme))
    if not await page.evaluate("'AdaptiveCards' in window"):
        await page.add_script_tag(path=PACKAGE)
    complaints: list[Any] = await page.evaluate(_DRAW.read_text("utf-8"), [card, host(theme)])
    return [str(one) for one in complaints]


async def press(page: Page, *titles: str) -> None:
    """Press buttons, one after the other."""
    for title in titles:
        await page.get_by_role("button", name=title, exact=True).first.click()


async def take(folder: Path, themes: Sequence[str] = ("light",), width: int = WIDTH) -> None:
    """Pictures of scenes into `folder`, as `teams-NAME.png`; the dark ones as `teams-NAME-dark.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    every = scenes()
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 200})
        for name, (scene, pressed) in SHOWN.items():
            for theme in themes:
                await show(page, every[scene], theme)
                await press(page, *pressed)
                file = folder / f"teams-{name}{'-dark' if theme == 'dark' else ''}.png"
                await page.screenshot(path=file, full_page=True, animations="disabled")
