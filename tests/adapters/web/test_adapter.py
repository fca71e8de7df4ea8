"""The inbox over real HTTP: who gets in, what is refused, what reaches the desk, what is told live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar

from adapters.port import Setup
from adapters.web import guard, links, pages, render
from adapters.web.adapter import create
from adapters.web.config import ConfigFault
from reviews.card import Facts, Happening, Voice
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.model import Identity, Person, Status, Target, Verb
from reviews.ports import MessageRef, Notice
from tests.adapters.web.inn import Inn, inn
from tests.adapters.web.test_render import Reader
from tests.fakes import cards
from tests.fakes.desk import ANA, BO, CLEO, FakeDesk, FakeDoor, FixedClock
from tests.fakes.references import FakeReferences

REVIEW = "/reviews/rev_refund4721"


class Visitor:
    """A browser without a screen."""

    def __init__(self, house: Inn, client: ClientSession) -> None:
        self.house = house
        self.client = client
        self.secret = ""

    def sign_in(self, person: Person = ANA, **how: str) -> None:
        """Hold the cookie of a fresh session."""
        self.secret = self.house.door.sign_in(person, **how).secret
        self.client.cookie_jar.update_cookies({"placet-session": self.secret}, self.house.server.make_url("/"))

    async def get(self, path: str, **more: object) -> ClientResponse:
        """GET without following."""
        return await self.client.get(self.house.url(path), allow_redirects=False, **more)

    async def read(self, path: str) -> Reader:
        """GET a page that is there."""
        answer = await self.get(path)
        assert answer.status == 200
        return Reader(await answer.text())

    async def post(self, path: str, data: object, headers: dict[str, str] | None = None) -> ClientResponse:
        """POST as given."""
        url = self.house.url(path)
        return await self.client.post(url, data=data, headers=headers, allow_redirects=False)

    async def press(self, verb: Verb, path: str = REVIEW, **fields: str) -> ClientResponse:
        """POST a control of the page as it is served, `fields` typed over."""
        reader = await self.read(path)
        data = {name: reader.find("input", name=name)[0]["value"] or "" for name in ("csrf", "revision", "shown")}
        typed = {f"f.{name}": value for name, value in fields.items()}
        return await self.post(path, data | {"verb": verb} | typed)


def csrf(of: Visitor) -> dict[str, str]:
    """The form token of a visitor's session."""
    return {"csrf": guard.token(of.secret)}


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    """A visitor to an inbox with the samples, not signed in."""
    async with inn() as house, ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
        yield Visitor(house, client)


@pytest.fixture
async def ana(visitor: Visitor) -> Visitor:
    """Ana, signed in."""
    visitor.sign_in()
    return visitor


# ---------------------------------------------------------------------------------------------- in and out


async def test_signed_out_people_are_told_how_to_sign_in(visitor: Visitor) -> None:
    """A page leads to the door and remembers where one wanted to go; the door says what to do."""
    answer = await visitor.get(REVIEW)
    assert (answer.status, answer.headers["Location"]) == (303, f"/enter?to={REVIEW}")
    assert "placet link" in (await visitor.read("/enter")).text
    assert (await visitor.post(REVIEW, {"verb": "approve"})).status == 401
    assert visitor.house.desk.done == []
    assert visitor.house.desk.reads == []


async def test_a_get_spends_no_link_and_a_post_spends_it_once(visitor: Visitor) -> None:
    """Opened any number of times it shows whose it is; continued once, it is used up."""
    link = visitor.house.door.link("ana")
    for _ in range(3):
        reader = await visitor.read(f"/enter?link={link}&to={REVIEW}")
        assert "Continue as Ana Ruiz" in reader.text
    assert await visitor.client.head(visitor.house.url(f"/enter?link={link}"))
    assert visitor.house.door.sessions == {}
    data = {a["name"] or "": a["value"] or "" for a in reader.find("input", type="hidden")}
    answer = await visitor.post("/enter", data)
    assert (answer.status, answer.headers["Location"]) == (303, REVIEW)
    assert (await visitor.get("/inbox")).status == 200
    again = await visitor.post("/enter", data)
    assert again.status == 403
    assert "new one" in await again.text()


