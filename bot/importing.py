"""People from a directory: matched with placet.yml by e-mail, one to one, and never guessed."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.config import Config, parse, read
from bot.entries import PersonEntry
from bot.groups import members_of, spelled
from bot.tools import tools_of
from reviews.errors import PlacetError
from reviews.model import Object
from reviews.unseen import clean
from reviews.values import replace

#: What a table of people may have.
COLUMNS = ("id", "name", "email", "phone", "slack", "teams", "roles")
_LARGEST = 2_000_000


class CannotImport(PlacetError):
    """The people cannot be read, or placet.yml cannot be written; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Somebody as a directory or a table (the `source`) says. `where` in it, `flaw` why they are not matched by it."""

    source: str
    where: str
    name: str
    email: str = ""
    id: str = ""
    phone: str = ""
    roles: tuple[str, ...] = ()
    identities: dict[str, str] = field(default_factory=dict)
    flaw: str = ""

    @property
    def label(self) -> str:
        """Who, for a list."""
        known = " ".join(f"{surface}:{who}" for surface, who in self.identities.items())
        return f"{self.name} ({known})" if known else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of it: entries that are `new`, what those `known` lack, and rows to settle by hand with why."""

    new: tuple[Object, ...]
    known: tuple[Object, ...]
    unsettled: tuple[tuple[Row, str], ...]

    def as_json(self, *, written: bool) -> Object:
        """For other programs."""
        unsettled = [
            {"from": row.where, "name": row.name, "email": row.email, "identities": row.identities, "why": why}
            for row, why in self.unsettled
        ]
        return {"new": list(self.new), "known": list(self.known), "unsettled": unsettled, "written": written}


# ---------------------------------------------------------------------------------------------- gathering


def gathered(config: Config, groups: Mapping[str, str], table: Path | None) -> list[Row]:
    """Everybody in the groups, by surface, and in the table. Raises CannotImport, Unread."""
    rows = list(_table(table)) if table is not None else []
    for surface, group in groups.items():
        members = asyncio.run(members_of(tools_of(surface), config, os.environ, surface, group))
        rows += [
            Row(
                source=f"{surface} {group}",
                where=f"{surface} {group}",
                name=_line(member.name) or member.id,
                email=_line(member.email),
                identities={surface: spelled(surface, member.id)},
                flaw="deactivated there" if not member.active else "a guest or a bot" if member.guest else "",
            )
            for member in members
        ]
    return rows


def _table(path: Path) -> Iterator[Row]:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as fault:
        raise CannotImport(f"{path} cannot be read: {fault.strerror}.") from None
    except UnicodeDecodeError as fault:
        raise CannotImport(f"{path} is not UTF-8 text: {fault}. Save it as UTF-8.") from None
    if len(text) > _LARGEST:
        raise CannotImport(f"{path} is larger than {_LARGEST // 1_000_000} MB.")
    lines = csv.DictReader(text.splitlines())
    unknown = [name for name in lines.fieldnames or () if name not in COLUMNS]
    if unknown or not lines.fieldnames:
        said = f"has a column {unknown[0]!r}" if unknown else "is empty"
        raise CannotImport(f"{path} {said}; its first line names columns of: {', '.join(COLUMNS)}.")
    for number, line in enumerate(lines, start=2):
        yield _row(f"{path.name}:{number}", {key: _line(value or "") for key, value in line.items() if key})


def _line(said: str) -> str:
    """What somebody may have written of themselves, on one line of a terminal that it cannot play tricks on."""
    return " ".join(clean(said).split())


def _row(where: str, line: Mapping[str, str]) -> Row:
    known = {surface: spelled(surface, line[surface]) for surface in ("slack", "teams") if line.get(surface)}
    return Row(
        source=where.rpartition(":")[0],
        where=where,
        name=line.get("name") or line.get("id") or line.get("email", ""),
        email=line.get("email", ""),
        id=line.get("id", ""),
        phone=line.get("phone", ""),
        roles=tuple(re.split(r"[\s;,]+", line["roles"])) if line.get("roles") else (),
        identities=known,
    )


# ---------------------------------------------------------------------------------------------- matching


def match(config: Config, rows: Sequence[Row], roles: tuple[str, ...] = ()) -> Found:
    """Who is new, what is new of those known, and whom a person must settle. `roles` are given to whom is new."""
    rows = _joined(rows)
    theirs = Counter(row.email.casefold() for row in rows if row.email and not row.flaw)
    ours = _by_email(config)
    new: list[Object] = []
    known: list[Object] = []
    unsettled: list[tuple[Row, str]] = []
    taken = {person.id for person in config.people}
    for row in rows:
        person = _holder(config, row)
        why = _why_not(config, row, theirs, ours, person)
        if why:
            unsettled.append((row, why))
        elif person is None and not ours.get(row.email.casefold()):
            new.append(_entry(row, roles, taken))
        elif more := _more(person or ours[row.email.casefold()][0], row):
            known.append(more)
    return Found(new=tuple(new), known=tuple(known), unsettled=tuple(unsettled))


