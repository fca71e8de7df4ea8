"""Sample cards, one for each state a reviewer meets, for the tests and pictures of every surface.

Plain values in the shape `reviews/present.py` makes them: what would happen and to what, risk and who and until
when, arguments, why, evidence, guide, controls; the long parts in `thread`. `ALL` has each by its name.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reviews.card import (
    Actions,
    Block,
    Callout,
    Card,
    Control,
    Diff,
    Difference,
    Divider,
    Evidence,
    Fact,
    Facts,
    Form,
    Go,
    Happening,
    Input,
    Kind,
    Snippet,
    Style,
    Table,
    Text,
    Timeline,
    Tone,
    Voice,
    Way,
)
from reviews.model import Verb
from tests.fakes import rare

#: The instant at which the samples are looked at.
NOW = datetime(2026, 11, 25, 11, 40, tzinfo=UTC)

_LINK = "https://placet.example.com/reviews/"
_DIGEST = "9f2c41d07be35a866f0d1c8e7a4493b2d5e6f7081923a4b5c6d7e8f90a1b2c3d"


# ---------------------------------------------------------------------------------------------- parts


def edit_form() -> Form:
    """An edit form with an input of every kind, one of them locked."""
    return Form(
        intro="Change what should be done. Your change is checked against the schema and becomes a new revision.",
        submit="Save and approve",
        fields=(
            Input(name="/order", label="order", value="A-4721", required=True, max_length=40),
            Input(name="/amount", label="amount", kind=Kind.NUMBER, value="180.0", required=True, hint="0.01 to 500"),
            Input(name="/currency", label="currency", kind=Kind.CHOICE, value="USD", choices=("USD", "EUR", "GBP")),
            Input(name="/parcels", label="parcels", kind=Kind.INTEGER, value="1"),
            Input(name="/notify_customer", label="notify customer", kind=Kind.BOOLEAN, value="true"),
            Input(name="/pay_on", label="pay on", kind=Kind.DATE, value="2026-11-26"),
            Input(name="/message", label="message", kind=Kind.MULTILINE, value="Sorry your parcel was lost."),
            Input(name="/iban", label="iban", locked=True, hint="Sensitive. Leave blank to keep it."),
            Input(name="/lines", label="lines", kind=Kind.JSON, value='[{"sku": "LAMP-2", "qty": 1}]'),
        ),
    )


def reject_form(*reasons: str) -> Form:
    """A rejection: one tap from the rule's reasons, or words."""
    return Form(fields=(Input(name="reason", label="Why?", choices=reasons),), submit="Reject")


def _words(label: str, submit: str, *, name: str = "reason", hint: str = "", required: bool = True) -> Form:
    field = Input(name=name, label=label, kind=Kind.MULTILINE, required=required, hint=hint)
    return Form(fields=(field,), submit=submit)


def _comment() -> Control:
    return Control(verb=Verb.COMMENT, label="Comment", form=_words("Comment", "Add the comment"))


def changes_form() -> Form:
    """A request for changes: the words, and what they are about."""
    asked = _words("What should be different?", "Send to the agent", hint="The agent proposes again.")
    places = {"/action/arguments/amount": "Argument “amount”", "/evidence/0": "Evidence “Carrier status”"}
    about = Input(
        name="about", label="Which part", kind=Kind.CHOICE, choices=tuple(places), labels=tuple(places.values())
    )
    return replace(asked, fields=(*asked.fields, about))


def plan_form() -> Form:
    """The steps of a plan, to be ticked."""
    steps = ("Drain web-7 of traffic", "Stop web-7 & keep its disk", "Delete the disk of web-7")
    return Form(
        intro="What is left out makes a new revision, checked again; all of them approves the plan as it is.",
        submit="Approve the ticked steps",
        fields=tuple(
            Input(name=f"/steps/{n}", label=f"Step {n + 1} “{step}”", kind=Kind.BOOLEAN, value="true", required=True)
            for n, step in enumerate(steps)
        ),
        whole=Input(name="", label="Arguments (JSON)", kind=Kind.JSON, value="{}", required=True),
    )