async def test_a_link_that_ran_out_offers_another(visitor: Visitor) -> None:
    """By a button: looking sends nothing, and neither does another site's form."""
    answer = await visitor.get("/enter?link=was-spent")
    assert answer.status == 403
    reader = Reader(await answer.text())
    assert visitor.house.door.asked_again == []
    assert (await visitor.post("/enter/again", {"link": "was-spent", "csrf": "wrong"})).status == 400
    assert visitor.house.door.asked_again == []
    data = {a["name"] or "": a["value"] or "" for a in reader.find("input", type="hidden")}
    sent = await visitor.post("/enter/again", data)
    assert (sent.status, visitor.house.door.asked_again) == (200, ["was-spent"])
    assert "another is on its way" in await sent.text()


async def test_a_link_is_not_entered_from_another_site(visitor: Visitor) -> None:
    """Without the door's own cookie and token nobody is signed in as somebody else."""
    link = visitor.house.door.link("ana")
    assert (await visitor.post("/enter", {"link": link, "csrf": guard.token("")})).status == 400
    await visitor.read(f"/enter?link={link}")
    assert (await visitor.post("/enter", {"link": link, "csrf": "wrong"})).status == 400
    assert visitor.house.door.sessions == {}


async def test_a_link_for_one_review_shows_that_one_only(visitor: Visitor) -> None:
    """The queue leads to it, others are refused, and the desk is told which way the person came."""
    visitor.sign_in(via="link", scope="rev_refund4721")
    assert (await visitor.get("/inbox")).headers["Location"] == REVIEW
    assert (await visitor.get("/reviews/rev_stop77")).status == 403
    data = {"csrf": guard.token(visitor.secret), "verb": "approve"}
    assert (await visitor.post("/reviews/rev_stop77", data)).status == 403
    refuse = Reply(answer=Answer.FORBIDDEN, text="By link alone you may not approve this.")
    visitor.house.desk.replies[Verb.APPROVE] = lambda _: refuse
    answer = await visitor.press(Verb.APPROVE)
    assert answer.status == 403
    assert "By link alone" in await answer.text()
    assert [i.identity for i in visitor.house.desk.done] == [Identity(surface="web", id="ana", tenant="link")]


async def test_a_link_for_one_review_approves_no_others(visitor: Visitor) -> None:
    """Nor are they so much as read."""
    visitor.sign_in(via="link", scope="rev_refund4721")
    pick = json.dumps(["rev_small501", 1, "x", "refund.issue"])
    data = {"csrf": guard.token(visitor.secret), "pick": pick, "sure": "yes"}
    assert (await visitor.post("/bulk", data)).status == 403
    assert (visitor.house.desk.reads, visitor.house.desk.done) == ([], [])


async def test_leaving_ends_the_session(ana: Visitor) -> None:
    """The session is over on the server, not only in the browser; and only by one's own page."""
    assert (await ana.post("/leave", {"csrf": "no"})).status == 400
    assert ana.secret in ana.house.door.sessions
    answer = await ana.post("/leave", {"csrf": guard.token(ana.secret)})
    assert answer.status == 303
    assert ana.house.door.sessions == {}


async def test_a_session_ends_by_time(ana: Visitor) -> None:
    """After its hours the cookie opens nothing."""
    ana.house.clock.move(timedelta(hours=9))
    assert (await ana.get("/inbox")).status == 303


async def test_the_demo_lets_one_pick_a_person() -> None:
    """On this machine's own names only: a stranger's name that points here gets no session."""
    async with inn(demo=True) as house, ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
        visitor = Visitor(house, client)
        assert (await visitor.get("/enter?to=/inbox")).headers["Location"] == "/demo?to=/inbox"
        reader = await visitor.read("/demo")
        data = {a["name"] or "": a["value"] or "" for a in reader.find("input", type="hidden")} | {"person": "bo"}
        rebound = await visitor.post("/demo", data, {"Host": "rebound.example"})
        assert (rebound.status, house.door.sessions) == (400, {})
        assert (await visitor.post("/demo", data)).status == 303
        assert "Bo Lindqvist" in (await visitor.read("/inbox")).text


