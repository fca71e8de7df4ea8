"""The inbox in real Chromium: keys, live changes, forms, both widths, both schemes, and axe finds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from reviews.events import Answer, Reply
from reviews.model import Identity, Status, Verb
from reviews.ports import Notice
from tests.adapters.web import browser as chrome
from tests.adapters.web.inn import Inn, inn
from tests.fakes import cards
from tests.fakes.desk import ANA, item

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

REVIEW = "/reviews/rev_refund4721"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 860}
FORMS = tuple(f"{REVIEW}?open={verb}" for verb in ("edit", "reject", "escalate", "reveal"))
CARDS = tuple(f"/reviews/{card.review}" for name, card in cards.ALL.items() if name != "largest")
RARE = (
    "/reviews/rev_plan1?open=edit",
    "/reviews/rev_plan1?open=stop",
    "/reviews/rev_glass1?open=break_glass",
    "/reviews/rev_rejected1?open=appeal",
    "/reviews/rev_stopped1?open=resume",
)
PAGES = (
    "/inbox",
    "/inbox?view=decided",
    "/inbox?view=mine&action=none",
    *CARDS,
    *FORMS,
    *RARE,
    "/reviews/nothing",
    "/home",
    "/home?open=stop",
    "/ask",
)


@pytest_asyncio.fixture(loop_scope="module")
async def house() -> AsyncIterator[Inn]:
    """A running inbox."""
    async with inn() as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, one for all tests; each has a context of its own."""
    async with chrome.chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(house: Inn, browser: Browser) -> AsyncIterator[Page]:
    """Ana's page on a desktop; any script error or refused asset fails the test."""
    context = await browser.new_context(viewport=DESKTOP)
    async with Strict(context, house) as page:
        yield page


class Strict:
    """A page of a signed-in context that must stay free of errors."""

    def __init__(self, context: BrowserContext, house: Inn) -> None:
        self.context, self.house = context, house
        self.wrong: list[str] = []

    async def __aenter__(self) -> Page:
        await chrome.sign_in(self.context, self.house, ANA)
        page = await self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda line: self.wrong.append(line.text) if _breach(line.text) else None)
        page.on("dialog", lambda box: self.wrong.append(f"dialog: {box.message}"))
        return page

    async def __aexit__(self, *_: object) -> None:
        await self.context.close()
        assert self.wrong == []


def _breach(line: str) -> bool:
    return "Content Security" in line or "inline style" in line


async def go(page: Page, house: Inn, path: str) -> None:
    """Open a page and wait until it is live."""
    await page.goto(house.url(path))
    await page.wait_for_selector("body[data-connected]")


async def check(page: Page, house: Inn, path: str) -> None:
    """Open a page: axe finds no violation, and nothing scrolls sideways."""
    await go(page, house, path)
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "dark desktop"])
async def test_axe_finds_nothing(house: Inn, browser: Browser, size: dict[str, int], scheme: str) -> None:
    """Every page and open form; the two rounds see both widths and both schemes."""
    context = await browser.new_context(viewport=size, color_scheme=scheme)
    async with Strict(context, house) as page:
        for path in PAGES:
            await check(page, house, path)


async def test_the_largest_input_is_a_page_too(house: Inn, browser: Browser) -> None:
    """On a phone: it opens, nothing scrolls sideways, and a long part waits behind a line that says how long it is."""
    context = await browser.new_context(viewport=PHONE)
    async with Strict(context, house) as page:
        await go(page, house, "/reviews/rev_large1")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await expect(page.get_by_text("Show the rest (78,800 characters)")).to_be_visible()


async def test_axe_would_find_something(page: Page, house: Inn) -> None:
    """The check can fail: a field without a label is a violation."""
    await go(page, house, REVIEW)
    await page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    found = await Axe().run(page)
    assert [violation["id"] for violation in found.response["violations"]] == ["label"]