def _whom(**people: str) -> Input:
    ids, names = tuple(people), tuple(people.values())
    return Input(name="to", label="To", kind=Kind.CHOICE, choices=ids, labels=names, required=True)


def history(review: str) -> tuple[Way, ...]:
    """What every card leads on to."""
    return (Way(go=Go.HISTORY, label="History", value=review),)


def actions(review: str, *reasons: str, edit: Form | None = None) -> Actions:
    """Every control of a pending review."""
    return Actions(
        controls=(
            Control(verb=Verb.APPROVE, label="Approve", style="primary"),
            Control(verb=Verb.REJECT, label="Reject", style="danger", form=reject_form(*reasons)),
            Control(verb=Verb.EDIT, label="Edit", form=edit or edit_form()),
            Control(verb=Verb.REQUEST_CHANGES, label="Request changes", form=changes_form()),
            Control(verb=Verb.ESCALATE, label="Escalate", confirm="Call the next person on the chain now?"),
        ),
        overflow=(
            Control(verb=Verb.TAKE, label="Take it"),
            Control(
                verb=Verb.HAND,
                label="Hand to…",
                form=Form(
                    fields=(_whom(bo="Bo Lindqvist", cleo="Cleo Marsh"),),
                    submit="Hand over",
                ),
            ),
            _comment(),
            Control(
                verb=Verb.REVEAL,
                label="Show redacted",
                form=_words("Why do you need to see it?", "Show, and log it", hint="Who looked is kept in the log."),
            ),
        ),
        ways=history(review),
    )


def _facts(risk: str, confidence: str, agent: str, needed: str, until: str) -> Facts:
    return Facts(
        items=(
            Fact(label="Risk", value=risk),
            Fact(label="Confidence", value=confidence),
            Fact(label="Asked by", value=agent),
            Fact(label="Needed", value=needed),
            Fact(label="Until", value=until),
        )
    )


def _timeline(*lines: tuple[int, str]) -> Timeline:
    return Timeline(items=tuple(Happening(at=NOW + timedelta(minutes=m), text=t) for m, t in lines))


# ---------------------------------------------------------------------------------------------- the cards


def refund() -> Card:
    """A refund waiting for a manager, with a block of every kind."""
    return Card(
        review="rev_refund4721",
        revision=1,
        version=3,
        title="refund.issue: “Refund 180.00 USD for order A-4721”",
        tone=Tone.ATTENTION,
        status="Waiting for a manager",
        fallback="Review needed: refund.issue: “Refund 180.00 USD for order A-4721” "
        "(medium risk, asked by refund-agent)",
        blocks=_refund_blocks("rev_refund4721"),
        thread=_refund_thread(),
        link=_LINK + "rev_refund4721",
        digest=_DIGEST,
    )


def _refund_blocks(review: str) -> tuple[Block, ...]:
    return (
        Text(text="Refund order A-4721, parcel lost in transit", style=Style.QUOTE, voice=Voice.AGENT),
        Callout(title="Dry run", text="Would pay 180.00 USD back to the card ending 4242.", voice=Voice.AGENT),
        _facts(
            "medium · cannot be undone",
            "62 %",
            "refund-agent, for Maria Lopez",
            "1 of: manager",
            "12:00 UTC, in 20 min. Silence: it expires and nothing is done",
        ),
        Facts(
            title="refund.issue",
            voice=Voice.AGENT,
            items=(
                Fact(label="order", value="A-4721", pointer="/order"),
                Fact(label="amount", value="180.0", pointer="/amount"),
                Fact(label="currency", value="USD", pointer="/currency"),
                Fact(label="iban", value="••••••", redacted=True, pointer="/iban"),
            ),
        ),
        Text(text="Why", style=Style.HEADING),
        Text(
            text="The carrier says the parcel is lost.\nThe customer has asked twice and the order is insured.",
            voice=Voice.AGENT,
        ),
        Evidence(
            items=(
                Snippet(
                    title="Carrier status",
                    snippet="Parcel 1Z-88 was declared lost in transit on 23 November.",
                    url="https://carrier.example.com/track/1Z-88",
                    host="carrier.example.com",
                    score=0.93,
                ),
                Snippet(title="Refund policy §4", snippet="Lost parcels are refunded in full.", score=0.81),
            ),
            highlight=("lost",),
            more=1,
        ),
        Callout(title="Guide", text="Check that no replacement was sent before you pay.", tone=Tone.NEUTRAL),
        actions(review, "already refunded", "replacement sent", "not insured"),
    )