async def test_outside_the_demo_nobody_is_picked(visitor: Visitor) -> None:
    """No page, no session."""
    assert (await visitor.get("/demo")).status == 404
    assert (await visitor.post("/demo", {"person": "ana"})).status == 400
    assert visitor.house.door.sessions == {}


async def test_on_https_the_cookie_is_bound_to_the_host() -> None:
    """`__Host-`, Secure, HttpOnly, Lax: Strict would break links from chat."""
    async with inn(public_url="https://placet.example.com") as house, ClientSession() as client:
        visitor = Visitor(house, client)
        link = house.door.link("ana")
        page = await visitor.get(f"/enter?link={link}")
        door = page.cookies["__Host-placet-door"].value
        answer = await visitor.client.post(
            house.url("/enter"),
            data={"link": link, "csrf": guard.token(door), "to": "/inbox"},
            headers={"Cookie": f"__Host-placet-door={door}", "Origin": "https://placet.example.com"},
            allow_redirects=False,
        )
        cookie = answer.cookies["__Host-placet-session"]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
        assert cookie["max-age"] == "28800"


# ---------------------------------------------------------------------------------------------- safety


@pytest.mark.parametrize("path", ["/inbox", REVIEW, "/reviews/none", "/enter", "/demo", "/static/web/inbox.css"])
async def test_every_page_is_shut_to_other_sites(ana: Visitor, path: str) -> None:
    """Strict policy, no framing, no sniffing, no referrer; personal pages are kept nowhere."""
    answer = await ana.get(path)
    assert answer.headers["Content-Security-Policy"] == guard.POLICY
    assert "unsafe" not in guard.POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert ("no-store" in answer.headers["Cache-Control"]) is not path.startswith("/static")


@pytest.mark.parametrize(
    ("headers", "csrf"),
    [
        ({}, "0" * 64),
        ({}, ""),
        ({"Origin": "https://evil.example"}, None),
        ({"Sec-Fetch-Site": "cross-site"}, None),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"}, None),
    ],
)
@pytest.mark.parametrize("path", [REVIEW, "/bulk"])
async def test_forms_from_elsewhere_are_not_taken(
    ana: Visitor, path: str, headers: dict[str, str], csrf: str | None
) -> None:
    """A wrong token or another site's page: nothing reaches the desk, and the person is told."""
    token = guard.token(ana.secret) if csrf is None else csrf
    answer = await ana.post(path, {"csrf": token, "verb": "approve", "pick": "x"}, headers)
    assert answer.status == 400
    assert "Open the page again" in await answer.text()
    assert ana.house.desk.done == []


async def test_nothing_is_decided_by_looking(ana: Visitor) -> None:
    """GET and HEAD of any address, with anything in the query, reach the desk only to read."""
    query = f"?verb=approve&csrf={guard.token(ana.secret)}&open=approve&sure=yes&confirm=yes&pick=x"
    for path in (REVIEW, "/inbox", "/bulk", "/enter", "/demo", "/leave"):
        await ana.get(path + query)
        await ana.client.head(ana.house.url(path + query))
    assert ana.house.desk.done == []
    assert ana.secret in ana.house.door.sessions


async def test_assets_are_ours_and_kept_by_their_contents(ana: Visitor) -> None:
    """Script and style come from here under an address that changes with them; other files are not served."""
    reader = await ana.read("/inbox")
    for address in [a["src"] for a in reader.find("script")] + [a["href"] for a in reader.find("link")]:
        assert address
        answer = await ana.get(address)
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
    assert (await ana.get("/static/web/adapter.py")).status == 404
    assert (await ana.get("/static/web/..%2Fadapter.py")).status == 404


# ---------------------------------------------------------------------------------------------- acting