async def test_a_review_is_decided_by_keys_alone(page: Page, house: Inn) -> None:
    """j to the line, Enter to open, a to Approve; only then Enter decides, and the answer has the focus."""
    await go(page, house, "/inbox")
    for key in ("j", "j", "k", "j"):
        await page.keyboard.press(key)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("body[data-connected] #review")
    assert page.url.endswith(REVIEW)
    await page.keyboard.press("a")
    await expect(page.locator("#do-approve")).to_be_focused()
    assert house.desk.done == []
    await page.keyboard.press("Enter")
    await expect(page.locator("#answer")).to_contain_text("Done. Approve by Ana Ruiz is kept.")
    await expect(page.locator("#answer")).to_be_focused()
    await expect(page.locator(".pill")).to_have_text("Approved")
    assert [(d.verb, d.identity) for d in house.desk.done] == [
        (Verb.APPROVE, Identity(surface="web", id="ana", tenant="signin"))
    ]
    await page.keyboard.press("u")
    await page.wait_for_url("**/inbox")


async def test_keys_in_a_field_are_letters(page: Page, house: Inn) -> None:
    """Who types is not moved about; `?` opens the list of keys, Escape closes it and an untouched form."""
    await go(page, house, REVIEW)
    await page.keyboard.press("q")
    await page.keyboard.press("Enter")
    field = page.locator("#request_changes-reason")
    await expect(field).to_be_focused()
    await page.keyboard.type("aarj?")
    await expect(field).to_have_value("aarj?")
    await page.keyboard.press("Escape")
    await expect(field).to_be_visible()
    await field.fill("")
    await page.keyboard.press("Escape")
    await expect(field).to_be_hidden()
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#keys")).to_be_hidden()
    assert house.desk.done == []


async def test_everything_is_reached_by_tab(page: Page, house: Inn) -> None:
    """From the skip link on: every control of the card, in the order it is seen, with a visible focus."""
    await go(page, house, REVIEW)
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    reached = []
    for _ in range(30):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'"), reached[-1]
        if reached[-1] == "More":
            break
    assert [name for name in reached if name.startswith("do-")] == [
        "do-approve",
        "do-reject",
        "do-edit",
        "do-request_changes",
    ]


async def test_one_tap_rejects_with_its_reason(house: Inn, browser: Browser) -> None:
    """On a phone: Reject, then the reason; the bar stays within reach of the thumb."""
    context = await browser.new_context(viewport=PHONE, has_touch=True)
    async with Strict(context, house) as page:
        await go(page, house, REVIEW)
        box = await page.locator("#do-reject").bounding_box()
        assert box is not None
        assert PHONE["height"] - 70 < box["y"] < PHONE["height"]
        assert box["height"] >= 44
        await page.locator("#do-reject").tap()
        await page.get_by_role("button", name="replacement sent").tap()
        await expect(page.locator("#answer")).to_contain_text("Reject by Ana Ruiz is kept.")
    assert [(d.verb, d.reason) for d in house.desk.done] == [(Verb.REJECT, "replacement sent")]


async def test_an_edit_is_mended_until_it_fits(page: Page, house: Inn) -> None:
    """A wrong number, then the schema's complaint, then taken: what was typed is never lost."""

    def answer(made: object) -> Reply:
        too_much = made.arguments["amount"] > 500
        errors = {"/amount": "At most 500."} if too_much else {}
        text = "It does not fit." if too_much else "Edited and approved."
        return Reply(answer=Answer.REFUSED if too_much else Answer.DONE, text=text, errors=errors)

    house.desk.replies[Verb.EDIT] = answer
    await go(page, house, REVIEW)
    await page.locator("#do-edit").click()
    amount = page.get_by_label("amount")
    await page.get_by_label("message").fill("two\nlines")
    for typed, told in (("12,5", "with a point"), ("900", "At most 500.")):
        await amount.fill(typed)
        await page.get_by_role("button", name="Save and approve").click()
        await expect(page.locator(".field.wrong .error")).to_contain_text(told)
        await expect(amount).to_have_value(typed)
        await expect(amount).to_be_focused()
    await amount.fill("125.50")
    await page.get_by_role("button", name="Save and approve").click()
    await expect(page.locator("#answer")).to_contain_text("Edited and approved.")
    arguments = house.desk.done[-1].arguments
    assert arguments is not None
    assert (arguments["amount"], arguments["message"], "iban" in arguments) == (125.5, "two\nlines", False)