def _refund_thread() -> tuple[Block, ...]:
    return (
        Text(text="Conversation", style=Style.HEADING),
        Table(
            columns=("Who", "Said"),
            rows=(
                ("customer", "Where is my parcel? It should have been here last week."),
                ("agent", "I am looking into it with the carrier."),
                ("customer", "Please just give me my money back."),
            ),
            voice=Voice.AGENT,
        ),
        Divider(),
        Text(text='{"carrier": "UPS", "status": "LOST"}', style=Style.CODE, voice=Voice.AGENT),
        Table(
            title="Earlier reviews of this order",
            columns=("When", "Action", "Came to"),
            rows=(("2026-11-20", "refund.issue 25.00 USD", "approved by Bo Lindqvist"),),
        ),
        Timeline(
            items=(
                Happening(at=NOW - timedelta(minutes=10), text="refund-agent asked; policy support@3, rule “refunds”"),
                Happening(at=NOW - timedelta(minutes=9), text="Posted to #approvals-managers"),
                Happening(at=NOW - timedelta(minutes=2), text="Ana Ruiz was called by on-call"),
            )
        ),
        Text(text="Review rev_refund4721, revision 1.", style=Style.SMALL),
    )


def it_pending() -> Card:
    """A production stop that needs two people, one of whom has said yes, after an edit."""
    return Card(
        review="rev_stop77",
        revision=2,
        version=6,
        title="stop_instance: “Stop instance web-7 in production”",
        tone=Tone.DANGER,
        status="Waiting for 1 more",
        fallback="Review needed: stop_instance: “Stop instance web-7 in production” (high risk, asked by it-ops-agent)",
        blocks=(
            Text(text="web-7 leaks memory; stop it and let the group replace it", style=Style.QUOTE, voice=Voice.AGENT),
            _facts(
                "high · can be undone",
                "88 %",
                "it-ops-agent",
                "1 of: lead-engineer (security: Cleo Marsh said yes)",
                "11:58 UTC, in 18 min. Silence: it expires and nothing is done",
            ),
            Diff(
                title="Changed by Cleo Marsh in revision 2",
                items=(
                    Difference(pointer="/drain_seconds", before="0", after="120"),
                    Difference(pointer="/notify", before=None, after='"#ops"'),
                    Difference(pointer="/force", before="true", after=None),
                ),
            ),
            Facts(
                title="stop_instance",
                voice=Voice.AGENT,
                items=(
                    Fact(label="instance", value="web-7 (i-0fd21c)", pointer="/instance"),
                    Fact(label="env", value="production", pointer="/env"),
                    Fact(label="drain_seconds", value="120", pointer="/drain_seconds"),
                ),
            ),
            Callout(title="Guide", text="Check the deploy calendar first.", tone=Tone.ATTENTION),
            actions("rev_stop77", "in use", "wrong target", "freeze"),
        ),
        thread=(_timeline((-12, "it-ops-agent asked"), (-4, "Cleo Marsh edited and approved")),),
        link=_LINK + "rev_stop77",
        digest=_DIGEST,
    )


