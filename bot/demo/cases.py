"""What the two agents ask: a refund desk and IT operations, with what a person needs to judge it in ten seconds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import cycle

from bot.demo.case import Case, Script
from reviews.model import Object, Status

Maker = Callable[[random.Random], Case]

AUTO = Script(ends=Status.APPROVED)
SILENCE = Script(ends=Status.EXPIRED)


def approves(*by: str) -> Script:
    """These people approve."""
    return Script(ends=Status.APPROVED, verb="approve", by=by)


def rejects(who: str, reason: str) -> Script:
    """One person rejects."""
    return Script(ends=Status.REJECTED, verb="reject", by=(who,), fields={"reason": reason})


def edits(who: str, **arguments: str) -> Script:
    """One person changes arguments, which approves them so."""
    fields = {f"/{name}": value for name, value in arguments.items()}
    return Script(ends=Status.APPROVED, verb="edit", by=(who,), fields=fields, edited=True)


def wants_changes(who: str, text: str) -> Script:
    """One person asks for another proposal, and approves that one."""
    return Script(ends=Status.APPROVED, verb="request_changes", by=(who,), fields={"reason": text}, then=approves(who))


def desk(rng: random.Random) -> Iterator[Case]:
    """The refund desk's cases, for ever; every kind comes up before any comes again."""
    yield from (make(rng) for make in cycle(_DESK))


def operations(rng: random.Random) -> Iterator[Case]:
    """The IT-operations agent's cases, for ever."""
    yield from (make(rng) for make in cycle(_OPERATIONS))


# ---------------------------------------------------------------------------------------------- the refund desk

_CUSTOMERS = ("Jonas Keller", "Priya Nair", "Lucía Torres", "Tom Becker", "Amira Haddad", "Sofia Rossi")
_IBANS = ("DE89370400440532013000", "FR1420041010050500013M02606", "ES9121000418450200051332", "NL91ABNA0417164300")


def _order(rng: random.Random) -> str:
    return f"A-{rng.randint(1000, 9999)}"


def _half(body: Object) -> Object:
    """The arguments of a second proposal: half the refund."""
    arguments: Object = body["action"]["arguments"]
    return arguments | {"amount": arguments["amount"] / 2}


def _lost_parcel(rng: random.Random) -> Case:
    order, customer = _order(rng), rng.choice(_CUSTOMERS)
    amount = float(rng.choice((149, 180, 219, 260)))
    body: Object = {
        "action": {
            "name": "refund.issue",
            "arguments": {
                "order": order, "amount": amount, "currency": "EUR", "iban": rng.choice(_IBANS),
                "reason": "Your parcel was lost by the carrier.",
            },
            "reversible": False,
            "preview": f"{amount:.2f} EUR would be paid out by instant transfer; it cannot be called back.",
        },
        "subject": f"order:{order}",
        "summary": f"Refund order {order}, parcel lost ({amount:.0f} EUR)",
        "confidence": 0.72,
        "risk": {"level": "medium", "score": 0.46, "amount": amount, "currency": "EUR", "domain": "financial"},
        "context": {
            "goal": f"Settle {customer}'s complaint about order {order}",
            "reasoning": [
                "The carrier has reported no scan for nine days.",
                "The carrier's terms count a parcel as lost after seven days.",
                "The customer asks for the money, not for a second parcel.",
            ],
            "conversation": [
                {"role": "customer", "text": "It has been two weeks. I would like my money back, please."},
                {"role": "agent", "text": "I am sorry. I am checking with the carrier right now."},
                {"role": "customer", "text": "Thank you. To the same account as last time."},
            ],
            "attempted": ["Asked the carrier for a trace: no result after 48 h."],
            "facts": {"Customer": customer, "Customer since": "2019", "Orders": 34, "Refunds in a year": 1,
                      "Phone": "+49 151 5550 1234"},
            "policy": ["Lost parcels are refunded in full after 7 days without a scan."],
            "recommendation": "Refund in full.",
            "alternatives": ["Send the goods again", "Offer a voucher of 110 %"],
        },
        "evidence": [
            {"title": "Carrier status", "snippet": "lost in transit, last scan Leipzig hub",
             "url": f"https://carrier.example.com/track/{order}", "score": 0.93},
            {"title": "Order", "snippet": f"{order}: paid {amount:.2f} EUR by card, delivered: no", "score": 0.88},
        ],
        "sensitive": ["/context/facts/Phone"],
        "ui_hint": {"highlight_terms": ["lost"]},
    }  # fmt: skip
    return Case(body=body, script=approves("faye"), done=f"{amount:.0f} EUR paid out", again=_half(body))


