"""What every adapter must do, whoever draws it.

A surface's test class inherits `AdapterContract` (`SurfaceContract`, where it only sends) and the parts below that its
abilities ask for, those of `counterpart_contract.py` that fit, and gives a fixture `rig`: its harness. No test knows a
surface by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from reviews.card import Actions, Card, Control, Form, Happening, Input, Kind, Text, Tone, plain_card
from reviews.errors import SurfaceBlind
from reviews.events import Answer, Interaction, Reply
from reviews.filled import DECIDES
from reviews.model import Verb
from reviews.ports import MessageRef
from reviews.values import replace
from tests.contracts.harness import Harness, Seen, SentHarness
from tests.fakes import cards
from tests.fakes.desk import FakeDesk, queue_card

#: Words of the sample card, of what came after it, and what it hides.
SEEN, AFTER, _HIDDEN = "Refund 180.00 USD for order A-4721", "Refund 42.00 EUR for order B-118", "ES91 2100 0418 4502"


def after() -> Card:
    """What the sample comes to: decided, with other words."""
    return replace(cards.decided(), review=cards.refund().review, version=9)


async def posted(rig: SentHarness, card: Card | None = None, copy: str = "copy-1") -> MessageRef:
    """A card that stands at the desk, posted."""
    card = card or cards.refund()
    rig.desk.put(card)
    return await rig.adapter.post(card, rig.target, copy)


async def redrawn(rig: Harness, ref: MessageRef, card: Card) -> None:
    """A copy drawn again, the card standing at the desk."""
    rig.desk.put(card)
    await rig.adapter.update(ref, card)


# ---------------------------------------------------------------------------------------------- the samples


def _words(name: str, label: str, *, required: bool = True) -> Form:
    field = Input(name=name, label=label, kind=Kind.MULTILINE, required=required)
    return Form(fields=(field,), submit="Send")


_STOP = Form(
    fields=(
        Input(name="reason", label="Why?", required=True),
        Input(name="notes", label="Instruction for its next plan", kind=Kind.MULTILINE),
    ),
    submit="Stop it",
)
_TO = Input(name="to", label="Whom?", kind=Kind.CHOICE, choices=("bo", "cleo"), labels=("Bo", "Cleo"), required=True)
#: The form each control has, and what is typed into it. What is typed must arrive under the same name.
_FORMS: dict[Verb, tuple[Form, dict[str, str]]] = {
    Verb.EDIT: (cards.edit_form(), {"/amount": "170.5"}),
    Verb.REJECT: (cards.reject_form("already refunded", "not insured"), {"reason": "not insured"}),
    Verb.REQUEST_CHANGES: (cards.changes_form(), {"reason": "Say which parcel", "about": "/evidence/0"}),
    Verb.ANSWER: (_words("notes", "What did you do?"), {"notes": "Paid by hand"}),
    Verb.COMMENT: (_words("reason", "Comment"), {"reason": "Is it insured?"}),
    Verb.HAND: (Form(fields=(_TO,), submit="Hand over"), {"to": "bo"}),
    Verb.REVEAL: (_words("reason", "Why?"), {"reason": "The customer called"}),
    Verb.REVOKE: (_words("reason", "Why?"), {"reason": "Paid twice"}),
    Verb.BREAK_GLASS: (_words("reason", "Why?"), {"reason": "Production is down"}),
    Verb.STOP: (_STOP, {"reason": "It repeats itself", "notes": "Ask for each order once"}),
    Verb.APPEAL: (_words("reason", "Why is the rejection wrong?"), {"reason": "The order was returned"}),
}
_CONFIRMED = frozenset({Verb.ESCALATE, Verb.UNDO, Verb.RESUME})


def _with(verb: Verb, form: Form | None = None) -> Card:
    """The sample with one control, and its form."""
    form = form or _FORMS.get(verb, (None, {}))[0]
    control = Control(verb=verb, label=f"Do {verb}", form=form, confirm="Sure?" if verb in _CONFIRMED else "")
    kept = tuple(block for block in cards.refund().blocks if not isinstance(block, Actions))
    return replace(cards.refund(), blocks=(*kept, Actions(controls=(control,))))


def _first_wins(desk: FakeDesk) -> Callable[[Interaction], Reply]:
    """A desk that takes one yes, and tells who comes later who was first."""
    took: list[str] = []

    def take(pressed: Interaction) -> Reply:
        took.append(desk.people[pressed.identity.id].name)
        if len(took) > 1:
            return Reply(answer=Answer.GONE, text=f"{took[0]} approved it before you.")
        desk.put(after())
        return Reply(answer=Answer.DONE, text=f"Approved by {took[0]}.")

    return take


def _everything(seen: Seen) -> str:
    return " ".join((seen.text, *seen.errors.values()))


# ---------------------------------------------------------------------------------------------- the contract


class SurfaceContract:
    """What all of them are held to, also those that only send. Inherit, and give a fixture `rig`."""

    async def test_no_part_of_the_contract_is_left_out(self, rig: SentHarness) -> None:
        """What a surface says it can do is what it is held to."""
        able = rig.adapter.abilities
        asked = {
            AdapterContract: able.redrawn,
            ToldContract: not able.redrawn,
            FindsContract: able.finds,
            BlindContract: not able.finds,
            NewsContract: able.threads and not able.live,
            PostedContract: able.redrawn and not able.live,
            LiveContract: able.live,
        }
        assert {part: isinstance(self, part) for part in asked} == asked
        assert (able.max_bytes > 0, able.per_second > 0) == (True, True)

    # ------------------------------------------------------------------------------------------ cards

    async def test_a_posted_card_can_be_read_where_it_was_posted(self, rig: SentHarness) -> None:
        """`post` answers with where the copy lies."""
        ref = await posted(rig)
        assert ref.surface == rig.adapter.name
        assert SEEN in await rig.read_back(ref)

    async def test_a_card_for_one_person_reaches_them(self, rig: SentHarness) -> None:
        """Where a person is called, not a role."""
        rig.desk.put(cards.refund())
        ref = await rig.adapter.post(cards.refund(), rig.direct, "copy-direct")
        assert SEEN in await rig.read_back(ref)

    @pytest.mark.parametrize("name", sorted(cards.ALL))
    async def test_every_sample_can_be_posted(self, rig: SentHarness, name: str) -> None:
        """No state of a review is one that cannot be drawn, nor too heavy for the surface."""
        card = cards.ALL[name]
        ref = await posted(rig, card, f"copy-{name}")
        assert card.status in await rig.read_back(ref)
        assert await rig.weight(ref) <= rig.adapter.abilities.max_bytes

    async def test_a_notice_of_the_house_is_posted(self, rig: SentHarness) -> None:
        """A message of no review: its title and its words, on a live surface in the pages that are open."""
        notice = plain_card("A gap in it-ops", [Text(text="Nobody is on call from 09:00.")], tone=Tone.ATTENTION)
        ref = await rig.adapter.post(notice, rig.target, "copy-notice")
        if not rig.adapter.abilities.live:
            words = await rig.read_back(ref)
            assert "A gap in it-ops" in words
            assert "Nobody is on call from 09:00." in words

    async def test_hostile_text_is_inert(self, rig: SentHarness) -> None:
        """No text of an agent becomes markup, a mention, a link or a control."""
        ref = await posted(rig, cards.hostile())
        assert await rig.markup(ref) == []

    async def test_no_two_copies_have_one_mark(self, rig: SentHarness) -> None:
        """A reply names one card; empty where replies name nothing."""
        refs = [await posted(rig, cards.held(), f"copy-mark-{n}") for n in range(2)]
        marks = [ref.mark for ref in refs if ref.mark]
        assert len(marks) == len(set(marks))

    async def test_a_whisper_reaches_one_person_only(self, rig: SentHarness) -> None:
        """What is said to Ana is not said to Bo."""
        await rig.adapter.whisper(rig.ana, "Only for Ana & <nobody> else")
        assert "Only for Ana & <nobody> else" in (await rig.whispers(rig.ana))[0]
        assert not any("Only for Ana" in text for text in await rig.whispers(rig.bo))

    async def test_a_surface_that_works_says_so_and_knows_whose_it_is(self, rig: SentHarness) -> None:
        """`health` is asked before rungs are sent to a surface; its workspace is its people's, or it has none."""
        assert (await rig.adapter.health()).ok
        assert rig.adapter.tenant is None or rig.adapter.tenant == rig.ana.tenant