def decided() -> Card:
    """An approval that can still be taken back."""
    return Card(
        review="rev_done12",
        revision=1,
        version=8,
        title="refund.issue: “Refund 42.00 EUR for order B-118”",
        tone=Tone.SUCCESS,
        status="Approved",
        fallback="Approved: refund.issue: “Refund 42.00 EUR for order B-118” (low risk, asked by refund-agent)",
        blocks=(
            Callout(
                title="Approved",
                text="Ana Ruiz (manager) approved it at 11:31 UTC on the web. The agent has until 12:31 UTC to act.",
                tone=Tone.SUCCESS,
            ),
            Callout(title="Note", text="Fine, but tell the customer today.", voice=Voice.PERSON),
            _facts("low · can be undone", "97 %", "refund-agent", "1 of: manager", "decided after 4 min"),
            Facts(
                title="refund.issue",
                voice=Voice.AGENT,
                items=(Fact(label="order", value="B-118"), Fact(label="amount", value="42.0")),
            ),
            Actions(
                controls=(),
                overflow=(
                    Control(verb=Verb.UNDO, label="Undo my approval", confirm="Take your approval back?"),
                    _comment(),
                ),
                ways=history("rev_done12"),
            ),
        ),
        thread=(_timeline((-13, "refund-agent asked"), (-9, "Ana Ruiz approved; the agent was told")),),
        link=_LINK + "rev_done12",
        digest=_DIGEST,
        over=True,
    )


def expired() -> Card:
    """Nobody answered."""
    return Card(
        review="rev_late3",
        revision=1,
        version=5,
        title="delete_volume: “Delete volume vol-31”",
        tone=Tone.MUTED,
        status="Expired",
        fallback="Expired: delete_volume: “Delete volume vol-31” (critical risk, asked by it-ops-agent)",
        blocks=(
            Callout(
                title="Expired",
                text="Nobody answered by 11:20 UTC. The agent was told that it may not act.",
                tone=Tone.MUTED,
            ),
            _facts("critical · cannot be undone", "71 %", "it-ops-agent", "security and lead-engineer", "11:20 UTC"),
            Facts(title="delete_volume", voice=Voice.AGENT, items=(Fact(label="volume", value="vol-31"),)),
            Actions(controls=(), overflow=(_comment(),), ways=history("rev_late3")),
        ),
        thread=(_timeline((-80, "it-ops-agent asked"), (-20, "Expired")),),
        link=_LINK + "rev_late3",
        digest=_DIGEST,
        over=True,
    )


def changes_requested() -> Card:
    """It is the agent's turn."""
    return Card(
        review="rev_again5",
        revision=1,
        version=4,
        title="mail.send: “Send the outage notice to 12,400 customers”",
        tone=Tone.NEUTRAL,
        status="Changes requested",
        fallback="Changes requested: mail.send: “Send the outage notice to 12,400 customers” "
        "(high risk, asked by comms-agent)",
        blocks=(
            Callout(
                title="Bo Lindqvist asked for changes",
                text="Name the region and the start time.",
                tone=Tone.ATTENTION,
                voice=Voice.PERSON,
            ),
            _facts("high · cannot be undone", "80 %", "comms-agent", "the agent's turn", "26 Nov 11:40 UTC"),
            Facts(title="mail.send", voice=Voice.AGENT, items=(Fact(label="list", value="all-customers"),)),
            Actions(
                controls=(Control(verb=Verb.REJECT, label="Reject", style="danger", form=reject_form()),),
                ways=history("rev_again5"),
            ),
        ),
        thread=(_timeline((-30, "comms-agent asked"), (-6, "Bo Lindqvist asked for changes")),),
        link=_LINK + "rev_again5",
        digest=_DIGEST,
    )


