"""A card as a short message or a letter: plain text, redacted as the card is, no longer than people read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.text import cut, line
from reviews.card import Callout, Card, Diff, Fact, Facts, Happening, Lines, Table, Text, Voice

#: A short message is at most so long: two parts of one SMS in most alphabets.
SHORT = 300
#: A subject, a fact's value, and a letter are cut here.
SUBJECT, VALUE, LETTER = 150, 600, 20_000
#: What the house calls two of a card's facts.
RISK, UNTIL = "Risk", "Until"
BY_LINK = (
    "The link opens this one review for you, once, within an hour; later it offers you a new one. "
    "By it you may read, take, escalate, comment and reject. To approve, sign in or use your chat."
)
#: One of these in an SMS, and all of it takes twice the room (3GPP TS 23.038: the default alphabet, else UCS-2).
_CHEAP = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "…": "...", "·": "-", "–": "-", "—": "-", "•": "-"}
)
#: What phones and mail programs would make a link of, for the only link is ours: what begins an address, ...
_LINKS = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{0,30}://|\b(?:mailto|sms|smsto|tel):(?=\S)|\bwww\.(?=\w)")
#: ... and a host without that. Where no path follows it, it ends as hosts do: `refund.issue` is none.
_DOTS = "[.\u3002\uff0e\uff61]"
_HOSTS = re.compile(rf"(?<![\w-])(?:[\w-]+{_DOTS})+([\w-]+)(?=([/:?#]\S)?)")
_ENDS = frozenset(
    ("com", "net", "org", "info", "biz", "app", "dev", "xyz", "top", "site", "online", "shop", "live", "link", "club")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes out: a subject on one line, empty in short messages, and the text."""

    subject: str
    text: str


def inert(text: str) -> str:
    """Somebody's words on one line, in which no address begins."""
    words = _HOSTS.sub(_apart, line(text))
    return _LINKS.sub(lambda found: found[0].replace(":", ": ").replace(".", ". "), words)


def _apart(found: re.Match[str]) -> str:
    """A host with its labels apart, where it is one."""
    end, labels = found[1].casefold(), re.split(_DOTS, found[0])
    named = (len(end) == 2 and end.isalpha()) or end in _ENDS or end.startswith("xn--")
    within = found[2] or found.string[: found.start()].endswith("@")
    host = named or (within and (len(end) > 1 or len(labels) == 4))
    return re.sub(f"({_DOTS})", r"\1 ", found[0]) if host else found[0]


def message(card: Card, link: str, *, letter: bool) -> Message:
    """What calls a person to a card; `link` leads there."""
    if letter:
        return Message(subject=cut(_head(card), SUBJECT), text=cut(_letter(card, link), LETTER))
    return _only(_short(_head(card), [*_urgent(card), *_said(card)], link))


def news(title: str, lines: Sequence[Happening], link: str, *, letter: bool) -> Message:
    """What people hear of a review they were called to, when it is over."""
    said = [inert(happening.text).rstrip(".") for happening in lines]
    if letter:
        text = "\n".join([f"{title}", "", *(f"{text}." for text in said), "", f"It can be read at {link}"])
        return Message(subject=cut(f"{said[-1]}: {title}" if said else title, SUBJECT), text=cut(text, LETTER))
    return _only(_short(title, said, ""))


def title_of(card: Card) -> str:
    """What a message calls a card by."""
    return inert(card.title)


def whisper(text: str, *, letter: bool) -> Message:
    """What is said to one person alone."""
    said = inert(text)
    return Message(subject=cut(said, SUBJECT), text=cut(said, LETTER)) if letter else _only(_brief(said, SHORT))


def _head(card: Card) -> str:
    return f"{inert(card.status)}: {title_of(card)}" if card.status else title_of(card)


def _short(what: str, facts: Sequence[str], link: str) -> str:
    """What, then the facts, then the link: of all these only the words are cut."""
    end = f" {link}" if link else ""
    tail = _brief("".join(f" {fact}." for fact in facts), (SHORT - len(end)) // 2)
    return f"{_brief(what, SHORT - len(tail) - len(end) - 1)}.{tail}{end}"


def _brief(text: str, most: int) -> str:
    """At most so many characters, the dear ones replaced by those that look alike."""
    text = text.translate(_CHEAP)
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


def _only(text: str) -> Message:
    return Message(subject="", text=text)


def _urgent(card: Card) -> list[str]:
    """Risk, and until when."""
    facts = {fact.label: fact for fact in _facts(card) if fact.label in (RISK, UNTIL)}
    found = [f"{RISK}: {inert(facts[RISK].value)}"] if RISK in facts else []
    if (until := facts.get(UNTIL)) is not None:
        when = f"{until.at:%d %b %H:%M} UTC" if until.at is not None else inert(until.value).partition(";")[0]
        found.append(f"{UNTIL} {when}")
    return found


def _facts(card: Card) -> Iterator[Fact]:
    """The facts the house itself states."""
    for block in card.blocks:
        if isinstance(block, Facts) and block.voice is Voice.HOUSE:
            yield from block.items


def _said(card: Card) -> list[str]:
    """The words of a message that is of no review: its title is not all of it."""
    return [] if card.review else [inert(block.text).rstrip(".") for block in card.blocks if isinstance(block, Text)]


def _letter(card: Card, link: str) -> str:
    parts = [_head(card), *(part for block in card.blocks if (part := "\n".join(_lines(block)))), link]
    if card.review and link != card.link:
        parts += [BY_LINK, f"Signed in already: {card.link}"]
    return "\n\n".join(part for part in parts if part)


def _lines(block: object) -> Iterator[str]:
    """A block's lines; whoever wrote them, none is longer than it may be, and none can begin another."""
    match block:
        case Facts():
            yield from _titled(block.title)
            yield from (f"  {inert(fact.label)}: {_value(fact.value)}" for fact in block.items)
        case Callout():
            yield f"{inert(block.title)}: {_value(block.text)}" if block.title else _value(block.text)
        case Text():
            yield f"  {_value(block.text)}" if block.voice is not Voice.HOUSE else _value(block.text)
        case Diff():
            yield from _titled(block.title)
            yield from (f"  {inert(d.pointer)}: {_value(d.before)} -> {_value(d.after)}" for d in block.items)
        case Table():
            yield from _titled(block.title)
            yield from (f"  {' | '.join(map(_value, row))}" for row in block.rows)
        case Lines():
            yield from (f"  {_value(item.text)}" for item in block.items)
        case _:
            return


def _titled(title: str) -> Iterator[str]:
    if title:
        yield f"{inert(title)}:"


def _value(text: str | None) -> str:
    return cut(inert(text), VALUE) if text is not None else "(nothing)"
