"""A policy is read strictly: every fault says its file, line, rule, field, and what is allowed."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from policies.errors import PolicyFault
from policies.load import load, load_text
from policies.model import Known
from reviews.model import Need, Order, Then, Tier

HEAD = "policy: p\nversion: 1\n"
TAIL = "default: {tier: approve, role: desk}\n"


def faults(text: str, known: Known | None = None) -> list[str]:
    """The faults of a text, as people read them."""
    with pytest.raises(PolicyFault) as caught:
        load_text(text, name="p.yml", known=known)
    assert str(caught.value) == "\n".join(str(fault) for fault in caught.value.faults)
    return [str(fault) for fault in caught.value.faults]


def rule(route: str, when: str = '"true"', more: str = "") -> str:
    """A policy with one rule, its route at line 5."""
    return f"{HEAD}rules:\n  - name: r\n    route: {route}\n    when: {when}\n{more}{TAIL}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "p.yml:1: yaml: the file is empty"),
        ("a: [", "p.yml:1: yaml: expected the node content"),
        ("- a", "p.yml:1: policy: must be a mapping (key: value), not a list"),
        (f"{HEAD}{TAIL}frob: 1", "p.yml:4: frob: unknown key; allowed: policy, version, "),
        (f"{HEAD}", "p.yml:1: default: is missing"),
        (f"policy: p\n{TAIL}", "p.yml:1: version: is missing"),
        (f"policy: p\nversion: '1'\n{TAIL}", "p.yml:2: version: must be a whole number, not a text"),
        (f"policy: p\nversion: 0\n{TAIL}", "p.yml:2: version: 0 is out of bounds; allowed: 1 to"),
        (f"policy: a b\nversion: 1\n{TAIL}", "p.yml:1: policy: must be a short name"),
        (f"{HEAD}version: 2\n{TAIL}", "p.yml:3: version: this key is here twice, first at line 2"),
        (f"{HEAD}mode: loud\n{TAIL}", "p.yml:3: mode: 'loud' is not known; allowed: enforce, shadow"),
        (f"{HEAD}timezone: Mars/Base\n{TAIL}", "p.yml:3: timezone: 'Mars/Base' is no time zone"),
        (f"{HEAD}rules:\n{TAIL}", "p.yml:3: rules: must be a list, not nothing"),
        (f"{HEAD}<<: {{a: 1}}\n{TAIL}", "p.yml:3: policy: a key must be a text; merge keys"),
        (f"{HEAD}x: &a [*a]\n{TAIL}", "p.yml:3: yaml: aliases (*name) are not read"),
        (rule("{tier: autoo}"), "p.yml:5: rule \"r\": tier: 'autoo' is not known; allowed: auto, sample, confirm"),
        (rule("{tier: approve}"), 'p.yml:5: rule "r": route: tier approve needs to know who: role, level or needs'),
        (rule("{tier: approve, role: on}"), 'p.yml:5: rule "r": role: must be a text, not true or false; put it in q'),
        (
            rule("{tier: approve, role: a, sla: 10x}"),
            "sla: '10x' is no duration; allowed: a number with s, m, h, d or w",
        ),
        (rule("{tier: approve, role: a, sla: 0m}"), "sla: must be longer than nothing"),
        (rule("{tier: approve, role: a, sla: 9999d}"), "sla: 9999d is too long; at most 366d"),
        (rule("{tier: approve, role: a, level: 2}"), "level: says who is needed a second time, after `role`"),
        (rule("{tier: approve, role: a, chain: c}"), "chain: unknown chain 'c'; allowed: none is written yet"),
        (rule("{tier: approve, role: a, allowed: [edit]}"), "allowed: approve and reject always stay"),
        (
            rule("{tier: approve, role: a, allowed: [approve, reject, fly]}"),
            "allowed: 'fly' is not known; allowed: app",
        ),
        (rule("{tier: approve, role: a, rate: 0.5}"), "rate: means nothing with tier approve"),
        (rule("{tier: auto, role: a}"), "role: means nothing with tier auto"),
        (rule("{tier: confirm, role: a}"), "role: means nothing with tier confirm"),
        (rule("{tier: approve, role: a, undo: 6m}"), "undo: is too long, for the agent waits; at most 5m"),
        (rule("{tier: approve, role: a, undo: 0s}"), "undo: must be longer than nothing"),
        (rule("{tier: human_only, role: a, undo: 5s}"), "undo: means nothing with tier human_only"),
        (rule("{tier: auto, undo: 5s}"), "undo: means nothing with tier auto"),
        (rule("{tier: approve, role: a, assign: all}"), "assign: 'all' is not known; allowed: one"),
        (rule("{tier: confirm, assign: one}"), "assign: means nothing with tier confirm"),
        (rule("{tier: sample, role: a}"), "tier: sample needs `rate`"),
        (rule("{tier: sample, role: a, rate: 2}"), "rate: 2 is out of bounds; allowed: 0 to 1"),
        (rule("{tier: dual, role: a, quorum: 1}"), "quorum: dual needs at least two persons"),
        (rule("{tier: dual, needs: [{role: a, level: 1}]}"), "needs: a need is {role: NAME} or {level: 1…}"),
        (rule("{tier: approve, role: a, order: random}"), "order: 'random' is not known; allowed: any, sequence"),
        (rule("{tier: auto}", "foo > 1"), 'p.yml:6: rule "r": when: unknown name foo; allowed: action, args,'),
        (rule("{tier: auto}", "frob(1)"), "when: unknown function frob; allowed: count, sum,"),
        (rule("{tier: auto}", "action.nmae == 'x'"), "when: unknown name action.nmae; allowed: name"),
        (rule("{tier: auto}", "risk.lvl == 'x'"), "when: unknown name risk.lvl; allowed: level, score"),
        (rule("{tier: auto}", "amount >"), "when: cannot be read as CEL: Failed to parse"),
        (
            rule("{tier: auto}", "sum(args, 1h) > 1"),
            "when: sum adds up amounts over a time; write it as sum(amount, 24h)",
        ),
        (rule("{tier: auto}", "count(3600) > 1"), "when: a counter needs a time to look back"),
        (rule("{tier: auto}", "after_hours"), 'rule "r": when: after_hours needs `business_hours`'),
        (rule("{tier: auto}", "true"), "when: must be a text, not true or false; put it in quotes"),
        (rule("{tier: sample, rate: 1, role: a, weight: frob}"), "weight: unknown name frob"),
        (
            f"{HEAD}rules:\n  - {{name: default, when: listed, route: {{tier: auto}}}}\n{TAIL}",
            "`default` is the name of",
        ),
        (
            f"{HEAD}rules:\n  - {{when: listed, route: {{tier: auto}}}}\n{TAIL}",
            'rule "rule at line 4": name: is missing',
        ),
        (f"{HEAD}actions:\n  a: {{reversible: true}}\n{TAIL}", 'p.yml:4: rule "a": risk: is missing'),
        (f"{HEAD}actions:\n  a: {{risk: low, amount: amount}}\n{TAIL}", "amount: must be a JSON Pointer"),
        (f"{HEAD}actions:\n  a: {{risk: low, sensitive: [iban]}}\n{TAIL}", "sensitive: must be a JSON Pointer"),
        (f"{HEAD}actions:\n  a: {{risk: low, schema: {{type: frob}}}}\n{TAIL}", "schema: schema at /type"),
        (
            f"{HEAD}tests:\n  - {{given: {{}}, expect: {{teir: auto}}}}\n{TAIL}",
            "teir: unknown key; allowed: tier, role",
        ),
        (f"{HEAD}tests:\n  - {{given: {{}}, expect: {{}}}}\n{TAIL}", "expect: expects nothing"),
        (f"{HEAD}tests:\n  - {{given: {{}}, expect: {{tier: auto}}, at: noon}}\n{TAIL}", "at: must be a date and time"),
    ],
)
def test_a_fault_says_where_and_what_is_allowed(text: str, expected: str) -> None:
    """Each kind of mistake has its sentence, with its line."""
    assert any(expected in fault for fault in faults(text)), faults(text)


def test_two_rules_of_one_name_are_a_fault() -> None:
    """The second one is told where the first is."""
    text = f"""{HEAD}rules:
  - {{name: r, when: listed, route: {{tier: auto}}}}
  - {{name: r, when: listed, route: {{tier: deny}}}}
{TAIL}"""
    assert faults(text) == ['p.yml:5: rule "r": rules: the name is taken by the rule at p.yml:4; choose another']


def test_all_faults_come_at_once_in_the_order_of_the_text() -> None:
    """One reading tells everything."""
    found = faults(f"{HEAD}frob: 1\nrules:\n  - {{name: r, when: foo, route: {{tier: x}}}}\nnope: 2\n{TAIL}")
    assert [fault.split(":")[1] for fault in found] == ["3", "5", "5", "6"]


# ------------------------------------------------------------------------------------------ chains


def chain(rungs: str, more: str = "") -> str:
    """A policy with one chain."""
    listed = "\n".join(f"    - {{{rung}}}" for rung in rungs.split(" | "))
    return f"{HEAD}{more}chains:\n  c:\n{listed}\n{TAIL}"


@pytest.mark.parametrize(
    ("rungs", "expected"),
    [
        (
            "after: 0m, notify: channel:role | after: 1h, then: approve",
            "is not known; allowed: expire, hold, fallback-role",
        ),
        ("after: 0m, notify: channel:role | after: 1h, then: fallback-role", "needs `role`, to whom it falls back"),
        (
            "after: 0m, notify: channel:role | after: 1h, then: fallback-role, role: b, notify: role:a",
            "a fallback calls its `role`",
        ),
        ("after: 0m, notify: role:a, role: b", "role: only goes with `then: fallback-role`"),
        ("after: 0m, notify: role:a | after: 1h, then: human_only, hold_max: 1h", "must be later than `after`"),
        (
            "after: 0m, notify: role:a, notify_only: true | after: 1h, then: expire",
            "nobody this chain reaches may decide",
        ),
        ("after: 1h, then: expire", "nobody this chain reaches may decide"),
        ("after: 0m, then: expire | after: 1h, notify: role:a", "only the last rung says what happens then"),
        ("after: 0m", "a rung needs `notify`"),
        ("notify: role:a", "after: is missing"),
        ("after: 0m, notify: everybody", "'everybody' is no target; allowed: channel:role, role:NAME"),
        ("after: 0m, notify: role:a, via: Carrier pigeon", "'Carrier pigeon' is not known; allowed: channel, dm, web"),
        ("after: 9m, notify: role:a | after: 5m, notify: role:b", "comes earlier than the rung before it"),
        ("after: 0m, notify: role:a | after: 5m, notify: role:b, then: expire", "whom would it call when it is over"),
        ("after: 0m, notify: role:a, clock: business", "needs `business_hours` in this policy"),
        ("after: 0m, notify: role:a, hold_max: 1d", "only goes with `then: hold | fallback-role | human_only`"),
        ("after: 0m, notify: role:a, remind: 0m", "remind: must be longer than nothing"),
        ("after: 0m, notify: role:a | after: 5m, remind: 1m, then: expire", "nobody is reminded of what is over"),
        ("after: 0m, notify: role:a, remind: 5m | after: 5m, then: expire", "comes no sooner than the next rung"),
        (
            "after: 0m, notify: role:a, remind: 1m | after: 22m, then: expire",
            "comes 21 times before the next rung; at most",
        ),
        ("after: 0m, notify: role:a | after: 2h, then: hold, hold_max: 1h", "must be later than `after`"),
    ],
)
def test_a_chain_that_cannot_work_is_a_fault(rungs: str, expected: str) -> None:
    """Silence must end in something, and somebody reached must be able to decide."""
    found = faults(chain(rungs))
    assert any(expected in fault and 'rule "c"' in fault for fault in found), found


def test_an_approval_may_rest_and_be_given_to_one() -> None:
    """`undo` and `assign` are the route's; without them an approval is good at once, and everybody is called."""
    rules = """rules:
  - {name: r, when: listed, route: {tier: approve, role: a, undo: 10s, assign: one}}
"""
    subject = load_text(HEAD + rules + TAIL)
    (made,) = subject.rules
    assert (made.route.undo, made.route.assign_one) == (timedelta(seconds=10), True)
    assert (subject.default.route.undo, subject.default.route.assign_one) == (timedelta(0), False)