def held() -> Card:
    """Its agent is stopped: yes is not said, no is."""
    return Card(
        review="rev_held9",
        revision=1,
        version=2,
        title="modify_security_group: “Open port 8443 to 10.2.0.0/16”",
        tone=Tone.MUTED,
        status="Held: agent stopped",
        fallback="On hold: modify_security_group: “Open port 8443 to 10.2.0.0/16” (high risk, asked by it-ops-agent)",
        blocks=(
            Callout(
                title="Held",
                text="Ana Ruiz stopped it-ops-agent at 11:35 UTC. Clocks stand still.",
                tone=Tone.ATTENTION,
            ),
            _facts("high · can be undone", "66 %", "it-ops-agent", "1 of: network-engineer", "stopped"),
            Facts(title="modify_security_group", voice=Voice.AGENT, items=(Fact(label="port", value="8443"),)),
            Actions(
                controls=(Control(verb=Verb.REJECT, label="Reject", style="danger", form=reject_form()),),
                overflow=(
                    Control(verb=Verb.RESUME, label="Let it-ops-agent go on", confirm="Let it-ops-agent act again?"),
                ),
                ways=history("rev_held9"),
            ),
        ),
        link=_LINK + "rev_held9",
        digest=_DIGEST,
    )


def largest() -> Card:
    """The largest input the API takes: long texts, many of everything. Surfaces cut it and link to the page."""
    long = "The parcel was lost and the carrier confirmed it. " * 60
    form = Form(
        submit="Save and approve",
        fields=tuple(
            Input(name=f"/field_{n}", label=f"field_{n}" * 8, kind=Kind.MULTILINE, value=long, max_length=200_000)
            for n in range(60)
        ),
    )
    return Card(
        review="rev_large1",
        revision=1,
        version=1,
        title="Rewrite " + "every customer record " * 40,
        tone=Tone.DANGER,
        status="Waiting for a manager",
        fallback="Rewrite every customer record. " * 30,
        blocks=(
            Text(text="word" * 20_000, style=Style.QUOTE, voice=Voice.AGENT),
            Facts(
                title="records.rewrite",
                voice=Voice.AGENT,
                items=tuple(Fact(label=f"argument_{n}" * 5, value=long, pointer=f"/argument_{n}") for n in range(120)),
            ),
            Diff(title="Changed", items=tuple(Difference(pointer=f"/{n}", before=long, after="x") for n in range(60))),
            Evidence(items=tuple(_large_snippet(n, long) for n in range(50)), more=950),
            Callout(title="Guide", text=long * 3),
            actions(
                "rev_large1",
                *(f"a rather long reason number {n} that was written in the policy" for n in range(30)),
                edit=form,
            ),
        ),
        thread=(
            Table(
                columns=tuple(f"column {n}" for n in range(20)),
                rows=tuple(tuple(long[:400] for _ in range(20)) for _ in range(30)),
                voice=Voice.AGENT,
            ),
            Timeline(items=tuple(Happening(at=NOW, text=long) for _ in range(150))),
        ),
        link=_LINK + "rev_large1",
        digest=_DIGEST,
    )


def _large_snippet(n: int, text: str) -> Snippet:
    return Snippet(
        title=f"Source {n} " * 30,
        snippet=text,
        url=f"https://docs.example.com/{'deep/' * 300}{n}",
        host="docs.example.com",
        score=0.5,
    )


#: What an attacker writes into every text of an agent: markup of each surface, controls, and tricks of Unicode.
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "</textarea></form><button name=verb value=approve>Approve</button>",
    "<!channel> <@U0ANA> *bold* _it_ ~no~ `code` <https://evil.example|Approve>",
    "[Approve](https://evil.example) ![x](https://evil.example/p.png) <at>Ana</at>",
    "{{ 7*7 }} {% raw %} ${7*7}",
    "refund \u202e0081 DSU\u202c now \u2066hidden\u2069",
    "ap\u200bpro\u200dve\ufeff\u2060d",
    "👩‍👩‍👧‍👦🔥✅ Approved by Ana Ruiz",
    "Z̴̡̢͔͚̗̰̈́̓a̶̛͔l̸̰͝g̵̙͒o̷̙͗ " + "W" * 400,
    "line one\r\nline two\u2028line three\x00\x1b[31mred",
)


