"""A policy from its files: read strictly, or refused with every fault found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from policies import check, routes, sections
from policies.chains import chain as one_chain
from policies.errors import PolicyFault
from policies.lookup import lookup
from policies.model import Case, Chain, Known, Policy, Rule
from policies.nodes import Faults, Item, compose
from policies.sections import Names
from reviews.model import Need, Route, Tier

#: The keys of the main file, and of those it includes.
MAIN_KEYS = (
    "policy", "version", "description", "mode", "timezone", "business_hours", "include", "actions", "chains", "rules",
    "default", "tests",
)  # fmt: skip
PART_KEYS = ("description", "actions", "chains", "rules", "tests")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: Joins the files of a folder into one text that can be loaded again.
_MARK = re.compile(r"^#% file: (.+)\n", re.MULTILINE)
_LARGEST = 1_000_000
#: Stands in for a default that is missing while the other faults are looked for.
_NOBODY = Rule(name="default", route=Route(tier=Tier.DENY))


def load(path: Path, known: Known | None = None) -> Policy:
    """Read a policy from a file, or from a folder with `main.yml` whose `include:` joins others.

    Raises PolicyFault with everything that is wrong.
    """
    main = path / "main.yml" if path.is_dir() else path
    faults = Faults()
    text = _read(main, main.name, faults)
    root = compose(text, main.name, faults) if text is not None else None
    if text is None or root is None:
        raise PolicyFault(tuple(faults.found))
    files = {main.name: text} | _included(root, main.parent, main.name, faults)
    for name, content in files.items():
        if _MARK.search(content):
            faults.add(name, 1, None, "text", "no line may begin with `#% file:`, which joins a folder's files")
    return _assembled(files, faults, known)


def load_text(text: str, *, name: str = "<text>", known: Known | None = None) -> Policy:
    """Read a policy from its text, or from the `Policy.text` of a folder. Raises PolicyFault."""
    faults = Faults()
    if not text.startswith("#% file: "):
        return _assembled({name: text}, faults, known)
    parts = _MARK.split(text)
    return _assembled(dict(zip(parts[1::2], parts[2::2], strict=True)), faults, known)


def library(name: str, known: Known | None = None) -> Policy:
    """One of the policies that come with Placet, by its file name without `.yml`. Raises PolicyFault."""
    return load(Path(__file__).parent / "library" / f"{name}.yml", known)


def library_names() -> tuple[str, ...]:
    """The names of the policies that come with Placet."""
    return tuple(sorted(path.stem for path in (Path(__file__).parent / "library").glob("*.yml")))


# ---------------------------------------------------------------------------------------------- files


def _read(path: Path, name: str, faults: Faults) -> str | None:
    try:
        data = path.read_bytes()
    except OSError as fault:
        faults.add(name, 1, None, "file", f"cannot be read: {fault.strerror}")
        return None
    if len(data) > _LARGEST:
        faults.add(name, 1, None, "file", f"is larger than {_LARGEST} bytes; split it and use include:")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        faults.add(name, 1, None, "file", "is no UTF-8 text; save it as UTF-8")
        return None


def _included(root: Item, folder: Path, main: str, faults: Faults) -> dict[str, str]:
    include = root.mapping().get("include") if root.is_mapping else None
    found: dict[str, str] = {}
    for item in [] if include is None else include.many():
        name = item.text()
        if name is None:
            continue
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            item.fault("must lie in the folder of the main file")
        elif name == main or name in found:
            item.fault("is here already; include a file once")
        elif (text := _read(folder / name, name, faults)) is not None:
            found[name] = text
    return found


def _joined(files: Mapping[str, str]) -> str:
    if len(files) == 1:
        return next(iter(files.values()))
    return "".join(
        f"#% file: {name}\n{text}{'' if text.endswith(chr(10)) else chr(10)}" for name, text in files.items()
    )


# ---------------------------------------------------------------------------------------------- the whole


def _assembled(files: Mapping[str, str], faults: Faults, known: Known | None) -> Policy:
    roots = [root for name, text in files.items() if (root := compose(text, name, faults)) is not None]
    if len(roots) < len(files):
        raise PolicyFault(tuple(faults.found))
    main = roots[0].mapping(MAIN_KEYS, required=("policy", "version", "default"))
    parts = [main, *(root.mapping(PART_KEYS) for root in roots[1:])]
    for part in parts:
        if "description" in part:
            part["description"].text()
    policy = _policy(_joined(files), main, parts, Names(known))
    warnings = check.examine(policy, faults)
    if faults.found:
        order = {name: n for n, name in enumerate(files)}
        distinct = dict.fromkeys(faults.found)
        raise PolicyFault(tuple(sorted(distinct, key=lambda f: (order.get(f.file, 0), f.line))))
    return replace(policy, warnings=warnings)


def _policy(text: str, main: Mapping[str, Item], parts: list[dict[str, Item]], names: Names) -> Policy:
    calendar = sections.calendar(main)
    chains = {item.field: one_chain(item, names, calendar) for item in _entries(parts, "chains")}
    actions = {item.field: sections.action(item) for item in _entries(parts, "actions")}
    rules = _rules(parts, chains, names)
    default = routes.default(main["default"], chains, names) if "default" in main else _NOBODY
    conditions = [c for rule in (*rules, default) for c in (rule.when, rule.weight) if c is not None]
    return Policy(
        name=_name(main.get("policy")),
        version=(main["version"].whole(1, 10**9) if "version" in main else None) or 1,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        default=default,
        fallback=_fallback(default),
        lookup=lookup(rules, default),
        rules=rules,
        actions=MappingProxyType(actions),
        chains=MappingProxyType(chains),
        calendar=calendar,
        shadow="mode" in main and main["mode"].one_of(routes.MODES) == "shadow",
        tests=_tests(parts, calendar.timezone),
        known=names.known,
        names=frozenset().union(*(condition.names for condition in conditions)),
        longest=max((window for c in conditions for window in c.windows), default=None),
    )


def _name(item: Item | None) -> str:
    name = None if item is None else item.text()
    if item is not None and name is not None and not _NAME.fullmatch(name):
        item.fault("must be a short name of letters, digits, dots and hyphens, such as it-operations")
    return name or "unnamed"


def _entries(parts: list[dict[str, Item]], section: str) -> list[Item]:
    """The entries of a section in all files; each name once."""
    found: dict[str, Item] = {}
    for part in parts:
        for name, item in (part[section].mapping() if section in part else {}).items():
            if name in found:
                item.fault(f"is already in {found[name].file} at line {found[name].line}; keep one")
            found.setdefault(name, item)
    return list(found.values())


def _rules(parts: list[dict[str, Item]], chains: Mapping[str, Chain], names: Names) -> tuple[Rule, ...]:
    found: dict[str, Rule] = {}
    for item in (item for part in parts if "rules" in part for item in part["rules"].items()):
        rule = routes.rule(item, chains, names)
        if rule is None:
            continue
        if rule.name in found:
            first = found[rule.name]
            item.named(rule.name).fault(f"the name is taken by the rule at {first.file}:{first.line}; choose another")
        found.setdefault(rule.name, rule)
    return tuple(found.values())


def _tests(parts: list[dict[str, Item]], zone: str) -> tuple[Case, ...]:
    items = [item for part in parts if "tests" in part for item in part["tests"].items()]
    return tuple(sections.case(item, n, zone) for n, item in enumerate(items, start=1))


def _fallback(default: Rule) -> Route:
    """Who must look at what may not pass by itself and names nobody: the default's people, else anybody of level 1."""
    if default.route.tier in (Tier.APPROVE, Tier.DUAL, Tier.HUMAN_ONLY):
        return default.route
    return Route(
        tier=Tier.APPROVE,
        needs=(Need(level=1),),
        chain=routes.PLAIN_CHAIN,
        sla=timedelta(hours=24),
        explanation="A person must approve it.",
    )