async def test_a_press_reaches_the_desk_as_it_was_seen(ana: Visitor) -> None:
    """Verb, person, way in, revision and digest; the answer is the page as it stands now, with what was said."""
    answer = await ana.press(Verb.APPROVE)
    (done,) = ana.house.desk.done
    assert (done.verb, done.review, done.revision) == (Verb.APPROVE, "rev_refund4721", 1)
    assert done.shown == cards.refund().digest
    assert done.identity == Identity(surface="web", id="ana", tenant="signin")
    text = Reader(await answer.text()).text
    assert answer.status == 200
    assert "Done. Approve by Ana Ruiz is kept." in text
    assert "Refund 180.00 USD for order A-4721” Approved" in text


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer.SAME, 200),
        (Answer.WHISPER, 200),
        (Answer.FORBIDDEN, 403),
        (Answer.REFUSED, 409),
        (Answer.GONE, 410),
        (Answer.LOCKED, 423),
    ],
)
async def test_every_answer_of_the_desk_is_said(ana: Visitor, answer: Answer, status: int) -> None:
    """What the desk says is on the page, with a status that fits."""
    ana.house.desk.replies[Verb.TAKE] = lambda _: Reply(answer=answer, text="Bo was first <i>.")
    page = await ana.press(Verb.TAKE)
    assert page.status == status
    assert "Bo was first &lt;i&gt;." in await page.text()


async def test_what_was_decided_is_said_though_the_page_cannot_be_drawn(ana: Visitor) -> None:
    """Who decided must not read "Not now": the decision stands."""

    def kept(_: Interaction) -> Reply:
        ana.house.desk.faults.append(StoreUnavailable("The disk is full."))
        return Reply(answer=Answer.DONE, text="Approved by Ana Ruiz.")

    ana.house.desk.replies[Verb.APPROVE] = kept
    page = await ana.press(Verb.APPROVE)
    assert (page.status, "Approved by Ana Ruiz." in await page.text()) == (200, True)


async def test_faults_of_the_form_never_reach_the_desk(ana: Visitor) -> None:
    """A value of the wrong type stands beside its field with what was typed."""
    data = {"/order": "A-1", "/amount": "a lot", "/message": "typed"}
    answer = await ana.press(Verb.EDIT, **data)
    html = await answer.text()
    assert answer.status == 422
    assert "Write a number such as 180" in html
    assert 'value="a lot"' in html
    assert "typed</textarea>" in html
    assert ana.house.desk.done == []


async def test_the_desks_faults_stand_beside_their_fields(ana: Visitor) -> None:
    """A schema's complaint is told where it is, and what was typed is kept."""
    errors = {"/amount": "At most 500."}
    ana.house.desk.replies[Verb.EDIT] = lambda _: Reply(answer=Answer.REFUSED, text="It does not fit.", errors=errors)
    answer = await ana.press(Verb.EDIT, **{"/order": "A-1", "/amount": "900"})
    reader = Reader(await answer.text())
    assert answer.status == 422
    assert "At most 500." in reader.text
    assert reader.find("input", name="f./amount")[0]["value"] == "900"
    (done,) = ana.house.desk.done
    assert done.arguments == {"order": "A-1", "amount": 900}


async def test_an_old_page_decides_nothing(ana: Visitor) -> None:
    """The revision of the page is sent, not the present one: the desk refuses and says so."""
    data = {"csrf": guard.token(ana.secret), "verb": "approve", "revision": "1", "shown": "old"}
    answer = await ana.post("/reviews/rev_stop77", data)
    assert answer.status == 409
    assert "revision 2 stands now" in await answer.text()
    assert [(d.revision, d.shown) for d in ana.house.desk.done] == [(1, "old")]


async def test_what_is_redacted_is_shown_once_after_a_reason(ana: Visitor) -> None:
    """Asked with a reason it is read with reveal; the next look is redacted again; without a reason, nothing."""
    assert (await ana.press(Verb.REVEAL)).status == 422
    html = await (await ana.press(Verb.REVEAL, reason="customer called")).text()
    assert "ES91 2100" in html
    assert "data-revealed" in html
    assert [d.reason for d in ana.house.desk.done] == ["customer called"]
    assert [r[3] for r in ana.house.desk.reads].count(True) == 1
    assert "ES91" not in (await ana.read(REVIEW)).text