def test_a_hold_ends() -> None:
    """Every review ends: after a hold comes its maximum, seven days unless said."""
    for text, days in (("then: hold", 7), ("then: hold, hold_max: 3d", 3)):
        rungs = load_text(chain(f"after: 0m, notify: role:a | after: 2h, {text}")).chains["c"].rungs
        assert [(rung.then, rung.after.days) for rung in rungs[1:]] == [(Then.HOLD, 0), (Then.EXPIRE, days)]


def test_a_chain_that_calls_only_role_channels_needs_a_role() -> None:
    """A level has no channel, so nobody would hear of it."""
    assert "calls only the channels of roles" in faults(rule("{tier: approve, level: 2}"))[0]


def test_a_chain_may_count_business_time() -> None:
    """For all its rungs, or for one."""
    hours = 'business_hours: {days: "mon-fri, sun", from: "09:00", to: "24:00", holidays: [DE-BY, 2026-12-24]}\n'
    text = f"{HEAD}{hours}chains:\n  c: {{clock: business, rungs: [{{after: 1h, notify: role:a}}]}}\n{TAIL}"
    subject = load_text(text)
    assert subject.chains["c"].rungs[0].clock == "business"
    assert sorted(subject.calendar.days) == [0, 1, 2, 3, 4, 6]
    assert (subject.calendar.opens, subject.calendar.closes, subject.calendar.country) == (540, 1440, "DE-BY")


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ('{days: mon-fri, from: "18:00", to: "09:00"}', "to: must be later than `from`"),
        ('{days: monday, from: "09:00", to: "18:00"}', "days: 'monday' is no day; allowed: mon, tue"),
        ('{days: mon, from: "9", to: "18:00"}', "from: '9' is no time of day"),
        ('{days: mon, from: "09:00", to: "24:30"}', "to: '24:30' is no time of day"),
        ('{days: mon, from: "09:00", to: "18:00", holidays: XX}', "holidays: 'XX' is no country"),
        ('{days: mon, from: "09:00", to: "18:00", holidays: [DE, FR]}', "holidays: only one country"),
        ("{days: mon}", "from: is missing"),
    ],
)
def test_business_hours_are_checked(hours: str, expected: str) -> None:
    """Days, times and holidays each have their sentence."""
    assert any(expected in fault for fault in faults(f"{HEAD}business_hours: {hours}\n{TAIL}"))