def _joined(rows: Sequence[Row]) -> list[Row]:
    """One row for who is in several sources, once in each, and in none otherwise than in another."""
    same: dict[str, list[Row]] = {}
    for row in rows:
        if row.email and not row.flaw:
            same.setdefault(row.email.casefold(), []).append(row)
    joined = {email: _one(found) for email, found in same.items() if len(found) > 1}
    gone = {id(row) for email, one in joined.items() if one is not None for row in same[email]}
    return [*(row for row in rows if id(row) not in gone), *(one for one in joined.values() if one is not None)]


def _one(rows: Sequence[Row]) -> Row | None:
    """The rows as one; None where one source has two, or two say different ids."""
    identities = {surface: who for row in rows for surface, who in row.identities.items()}
    alike = all(identities[surface] == who for row in rows for surface, who in row.identities.items())
    if len({row.source for row in rows}) < len(rows) or not alike or len({row.id for row in rows if row.id}) > 1:
        return None
    return replace(
        rows[0],
        where=", ".join(row.where for row in rows),
        id=next((row.id for row in rows if row.id), ""),
        phone=next((row.phone for row in rows if row.phone), ""),
        roles=tuple(dict.fromkeys(role for row in rows for role in row.roles)),
        identities=identities,
    )


def _by_email(config: Config) -> dict[str, list[PersonEntry]]:
    found: dict[str, list[PersonEntry]] = {}
    for person in config.people:
        if person.email:
            found.setdefault(person.email.casefold(), []).append(person)
    return found


def _holder(config: Config, row: Row) -> PersonEntry | None:
    """Who has one of the identities already."""
    held = (p for p in config.people if any(p.identities.get(s) == who for s, who in row.identities.items()))
    return next(held, None)


def _why_not(
    config: Config,
    row: Row,
    theirs: Mapping[str, int],
    ours: Mapping[str, Sequence[PersonEntry]],
    holder: PersonEntry | None,
) -> str:
    """Why nobody may be taken for this row without a person's word; empty where it is sure."""
    email = row.email.casefold()
    if row.flaw:
        return row.flaw
    if not email:
        return "" if holder is not None else "no e-mail is known, so there is nothing to match by"
    if theirs[email] > 1:
        return f"{theirs[email]} have this e-mail there"
    matched = ours.get(email, ())
    if len(matched) > 1:
        return f"{' and '.join(p.id for p in matched)} have this e-mail in placet.yml"
    if holder is not None and matched and matched[0].id != holder.id:
        return f"the identity is {holder.id}'s, the e-mail {matched[0].id}'s"
    if holder is not None and not matched and holder.email:
        return f"the identity is {holder.id}'s, whose e-mail is another"
    if matched and row.id and row.id != matched[0].id:
        return f"the e-mail is {matched[0].id}'s, not {row.id}'s"
    if not matched and holder is None and row.id in {person.id for person in config.people}:
        return f"{row.id} is in placet.yml with another e-mail"
    missing = [role for role in row.roles if role not in config.roles]
    return f"placet.yml has no role {missing[0]!r}" if missing else _other_identity(matched, row)


def _other_identity(matched: Sequence[PersonEntry], row: Row) -> str:
    for person in matched:
        for surface, who in row.identities.items():
            if (before := person.identities.get(surface, who)) != who:
                return f"{person.id} is {surface}:{before} already"
    return ""


def _more(person: PersonEntry, row: Row) -> Object:
    """What a row says of somebody that placet.yml lacks; empty where it lacks nothing."""
    more: Object = {}
    identities = {s: who for s, who in row.identities.items() if s not in person.identities}
    if identities:
        more["identities"] = identities
    if row.phone and not person.phone:
        more["phone"] = row.phone
    if row.email and not person.email:
        more["email"] = row.email
    if roles := [role for role in row.roles if role not in person.roles]:
        more["roles"] = [*person.roles, *roles]
    return {"id": person.id} | more if more else {}


def _entry(row: Row, roles: tuple[str, ...], taken: set[str]) -> Object:
    """A new person, whose id is nobody else's."""
    wanted = row.id or re.sub(r"[^a-z0-9_.-]+", "-", row.email.partition("@")[0].casefold()).strip("-._")[:40]
    base = wanted or "person"
    name = next(each for each in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if each not in taken)
    taken.add(name)
    held = list(dict.fromkeys((*row.roles, *roles)))
    parts: Object = {"id": name, "name": row.name, "email": row.email, "phone": row.phone}
    return {k: v for k, v in (parts | {"roles": held, "identities": row.identities}).items() if v}


# ---------------------------------------------------------------------------------------------- writing


def as_yaml(entries: Iterable[Object], indent: str = "  ") -> str:
    """Entries for `people:`, one a line."""
    return "".join(f"{indent}- {_flow(entry)}\n" for entry in entries)


def _flow(entry: Any) -> str:
    return yaml.safe_dump(
        entry, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False, default_style=None
    ).strip()