async def test_unsaved_words_keep_every_other_control_from_acting(page: Page, house: Inn) -> None:
    """An edit begun: Approve would decide the original, so it waits until the edit is saved or discarded."""
    await go(page, house, REVIEW)
    await page.locator("#do-edit").click()
    await page.get_by_label("amount").fill("125.50")
    note = page.locator(".acts .unsaved")
    await expect(note).to_contain_text("You have unsaved changes in Edit: save or discard them first.")
    await expect(page.locator("#do-approve")).to_be_disabled()
    await page.locator("#do-reject").click(force=True)
    await expect(page.locator("#panel-edit")).to_be_visible()
    await expect(page.locator("#panel-reject")).to_be_hidden()
    await expect(page.locator("#panel-edit [data-submit]")).to_have_class("primary")
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    await page.evaluate("document.querySelector('#do-approve').form.requestSubmit()")
    await expect(page.locator("#answer")).to_contain_text("You have unsaved changes in Edit")
    assert house.desk.done == []
    await note.get_by_role("button", name="Discard").click()
    await expect(note).to_be_empty()
    await expect(page.get_by_label("amount")).to_have_value("180.0")
    await page.locator("#do-approve").click()
    await expect(page.locator("#answer")).to_contain_text("Done.")
    assert [d.verb for d in house.desk.done] == [Verb.APPROVE]


async def test_an_edit_given_back_with_a_fault_is_unsaved_too(page: Page, house: Inn) -> None:
    """After a wrong number Approve still waits; to discard is to have the original again."""
    await go(page, house, REVIEW)
    await page.locator("#do-edit").click()
    await page.get_by_label("amount").fill("12,5")
    await page.get_by_role("button", name="Save and approve").click()
    await expect(page.locator(".field.wrong .error")).to_contain_text("with a point")
    await expect(page.locator("#do-approve")).to_be_disabled()
    await page.locator(".unsaved [data-discard]").click()
    await expect(page.locator("#do-approve")).to_be_enabled()
    await expect(page.locator("#panel-edit")).to_be_hidden()
    assert await page.get_by_label("amount").input_value() == "180.0"
    assert house.desk.done == []


async def test_no_form_makes_the_browser_complain(page: Page, house: Inn) -> None:
    """A box made larger by hand carries a style; sent, neither its answer nor an approval writes one into the page."""
    lines: list[str] = []
    page.on("console", lambda line: lines.append(line.text) if line.type in ("error", "warning") else None)
    await page.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective))"
    )
    await go(page, house, REVIEW)
    await page.locator("#do-request_changes").click()
    await page.evaluate("document.querySelector('#request_changes-reason').style.height = '300px'")
    async with page.expect_response("**/reviews/**") as answered:
        await page.locator("#panel-request_changes [data-submit]").click()
    assert (await answered.value).status == 422
    await expect(page.locator(".error")).to_have_text("This is needed.")
    await page.locator("#do-approve").click()
    await expect(page.locator("#answer")).to_contain_text("Done.")
    await expect(page.locator("#answer")).to_be_focused()
    # Chromium itself notes the 422, which is an answer of ours.
    assert [line for line in lines if "422" not in line] == []


