"""A card's long parts in two: what speaks of the proposal, and what has happened to it. Pure."""

from __future__ import annotations

from reviews.card import Block, Card, Table, Timeline, Voice


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