def write(path: Path, entries: Sequence[Object], changes: Sequence[Object] = ()) -> None:
    """Add people to placet.yml under `people:`, and to those of the same id what `changes` have more.

    All else stays as it is, comments too, and `.bak` is as before. Raises CannotImport where the file would not load
    or would say anything else than that; then nothing is written.
    """
    before, raw = read(path)
    text = raw.decode("utf-8")
    for change in changes:
        text = _changed(text, change)
    text = _appended(text, entries) if entries else text
    after = parse(yaml.safe_load(text), str(path))
    added = after.people[len(before.people) :]
    there = (_with(person, changes) for person in before.people)
    meant = before.model_copy(update={"people": (*there, *added)})
    if after != meant or [p.id for p in added] != [e["id"] for e in entries]:
        raise CannotImport(f"{path} has its people in a shape nothing can be added to. Add what was printed by hand.")
    try:
        shutil.copy2(path, path.with_name(f"{path.name}.bak"))
        _put(path, text)
    except OSError as fault:
        raise CannotImport(f"{path} cannot be written: {fault.strerror}.") from None


def _with(person: PersonEntry, changes: Sequence[Object]) -> PersonEntry:
    """A person with what is more of them."""
    more = next((change for change in changes if change["id"] == person.id), None)
    if more is None:
        return person
    said = person.model_dump(by_alias=True, exclude_unset=True)
    return PersonEntry.model_validate(said | more | _identities(said.get("identities", {}), more))


def _identities(before: Mapping[str, str], more: Object) -> Object:
    return {"identities": {**before, **more["identities"]}} if "identities" in more else {}


def _changed(text: str, change: Object) -> str:
    """The text with one person's entry changed where it stands. Raises CannotImport where a value has several lines."""
    people = _section(text)
    entries = people.value if isinstance(people, yaml.SequenceNode) else ()
    for entry in entries:
        pairs = {key.value: value for key, value in entry.value} if isinstance(entry, yaml.MappingNode) else {}
        if "id" in pairs and pairs["id"].value == change["id"]:
            return _spliced(text, entry, pairs, change)
    raise CannotImport(f"{change['id']} is not where people are listed. Add what was printed by hand.")


def _spliced(text: str, entry: yaml.MappingNode, pairs: Mapping[str, yaml.Node], change: Object) -> str:
    """Values there are replaced, others follow the id; from the end on, so that what lies before stays in place."""
    for key in change.keys() & pairs.keys():
        if isinstance(node := pairs[key], yaml.CollectionNode) and not node.flow_style:
            raise CannotImport(f"{change['id']}'s {key} are written over several lines. Add what was printed by hand.")
    held = pairs.get("identities") if "identities" in change else None
    names = yaml.safe_load(text[held.start_mark.index : held.end_mark.index]) if held is not None else {}
    said = {key: value for key, value in (change | _identities(names or {}, change)).items() if key != "id"}
    fresh = "".join(_pair(entry, key, value) for key, value in said.items() if key not in pairs)
    end = pairs["id"].end_mark.index
    if not entry.flow_style:
        end = text.find("\n", end) if "\n" in text[end:] else len(text)
    there = {key: pairs[key] for key in said.keys() & pairs.keys()}
    splices = [(n.start_mark.index, n.end_mark.index, _flow([said[key]])[1:-1]) for key, n in there.items()]
    splices.append((end, end, fresh))
    for start, stop, words in sorted(splices, reverse=True):
        text = text[:start] + words + text[stop:]
    return text


def _pair(entry: yaml.MappingNode, key: str, value: Any) -> str:
    words = _flow({key: value})[1:-1]
    return f", {words}" if entry.flow_style else f"\n{' ' * entry.start_mark.column}{words}"


def _put(path: Path, text: str) -> None:
    """Put the file in place whole, with the rights it had."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as made:
        made.write(text)
    shutil.copymode(path, name)
    Path(name).replace(path)


def _appended(text: str, entries: Sequence[Object]) -> str:
    """The text with entries after the last person."""
    people = _section(text)
    if people is None:
        return f"{text.rstrip()}\n\npeople:\n{as_yaml(entries)}"
    if not isinstance(people, yaml.SequenceNode) or people.flow_style or not people.value:
        raise CannotImport("`people:` is no list with a line for each person. Add what was printed by hand.")
    first, last = people.value[0], people.value[-1]
    lines = text.splitlines(keepends=True)
    indent = lines[first.start_mark.line][: people.start_mark.column]
    end = last.end_mark.line + (1 if last.end_mark.column and lines[last.end_mark.line].strip() else 0)
    end = _after(lines, last.start_mark.line, end)
    if end and not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    return "".join([*lines[:end], as_yaml(entries, indent), *lines[end:]])


def _after(lines: Sequence[str], start: int, end: int) -> int:
    """The line after the last one of an entry: blank lines and comments behind it belong to what follows."""
    end = min(end, len(lines))
    while end > start + 1 and (not (line := lines[end - 1].strip()) or line.startswith("#")):
        end -= 1
    return end


def _section(text: str) -> Any:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return None
    return next((value for key, value in root.value if getattr(key, "value", None) == "people"), None)
