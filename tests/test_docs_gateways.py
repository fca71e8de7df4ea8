"""How to call people by SMS and e-mail, walked: a real SMTP server and an SMS receiver stand for the providers."""

from __future__ import annotations

import asyncio
import re

import pytest
from apprise import Apprise

from tests.fakes.gateways import Sink, sms_sink, smtp_sink
from tests.walk import ROOT, Walk, save, steps

PAGE = "docs/how-to/gateways.md"
#: The addresses of the page's table.
ADDRESSES = re.findall(r"(?m)^\|[^|]+\| `(\w+://[^`]+)` \|$", (ROOT / PAGE).read_text("utf-8"))


def meant(text: str, sms: Sink, mail: Sink) -> str:
    """The page's exports, with addresses of receivers on this machine."""
    for name, url in (("SMS", sms.url), ("EMAIL", mail.url)):
        text = re.sub(rf"(?m)^(export PLACET_GATEWAY_{name})=.*$", rf"\1='{url}'", text)
    return text


@pytest.mark.slow
async def test_how_to_call_people_by_sms_and_mail(reader: Walk) -> None:
    """From nothing to the first SMS and the first letter, each with a link that lets Ana in."""
    async with sms_sink() as sms, smtp_sink() as mail:
        printed = await asyncio.to_thread(walked, reader, sms, mail)
        assert "Apprise understands PLACET_GATEWAY_SMS: each person at their own address" in printed
        assert "cy is called by sms and has no address for it" in printed
        assert "0 to mend" in printed
        assert "sms took a test message to Ana Ruiz" in printed
        tested, text = await sms.until(2, "+34600111222")
        _, letter = await mail.until(2, "ana@example.com")
        assert "This is a test of Placet for Ana Ruiz" in tested.text
        assert "Refund order A-4721" in text.text
        assert "Refund order A-4721" in letter.subject
        for sent in (text, letter):
            page = await asyncio.to_thread(reader.type, f'curl --silent "{sent.link}"')
            assert "Continue as Ana Ruiz" in page


def walked(reader: Walk, sms: Sink, mail: Sink) -> str:
    """Type all of it; what was printed."""
    printed = ""
    for block in steps(PAGE):
        if block.info == "sh server":
            reader.serve(block.text)
        elif block.info == "sh":
            printed += reader.type(meant(block.text, sms, mail))
        else:
            save(reader.folder / "paged", block.text)
    return printed


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_shown_is_understood(address: str) -> None:
    """As it is written, with somebody's address in its place."""
    assert Apprise.instantiate(address.replace("{to}", "%2B15550100001")) is not None


def test_the_page_shows_addresses() -> None:
    """The test above cannot be empty."""
    assert len(ADDRESSES) == 7