async def test_a_review_changes_under_open_eyes(page: Page, house: Inn) -> None:
    """Decided elsewhere: the page shows it by itself. Called elsewhere: a toast leads there."""
    await go(page, house, REVIEW)
    house.desk.put(replace(cards.refund(), version=4, status="Rejected", over=True), Status.REJECTED)
    await expect(page.locator(".pill")).to_have_text("Rejected")
    house.desk.announce(Notice(review="rev_stop77", version=7, status=Status.PENDING, person="ana"))
    await page.get_by_role("link", name="A review is waiting for you.").click()
    await page.wait_for_url("**/reviews/rev_stop77")


async def test_a_form_being_typed_in_is_not_taken_away(page: Page, house: Inn) -> None:
    """A change while typing is told beside it; the words stay."""
    await go(page, house, REVIEW)
    await page.locator("#do-reject").click()
    await page.get_by_label("In your own words").fill("because")
    house.desk.put(replace(cards.refund(), version=4, status="Taken by Bo"))
    await expect(page.locator("#changed")).to_contain_text("This changed: Taken by Bo.")
    await expect(page.get_by_label("In your own words")).to_have_value("because")


async def test_a_new_revision_never_slips_under_the_finger(page: Page, house: Inn) -> None:
    """What is proposed changed: the page keeps what was read, says so, and its Approve is refused as old."""
    await go(page, house, REVIEW)
    house.desk.put(replace(cards.refund(), version=4, revision=2, title="Refund 999.00 USD"))
    await expect(page.locator("#changed")).to_contain_text("it is revision 2 now")
    await expect(page.locator("h1")).to_have_text("refund.issue: “Refund 180.00 USD for order A-4721”")
    await page.locator("#do-approve").click()
    await expect(page.locator("#answer")).to_contain_text("Not done. It was changed: revision 2 stands now.")
    await expect(page.locator("h1")).to_have_text("Refund 999.00 USD")
    assert [(d.revision, d.verb) for d in house.desk.done] == [(1, Verb.APPROVE)]


async def test_the_queue_is_live_and_keeps_what_was_chosen(page: Page, house: Inn) -> None:
    """A new line appears by itself; boxes ticked stay ticked; other actions cannot be ticked with them."""
    await go(page, house, "/inbox")
    boxes = page.locator(".queue input[name=pick]")
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    other = replace(cards.small_refunds()[0], review="rev_other", title="Another thing")
    house.desk.items.insert(0, item(other, seq=0, bulk=True, action="ticket.close"))
    house.desk.put(other)
    await expect(page.locator(".item .open").first).to_have_text("Another thing")
    await expect(page.locator("#bulk-button")).to_have_text("Approve 2 chosen…")
    await expect(boxes.nth(0)).to_be_disabled()
    await page.locator("#bulk-button").click()
    await page.get_by_role("button", name="Approve 2").click()
    await expect(page.locator("h1")).to_have_text("2 of 2 approved")
    assert [(d.review, d.bulk) for d in house.desk.done] == [
        ("rev_small501", "refund.issue"),
        ("rev_small502", "refund.issue"),
    ]


async def test_it_works_without_scripts(house: Inn, browser: Browser) -> None:
    """Links and forms alone: open the form, be told what is wrong, decide."""
    context = await browser.new_context(viewport=DESKTOP, java_script_enabled=False)
    async with Strict(context, house) as page:
        await page.goto(house.url("/inbox"))
        await page.get_by_role("link", name="Refund 180.00 USD").click()
        await page.locator("#do-request_changes").click()
        await page.get_by_role("button", name="Send to the agent").click()
        await expect(page.locator(".error")).to_have_text("This is needed.")
        await page.get_by_label("What should be different?").fill("Ask the carrier first")
        await page.get_by_role("button", name="Send to the agent").click()
        await expect(page.locator("#answer")).to_contain_text("Done.")
    assert [(d.verb, d.reason) for d in house.desk.done] == [(Verb.REQUEST_CHANGES, "Ask the carrier first")]


