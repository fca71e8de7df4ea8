"""What every Surface must do, whoever draws it. A surface's tests subclass `SurfaceContract` and give it a `rig`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from reviews.card import Happening
from reviews.model import Identity, Target
from reviews.ports import MessageRef, Surface
from tests.fakes import cards

#: Words of the house or of a person that must be readable in the sample cards.
_SEEN = "Refund 180.00 USD for order A-4721"
_AFTER = "Refund 42.00 EUR for order B-118"


class Rig(Protocol):
    """A surface under test with its counterpart: where to post, and how to look at what people see."""

    @property
    def adapter(self) -> Surface:
        """The surface."""
        ...

    @property
    def target(self) -> Target:
        """Where to post."""
        ...

    @property
    def ana(self) -> Identity:
        """One person."""
        ...

    @property
    def bo(self) -> Identity:
        """Another."""
        ...

    async def read_back(self, ref: MessageRef) -> str:
        """The words a person reads in the posted copy now."""
        ...

    async def markup(self, ref: MessageRef) -> list[str]:
        """Everything in the copy that the surface would take for markup, mention, link or control of the card's text;
        empty when all text is inert. Our own controls and links do not count."""
        ...

    async def whispers(self, identity: Identity) -> list[str]:
        """What this person alone was told, newest first."""
        ...

    async def beneath(self, ref: MessageRef) -> list[str]:
        """What was said beneath the copy, newest first; empty where nothing can be."""
        ...


class SurfaceContract:
    """Inherit, and give a fixture `rig`."""

    async def test_a_posted_card_can_be_read_where_it_was_posted(self, rig: Rig) -> None:
        """`post` answers with where the copy lies."""
        ref = await rig.adapter.post(cards.refund(), rig.target, "copy-post")
        assert ref.surface == rig.adapter.name
        assert _SEEN in await rig.read_back(ref)

    async def test_an_updated_copy_shows_the_new_card_and_not_the_old(self, rig: Rig) -> None:
        """`update` replaces what stood there."""
        ref = await rig.adapter.post(cards.refund(), rig.target, "copy-update")
        await rig.adapter.update(ref, cards.decided())
        words = await rig.read_back(ref)
        assert _AFTER in words
        assert _SEEN not in words

    async def test_an_update_made_twice_is_made_once(self, rig: Rig) -> None:
        """The outbox may redraw what is drawn already."""
        ref = await rig.adapter.post(cards.refund(), rig.target, "copy-twice")
        await rig.adapter.update(ref, cards.decided())
        await rig.adapter.update(ref, cards.decided())
        assert (await rig.read_back(ref)).count(_AFTER) == 1

    async def test_a_copy_is_found_by_its_id(self, rig: Rig) -> None:
        """`find` answers with a ref that can be updated."""
        if not rig.adapter.abilities.finds:
            return
        since = datetime.now(UTC) - timedelta(minutes=1)
        posted = await rig.adapter.post(cards.refund(), rig.target, "copy-find")
        await rig.adapter.post(cards.held(), rig.target, "copy-find-other")
        found = await rig.adapter.find("copy-find", rig.target, since)
        assert found is not None
        await rig.adapter.update(found, cards.decided())
        assert _AFTER in await rig.read_back(posted)

    async def test_a_copy_never_posted_is_not_found(self, rig: Rig) -> None:
        """None means: surely not there."""
        if not rig.adapter.abilities.finds:
            return
        await rig.adapter.post(cards.refund(), rig.target, "copy-there")
        assert await rig.adapter.find("copy-never", rig.target, datetime.now(UTC) - timedelta(minutes=1)) is None

    async def test_a_whisper_reaches_one_person_only(self, rig: Rig) -> None:
        """What is said to Ana is not said to Bo."""
        await rig.adapter.whisper(rig.ana, "Only for Ana & <nobody> else")
        assert "Only for Ana & <nobody> else" in (await rig.whispers(rig.ana))[0]
        assert not any("Only for Ana" in text for text in await rig.whispers(rig.bo))

    async def test_news_is_said_beneath_the_copy_and_not_in_it(self, rig: Rig) -> None:
        """`note` adds to what stands there; a live surface, which always shows what stands, says nothing."""
        ref = await rig.adapter.post(cards.refund(), rig.target, "copy-note")
        before = await rig.read_back(ref)
        await rig.adapter.note(ref, (Happening(at=cards.NOW, text="Bo & <nobody> was called"),))
        said = "".join((await rig.beneath(ref))[:1])
        assert ("Bo & <nobody> was called" in said) is not rig.adapter.abilities.live
        assert await rig.read_back(ref) == before

    async def test_no_two_copies_have_one_mark(self, rig: Rig) -> None:
        """A reply names one card; empty where replies name nothing."""
        refs = [await rig.adapter.post(cards.held(), rig.target, f"copy-mark-{n}") for n in range(2)]
        marks = [ref.mark for ref in refs if ref.mark]
        assert len(marks) == len(set(marks))

    async def test_a_surface_knows_whose_workspace_it_is(self, rig: Rig) -> None:
        """None where it has none; else it is learned, and never another's."""
        assert (await rig.adapter.health()).ok
        assert rig.adapter.tenant is None or rig.adapter.tenant == rig.ana.tenant

    async def test_the_largest_card_is_taken(self, rig: Rig) -> None:
        """What does not fit is cut, not refused."""
        ref = await rig.adapter.post(cards.largest(), rig.target, "copy-largest")
        await rig.adapter.update(ref, cards.largest())
        assert "Rewrite every customer record" in await rig.read_back(ref)

    async def test_hostile_text_is_inert(self, rig: Rig) -> None:
        """No text of an agent becomes markup, a mention, a link or a control."""
        ref = await rig.adapter.post(cards.hostile(), rig.target, "copy-hostile")
        assert await rig.markup(ref) == []

    @pytest.mark.parametrize("name", sorted(cards.ALL))
    async def test_every_sample_can_be_posted(self, rig: Rig, name: str) -> None:
        """No state of a review is one that cannot be drawn."""
        card = cards.ALL[name]
        ref = await rig.adapter.post(card, rig.target, f"copy-sample-{name}")
        assert card.status in await rig.read_back(ref)

    async def test_a_surface_that_works_says_so(self, rig: Rig) -> None:
        """`health` is asked before rungs are sent to a surface."""
        assert (await rig.adapter.health()).ok