class AdapterContract(SurfaceContract):
    """What those are held to whose copies are drawn again and pressed: all but the ways to people by message alone."""

    # ------------------------------------------------------------------------------------------ drawn again

    async def test_an_updated_copy_shows_the_new_card_and_not_the_old(self, rig: Harness) -> None:
        """`update` replaces what stood there."""
        ref = await posted(rig)
        await redrawn(rig, ref, after())
        words = await rig.read_back(ref)
        assert AFTER in words
        assert SEEN not in words

    async def test_an_update_made_twice_is_made_once(self, rig: Harness) -> None:
        """The outbox may redraw what is drawn already."""
        ref = await posted(rig)
        await redrawn(rig, ref, after())
        once = await rig.read_back(ref)
        await redrawn(rig, ref, after())
        assert await rig.read_back(ref) == once

    async def test_what_is_decided_cannot_be_decided(self, rig: Harness) -> None:
        """Every copy loses the controls that decide."""
        ref = await posted(rig)
        assert Verb.APPROVE in await rig.controls(ref)
        await redrawn(rig, ref, after())
        assert await rig.controls(ref) & DECIDES == set()

    async def test_the_largest_card_is_taken(self, rig: Harness) -> None:
        """What does not fit is cut, not refused; it can still be drawn again and decided."""
        ref = await posted(rig, cards.largest())
        await redrawn(rig, ref, cards.largest())
        assert "Rewrite every customer record" in await rig.read_back(ref)
        reason = "a rather long reason number 3 that was written in the policy"
        await rig.press(ref, Verb.REJECT, rig.ana, {"reason": reason})
        assert [(done.verb, done.reason) for done in rig.desk.done] == [(Verb.REJECT, reason)]

    # ------------------------------------------------------------------------------------------ presses

    async def test_a_card_for_one_person_is_theirs_to_press(self, rig: Harness) -> None:
        """Where a person is called, not a role."""
        rig.desk.put(cards.refund())
        ref = await rig.adapter.post(cards.refund(), rig.direct, "copy-direct")
        await rig.press(ref, Verb.TAKE, rig.ana)
        assert [(done.verb, done.identity) for done in rig.desk.done] == [(Verb.TAKE, rig.ana)]

    @pytest.mark.parametrize("verb", list(Verb))
    async def test_every_control_reaches_the_desk(self, rig: Harness, verb: Verb) -> None:
        """Who pressed, what, what they typed, and what was shown to them: review, revision and digest."""
        card = _with(verb)
        ref = await posted(rig, card, "copy-7")
        values = _FORMS.get(verb, (None, {}))[1]
        await rig.press(ref, verb, rig.ana, values)
        (done,) = rig.desk.done
        assert (done.verb, done.identity) == (verb, rig.ana)
        assert (done.review, done.revision, done.shown) == (card.review, card.revision, card.digest)
        words = {name: text for name, text in values.items() if not name.startswith("/")}
        assert {name: getattr(done, name) for name in words} == words

    async def test_an_edit_arrives_in_its_types(self, rig: Harness) -> None:
        """Numbers are numbers, what was not touched is as it was, what is hidden and left blank is not sent."""
        ref = await posted(rig, _with(Verb.EDIT))
        await rig.press(ref, Verb.EDIT, rig.ana, {"/amount": "170.5", "/parcels": "2", "/notify_customer": "false"})
        assert rig.desk.done[0].arguments == {
            "order": "A-4721",
            "amount": 170.5,
            "currency": "USD",
            "parcels": 2,
            "notify_customer": False,
            "pay_on": "2026-11-26",
            "message": "Sorry your parcel was lost.",
            "lines": [{"sku": "LAMP-2", "qty": 1}],
        }

    async def test_steps_of_a_plan_are_ticked(self, rig: Harness) -> None:
        """Each is ticked beforehand; what is left alone stays, and no step at all is a fault."""
        ref = await posted(rig, _with(Verb.EDIT, cards.plan_form()))
        none = {f"/steps/{n}": "false" for n in range(3)}
        seen = await rig.press(ref, Verb.EDIT, rig.ana, none)
        assert "Tick at least one step, or reject the plan." in _everything(seen)
        assert rig.desk.done == []
        await rig.press(ref, Verb.EDIT, rig.ana, none | {"/steps/0": "true", "/steps/1": "true"})
        assert rig.desk.done[0].arguments == {"steps": {"0": True, "1": True, "2": False}}

    async def test_what_is_needed_and_missing_is_said_at_its_field(self, rig: Harness) -> None:
        """Nothing reaches the desk."""
        ref = await posted(rig)
        seen = await rig.press(ref, Verb.REQUEST_CHANGES, rig.ana, {"reason": ""})
        assert seen.errors.keys() == {"reason"}
        assert rig.desk.done == []

    async def test_the_desks_faults_are_said(self, rig: Harness) -> None:
        """A schema's complaint is read by who typed."""
        errors = {"/amount": "At most 500 can be paid."}
        rig.desk.replies[Verb.EDIT] = lambda _: Reply(answer=Answer.REFUSED, text="It does not fit.", errors=errors)
        ref = await posted(rig)
        seen = await rig.press(ref, Verb.EDIT, rig.ana, {"/amount": "900"})
        assert "At most 500 can be paid." in _everything(seen)

    async def test_a_refusal_is_told_to_who_pressed_alone(self, rig: Harness) -> None:
        """Neither the copy nor its thread nor anybody else hears of it."""
        why = "Refunds above 100 need a lead & more."
        rig.desk.replies[Verb.APPROVE] = lambda _: Reply(answer=Answer.FORBIDDEN, text=why)
        ref = await posted(rig)
        assert why in (await rig.press(ref, Verb.APPROVE, rig.bo)).text
        others = [await rig.read_back(ref), *await rig.beneath(ref), *await rig.whispers(rig.ana)]
        assert not any("need a lead" in text for text in others)

    async def test_a_stranger_is_refused_with_a_sentence(self, rig: Harness) -> None:
        """Who is nobody here changes nothing."""
        ref = await posted(rig)
        del rig.desk.people[rig.bo.id]
        assert (await rig.press(ref, Verb.APPROVE, rig.bo)).text
        assert rig.desk.cards[cards.refund().review] == cards.refund()

    async def test_who_comes_second_is_told_who_was_first(self, rig: Harness) -> None:
        """Both looked at the same card; one approved it."""
        rig.desk.replies[Verb.APPROVE] = _first_wins(rig.desk)
        ref = await posted(rig)
        await rig.look(ref, rig.ana)
        await rig.look(ref, rig.bo)
        await rig.press(ref, Verb.APPROVE, rig.ana)
        assert "Ana Ruiz approved it before you." in (await rig.press(ref, Verb.APPROVE, rig.bo)).text

    async def test_an_old_card_decides_nothing(self, rig: Harness) -> None:
        """A press stands for what was seen, not for what stands now."""
        ref = await posted(rig)
        await rig.look(ref, rig.ana)
        newer = replace(cards.refund(), revision=2, version=7)
        rig.desk.put(newer)
        assert "revision 2 stands now" in (await rig.press(ref, Verb.APPROVE, rig.ana)).text
        assert [done.revision for done in rig.desk.done] == [1]
        assert rig.desk.cards[newer.review] == newer

    @pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.COMMENT])
    async def test_a_press_that_comes_twice_is_done_once(self, rig: Harness, verb: Verb) -> None:
        """Vendors send again what was not answered in time, networks too."""
        ref = await posted(rig)
        values = _FORMS.get(verb, (None, {}))[1]
        await rig.press(ref, verb, rig.ana, values)
        once = rig.desk.cards[cards.refund().review]
        await rig.press(ref, verb, rig.ana, values, again=True)
        assert rig.desk.cards[once.review] == once
        assert once.version == cards.refund().version + 1

    async def test_what_is_redacted_is_shown_to_who_asked_alone(self, rig: Harness) -> None:
        """Not before they said why, and nowhere that others look."""
        ref = await posted(rig)
        assert (await rig.press(ref, Verb.REVEAL, rig.ana)).errors.keys() == {"reason"}
        assert _HIDDEN not in " ".join([await rig.read_back(ref), *await rig.whispers(rig.ana)])
        seen = await rig.press(ref, Verb.REVEAL, rig.ana, {"reason": "The customer called"})
        assert _HIDDEN in seen.text
        others = [await rig.read_back(ref), *await rig.beneath(ref), *await rig.whispers(rig.bo)]
        assert not any("ES91" in text for text in others)

    async def test_a_refused_reveal_shows_nothing(self, rig: Harness) -> None:
        """Who may not see it does not."""
        rig.desk.replies[Verb.REVEAL] = lambda _: Reply(answer=Answer.FORBIDDEN, text="Not for you.")
        ref = await posted(rig)
        seen = await rig.press(ref, Verb.REVEAL, rig.ana, {"reason": "Curious"})
        assert "Not for you." in seen.text
        assert "ES91" not in " ".join([seen.text, *await rig.whispers(rig.ana)])


