"""Writes docs/reference/ and manifest.yml from the code they describe, and the example into README.md.

Run `python -m tools.reference`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from typer.main import get_command

from adapters.slack import manifest
from adapters.slack.config import SlackConfig
from adapters.teams.config import TeamsConfig
from adapters.web.config import WebConfig
from bot.cli import app
from bot.config import Config
from bot.openapi.document import document
from policies.conditions import FIELDS, FUNCTIONS, MACROS, NAMES
from policies.load import library, library_names

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
README = ROOT / "README.md"
EXAMPLE = ROOT / "examples" / "plain_agent.py"
MANIFEST = ROOT / "manifest.yml"

Part = Mapping[str, Any]

_KEYS = """\
`placet.yml` is YAML. A key that is not here is refused, and so is a value of another kind. Secrets are not
here: see [secrets](secrets.md). Read, and without effect yet: `audit`. A person's
`timezone` is that of their quiet hours, and of the times away they type and are told; cards say times in UTC.
"""
_CONDITIONS = """\
## Conditions

`when` and `weight` are CEL. `count(1h)` and `sum(amount, 24h)` look back over what this agent asked of this subject.
"""


def pages() -> dict[Path, Callable[[], str]]:
    """What makes every generated page, README.md and manifest.yml, by path."""
    makers = {"configuration.md": configuration, "policy.md": policy, "api.md": api, "cli.md": cli}
    return {PAGES / name: make for name, make in makers.items()} | {README: readme, MANIFEST: slack_app}


def readme() -> str:
    """README.md with the example's code, without its docstring, in its one block of Python."""
    code = EXAMPLE.read_text("utf-8").split('"""\n')[-1].strip()
    return re.sub(r"```python\n.*?```", lambda _: f"```python\n{code}\n```", README.read_text("utf-8"), flags=re.DOTALL)


def slack_app() -> str:
    """The Slack app of a server at an address made up; an operator's own names theirs."""
    head = "# The Slack app, for a server at placet.example.com. Yours: placet slack manifest [--url URL] [--socket]\n"
    made = "# Made by `python -m tools.reference` from adapters/slack/manifest.py; a test keeps the two the same.\n"
    return head + made + manifest.text(manifest.document(url="https://placet.example.com", socket=False))


def _page(title: str, source: str, *parts: Iterable[str]) -> str:
    made = f"Made by `python -m tools.reference` from {source}; a test keeps the two the same."
    return "\n".join([f"# {title}", "", made, "", *(line for part in parts for line in part)]).rstrip() + "\n"