def hostile() -> Card:
    """Every text of the agent's is an attack."""
    items = tuple(Fact(label=f"arg{n} {bad}", value=bad, pointer=f"/arg{n}") for n, bad in enumerate(HOSTILE))
    return Card(
        review="rev_evil66",
        revision=1,
        version=1,
        title=HOSTILE[0] + " " + HOSTILE[5],
        tone=Tone.DANGER,
        status="Waiting for a manager",
        fallback=HOSTILE[2],
        blocks=(
            Text(text="\n".join(HOSTILE), style=Style.QUOTE, voice=Voice.AGENT),
            Text(text="Why", style=Style.HEADING, voice=Voice.AGENT),
            Text(text=HOSTILE[1], style=Style.CODE, voice=Voice.AGENT),
            Facts(title=HOSTILE[0], voice=Voice.AGENT, items=items),
            Diff(title="Changed", items=(Difference(pointer="/" + HOSTILE[0], before=HOSTILE[1], after=HOSTILE[5]),)),
            Evidence(
                items=(
                    Snippet(title=HOSTILE[0], snippet=HOSTILE[7], url="javascript:alert(3)", host=None, score=9.5),
                    Snippet(
                        title=HOSTILE[3],
                        snippet=HOSTILE[2],
                        url='https://evil.example/"onclick="x',
                        host="evil.example",
                    ),
                    Snippet(title="no link", snippet=HOSTILE[6], url="data:text/html,<script>alert(4)</script>"),
                ),
                highlight=("<script>", "ap", ".*", ""),
            ),
            Callout(title="Approved", text=HOSTILE[7], tone=Tone.SUCCESS, voice=Voice.AGENT),
            actions(
                "rev_evil66", HOSTILE[0], HOSTILE[2], edit=Form(fields=_hostile_fields(), submit="Save and approve")
            ),
        ),
        thread=(
            Table(title=HOSTILE[0], columns=HOSTILE[:2], rows=((HOSTILE[1], HOSTILE[5]),), voice=Voice.AGENT),
            Timeline(items=(Happening(at=NOW, text=HOSTILE[1]),)),
        ),
        link=_LINK + "rev_evil66",
        digest=_DIGEST,
    )


def _hostile_fields() -> tuple[Input, ...]:
    kinds = (Kind.TEXT, Kind.MULTILINE, Kind.CHOICE, Kind.JSON)
    return tuple(
        Input(name=f"/arg{n}", label=bad, kind=kinds[n % 4], value=bad, hint=bad, choices=(bad, "other"))
        for n, bad in enumerate(HOSTILE)
    )


def all_cards() -> dict[str, Card]:
    """Each sample by its name."""
    makers = (refund, it_pending, decided, expired, changes_requested, held, largest, hostile, *rare.MAKERS)
    return {make.__name__: make() for make in makers}


#: Each sample by its name.
ALL = all_cards()


def small_refunds() -> list[Card]:
    """Three refunds of low risk, alike enough to be approved together."""
    return [
        replace(
            refund(),
            review=f"rev_small{n}",
            title=f"refund.issue: “Refund {amount} EUR for order C-{n}, late delivery”",
            tone=Tone.NEUTRAL,
            fallback=f"Review needed: refund.issue: “Refund {amount} EUR for order C-{n}, late delivery” "
            "(low risk, asked by refund-agent)",
            blocks=_refund_blocks(f"rev_small{n}"),
            link=_LINK + f"rev_small{n}",
        )
        for n, amount in ((501, "4.90"), (502, "7.50"), (503, "3.20"))
    ]


def unmasked(card: Card) -> Card:
    """The card with its redacted facts shown, as after a logged reveal."""

    def shown(block: Block) -> Block:
        if not isinstance(block, Facts):
            return block
        facts = (replace(f, value="ES91 2100 0418 4502", redacted=False) if f.redacted else f for f in block.items)
        return replace(block, items=tuple(facts))

    return replace(card, blocks=tuple(shown(block) for block in card.blocks))
