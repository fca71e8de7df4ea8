"""Trying a gateway sends one message, and says in a sentence what is in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from reviews.errors import PlacetError, SurfaceUnavailable
from tests.bot.test_outbox_gateways import ANA, paging


async def test_a_test_message_goes_to_one_person(tmp_path: Path) -> None:
    """By the server's own gateway, to the address of placet.yml."""
    async with paging(tmp_path) as it:
        sent = await it.house.app.operations.run("gateways.test", {"gateway": "sms", "person": "ana"})
        assert sent == {"gateway": "sms", "person": "ana", "name": "Ana Ruiz"}
        assert [message.to for message in it.sms.messages] == [ANA]
        assert "This is a test of Placet for Ana Ruiz" in it.sms.messages[0].text
        assert it.mail.messages == []


@pytest.mark.parametrize(
    ("gateway", "person", "says"),
    [
        ("pigeon", "ana", "There is no gateway 'pigeon' in placet.yml; there are sms, email."),
        ("sms", "zoe", "There is nobody 'zoe' in placet.yml."),
        ("email", "bo", "Bo Chen has no address for email in placet.yml. Give them an `email`."),
    ],
)
async def test_what_is_in_the_way_is_said(tmp_path: Path, gateway: str, person: str, says: str) -> None:
    """Nothing is sent."""
    async with paging(tmp_path) as it:
        with pytest.raises(PlacetError) as raised:
            await it.house.app.operations.run("gateways.test", {"gateway": gateway, "person": person})
        assert str(raised.value) == says
        assert it.sms.tries == it.mail.tries == 0


async def test_a_gateway_that_fails_says_why(tmp_path: Path) -> None:
    """As it would be in the timeline."""
    async with paging(tmp_path) as it:
        it.sms.status = 503
        with pytest.raises(SurfaceUnavailable, match="The gateway sms did not take it"):
            await it.house.app.operations.run("gateways.test", {"gateway": "sms", "person": "ana"})