def test_times_need_no_quotes() -> None:
    """`18:00` is 1080 to YAML; here it is six in the evening."""
    subject = load_text(f"{HEAD}business_hours: {{days: mon, from: 09:00, to: 18:00}}\n{TAIL}")
    assert (subject.calendar.opens, subject.calendar.closes) == (540, 1080)


# ------------------------------------------------------------------------------------------ names


KNOWN = Known(
    roles=frozenset({"desk"}),
    people=frozenset({"ana"}),
    rotations=frozenset({"it.primary"}),
    levels=frozenset({1, 2}),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rule("{tier: approve, role: dsek}"), "role: unknown role 'dsek'; placet.yml has: desk"),
        (rule("{tier: dual, needs: [{role: desk}, {level: 3}]}"), "level: no role in placet.yml has level 3"),
        (chain("after: 0m, notify: person:bo"), "notify: unknown person 'bo'; placet.yml has: ana"),
        (
            chain("after: 0m, notify: oncall:it.second"),
            "notify: unknown oncall 'it.second'; placet.yml has: it.primary",
        ),
        (chain("after: 0m, notify: role:x"), "notify: unknown role 'x'"),
    ],
)
def test_names_are_checked_where_they_are_known(text: str, expected: str) -> None:
    """A name placet.yml does not have is a fault; without placet.yml it is not checked."""
    assert any(expected in fault for fault in faults(text, KNOWN))
    load_text(text)


