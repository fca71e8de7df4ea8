"""What a policy says as a whole: what `placet policy check` warns of."""

from __future__ import annotations

import pytest

from policies.load import load_text
from policies.model import Known

HEAD = "policy: p\nversion: 1\n"
HOURS = 'business_hours: {days: mon-fri, from: "09:00", to: "18:00"}\n'
KNOWN = Known(
    roles=frozenset({"desk"}),
    people=frozenset({"ana"}),
    rotations=frozenset({"it.primary"}),
    levels=frozenset({1}),
    ranks={"desk": 1},
    ways=frozenset({"sms", "email"}),
)
SILENT = Known(roles=KNOWN.roles, people=KNOWN.people, rotations=KNOWN.rotations, levels=KNOWN.levels, ways=frozenset())
NIGHT = "at night nobody is woken from its rung at"


def warnings(*rungs: str, known: Known | None = KNOWN, clock: str = "always") -> str:
    """What is said of a chain of these rungs, which ends in an expiry."""
    listed = ", ".join(f"{{{rung}}}" for rung in (*rungs, "after: 1h, then: expire"))
    chain = f"{{clock: {clock}, rungs: [{listed}]}}"
    text = f"{HEAD}{HOURS}chains:\n  c: {chain}\ndefault: {{tier: approve, role: desk, chain: c}}\n"
    return "\n".join(load_text(text, name="p.yml", known=known).warnings)


@pytest.mark.parametrize(
    ("rungs", "since"),
    [
        (("after: 0m, notify: 'oncall:it.primary'",), "0m (oncall:it.primary)"),
        (("after: 0m, notify: 'oncall:it.primary', via: [dm, email]",), "0m (oncall:it.primary)"),
        (("after: 0m, notify: 'person:ana', via: sms", "after: 9m, notify: channel:role"), "9m (channel:role)"),
        (("after: 0m, notify: 'person:ana', via: [dm, sms]",), None),
        (("after: 0m, notify: channel:role", "after: 9m, notify: 'person:ana', via: sms"), None),
        (("after: 0m, notify: channel:role", "after: 9m, notify: 'person:ana'"), None),
        (
            ("after: 0m, notify: 'person:ana', via: sms", "after: 9m, notify: channel:role, notify_only: true"),
            None,
        ),
    ],
)
def test_a_chain_that_wakes_nobody_at_night_is_told(rungs: tuple[str, ...], since: str | None) -> None:
    """From the rung on after which nothing rings; e-mail wakes nobody. Channels alone are meant for the day."""
    said = warnings(*rungs)
    assert (f'p.yml:5: chain "c": {NIGHT} {since} on' in said) if since else (NIGHT not in said)


def test_business_hours_have_no_night() -> None:
    """What counts business time calls nobody at night."""
    assert warnings("after: 0m, notify: 'oncall:it.primary'", clock="business") == ""


def test_an_end_that_overtakes_business_calls_is_told() -> None:
    """On a Friday evening the call would come on Monday, and the end with it."""
    assert "expires by all hours" in warnings("after: 0m, notify: channel:role, clock: business")
    assert "expires by all hours" not in warnings("after: 0m, notify: channel:role, clock: business", clock="business")


def test_where_nothing_could_ring_nobody_is_told_to() -> None:
    """Without a gateway there is nothing better to write."""
    assert warnings("after: 0m, notify: 'oncall:it.primary'", known=SILENT) == ""
    assert warnings("after: 0m, notify: 'oncall:it.primary'", known=None) == ""


def test_a_gateway_there_is_not_is_told() -> None:
    """The policy may be ahead of placet.yml, which is no fault; nobody is reached by it all the same."""
    said = warnings("after: 0m, notify: 'person:ana', via: [dm, sms]", known=SILENT)
    assert 'p.yml:5: chain "c": goes by sms, which is no gateway of placet.yml' in said
    assert NIGHT not in said


def test_a_chain_that_rests_on_the_web_is_told() -> None:
    """A card nobody is called to look at is no call."""
    assert "calls by web alone" in warnings("after: 0m, notify: 'role:desk', via: web")
    assert "calls by web alone" not in warnings("after: 0m, notify: 'role:desk', via: [web, dm]")


def test_a_confirmation_of_high_risk_is_told() -> None:
    """It becomes approve whatever is written, so better write it."""
    text = f"""{HEAD}actions: {{wipe: {{risk: high}}, read: {{risk: low}}}}
rules:
  - {{name: r, when: 'action.name in ["wipe", "read"]', route: {{tier: confirm}}}}
default: {{tier: approve, role: desk}}
"""
    (said,) = load_text(text, name="p.yml").warnings
    assert said.startswith('p.yml:5: rule "r": confirming is for low and medium risk, and wipe is high')