# ---------------------------------------------------------------------------------------------- by ability


class FindsContract:
    """`finds`: a copy whose answer was lost can be looked for."""

    async def test_a_copy_is_found_by_its_id(self, rig: Harness) -> None:
        """`find` answers with a ref that can be updated."""
        since = datetime.now(UTC) - timedelta(minutes=1)
        first = await posted(rig, copy="copy-find")
        await posted(rig, cards.held(), "copy-find-other")
        found = await rig.adapter.find("copy-find", rig.target, since)
        assert found is not None
        await redrawn(rig, found, after())
        assert AFTER in await rig.read_back(first)

    async def test_a_copy_never_posted_is_not_found(self, rig: Harness) -> None:
        """None means: surely not there."""
        await posted(rig, copy="copy-there")
        assert await rig.adapter.find("copy-never", rig.target, datetime.now(UTC) - timedelta(minutes=1)) is None


class BlindContract:
    """Not `finds`: nothing can be looked for."""

    async def test_it_never_claims_to_have_looked(self, rig: SentHarness) -> None:
        """None would mean: surely not there."""
        await posted(rig, copy="copy-there")
        with pytest.raises(SurfaceBlind):
            await rig.adapter.find("copy-there", rig.target, datetime.now(UTC) - timedelta(minutes=1))


