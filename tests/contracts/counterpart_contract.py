"""What an adapter must do besides: where somebody else keeps its copies, people type and reply, and cards lead on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from reviews.card import Go
from reviews.errors import SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable
from reviews.events import Answer, Reply
from reviews.model import Verb
from reviews.ports import MessageRef
from reviews.values import replace
from tests.contracts.adapter_contract import AFTER, SEEN, after, posted, redrawn
from tests.contracts.harness import ReplyingHarness, TypingHarness, VendorHarness, WalkingHarness
from tests.fakes import cards
from tests.fakes.desk import queue_card


async def patiently(rig: VendorHarness, post: Callable[[], Awaitable[MessageRef]]) -> MessageRef:
    """As the outbox posts: in its pace, and later where it is told to."""
    while True:
        await rig.pass_time(1 / rig.adapter.abilities.per_second)
        try:
            return await post()
        except SurfaceUnavailable as fault:
            if not fault.retry_after:
                raise
            await rig.pass_time(fault.retry_after)


class VendorContract:
    """Somebody else keeps the copies: calls fail, and answers get lost."""

    async def test_a_post_whose_answer_was_lost_is_ambiguous(self, rig: VendorHarness) -> None:
        """It may stand there: it is found, where one can look; else it is posted once more."""
        rig.lose_next_post()
        with pytest.raises(SurfaceAmbiguous):
            await posted(rig, copy="copy-lost")
        assert len(await rig.posts()) == 1
        if rig.adapter.abilities.finds:
            since = datetime.now(UTC) - timedelta(minutes=1)
            ref = await rig.adapter.find("copy-lost", rig.target, since)
        else:
            ref = await posted(rig, copy="copy-lost")
        assert ref is not None
        await redrawn(rig, ref, after())
        assert AFTER in await rig.read_back(ref)

    async def test_a_post_that_is_refused_says_why(self, rig: VendorHarness) -> None:
        """It is not tried again, so the sentence must help."""
        rig.refuse_next_post()
        with pytest.raises(SurfaceRefused) as refused:
            await posted(rig)
        assert len(str(refused.value).split()) > 3
        assert await rig.posts() == []

    async def test_patience_asked_for_is_passed_on(self, rig: VendorHarness) -> None:
        """The outbox waits as long as the vendor said."""
        rig.slow_next_post(3)
        with pytest.raises(SurfaceUnavailable) as slow:
            await posted(rig)
        assert 3 <= (slow.value.retry_after or 0) < 6
        await rig.pass_time(slow.value.retry_after or 0)
        assert SEEN in await rig.read_back(await posted(rig))

    async def test_a_flood_comes_to_stand_at_the_vendors_pace(self, rig: VendorHarness) -> None:
        """Thirty cards at once: each stands once."""
        for n in range(30):
            card = replace(cards.held(), review=f"rev_flood{n}", title=f"Flood {n}.")
            await patiently(rig, partial(rig.adapter.post, card, rig.target, f"copy-{n}"))
        words = await rig.posts()
        assert [sum(f"Flood {n}." in text for text in words) for n in range(30)] == [1] * 30


class TypingContract:
    """People type commands."""

    @pytest.mark.parametrize("text", ["list", "mine", "oncall", "away 2h", "help", "explain rev_refund4721"])
    async def test_a_command_is_answered_to_who_typed_it(self, rig: TypingHarness, text: str) -> None:
        """The desk hears it as it was typed, from whom and on which surface."""
        assert "Waiting" in await rig.typed(text, rig.ana)
        person = rig.desk.people[rig.ana.id].id
        assert rig.desk.typed == [(person, text, rig.adapter.name)]

    async def test_a_card_that_is_asked_for_has_its_controls(self, rig: TypingHarness) -> None:
        """`show` is the card itself."""
        words = await rig.typed("show rev_refund4721", rig.ana)
        assert SEEN in words
        assert "Approve" in words

    async def test_a_stranger_is_told_and_asks_nothing(self, rig: TypingHarness) -> None:
        """The sentence is the desk's."""
        del rig.desk.people[rig.bo.id]
        assert "Nobody here has this identity." in await rig.typed("list", rig.bo)
        assert rig.desk.typed == []


