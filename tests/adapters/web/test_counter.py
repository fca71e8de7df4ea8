"""What people ask the house itself, in a browser: their home, commands, a review of their own."""

from __future__ import annotations

import pytest

from reviews.errors import StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.model import Identity, Verb
from tests.adapters.web.test_adapter import Visitor, ana, csrf, visitor
from tests.adapters.web.test_render import Reader
from tests.fakes.builders import a_review
from tests.fakes.desk import ANA, BO

__all__ = ["ana", "visitor"]  # fixtures


async def test_home_is_what_the_desk_says(ana: Visitor) -> None:
    """What waits, each line a link to its page; where to look further; where to type."""
    reader = await ana.read("/home")
    assert "Placet: Ana Ruiz" in reader.text
    assert "refund.issue: “Refund 180.00 USD for order A-4721”" in reader.text
    links = [a["href"] for a in reader.find("a")]
    assert {"/reviews/rev_refund4721", "/inbox?view=roles", "/ask"} <= set(links)
    assert reader.find("input", name="command")
    assert ana.house.desk.homes == ["ana"]


async def test_a_command_is_answered_below_what_was_typed(ana: Visitor) -> None:
    """As a card for this person; `show` leads to the review's own page."""
    answer = await ana.post("/home", csrf(ana) | {"command": " mine "})
    reader = Reader(await answer.text())
    assert answer.status == 200
    assert "Your queue" in reader.text
    assert reader.find("input", name="command", value="mine")
    shown = await ana.post("/home", csrf(ana) | {"command": "show rev_stop77"})
    assert (shown.status, shown.headers["Location"]) == (303, "/reviews/rev_stop77")
    assert ana.house.desk.typed == [("ana", "mine", "web"), ("ana", "show rev_stop77", "web")]


@pytest.mark.parametrize("path", ["/home", "/ask"])
async def test_only_a_page_of_ours_asks(ana: Visitor, path: str) -> None:
    """No other site has somebody away."""
    answer = await ana.post(path, {"csrf": "no", "command": "away", "f.summary": "x"})
    assert answer.status == 400
    assert (ana.house.desk.typed, ana.house.desk.asked) == ([], [])


@pytest.mark.parametrize("path", ["/home", "/ask"])
async def test_who_came_for_one_review_has_no_home_here(visitor: Visitor, path: str) -> None:
    """Nor is the way there shown."""
    visitor.sign_in(via="link", scope="rev_refund4721")
    assert (await visitor.get(path)).status == 403
    assert (await visitor.post(path, csrf(visitor))).status == 403
    assert not (await visitor.read("/reviews/rev_refund4721")).find("a", href="/home")


def answered(visitor: Visitor, answer: Reply) -> None:
    """Orders to stop agents, or to let them go on, are answered so."""
    visitor.house.desk.replies |= {Verb.STOP: lambda _: answer, Verb.RESUME: lambda _: answer}


async def test_an_agent_is_stopped_and_resumed_from_home(ana: Visitor) -> None:
    """In the form that is opened there: which one, why, and what its next plan heeds; the answer stands above."""
    answered(ana, Reply(answer=Answer.DONE, text="billing-bot is stopped."))
    closed, opened = await ana.read("/home"), await ana.read("/home?open=stop")
    assert [("hidden" in panel) for panel in closed.find("section", **{"class": "panel"})] == [True, True]
    assert [("hidden" in panel) for panel in opened.find("section", **{"class": "panel"})] == [False, True]
    assert {a["value"] for a in closed.find("option")} == {"", "billing-bot", "infra-bot", "refund-desk"}
    order = {"verb": "stop", "f.agent": "billing-bot", "f.reason": "It pays twice.", "f.notes": "Check first."}
    answer = await ana.post("/home", csrf(ana) | order)
    assert (answer.status, "billing-bot is stopped." in Reader(await answer.text()).text) == (200, True)
    await ana.post("/home", csrf(ana) | {"verb": "resume", "f.agent": "refund-desk"})
    stop, resume = ana.house.desk.done
    assert (stop.verb, stop.agent, stop.reason, stop.notes) == (
        Verb.STOP,
        "billing-bot",
        "It pays twice.",
        "Check first.",
    )
    assert (resume.verb, resume.agent, resume.review) == (Verb.RESUME, "refund-desk", "")
    assert stop.identity == Identity(surface="web", id="ana", tenant="signin")


async def test_an_order_lacking_something_is_asked_for_again(ana: Visitor) -> None:
    """Nothing is sent; what was typed stands there, and what is missing is said at its field."""
    answered(ana, Reply(answer=Answer.DONE, text="-"))
    answer = await ana.post("/home", csrf(ana) | {"verb": "stop", "f.agent": "", "f.reason": "", "f.notes": "Check."})
    page = await answer.text()
    assert (answer.status, ana.house.desk.done) == (422, [])
    assert page.count("This is needed.") == 2
    assert "Check.</textarea>" in page


