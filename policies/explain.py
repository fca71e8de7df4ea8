"""A classification told in words: every rule, what tightened it, and when whom. Plain text, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from policies import durations
from policies.hours import schedule
from policies.model import Classification, Policy, Rule
from policies.routes import as_plain
from policies.trial import TestResult, run_tests
from reviews.model import Need, Object, Order, Route, Rung, Then, Tier

_MARKS = {"matched": "✓", "not matched": "·", "failed": "✗", "not reached": " "}


def explain(
    classification: Classification, policy: Policy, *, with_rules: bool = True, with_schedule: bool = True
) -> str:
    """The whole story as a plain text tree; without its rules or its schedule where they are told otherwise."""
    told = as_json(classification, policy)
    asked = told["asked"]
    listed = "listed" if asked["listed"] else "not listed"
    lines = [f"{asked['action']} ({listed}), {asked['at']}, under {classification.policy}"]
    lines += [f"  ✗ {fault}" for fault in asked["failures"]]
    if with_rules:
        lines += ["rules", *(line for rule in told["rules"] for line in _rule_lines(rule))]
    if told["tightened"]:
        lines += ["made stricter", *(f"  ↑ {step['what']}: {step['why']}" for step in told["tightened"])]
    lines += ["route", *(f"  {line}" for line in _route_lines(classification))]
    if told["schedule"] and with_schedule:
        lines += ["schedule", *(f"  {step['at']}  {step['what']}" for step in told["schedule"])]
    if classification.violations:
        lines += ["violations", *(f"  ! {text}" for text in classification.violations)]
    return "\n".join(lines) + "\n"


def as_json(classification: Classification, policy: Policy) -> Object:
    """The same story as JSON: `asked`, `rules` in order, `tightened`, `route`, `schedule`, `violations`."""
    trace = classification.trace
    asked = next((step for step in trace if step["step"] == "asked"), None)
    if asked is None:
        raise ValueError("this trace was not made by classify")
    seen = {step["rule"]: step for step in trace if step["step"] == "rule"}
    rules = [_told(rule, seen.get(rule.name), asked["values"]) for rule in (*policy.rules, policy.default)]
    return {
        "policy": classification.policy,
        "asked": asked,
        "rules": rules,
        "tightened": [step for step in trace if step["step"] == "tightened"],
        "route": as_plain(classification.route)
        | {
            "rule": classification.route.rule,
            "risk": str(classification.route.risk),
            "reversible": classification.route.reversible,
            "amount": classification.route.amount,
            "p": classification.route.p,
            "drawn": classification.drawn,
            "shadow": classification.route.shadow,
        },
        "schedule": _schedule(classification.route, policy, asked),
        "violations": list(classification.violations),
    }


def _told(rule: Rule, step: Object | None, values: Object) -> Object:
    result = step["result"] if step is not None else "not reached"
    paths = [".".join(path) for path in rule.when.paths] if rule.when is not None and step is not None else []
    told: Object = {
        "rule": rule.name,
        "when": rule.when.source if rule.when is not None else None,
        "result": result,
        "values": {path: values.get(path) for path in paths},
        "tier": str(rule.route.tier),
    }
    return told if step is None else told | {key: step[key] for key in ("why", "then") if key in step}


def _rule_lines(rule: Object) -> list[str]:
    head = f"  {_MARKS[rule['result']]} {rule['rule']}: {rule['result']}"
    why = f" ({rule['why']}; {rule['then']})" if "why" in rule else ""
    lines = [head + why]
    if rule["when"] is not None:
        lines.append(f"      when {rule['when']}")
    if rule["values"]:
        lines.append("      with " + ", ".join(f"{path} = {_value(value)}" for path, value in rule["values"].items()))
    return lines


def _value(value: Any) -> str:
    match value:
        case None:
            return "absent"
        case bool():
            return str(value).lower()
        case str() if not value.startswith("("):
            return f'"{value}"'
        case _:
            return str(value)


def _route_lines(found: Classification) -> list[str]:
    route = found.route
    shadow = ", shadow: recorded and let through" if route.shadow else ""
    lines = [f"{route.tier} by {route.rule}{shadow}: {route.explanation}"]
    if route.needs:
        joint = ", then " if route.order is Order.SEQUENCE else " and "
        lines.append("needs " + joint.join(_need(need) for need in route.needs))
    if route.tier is Tier.SAMPLE:
        lines.append(f"p {route.p:g}, {'drawn' if found.drawn else 'not drawn'}")
    if route.tier.asks:
        spans = f"approval valid for {durations.show(route.valid_for)}"
        lines.append(f"allowed {', '.join(route.allowed)}; {spans}")
    if route.undo:
        lines.append(f"an approval can be taken back for {durations.show(route.undo)} before the agent may use it")
    if route.assign_one:
        lines.append("given to one of the people who may decide it")
    reversible = "reversible" if route.reversible else "not reversible"
    amount = f", amount {route.amount:g}" if route.amount is not None else ""
    return [*lines, f"risk {route.risk}, {reversible}{amount}"]


def _need(need: Need) -> str:
    return need.role if need.role is not None else f"somebody of level {need.level}"


def _schedule(route: Route, policy: Policy, asked: Object) -> list[Object]:
    if not route.tier.asks:
        return []
    deadline = asked["review_deadline"]
    plan = schedule(
        route,
        datetime.fromisoformat(asked["at"]),
        calendar=policy.calendar,
        review_deadline=None if deadline is None else datetime.fromisoformat(deadline),
    )
    zone = policy.calendar.zone
    steps = [(at, what) for rung, at in zip(route.chain, plan.rungs, strict=True) for what in _happens(rung)]
    if plan.sla_at is not None:
        steps.append((plan.sla_at, f"the promise (sla {durations.show(route.sla)}) is broken" if route.sla else ""))
    steps.append((plan.deadline_at, "expires"))
    steps.sort(key=lambda step: step[0])
    return [{"at": at.astimezone(zone).isoformat(timespec="seconds"), "what": what} for at, what in steps]


def _happens(rung: Rung) -> Iterator[str]:
    """What a rung comes to, in words."""
    if rung.notify:
        yield " ".join((", ".join(rung.notify), *((f"by {', '.join(rung.via)}",) if rung.via else ())))
    if rung.remind:
        yield "a reminder"
    if rung.then is Then.HUMAN_ONLY:
        yield "nobody can approve it any more; a person does it"


# ---------------------------------------------------------------------------------------------- differences


def diff(old: Policy, new: Policy) -> str:
    """What changes from one policy to another, rule by rule; `no difference` when nothing does."""
    lines = [
        *_changed("settings", _settings(old), _settings(new)),
        *_changed("action", _actions(old), _actions(new)),
        *_changed("chain", _chains(old), _chains(new)),
        *_changed("rule", _rules(old), _rules(new)),
        *_moved(old, new),
    ]
    head = f"{old.ref} → {new.ref}"
    return "\n".join([head, *(lines or ["no difference"])]) + "\n"


def _changed(kind: str, old: dict[str, Object], new: dict[str, Object]) -> list[str]:
    lines = []
    for name in dict.fromkeys((*old, *new)):
        if name not in old:
            lines += [f"+ {kind} {name}", *(f"    {key}: {_short(v)}" for key, v in new[name].items() if v)]
        elif name not in new:
            lines.append(f"- {kind} {name}")
        elif old[name] != new[name]:
            keys = [key for key in dict.fromkeys((*old[name], *new[name])) if old[name].get(key) != new[name].get(key)]
            changes = (f"    {key}: {_short(old[name].get(key))} → {_short(new[name].get(key))}" for key in keys)
            lines += [f"~ {kind} {name}", *changes]
    return lines


def _short(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else repr(value)


def _settings(policy: Policy) -> dict[str, Object]:
    calendar = policy.calendar
    days = sorted(calendar.days)
    hours = f"{days} {calendar.opens}-{calendar.closes} min" if calendar.hours else None
    closed = [calendar.country or "", *sorted(day.isoformat() for day in calendar.closed)]
    values = {
        "name": policy.name,
        "mode": "shadow" if policy.shadow else "enforce",
        "timezone": calendar.timezone,
        "business_hours": hours,
        "holidays": " ".join(closed).strip() or None,
    }
    return {"of the policy": values}


def _actions(policy: Policy) -> dict[str, Object]:
    return {
        name: {
            "risk": str(entry.risk),
            "reversible": entry.reversible,
            "amount": entry.amount,
            "sensitive": list(entry.sensitive),
            "schema": entry.schema,
            "guide": entry.guide,
        }
        for name, entry in policy.actions.items()
    }


def _chains(policy: Policy) -> dict[str, Object]:
    return {name: {f"rung {n}": _rung(rung) for n, rung in enumerate(c.rungs, 1)} for name, c in policy.chains.items()}


def _rung(rung: Rung) -> str:
    parts = [durations.show(rung.after), *rung.notify, *(["remind"] if rung.remind else [])]
    parts += [f"via {', '.join(rung.via)}"] if rung.via else []
    parts += ["notify only"] if rung.notify_only else []
    parts += [f"then {rung.then}"] if rung.then is not None else []
    parts += ["in business time"] if rung.clock == "business" else []
    return " ".join(parts)


def _rules(policy: Policy) -> dict[str, Object]:
    return {
        rule.name: {
            "when": rule.when.source if rule.when is not None else None,
            "mode": "shadow" if rule.shadow else None,
            "rate": rule.rate if rule.route.tier is Tier.SAMPLE else None,
            "weight": rule.weight.source if rule.weight is not None else None,
            **as_plain(rule.route),
            **_spans(rule.route),
        }
        for rule in (*policy.rules, policy.default)
    }


def _spans(route: Route) -> Object:
    """The durations of a route as people write them."""
    spans = {
        "sla": route.sla,
        "valid_for": route.valid_for,
        "reply_within": route.reply_within,
        "undo": route.undo or None,
    }
    return {key: None if span is None else durations.show(span) for key, span in spans.items()}


def _moved(old: Policy, new: Policy) -> list[str]:
    before, after = [r.name for r in old.rules], [r.name for r in new.rules]
    common_before = [name for name in before if name in after]
    common_after = [name for name in after if name in before]
    return [f"~ order of rules: {', '.join(common_after)}"] if common_before != common_after else []


__all__ = ["TestResult", "as_json", "diff", "explain", "run_tests"]
