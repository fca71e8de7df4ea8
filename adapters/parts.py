"""The parts of a card: its long ones in two, proposal and history, and the controls that outlive a decision. Pure."""

from __future__ import annotations

from reviews.card import Block, Card, Table, Timeline, Voice
from reviews.model import Verb

#: What may still be done once a review is over: nothing of it decides.
AFTERWARDS = frozenset({Verb.COMMENT, Verb.REVEAL, Verb.UNDO, Verb.REVOKE, Verb.APPEAL, Verb.STOP, Verb.RESUME})


def ahead(card: Card) -> tuple[Block, ...]:
    """What is proposed, at length."""
    return tuple(block for block in card.thread if not _past(block))


def behind(card: Card) -> tuple[Block, ...]:
    """What happened: changes asked for, comments, earlier reviews of the same subject, the timeline."""
    return tuple(block for block in card.thread if _past(block))


def _past(block: Block) -> bool:
    earlier = isinstance(block, Table) and "Earlier" in block.title
    people = isinstance(block, Table) and block.voice is Voice.PERSON
    return isinstance(block, Timeline) or earlier or people