async def test_an_order_refused_says_why(ana: Visitor) -> None:
    """With the form still open."""
    answered(ana, Reply(answer=Answer.FORBIDDEN, text="That is for others."))
    answer = await ana.post("/home", csrf(ana) | {"verb": "stop", "f.agent": "billing-bot", "f.reason": "Now."})
    page = Reader(await answer.text())
    assert (answer.status, "Not done. That is for others." in page.text) == (403, True)
    assert "Now." in [a["value"] for a in page.find("input", name="f.reason")]


async def test_only_a_page_of_ours_stops_an_agent(ana: Visitor, visitor: Visitor) -> None:
    """No other site, and nobody who came by a link for one review."""
    answered(ana, Reply(answer=Answer.DONE, text="-"))
    order = {"verb": "stop", "f.agent": "billing-bot", "f.reason": "Now."}
    assert (await ana.post("/home", {"csrf": "no"} | order)).status == 400
    visitor.sign_in(via="link", scope="rev_refund4721")
    assert (await visitor.post("/home", csrf(visitor) | order)).status == 403
    assert ana.house.desk.done == []


async def test_what_was_done_is_said_where_home_cannot_be_drawn(ana: Visitor) -> None:
    """The database went away after it."""

    def last(_: Interaction) -> Reply:
        ana.house.desk.faults.append(StoreUnavailable("Gone."))
        return Reply(answer=Answer.DONE, text="billing-bot is stopped.")

    answered(ana, Reply(answer=Answer.DONE, text="-"))
    ana.house.desk.replies[Verb.STOP] = last
    order = {"verb": "stop", "f.agent": "billing-bot", "f.reason": "Now."}
    assert "billing-bot is stopped." in await (await ana.post("/home", csrf(ana) | order)).text()


async def test_a_review_is_asked_for_once(ana: Visitor) -> None:
    """With what was filled in, in the person's name; the form sent twice is one review."""
    form = await ana.read("/ask")
    once = form.find("input", name="once")[0]["value"] or ""
    assert form.find("select", id="ask-role")
    data = csrf(ana) | {"once": once, "f.summary": "May I?", "f.text": "a\r\nb", "f.role": "security"}
    for _ in range(2):
        answer = await ana.post("/ask", data)
        assert answer.status == 200
    (asked,) = ana.house.desk.asked
    assert (asked.person, asked.summary, asked.text, asked.role) == (ANA, "May I?", "a\nb", "security")
    assert asked.once == f"web:{once}"
    again = await ana.read("/ask")
    assert again.find("input", name="once")[0]["value"] != once


async def test_what_is_lacking_is_told_and_nothing_typed_is_lost(ana: Visitor) -> None:
    """Beside its field, whoever finds it."""
    answer = await ana.post("/ask", csrf(ana) | {"once": "o", "f.summary": " ", "f.text": "Kept"})
    text = await answer.text()
    assert answer.status == 422
    assert "This is needed." in text
    assert "Kept" in text
    assert Reader(text).find("input", name="once", value="o")
    assert ana.house.desk.asked == []


async def test_the_answer_leads_to_the_review(ana: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a refusal of the desk's stands beside the form."""
    review = a_review()
    replies = [
        Reply(answer=Answer.DONE, text="Asked.", review=review),
        Reply(answer=Answer.REFUSED, text="Look again.", errors={"summary": "Too odd."}),
    ]

    async def ask(_: object) -> Reply:
        return replies.pop(0)

    monkeypatch.setattr(ana.house.desk, "ask", ask)
    data = csrf(ana) | {"f.summary": "May I?", "f.text": "x"}
    done = Reader(await (await ana.post("/ask", data)).text())
    assert done.find("a", href=f"/reviews/{review.id}")
    refused = await ana.post("/ask", data)
    assert refused.status == 422
    assert {"Look again.", "Too odd."} <= {part.strip() for part in Reader(await refused.text()).words}


async def test_asking_may_be_off(ana: Visitor) -> None:
    """Then a sentence says so, and nothing is asked."""
    ana.house.desk.asking_off = True
    assert "switched off" in await (await ana.get("/ask")).text()
    answer = await ana.post("/ask", csrf(ana) | {"f.summary": "May I?", "f.text": "x"})
    assert answer.status == 403
    assert ana.house.desk.asked == []


async def test_others_have_their_own_home(visitor: Visitor) -> None:
    """By who is signed in."""
    visitor.sign_in(BO)
    assert "Placet: Bo Lindqvist" in (await visitor.read("/home")).text
    assert (await visitor.post("/reviews/rev_refund4721", csrf(visitor) | {"verb": Verb.TAKE})).status == 200