async def test_a_refused_reveal_shows_nothing(ana: Visitor) -> None:
    """Who may not see it does not."""
    ana.house.desk.replies[Verb.REVEAL] = lambda _: Reply(answer=Answer.FORBIDDEN, text="Not for you.")
    answer = await ana.press(Verb.REVEAL, reason="curious")
    assert "ES91" not in await answer.text()
    assert not any(r[3] for r in ana.house.desk.reads)


async def test_what_one_may_not_see_is_not_found(ana: Visitor) -> None:
    """Neither read nor pressed; and gone after handing it away is said, not an error."""
    ana.house.desk.hidden["rev_stop77"] = {"ana"}
    assert (await ana.get("/reviews/rev_stop77")).status == 404
    assert (await ana.post("/reviews/rev_stop77", {"csrf": guard.token(ana.secret), "verb": "reject"})).status == 404
    assert ana.house.desk.done == []

    def hand(_: object) -> Reply:
        ana.house.desk.hidden["rev_refund4721"] = {"ana"}
        return Reply(answer=Answer.DONE, text="Bo has it now.")

    ana.house.desk.replies[Verb.HAND] = hand
    answer = await ana.press(Verb.HAND, to="bo")
    assert (answer.status, "Bo has it now." in await answer.text()) == (200, True)


async def test_a_database_that_is_away_is_said(ana: Visitor) -> None:
    """503 with the sentence; nothing is pretended."""
    ana.house.desk.faults = [StoreUnavailable("The disk is full.")]
    answer = await ana.get("/inbox")
    assert (answer.status, "The disk is full." in await answer.text()) == (503, True)


# ---------------------------------------------------------------------------------------------- the queue


async def test_the_queue_is_asked_as_the_page_says(ana: Visitor) -> None:
    """View, action and cursor go to the desk; an unknown view is one's roles'."""
    await ana.read("/inbox?view=decided&action=refund.issue&cursor=0")
    await ana.read("/inbox?view=nonsense")
    first, second = ana.house.desk.filters
    assert (first.view, first.action, first.cursor, first.limit) == ("decided", "refund.issue", "0", 50)
    assert (second.view, second.action, second.cursor) == ("roles", None, None)


async def test_who_only_reads_lands_where_everything_is(visitor: Visitor) -> None:
    """An auditor without a role opens all reviews, one with a role what it may decide; each goes where they ask to."""
    auditor = Person(id="mia", name="Mia", auditor=True)
    for person, view in ((auditor, "all"), (CLEO, "roles"), (ANA, "roles")):
        visitor.sign_in(person)
        await visitor.read("/inbox")
        await visitor.read("/inbox?view=mine")
        assert [f.view for f in visitor.house.desk.filters[-2:]] == [view, "mine"]


async def test_bulk_asks_first_then_approves_each_on_its_own(ana: Visitor) -> None:
    """The first post only lists; the second gives each its own answer, the failed ones too."""
    picks = [a["value"] for a in (await ana.read("/inbox")).find("input", name="pick")]
    token = guard.token(ana.secret)
    question = await ana.post("/bulk", [("csrf", token), *(("pick", p) for p in picks)])
    asked = Reader(await question.text()).text
    assert "Approve these 3?" in asked
    for card in cards.small_refunds():
        assert asked.count(card.title) == 1
        facts = [b for b in card.blocks if isinstance(b, Facts)]
        assert all(fact.value in asked for b in facts if b.voice is Voice.AGENT for fact in b.items)
    assert asked.count("Risk") == 3
    assert ana.house.desk.done == []
    ana.house.desk.put(replace(cards.small_refunds()[1], over=True))
    done = await ana.post("/bulk", [("csrf", token), ("sure", "yes"), *(("pick", p) for p in picks)])
    text = Reader(await done.text()).text
    assert "2 of 3 approved" in text
    assert "Not done. It is over" in text
    assert [(d.review, d.bulk, d.revision, d.shown) for d in ana.house.desk.done] == [
        (f"rev_small{n}", "refund.issue", 1, cards.refund().digest) for n in (501, 502, 503)
    ]