class ToldContract:
    """Not `redrawn`: what was sent stays as it is, and its end is sent after it."""

    async def test_the_end_is_sent_to_whom_the_card_was(self, rig: SentHarness) -> None:
        """It says of what; what was sent before is as it was, and an update changes nothing."""
        ref = await posted(rig)
        before = await rig.read_back(ref)
        await rig.adapter.update(ref, after())
        assert (await rig.read_back(ref), await rig.beneath(ref)) == (before, [])
        await rig.adapter.note(ref, (Happening(at=cards.NOW, text="Approved by Bo & <nobody>"),))
        (told,) = await rig.beneath(ref)
        assert "Approved by Bo & <nobody>" in told
        assert SEEN in told
        assert await rig.read_back(ref) == before


class NewsContract:
    """`threads`: something can be said beneath a copy."""

    async def test_news_is_said_beneath_the_copy_and_not_in_it(self, rig: Harness) -> None:
        """`note` adds to what stands there."""
        ref = await posted(rig)
        before = await rig.read_back(ref)
        await rig.adapter.note(ref, (Happening(at=cards.NOW, text="Bo & <nobody> was called"),))
        assert "Bo & <nobody> was called" in (await rig.beneath(ref))[0]
        assert await rig.read_back(ref) == before


class LiveContract:
    """`live`: what is looked at is always drawn anew."""

    async def test_a_copy_shows_what_stands_without_an_update(self, rig: Harness) -> None:
        """And `note` has nothing to say."""
        ref = await posted(rig)
        rig.desk.put(after())
        before = await rig.read_back(ref)
        await rig.adapter.note(ref, (Happening(at=cards.NOW, text="Bo was called"),))
        assert AFTER in before
        assert (await rig.read_back(ref), await rig.beneath(ref)) == (before, [])


class PostedContract:
    """Not `live`: copies stand where they were posted."""

    async def test_a_queue_is_a_card_as_well(self, rig: Harness) -> None:
        """What waits is posted as one card where too many would be."""
        ref = await rig.adapter.post(queue_card(rig.desk.items, title="6 reviews wait"), rig.target, "copy-queue")
        words = await rig.read_back(ref)
        assert "6 reviews wait" in words
        assert SEEN in words

    async def test_a_press_says_which_copy_it_was_made_on(self, rig: Harness) -> None:
        """The copy's id and where it lies, so that one posted without our knowing can be adopted and drawn again."""
        ref = await posted(rig, copy="copy-7")
        await rig.press(ref, Verb.APPROVE, rig.ana)
        (done,) = rig.desk.done
        assert (done.copy, done.mark or "") == ("copy-7", ref.mark)
        assert done.ref is not None
        await redrawn(rig, MessageRef(surface=rig.adapter.name, ref=done.ref, mark=done.mark or ""), after())
        assert AFTER in await rig.read_back(ref)