def _table(heads: str, rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table under heads set apart by commas; nothing at all for no rows."""
    lines = [" | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in row) for row in rows]
    if lines:
        yield from (f"| {heads.replace(', ', ' | ')} |", "|---" * (heads.count(",") + 1) + "|")
        yield from (*(f"| {line} |" for line in lines), "")


def _shape(heading: str, part: Part) -> Iterator[str]:
    """An object of a JSON Schema."""
    must = part.get("required", ())
    yield from (heading, "", *([" ".join(part["description"].split()), ""] if "description" in part else []))
    rows = ((f"`{k}`", _said(v), "yes" if k in must else "", _words(v)) for k, v in part["properties"].items())
    yield from _table("key, is, required, what it says", rows)


def _words(part: Part) -> str:
    default = part.get("default")
    given = "" if default in (None, [], {}, "") or isinstance(default, dict) else f" Default `{json.dumps(default)}`."
    return str(part.get("description", "")) + given


def _said(part: Part) -> str:
    """A JSON Schema in a few words."""
    match part:
        case {"$ref": ref}:
            return str(ref).rpartition("/")[2]
        case {"enum": words}:
            return " or ".join(f"`{word}`" for word in words)
        case {"const": word}:
            return f"`{word}`"
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return " or ".join(dict.fromkeys(map(_said, kinds)))
        case {"type": "array"}:
            return f"list of {_said(part.get('items', {}))}"
        case {"type": "object", "additionalProperties": dict(inner)} if inner:
            return f"{_said(inner)} by name"
        case {"patternProperties": dict(named)}:
            return f"{_said(next(iter(named.values())))} by name"
        case {"type": list(kinds)}:
            return " or ".join(kinds)
        case _:
            return str(part.get("type", "anything"))


def configuration() -> str:
    """placet.yml, section by section, from the models it is read into."""
    models = {"placet.yml": Config, "slack": SlackConfig, "teams": TeamsConfig, "web": WebConfig}
    schemas = {name: _spelled(TypeAdapter(model).json_schema()) for name, model in models.items()}
    sections = [line for name, part in schemas.items() for line in _section(name, part, part.get("$defs", {}))]
    return _page("Configuration", "the models it is read into", [_KEYS], sections)


def _spelled(schema: Part) -> Part:
    """A schema in which closed words are written out where they are meant: they have no section of their own."""
    words = {f"#/$defs/{k}": {"enum": part["enum"]} for k, part in schema.get("$defs", {}).items() if "enum" in part}

    def spelled(value: Any) -> Any:
        match value:
            case {"$ref": ref} if ref in words:
                return words[ref]
            case dict():
                return {key: spelled(inner) for key, inner in value.items()}
            case list():
                return [spelled(inner) for inner in value]
            case _:
                return value

    return dict(spelled(schema))


def _section(path: str, part: Part, others: Mapping[str, Part]) -> Iterator[str]:
    names = re.compile(rf"\b({'|'.join(others)})\b" if others else "$^")
    for line in _shape(f"## `{path}`", part):
        yield names.sub("section", line.replace(" or null |", " |")) if line.startswith("| `") else line
    for key, value in part["properties"].items():
        for other in re.findall(r"#/\$defs/(\w+)", json.dumps(value)):
            yield from _section(key if path == "placet.yml" else f"{path}.{key}", others[other], others)


def policy() -> str:
    """The policy language, from its JSON Schema and the names conditions may use."""
    schema = json.loads((ROOT / "policies" / "schema.json").read_text("utf-8"))
    whole = {name: schema[name] for name in ("description", "required", "properties")}
    shapes = {"The file": whole} | {f"{k.title()}": v for k, v in schema["$defs"].items() if "properties" in v}
    lines = [line for name, part in shapes.items() for line in _shape(f"## {name}", part)]
    names = [f"- Names: {_code(NAMES)}.", *(f"- `{name}` has {_code(held)}." for name, held in FIELDS.items())]
    calls = [f"- Functions: {_code(FUNCTIONS)}.", f"- Macros: {_code(MACROS)}.", ""]
    shelf = ((f"`{name}`", library(name).text.partition("\n")[0].lstrip("# ")) for name in library_names())
    head = ["## The library", "", "`placet init --policy NAME` begins with one of these.", ""]
    where = "`policies/schema.json`"
    return _page("Policy language", where, lines, [_CONDITIONS], names, calls, head, _table("name, is", shelf))


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def api() -> str:
    """Every call, callback and shape of the API, from its OpenAPI document."""
    found = document()
    about = f"{found['info']['description']} A server shows the document at `/v1/openapi.json`, for people at `/docs`."
    calls = [
        line for path, verbs in found["paths"].items() for verb in verbs for line in _call(verb, path, verbs[verb])
    ]
    hooks = _table("`type`, when", ((f"`{name}`", each["post"]["summary"]) for name, each in found["webhooks"].items()))
    parts = found["components"]
    refused = _table("status, means", ((each, said["description"]) for each, said in parts["responses"].items()))
    held = [
        line for name, part in parts["schemas"].items() if "properties" in part for line in _shape(f"### {name}", part)
    ]
    heads = [["## Callbacks", ""], ["## Refusals", ""], ["## Shapes", ""]]
    return _page(
        "HTTP API", "the OpenAPI document", [about, ""], calls, heads[0], hooks, heads[1], refused, heads[2], held
    )


def _call(verb: str, path: str, call: Part) -> Iterator[str]:
    keys = {"agent": "Needs an agent's key.", "person": "Needs a person's token."}
    who = [keys[name] for each in call["security"] for name in each]
    yield from (f"## `{verb.upper()} {path}`", "", " ".join([f"{call['summary']}.", call["description"], *who]), "")
    given = [each for each in call["parameters"] if each["name"] != "X-Request-ID"]
    yield from _table("parameter, in, what it says", ((f"`{p['name']}`", p["in"], _words(p)) for p in given))
    body = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    yield from [f"- Body: {_said(body)}."] if body else []
    yield from (
        f"- {status}: {said['description']}" for status, said in call["responses"].items() if "$ref" not in said
    )
    refused = ", ".join(status for status, said in call["responses"].items() if "$ref" in said)
    yield from ([f"- Refused with: {refused}.", ""] if refused else [""])


def cli() -> str:
    """Every command with its arguments and options, from typer."""
    return _page("Command line", "the commands, as `--help` shows them", _command("placet", get_command(app)))


def _command(path: str, command: Any) -> Iterator[str]:
    yield from (f"## `{path}`", "", " ".join((command.help or "").split()), "")
    yield from _table("option, what it says, default", map(_option, command.params))
    for name, inner in inside(command).items():
        yield from _command(f"{path} {name}", inner)


def inside(command: Any) -> dict[str, Any]:
    """The commands of a group by name; none of a command that is no group."""
    names = command.list_commands(None) if hasattr(command, "list_commands") else ()
    return {name: command.get_command(None, name) for name in names}


def _option(option: Any) -> tuple[str, str, str]:
    if option.param_type_name == "argument":
        return f"`{option.metavar}`", option.help, "required" if option.required else ""
    kind = option.type_descriptor.annotation
    words = "|".join(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else option.name.upper()
    value = "" if option.is_flag else f" {option.metavar or words}"
    text, _, default = option.help.removesuffix("]").partition("  [default: ")
    default = default or ("required" if option.required else "")
    default = default or ("" if option.default in (None, False) else f"`{option.default}`")
    also = f" Also `{option.envvar}`." if option.envvar else ""
    return ", ".join(f"`{each}{value}`" for each in option.opts), text + also, default


if __name__ == "__main__":
    for page, make in pages().items():
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(make(), "utf-8")