def _double_charge(rng: random.Random) -> Case:
    order = _order(rng)
    paid = float(rng.choice((240, 310, 420)))
    body: Object = {
        "action": {
            "name": "refund.issue",
            "arguments": {"order": order, "amount": paid, "currency": "EUR", "iban": rng.choice(_IBANS)},
            "reversible": False,
            "preview": f"{paid:.2f} EUR would be paid out.",
        },
        "subject": f"order:{order}",
        "summary": f"Refund order {order}, says it was charged twice ({paid:.0f} EUR)",
        "confidence": 0.55,
        "risk": {"score": 0.61, "amount": paid, "currency": "EUR", "sentiment": -0.7},
        "context": {
            "reasoning": ["The customer sent a picture of two charges.", "The ledger shows one charge and one hold."],
            "conversation": [{"role": "customer", "text": "You took the money TWICE. Unbelievable."}],
            "facts": {"Customer": rng.choice(_CUSTOMERS), "Settled charges": 1, "Open holds": 1},
            "recommendation": "Refund one charge; a person should look whether the hold was released.",
            "alternatives": ["Wait three days for the hold to lapse", "Refund half as goodwill"],
        },
        "evidence": [{"title": "Ledger", "snippet": "1 settled, 1 authorisation not captured", "score": 0.71}],
    }
    return Case(
        body=body, script=edits("faye", amount=f"{paid / 2:.0f}"), done=f"{paid:.0f} EUR paid out", again=_half(body)
    )


def _small_refund(rng: random.Random) -> Case:
    order = _order(rng)
    amount = float(rng.randint(8, 60))
    body: Object = {
        "action": {"name": "refund.issue", "arguments": {"order": order, "amount": amount, "currency": "EUR"}},
        "subject": f"order:{order}",
        "summary": f"Refund the postage of order {order} ({amount:.0f} EUR)",
        "confidence": 0.97,
        "risk": {"score": 0.08, "amount": amount, "currency": "EUR"},
    }
    return Case(body=body, script=AUTO, done=f"{amount:.0f} EUR paid out")


def _large_refund(rng: random.Random) -> Case:
    order = _order(rng)
    amount = float(rng.choice((1200, 1850, 2400)))
    body: Object = {
        "action": {
            "name": "refund.issue",
            "arguments": {"order": order, "amount": amount, "currency": "EUR", "iban": rng.choice(_IBANS)},
            "reversible": False,
        },
        "subject": f"order:{order}",
        "summary": f"Refund order {order}, laptop returned ({amount:.0f} EUR)",
        "confidence": 0.81,
        "risk": {"level": "high", "score": 0.74, "amount": amount, "currency": "EUR"},
        "context": {
            "reasoning": ["The return was scanned at the shop.", "The serial number on the label was not checked."],
            "facts": {"Customer since": "3 weeks", "Orders": 1, "Returned": "scanned, not inspected"},
            "policy": ["Returns above 1,000 are inspected before they are refunded."],
            "recommendation": "Refund; the return is here.",
        },
        "evidence": [
            {"title": "Return scan", "snippet": "parcel 1 of 1 received, contents not inspected", "score": 0.64}
        ],
    }
    return Case(
        body=body, script=rejects("ana", "needs evidence"), done=f"{amount:.0f} EUR paid out", again=_half(body)
    )


def _reply(rng: random.Random) -> Case:
    ticket = f"T-{rng.randint(10_000, 99_999)}"
    body: Object = {
        "action": {"name": "ticket.reply", "arguments": {"ticket": ticket, "text": "Your parcel arrives on Thursday."}},
        "subject": f"ticket:{ticket}",
        "summary": f"Answer ticket {ticket}: when does it arrive?",
        "confidence": round(rng.uniform(0.91, 0.99), 2),
    }
    return Case(body=body, script=AUTO, done="reply sent")


def _address(rng: random.Random) -> Case:
    customer = rng.choice(_CUSTOMERS)
    account = f"C-{rng.randint(100, 999)}"
    body: Object = {
        "action": {
            "name": "address.change",
            "arguments": {"account": account, "street": "Lindenallee 4", "city": "Hamburg"},
            "reversible": True,
        },
        "subject": f"account:{account}",
        "summary": f"Change {customer}'s address to Lindenallee 4, Hamburg",
        "confidence": 0.83,
        "context": {
            "reasoning": ["The request came by mail from the address on file.", "The street exists in Hamburg."],
            "conversation": [{"role": "customer", "text": "We moved. New address: Lindenallee 4, 20095 Hamburg."}],
            "facts": {"Old city": "Bremen", "Open orders": 1},
        },
    }
    again = {"account": account, "street": "Lindenallee 4", "postcode": "20095", "city": "Hamburg"}
    return Case(
        body=body, script=wants_changes("faye", "The postcode is missing."), done="address changed", again=again
    )


def _closure(rng: random.Random) -> Case:
    account = f"C-{rng.randint(100, 999)}"
    body: Object = {
        "action": {"name": "account.close", "arguments": {"account": account, "reason": "asked by the customer"},
                   "reversible": False, "preview": "1 open invoice (12.40 EUR) would be written off."},
        "subject": f"account:{account}",
        "summary": f"Close account {account}, as its holder asked",
        "confidence": 0.88,
        "context": {"reasoning": ["The holder asked twice, by mail and in chat."],
                    "facts": {"Balance": "0.00 EUR", "Open invoices": 1}, "recommendation": "Close it."},
    }  # fmt: skip
    return Case(body=body, script=approves("ana"), done="account closed")


