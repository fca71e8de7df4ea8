"""What gateways send is read where it arrives; what goes wrong is said without a secret."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapters.gateway.adapter import create
from adapters.gateway.config import GatewayMisconfigured
from reviews.card import Happening, Text, plain_card
from reviews.errors import SurfaceAmbiguous, SurfaceBlind, SurfaceRefused, SurfaceUnavailable
from reviews.model import Identity, Target
from tests.adapters.gateway.conftest import MAIL, PHONE, Rig, setup
from tests.fakes import cards
from tests.fakes.desk import FakeDoor


async def test_an_sms_says_what_the_risk_until_when_and_where(sms: Rig) -> None:
    """No more than 300 characters, and a link that is this person's, for this review alone."""
    card = cards.refund()
    ref = await sms.adapter.post(card, sms.target, "copy-1")
    (sent,) = sms.sink.sent_to(PHONE)
    assert len(sent.text) <= 300
    assert 'refund.issue: "Refund 180.00 USD for order A-4721"' in sent.text
    assert sent.text.isascii()
    assert "Risk: medium" in sent.text
    assert "Until " in sent.text
    secret = sent.link.partition("link=")[2]
    assert sms.door.links[secret] == ("ana", card.review)
    assert sent.text.endswith(sent.link)
    assert secret not in str(ref)


async def test_a_letter_has_a_subject_the_facts_and_a_link(mail: Rig) -> None:
    """Plain text, to one recipient; what by the link alone may be done is said."""
    card = cards.refund()
    await mail.adapter.post(card, mail.target, "copy-1")
    (sent,) = mail.sink.sent_to(MAIL)
    assert sent.subject == f"{card.status}: {card.title}"
    for word in ("Risk: ", "Needed: ", "order: A-4721", "To approve, sign in", card.link):
        assert word in sent.text
    assert mail.door.links[sent.link.partition("link=")[2]] == ("ana", card.review)


async def test_what_is_redacted_on_the_card_is_in_no_message(sms: Rig, mail: Rig) -> None:
    """Gateways draw from the card, never from the request."""
    for rig in (sms, mail):
        await rig.adapter.post(cards.refund(), rig.target, "copy-1")
        assert not any("ES91" in sent.text + sent.subject for sent in rig.sink.messages)


@pytest.mark.parametrize("name", sorted(cards.ALL))
async def test_every_sample_fits(sms: Rig, mail: Rig, name: str) -> None:
    """No card is too long; of a short message the link is never what is cut."""
    card = cards.ALL[name]
    for rig in (sms, mail):
        await rig.adapter.post(card, rig.target, "copy-1")
        (sent,) = rig.sink.messages
        assert len(sent.text.encode()) <= rig.adapter.abilities.max_bytes
        assert card.status in sent.text
    assert len(sms.sink.messages[0].text) <= 300
    assert sms.sink.messages[0].text.endswith(card.link if card.over else sms.sink.messages[0].link)


async def test_no_text_of_an_agent_is_a_link_or_a_header(sms: Rig, mail: Rig) -> None:
    """The only address in a message is ours, and a title cannot add recipients."""
    nasty = "Pay\r\nBcc: everybody@example.com\r\n\r\nsee https://evil.example.com/enter?link=x or www.evil.example.com"
    card = replace(cards.refund(), title=nasty)
    for rig in (sms, mail):
        await rig.adapter.post(card, rig.target, "copy-1")
        (sent,) = rig.sink.messages
        assert re.findall(r"https?://[^/\s]+", sent.text) == ["https://placet.example.com"] * sent.text.count(
            "https://"
        )
        assert "www.evil" not in sent.text
    head = mail.sink.raw[0].partition(b"\r\n\r\n")[0].lower()
    assert b"bcc:" not in re.sub(rb"subject: .*(\r\n[ \t].*)*", b"", head)


async def test_who_was_called_hears_that_it_is_over(sms: Rig, mail: Rig) -> None:
    """By the way they were called, at the same address."""
    for rig in (sms, mail):
        ref = await rig.adapter.post(cards.refund(), rig.target, "copy-1")
        await rig.adapter.note(ref, (Happening(at=cards.NOW, text="Approved by Bo Lindqvist"),))
        told = rig.sink.sent_to(rig.target.address)[1]
        assert "Approved by Bo Lindqvist" in told.text
        assert "Refund 180.00 USD for order A-4721" in told.text
    assert mail.sink.messages[1].subject.startswith("Approved by Bo Lindqvist: ")


async def test_what_is_over_has_no_link_of_its_own(sms: Rig) -> None:
    """There is nothing left to be let in for."""
    await sms.adapter.post(cards.decided(), sms.target, "copy-1")
    assert sms.sink.messages[0].text.endswith(cards.decided().link)
    assert sms.door.links == {}


async def test_a_notice_is_its_words(sms: Rig, mail: Rig) -> None:
    """A message of no review: no link is made for it."""
    notice = plain_card("Nobody is on call", [Text(text="it-ops.primary, from 09:00.")])
    for rig in (sms, mail):
        await rig.adapter.post(notice, rig.target, "copy-1")
        assert rig.door.links == {}
    assert sms.sink.messages[0].text == "Nobody is on call. it-ops.primary, from 09:00."
    assert mail.sink.messages[0].subject == "Nobody is on call"
    assert "it-ops.primary, from 09:00." in mail.sink.messages[0].text