def test_known_names_pass() -> None:
    """Everything that is there may be named."""
    rungs = "after: 0m, notify: [person:ana, oncall:it.primary, role:desk, channel:role]"
    assert load_text(chain(rungs), known=KNOWN).known == KNOWN


# ------------------------------------------------------------------------------------------ warnings


@pytest.mark.parametrize(
    ("when", "warned"),
    [
        ("confidence > 0.9", True),
        ("has(risk.score) && risk.score < 0.3", True),
        ('validation.status == "ok" && metadata.k == "v"', True),
        ("confidence > 0.9 && reversible", False),
        ('confidence > 0.9 && risk.level == "low"', False),
        ("listed", False),
        ("count(1h) < 5", False),
    ],
)
def test_resting_on_the_agents_word_is_warned_of(when: str, warned: bool) -> None:
    """What asks nobody beforehand should rest on more than what the agent says of itself."""
    subject = load_text(rule("{tier: auto}", f"'{when}'"), name="p.yml")
    assert any("rests only on the agent's word" in text for text in subject.warnings) is warned
    if warned:
        assert subject.warnings[0].startswith('p.yml:5: rule "r": auto rests only')


def test_an_unlisted_action_that_would_pass_is_warned_of() -> None:
    """The rule will never do what it says."""
    when = """'action.name == "a" || action.name in ["b", "c"]'"""
    subject = load_text(rule("{tier: auto}", when, "actions: {b: {risk: low}}\n"))
    assert "a, c is not listed under actions" in subject.warnings[0]