async def test_bulk_leaves_out_what_changed(ana: Visitor) -> None:
    """A line that has another revision by now is named and not approved."""
    stale = json.dumps(["rev_stop77", 1, "x", "refund.issue"])
    page = await ana.post("/bulk", {"csrf": guard.token(ana.secret), "pick": stale})
    text = Reader(await page.text()).text
    assert "Nothing left to approve" in text
    assert "Changed or gone since you chose: stop_instance: “Stop instance web-7" in text


async def test_bulk_takes_one_action_only(ana: Visitor) -> None:
    """Two actions, or nothing at all, are a sentence."""
    token = guard.token(ana.secret)
    two = [("pick", json.dumps([f"rev_{n}", 1, "x", n])) for n in "ab"]
    mixed = await ana.post("/bulk", [("csrf", token), ("sure", "yes"), *two])
    none = await ana.post("/bulk", {"csrf": token, "sure": "yes"})
    assert (mixed.status, none.status, ana.house.desk.done) == (422, 422, [])


# ---------------------------------------------------------------------------------------------- live


async def events(answer: ClientResponse, count: int) -> list[tuple[str, dict[str, object]]]:
    """The next `count` events of a stream."""
    found: list[tuple[str, dict[str, object]]] = []
    name = ""
    while len(found) < count:
        line = (await asyncio.wait_for(answer.content.readline(), 10)).decode().strip()
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found


async def test_open_pages_hear_of_changes(ana: Visitor) -> None:
    """A review's page hears its own version, the queue that something changed, a person that they were called."""
    seen = ana.house.adapter._hub.seen
    queue = await ana.get(f"/events/stream?seen={seen}")
    review = await ana.get(f"/events/stream?review=rev_refund4721&seen={seen}")
    assert await events(queue, 1) == await events(review, 1) == [("hello", {})]
    ana.house.desk.announce(Notice(review="rev_stop77", version=7, status=Status.PENDING))
    ana.house.desk.announce(Notice(review="rev_refund4721", version=4, status=Status.PENDING, person="ana"))
    assert await events(review, 2) == [
        ("review", {"review": "rev_refund4721", "version": 4}),
        ("toast", {"review": "rev_refund4721", "text": "A review is waiting for you.", "called": True}),
    ]
    assert [name for name, _ in await events(queue, 3)] == ["queue", "queue", "toast"]
    queue.close()
    review.close()


async def test_a_page_that_missed_something_is_told_to_look_again(ana: Visitor) -> None:
    """Between drawing and listening, or while the connection was gone: one `sync`."""
    ana.house.adapter._hub.changed(Notice(review="rev_stop77", version=7, status=Status.PENDING))
    stream = await ana.get("/events/stream?seen=earlier.0")
    assert (await events(stream, 1))[0][0] == "sync"
    stream.close()
    again = await ana.get("/events/stream", headers={"Last-Event-ID": ana.house.adapter._hub.seen})
    assert (await events(again, 1))[0][0] == "hello"
    again.close()


async def test_a_slow_page_costs_little(ana: Visitor) -> None:
    """However much happens, a page keeps a bounded backlog and is told to look at everything again."""
    hub = ana.house.adapter._hub
    with hub.page("ana", None, hub.seen) as page:
        for n in range(500):
            hub.changed(Notice(review="rev_x", version=n, status=Status.PENDING))
        names = []
        while (event := await page.next(0)) is not None:
            names.append(event.name)
    assert len(names) <= 65
    assert "sync" in names