async def test_a_whisper_goes_to_one_address(sms: Rig) -> None:
    """And to nobody else."""
    await sms.adapter.whisper(Identity(surface="sms", id=PHONE), "Only for you")
    assert [(sent.to, sent.text) for sent in sms.sink.messages] == [(PHONE, "Only for you")]


async def test_a_gateway_says_what_it_can_do(sms: Rig, mail: Rig) -> None:
    """Nothing is pressed, found or drawn again, and each person has an address of their own."""
    for rig in (sms, mail):
        able = rig.adapter.abilities
        assert (able.threads, able.live, able.finds, able.redrawn) == (False,) * 4
        assert not able.shared
        assert (await rig.adapter.health()).ok
        with pytest.raises(SurfaceBlind):
            await rig.adapter.find("copy-1", rig.target, cards.NOW)


async def test_one_pager_for_all_has_no_link_of_anybodys_own(sms: Rig) -> None:
    """A URL without `{to}` is everybody's: whoever opens its link signs in as themselves."""
    given = setup({"pager": sms.sink.url.replace("{to}", "pager")})
    (pager,) = create(given)
    assert pager.abilities.shared
    await pager.post(cards.refund(), Target(surface="pager", address="pager", person="ana"), "copy-1")
    assert sms.sink.messages[0].text.endswith(cards.refund().link)
    assert isinstance(given.door, FakeDoor)
    assert given.door.links == {}


# ---------------------------------------------------------------------------------------------- when it goes wrong


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a server writes into its log."""
    text = io.StringIO()
    handler, root = logging.StreamHandler(text), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("aiohttp.access").disabled = True  # the receiver's own
    yield text
    logging.getLogger("aiohttp.access").disabled = False
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize(
    ("status", "fault"),
    [(500, SurfaceUnavailable), (429, SurfaceUnavailable), (401, SurfaceRefused), (404, SurfaceRefused)],
)
async def test_a_failure_is_said_without_a_secret(
    sms: Rig, status: int, fault: type[Exception], written: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the URL, its password, nor the phone number are in the error, the log, or on the terminal."""
    sms.sink.status = status
    with pytest.raises(fault) as raised:
        await sms.adapter.post(cards.refund(), sms.target, "copy-1")
    assert str(status) in str(raised.value)
    health = await sms.adapter.health()
    assert (health.ok, str(status) in health.text) == (False, True)
    said = "".join([str(raised.value), health.text, written.getvalue(), *capfd.readouterr()])
    assert not [secret for secret in ("sms-password", PHONE, PHONE[1:], "/send/", "link=") if secret in said]
    sms.sink.status = 0
    await sms.adapter.post(cards.refund(), sms.target, "copy-2")
    assert (await sms.adapter.health()).ok


async def test_a_gateway_that_is_not_there_is_tried_later() -> None:
    """Nothing was handed over, so it may be tried again."""
    given = setup({"sms": "json://127.0.0.1:1/{to}"})
    (adapter,) = create(given)
    with pytest.raises(SurfaceUnavailable, match="The gateway sms did not take it"):
        await adapter.post(cards.refund(), Target(surface="sms", address=PHONE, person="ana"), "copy-1")


async def test_whoever_does_not_answer_may_have_taken_it(sms: Rig) -> None:
    """Nobody knows, so it is not tried for ever: the outbox sends it once more at the most."""
    sms.sink.gate = asyncio.Event()
    (adapter,) = create(setup({"sms": f"{sms.sink.url}?rto=0.2"}))
    with pytest.raises(SurfaceAmbiguous):
        await adapter.post(cards.refund(), sms.target, "copy-1")
    sms.sink.gate.set()


async def test_mail_that_is_not_taken_is_tried_later(mail: Rig) -> None:
    """SMTP's 451 as every other failure."""
    mail.sink.status = 451
    with pytest.raises(SurfaceUnavailable):
        await mail.adapter.post(cards.refund(), mail.target, "copy-1")


async def test_a_url_nobody_understands_is_said(written: io.StringIO) -> None:
    """When it starts, in its health, and when somebody is to be called; the URL itself never."""
    (adapter,) = create(setup({"sms": "carrier-pigeon://secret@loft/{to}"}))
    await adapter.start()
    with pytest.raises(SurfaceRefused, match="PLACET_GATEWAY_SMS holds no URL that Apprise understands"):
        await adapter.post(cards.refund(), Target(surface="sms", address=PHONE, person="ana"), "copy-1")
    health = await adapter.health()
    assert not health.ok
    assert "PLACET_GATEWAY_SMS" in written.getvalue()
    assert not [text for text in (health.text, written.getvalue()) if "secret" in text or "pigeon" in text]


async def test_nobody_is_called_at_no_address(sms: Rig) -> None:
    """Rather than a message that goes nowhere."""
    with pytest.raises(SurfaceRefused, match="no address for the gateway sms"):
        await sms.adapter.post(cards.refund(), replace(sms.target, address=""), "copy-1")


def test_a_gateway_without_its_variable_is_none() -> None:
    """The others work."""
    made = create(setup({"sms": "", "email": "mailto://127.0.0.1:25?to={to}"}))
    assert [adapter.name for adapter in made] == ["email"]


def test_a_secret_file_that_cannot_be_read_is_said() -> None:
    """By the variable's name."""
    given = setup({"sms": ""})
    env = {"PLACET_GATEWAY_SMS_FILE": "nowhere/at/all"}
    with pytest.raises(GatewayMisconfigured, match="PLACET_GATEWAY_SMS_FILE"):
        create(replace(given, env=env))