class ReplyingContract:
    """What is written beneath a card is a comment."""

    async def test_a_reply_is_a_comment_on_that_card(self, rig: ReplyingHarness) -> None:
        """The reply names the copy it stands beneath."""
        ref = await posted(rig)
        rig.desk.marks[ref.mark] = cards.refund().review
        await rig.reply(ref, "Is it insured & paid?", rig.ana)
        (done,) = rig.desk.done
        assert (done.verb, done.identity, done.reason) == (Verb.COMMENT, rig.ana, "Is it insured & paid?")
        assert (done.mark, done.review) == (ref.mark, cards.refund().review)

    async def test_a_reply_that_is_not_taken_is_told(self, rig: ReplyingHarness) -> None:
        """To who wrote it alone."""
        rig.desk.replies[Verb.COMMENT] = lambda _: Reply(answer=Answer.FORBIDDEN, text="Only reviewers may comment.")
        ref = await posted(rig)
        rig.desk.marks[ref.mark] = cards.refund().review
        assert "Only reviewers may comment." in await rig.reply(ref, "Hello?", rig.bo)


class WalkingContract:
    """Cards lead on to what decides nothing, to a selection, and to the form to ask with."""

    async def test_what_lies_behind_a_card_is_shown_to_who_asked_alone(self, rig: WalkingHarness) -> None:
        """The history, and nothing of it where others look."""
        ref = await posted(rig)
        before = [await rig.read_back(ref), *await rig.beneath(ref), *await rig.whispers(rig.ana)]
        assert "Ana Ruiz was called by on-call" in await rig.go(ref, Go.HISTORY, rig.bo)
        assert [await rig.read_back(ref), *await rig.beneath(ref), *await rig.whispers(rig.ana)] == before
        assert rig.desk.done == []

    async def test_a_queue_leads_to_its_cards_and_to_itself(self, rig: WalkingHarness) -> None:
        """To the card of a line, with its controls, and to the queue as it stands for who pressed."""
        ref = await rig.adapter.post(queue_card(rig.desk.items), rig.target, "copy-queue")
        opened = await rig.go(ref, Go.OPEN, rig.ana)
        assert "Stop instance web-7 in production" in opened
        assert "Approve" in opened
        assert "Waiting" in await rig.go(ref, Go.QUEUE, rig.ana)

    async def test_a_stranger_is_shown_nothing(self, rig: WalkingHarness) -> None:
        """But the desk's sentence."""
        ref = await posted(rig)
        del rig.desk.people[rig.bo.id]
        assert "Nobody here has this identity." in await rig.go(ref, Go.HISTORY, rig.bo)
        assert rig.desk.reads == []

    async def test_those_chosen_are_approved_each_on_its_own(self, rig: WalkingHarness) -> None:
        """As they were shown, as one selection; what came of each is said."""
        ref = await rig.adapter.post(queue_card(rig.desk.items), rig.target, "copy-queue")
        first, second, _ = cards.small_refunds()
        rig.desk.hidden[second.review] = {rig.desk.people[rig.ana.id].id}
        said = await rig.choose(ref, [first.review, second.review], rig.ana)
        (done,) = rig.desk.done
        assert (done.verb, done.review, done.bulk, done.identity) == (
            Verb.APPROVE,
            first.review,
            "refund.issue",
            rig.ana,
        )
        assert (done.revision, done.shown) == (first.revision, first.digest)
        assert "is kept" in said
        assert "Not yours to see." in said

    async def test_a_message_becomes_a_review(self, rig: WalkingHarness) -> None:
        """Asked by who pointed at it, in the words it holds, from where it stands."""
        seen = await rig.ask("May we pay & go?", rig.ana, {"summary": "Pay the invoice", "role": "manager"})
        assert "A review is open." in seen.text
        (asked,) = rig.desk.asked
        assert (asked.person, asked.text) == (rig.desk.people[rig.ana.id], "May we pay & go?")
        assert (asked.summary, asked.role) == ("Pay the invoice", "manager")
        assert asked.once

    async def test_asking_without_a_question_says_so(self, rig: WalkingHarness) -> None:
        """At the field; nothing is opened."""
        assert (await rig.ask("May we?", rig.ana, {"summary": ""})).errors.keys() == {"summary"}
        assert rig.desk.asked == []

    async def test_a_home_shows_what_waits_for_its_person(self, rig: WalkingHarness) -> None:
        """And is drawn for them."""
        words = await rig.home(rig.ana)
        assert "Stop instance web-7 in production" in words
        assert set(rig.desk.homes) == {rig.desk.people[rig.ana.id].id}