def test_other_dangers_are_warned_of() -> None:
    """A permissive default, shadow, rungs that never ring."""
    assert "the default lets every listed action through" in load_text(f"{HEAD}default: {{tier: auto}}").warnings[0]
    assert "shadow lets everything through" in load_text(f"{HEAD}mode: shadow\n{TAIL}").warnings[0]
    late = chain("after: 0m, notify: role:a | after: 1h, notify: role:b").replace("desk", "desk, chain: c, sla: 5m")
    assert "never ring" in load_text(late).warnings[0]
    assert load_text(HEAD + TAIL).warnings == ()


# ------------------------------------------------------------------------------------------ what is made


def test_needs_as_written() -> None:
    """One role, a quorum, a dual of one role, a level, a list; two or more persons are dual."""
    more = "chains: {c: [{after: 0m, notify: role:a}]}\n"

    def needs(route: str) -> tuple[Tier, tuple[Need, ...]]:
        route_made = load_text(rule(route, more=more)).rules[0].route
        return route_made.tier, route_made.needs

    a, b = Need(role="a"), Need(role="b")
    assert needs("{tier: approve, role: a}") == (Tier.APPROVE, (a,))
    assert needs("{tier: approve, role: a, quorum: 3}") == (Tier.DUAL, (a, a, a))
    assert needs("{tier: dual, role: a}") == (Tier.DUAL, (a, a))
    assert needs("{tier: dual, needs: [{role: a}]}") == (Tier.DUAL, (a, a))
    assert needs("{tier: dual, needs: [{role: a}, {role: b}]}") == (Tier.DUAL, (a, b))
    assert needs("{tier: approve, level: 2, chain: c}") == (Tier.APPROVE, (Need(level=2),))
    assert needs("{tier: human_only, role: a, quorum: 2}") == (Tier.HUMAN_ONLY, (a, a))