def _status(rng: random.Random) -> Case:
    order = _order(rng)
    body: Object = {
        "action": {"name": "status.check", "arguments": {"order": order}},
        "summary": f"Look up order {order}",
        "confidence": 0.99,
    }
    return Case(body=body, script=AUTO, done="looked up")


_DESK: tuple[Maker, ...] = (
    _lost_parcel, _double_charge, _address, _large_refund, _reply, _small_refund, _closure, _status,
)  # fmt: skip

# ---------------------------------------------------------------------------------------------- IT operations

_INSTANCES = ("web-3", "worker-7", "batch-2", "cache-1", "api-5")


def _instance(rng: random.Random) -> str:
    return f"{rng.choice(_INSTANCES)}-{rng.randint(10, 99)}"


def _stop(env: str, summary: str, script: Script, rng: random.Random) -> Case:
    instance = _instance(rng)
    body: Object = {
        "action": {
            "name": "stop_instance",
            "arguments": {"env": env, "instance": instance, "drain": True},
            "reversible": True,
            "preview": f"{instance} would drain for 60 s, then stop. 0 of its 3 neighbours are at capacity.",
        },
        "subject": f"instance:{instance}",
        "summary": summary.format(instance=instance),
        "confidence": round(rng.uniform(0.6, 0.9), 2),
        "context": {
            "goal": "Keep the bill of this month below the budget" if env != "production" else "End the memory leak",
            "reasoning": [
                f"{instance} has used less than 2 % CPU for six hours."
                if env != "production"
                else f"{instance} leaks 80 MB an hour and will be killed in about 25 minutes.",
                "No deployment is planned within the next two hours.",
            ],
            "attempted": ["Restarted the service once; the leak came back."] if env == "production" else [],
            "facts": {"Environment": env, "Uptime": f"{rng.randint(3, 90)} days", "Requests now": rng.randint(0, 40)},
            "recommendation": "Stop it with drain.",
            "alternatives": ["Restart it", "Leave it until the morning"],
        },
        "evidence": [{"title": "Metrics, last 6 h", "snippet": "cpu p95 1.8 %, memory 91 %", "score": 0.9}],
    }
    return Case(body=body, script=script, done=f"{instance} stopped")


def _stop_dev(rng: random.Random) -> Case:
    return _stop("dev", "Stop idle dev instance {instance}", AUTO, rng)


def _stop_staging(rng: random.Random) -> Case:
    return _stop("staging", "Stop staging instance {instance}, idle for hours", SILENCE, rng)


def _stop_production(rng: random.Random) -> Case:
    return _stop("production", "Stop production instance {instance}, it leaks memory", approves("ana"), rng)


def _stop_escalated(rng: random.Random) -> Case:
    script = Script(ends=Status.APPROVED, verb="approve", by=("bo",), called=True)
    return _stop("production", "Stop production instance {instance} before it is killed", script, rng)


def _volume(rng: random.Random) -> Case:
    volume = f"vol-{rng.randint(100, 999)}"
    body: Object = {
        "action": {"name": "delete_volume", "arguments": {"volume": volume, "size_gb": 500}, "reversible": False,
                   "preview": f"{volume} (500 GB) would be deleted. Last snapshot: 3 days ago."},
        "subject": f"volume:{volume}",
        "summary": f"Delete detached volume {volume} (500 GB)",
        "confidence": 0.78,
        "context": {"reasoning": ["Detached for 45 days.", "Its last owner left the team.", "A snapshot exists."],
                    "facts": {"Attached": "no", "Snapshot": "3 days old", "Cost": "41 EUR a month"},
                    "policy": ["Volumes are deleted by two people: security and the lead engineer."]},
    }  # fmt: skip
    return Case(body=body, script=approves("dara", "emil"), done=f"{volume} deleted")


def _firewall(rng: random.Random) -> Case:
    group = f"sg-{rng.randint(100, 999)}"
    body: Object = {
        "action": {
            "name": "modify_security_group",
            "arguments": {"group": group, "port": 5432, "cidr": "0.0.0.0/0", "direction": "ingress"},
            "reversible": True,
            "preview": "Port 5432 would be open to any address.",
        },
        "subject": f"group:{group}",
        "summary": f"Open port 5432 in {group} so that the new report can read the database",
        "confidence": 0.51,
        "context": {"reasoning": ["The report server cannot connect.", "Its address changes, so I allow any."],
                    "alternatives": ["Allow only 10.20.0.0/16, where the report server lives"]},
    }  # fmt: skip
    again = {"group": group, "port": 5432, "cidr": "10.20.0.0/16", "direction": "ingress"}
    script = edits("bo", cidr="10.20.0.0/16")
    return Case(body=body, script=script, done=f"{group} changed", again=again)


def _list(rng: random.Random) -> Case:
    body: Object = {
        "action": {"name": "list_instances", "arguments": {"region": rng.choice(("eu-1", "eu-2", "us-1"))}},
        "summary": "List the instances of a region",
        "confidence": 0.99,
    }
    return Case(body=body, script=AUTO, done="listed")


_OPERATIONS: tuple[Maker, ...] = (
    _stop_staging, _stop_escalated, _stop_production, _firewall, _volume, _stop_dev, _list,
)  # fmt: skip