async def test_calling_and_whispering_reach_the_person_alone(ana: Visitor) -> None:
    """A posted card is a toast in that person's pages; a whisper waits until they open one."""
    adapter = ana.house.adapter
    target = Target(surface="web", address="bo", person="bo")
    await adapter.whisper(Identity(surface="web", id="bo"), "Somebody was faster.")
    hers = await ana.get(f"/events/stream?seen={adapter._hub.seen}")
    ana.sign_in(BO)
    his = await ana.get(f"/events/stream?seen={adapter._hub.seen}")
    ref = await adapter.post(cards.refund(), target, "copy_1")
    assert (await events(his, 3))[1:] == [
        ("toast", {"review": "", "text": "Somebody was faster.", "called": False}),
        ("toast", {"review": "rev_refund4721", "text": "A review is waiting for you.", "called": True}),
    ]
    await adapter.update(ref, cards.refund())
    assert [name for name, _ in await events(hers, 2)] == ["hello", "queue"]
    assert await adapter.find("copy_1", target, cards.NOW) == ref
    assert await adapter.find("copy_2", target, cards.NOW) is None
    hers.close()
    his.close()


async def test_the_stream_is_for_people_signed_in(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed out: 401. A link for one review hears of no other. A session that ends closes its stream."""
    assert (await visitor.get("/events/stream")).status == 401
    visitor.sign_in(via="link", scope="rev_refund4721")
    assert (await visitor.get("/events/stream?review=rev_stop77")).status == 403
    monkeypatch.setattr(pages, "HEARTBEAT", 0.01)
    stream = await visitor.get("/events/stream")
    visitor.house.door.sessions.clear()
    await asyncio.wait_for(stream.read(), 10)


async def test_a_stream_follows_only_what_one_may_see(ana: Visitor) -> None:
    """The id of another's review, or of none, is not found."""
    ana.house.desk.hidden["rev_stop77"] = {"ana"}
    for review in ("rev_stop77", "rev_none"):
        assert (await ana.get(f"/events/stream?review={review}")).status == 404


async def test_who_may_not_see_a_review_any_more_hears_nothing_of_it(ana: Visitor) -> None:
    """Sight was taken while the page stood open: it is told to look, which is refused, and its stream ends."""
    stream = await ana.get(f"/events/stream?review=rev_stop77&seen={ana.house.adapter._hub.seen}")
    assert await events(stream, 1) == [("hello", {})]
    ana.house.desk.hidden["rev_stop77"] = {"ana"}
    ana.house.desk.announce(Notice(review="rev_stop77", version=7, status=Status.PENDING))
    async with asyncio.timeout(10):
        told = (await stream.read()).decode()
    assert ("event: sync" in told, "rev_stop77" in told, "version" in told) == (True, False, False)


async def test_a_link_for_one_review_hears_of_no_other(ana: Visitor) -> None:
    """Whoever holds it is told of that review alone; what waits for the person stays for their own pages."""
    adapter = ana.house.adapter
    await adapter.whisper(Identity(surface="web", id="ana"), "Bo was faster elsewhere.")
    own = adapter._hub.seen
    ana.sign_in(via="link", scope="rev_refund4721")
    stream = await ana.get(f"/events/stream?seen={own}")
    assert await events(stream, 1) == [("hello", {})]
    await adapter.post(cards.it_pending(), Target(surface="web", address="ana", person="ana"), "copy_1")
    await adapter.whisper(Identity(surface="web", id="ana"), "And again.")
    await adapter.update(MessageRef(surface="web", ref={}), cards.it_pending())
    await adapter.update(MessageRef(surface="web", ref={}), cards.refund())
    assert await events(stream, 1) == [("review", {"review": "rev_refund4721", "version": 3})]
    stream.close()
    ana.sign_in()
    stream = await ana.get("/events/stream")
    assert [data.get("text") for _, data in await events(stream, 3)] == [None, "Bo was faster elsewhere.", "And again."]
    stream.close()


async def test_a_session_that_ended_hears_of_nothing_more(ana: Visitor) -> None:
    """Not even the next event, long before a sign of life is due."""
    stream = await ana.get(f"/events/stream?seen={ana.house.adapter._hub.seen}")
    assert await events(stream, 1) == [("hello", {})]
    ana.house.door.sessions.clear()
    ana.house.desk.announce(Notice(review="rev_stop77", version=7, status=Status.PENDING))
    assert b"event:" not in await asyncio.wait_for(stream.read(), 10)


async def test_a_vote_on_nothing_seen_is_refused(ana: Visitor) -> None:
    """Without a revision the desk is not even asked."""
    answer = await ana.post(REVIEW, {"csrf": guard.token(ana.secret), "verb": "approve"})
    assert answer.status == 422
    assert "which revision you saw" in await answer.text()
    assert ana.house.desk.done == []


async def test_a_broken_watch_is_told_and_taken_up_again(ana: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Health says what is wrong; the pages look again once it is mended."""
    monkeypatch.setattr("adapters.web.adapter.RETRY", 0.0)
    desk, adapter = ana.house.desk, ana.house.adapter
    stream = await ana.get(f"/events/stream?seen={adapter._hub.seen}")
    desk.watched.clear()
    desk.announce(RuntimeError("connection lost"))
    await asyncio.wait_for(desk.watched.wait(), 10)
    assert not (await adapter.health()).ok
    assert "connection lost" in (await adapter.health()).text
    desk.announce(Notice(review="rev_x", version=1, status=Status.PENDING))
    assert [name for name, _ in await events(stream, 3)] == ["hello", "sync", "queue"]
    assert (await adapter.health()).ok
    stream.close()


async def test_a_comment_sent_twice_stands_there_once(ana: Visitor) -> None:
    """A double click, or the network's second try; the page drawn next takes another one."""
    for text in ("one", "two"):
        once = (await ana.read(REVIEW)).find("input", name="once")[0]["value"] or ""
        data = csrf(ana) | {"verb": "comment", "once": once, "f.reason": text}
        assert [(await ana.post(REVIEW, data)).status for _ in range(2)] == [200, 200]
    assert [done.reason for done in ana.house.desk.done] == ["one", "two"]


async def test_news_needs_no_post(ana: Visitor) -> None:
    """An open page shows what happened by itself; nothing is said twice, and no workspace is asked for."""
    adapter = ana.house.adapter
    ref = await adapter.post(cards.refund(), Target(surface="web", address="ana", person="ana"), "cpy_1")
    seen = (await ana.read(REVIEW)).find("body")[0]["data-seen"]
    await adapter.note(ref, (Happening(at=cards.NOW, text="Escalated to Bo"),))
    assert (await ana.read(REVIEW)).find("body")[0]["data-seen"] == seen
    assert adapter.tenant is None


async def test_stopping_ends_the_streams(ana: Visitor) -> None:
    """A server that stops is not held by open pages."""
    stream = await ana.get("/events/stream")
    await ana.house.adapter.stop()
    await asyncio.wait_for(stream.read(), 10)


# ---------------------------------------------------------------------------------------------- making it


async def test_previews_are_shown_as_tabs(ana: Visitor) -> None:
    """What the composition root puts in gets a tab."""
    ana.house.adapter.previews["slack"] = lambda card: json.dumps({"text": card.link})
    reader = await ana.read(f"{REVIEW}?as=slack")
    assert '{"text": "https://placet.example.com/reviews/rev_refund4721"' in reader.text
    assert (await ana.read(REVIEW)).find("a", href=f"{REVIEW}?as=slack")


def setup(section: dict[str, object]) -> Setup:
    """What the service hands over."""
    clock = FixedClock()
    return Setup(
        config=section,
        env={},
        desk=FakeDesk(),
        door=FakeDoor(clock=clock),
        references=FakeReferences(),
        clock=clock,
        public_url="http://127.0.0.1:8080",
    )


def test_a_wrong_section_is_told_by_its_key() -> None:
    """Unknown keys and wrong values are refused with the key; `enabled: false` is no inbox."""
    with pytest.raises(ConfigFault, match=r"web\.colour.*Keys of web: enabled, title, page_size"):
        create(setup({"colour": "red"}))
    with pytest.raises(ConfigFault, match=r"web\.page_size"):
        create(setup({"page_size": 0}))
    assert create(setup({"enabled": False})) is None


def test_it_is_a_surface_of_its_name() -> None:
    """What the outbox needs to know of it."""
    adapter = create(setup({}))
    assert adapter is not None
    assert (adapter.name, adapter.abilities.live, adapter.abilities.finds) == ("web", True, True)
    assert links.VIEWS.keys() == render.EMPTY.keys()