def test_a_route_has_its_words() -> None:
    """Order, durations, reasons, the sentence."""
    route = (
        load_text(
            rule("{tier: dual, role: a, order: sequence, sla: 1h30m, valid_for: 15m, reasons: [x, y], because: So.}")
        )
        .rules[0]
        .route
    )
    assert (route.order, route.reasons, route.explanation) == (Order.SEQUENCE, ("x", "y"), "So.")
    assert route.sla is not None
    assert (route.sla.total_seconds(), route.valid_for.total_seconds()) == (5400, 900)


def test_the_text_and_its_hash_are_kept() -> None:
    """Exactly the text, its SHA-256, and a reference made of them."""
    text = HEAD + TAIL
    subject = load_text(text)
    assert (subject.text, subject.sha256) == (text, hashlib.sha256(text.encode()).hexdigest())
    assert subject.ref == f"p@1#sha256:{subject.sha256[:12]}"


def test_a_folder_is_one_policy(tmp_path: Path) -> None:
    """`main.yml` joins others; its text can be loaded again and is the same policy."""
    (tmp_path / "main.yml").write_text(
        f"{HEAD}include: [more.yml]\nrules:\n  - {{name: a, when: listed, route: {{tier: deny}}}}\n{TAIL}"
    )
    (tmp_path / "more.yml").write_text(
        "actions: {x: {risk: low}}\nrules:\n  - {name: b, when: listed, route: {tier: auto}}"
    )
    subject = load(tmp_path)
    assert [rule.name for rule in subject.rules] == ["a", "b"]
    assert list(subject.actions) == ["x"]
    again = load_text(subject.text)
    assert (again.sha256, again.ref, [rule.name for rule in again.rules]) == (subject.sha256, subject.ref, ["a", "b"])


def test_faults_of_a_folder_name_their_file(tmp_path: Path) -> None:
    """Duplicates across files, files outside, files that are not there, keys that belong to the main file."""
    (tmp_path / "main.yml").write_text(
        f"{HEAD}include: [b.yml, ../c.yml, none.yml, b.yml]\nactions: {{x: {{risk: low}}}}\n{TAIL}"
    )
    (tmp_path / "b.yml").write_text("version: 3\nactions:\n  x: {risk: high}\n")
    with pytest.raises(PolicyFault) as caught:
        load(tmp_path)
    told = str(caught.value)
    for expected in (
        "main.yml:3: include: must lie in the folder",
        "none.yml:1: file: cannot be read",
        "main.yml:3: include: is here already",
        "b.yml:1: version: unknown key; allowed: description, actions",
        "b.yml:3: x: is already in main.yml at line 4",
    ):
        assert expected in told, told


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """Missing, not UTF-8, or with the line that joins files."""
    with pytest.raises(PolicyFault, match=r"no\.yml:1: file: cannot be read"):
        load(tmp_path / "no.yml")
    (tmp_path / "latin.yml").write_bytes(b"policy: \xe9")
    with pytest.raises(PolicyFault, match="save it as UTF-8"):
        load(tmp_path / "latin.yml")
    (tmp_path / "mark.yml").write_text(f"{HEAD}{TAIL}#% file: x\n")
    with pytest.raises(PolicyFault, match="no line may begin with"):
        load(tmp_path / "mark.yml")


def test_a_policy_cannot_be_changed() -> None:
    """What was loaded stays as it was."""
    subject = load_text(f"{HEAD}actions: {{x: {{risk: low}}}}\n{TAIL}")
    with pytest.raises(TypeError):
        subject.actions["y"] = subject.actions["x"]
    with pytest.raises(AttributeError):
        subject.version = 2