async def test_without_scripts_an_edit_is_never_approved_unedited(house: Inn, browser: Browser) -> None:
    """Edited, given back with a fault: Approve cannot be pressed, the page says why, and the edit can still be sent."""
    context = await browser.new_context(viewport=DESKTOP, java_script_enabled=False)
    async with Strict(context, house) as page:
        await page.goto(house.url(REVIEW))
        await page.locator("#do-edit").click()
        await expect(page.locator("#do-approve")).to_be_disabled()
        await page.get_by_label("amount").fill("12,5")
        await page.get_by_role("button", name="Save and approve").click()
        await expect(page.locator(".field.wrong .error")).to_contain_text("with a point")
        await expect(page.locator("#do-approve")).to_be_disabled()
        await page.locator("#do-reject").click(force=True)
        await expect(page.locator("#panel-edit")).to_be_visible()
        await expect(page.locator(".acts .unsaved")).to_contain_text("Edit is open: send it or discard it first.")
        assert house.desk.done == []
        await page.get_by_label("amount").fill("12.5")
        await page.get_by_role("button", name="Save and approve").click()
        await expect(page.locator("#answer")).to_contain_text("Done.")
    assert [(d.verb, (d.arguments or {})["amount"]) for d in house.desk.done] == [(Verb.EDIT, 12.5)]


async def test_with_scripts_an_untouched_form_holds_nothing_up(page: Page, house: Inn) -> None:
    """A page opened at a form: nothing was typed yet, so every control acts, and opens its own form."""
    await go(page, house, f"{REVIEW}?open=edit")
    await expect(page.locator("#do-approve")).to_be_enabled()
    await expect(page.locator(".acts .unsaved")).to_be_empty()
    await page.locator("#do-reject").click()
    await expect(page.locator("#panel-reject")).to_be_visible()


async def test_a_change_is_asked_for_about_something(page: Page, house: Inn) -> None:
    """What is pointed at goes with the words; people are handed to by name."""
    await go(page, house, REVIEW)
    await page.locator("#do-request_changes").click()
    await page.get_by_label("What should be different?").fill("Ask the carrier")
    await page.get_by_label("Which part").select_option("Evidence “Carrier status”")
    await page.get_by_role("button", name="Send to the agent").click()
    await expect(page.locator("#answer")).to_contain_text("Done.")
    assert [(d.reason, d.about) for d in house.desk.done] == [("Ask the carrier", "/evidence/0")]


async def test_hostile_text_does_nothing(page: Page, house: Inn) -> None:
    """No script runs, no request leaves, no element of theirs stands among ours."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await go(page, house, "/reviews/rev_evil66?open=edit")
    assert all(url.startswith(house.url("/")) for url in asked)
    assert await page.locator("#review img, #review script, #review button[name=verb]").count() == 0


async def test_a_server_that_is_away_loses_nothing_typed(page: Page, house: Inn) -> None:
    """The page says that it was not taken, and keeps the words."""
    await go(page, house, REVIEW)
    await page.locator("#do-reject").click()
    await page.get_by_label("In your own words").fill("because")
    await page.route("**/reviews/**", lambda route: route.abort())
    await page.locator("#panel-reject [data-submit]").click()
    await expect(page.locator("#answer")).to_contain_text("What you typed is still here")
    await expect(page.get_by_label("In your own words")).to_have_value("because")


async def test_steps_of_a_plan_are_unticked(page: Page, house: Inn) -> None:
    """A box each, ticked beforehand; what is left out is sent as such, and the tick of another is not lost."""
    await go(page, house, "/reviews/rev_plan1?open=edit")
    await page.get_by_label("Step 3 “Delete the disk of web-7”").uncheck()
    await page.get_by_role("button", name="Approve the ticked steps").click()
    await expect(page.locator("#answer")).to_contain_text("Done.")
    (done,) = [done for done in house.desk.done if done.review == "rev_plan1"]
    assert done.arguments == {"steps": {"0": True, "1": True, "2": False, "3": True}}
