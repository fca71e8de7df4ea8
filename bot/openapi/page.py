"""The document as a page for people, drawn on the server. Everything in it is text; only code is marked up."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from bot.openapi.document import document
from bot.openapi.examples import REQUEST
from reviews.model import Object

_HERE = Path(__file__).parent
_CODE = re.compile(r"`([^`]+)`")
_MARK = {"get": "GET", "post": "POST"}


def page(base: str) -> str:
    """The page. `base` is the address shown in the commands to copy."""
    whole = document()
    tags = [
        {"name": tag["name"], "words": tag["description"], "calls": _calls(whole, tag["name"])} for tag in whole["tags"]
    ]
    asked = json.dumps({key: REQUEST[key] for key in ("action", "subject", "summary")}, indent=2)
    return _template().render(
        base=base,
        version=whole["info"]["version"],
        tags=tags,
        schemas=_schemas(whole),
        webhooks=_webhooks(whole),
        asked=asked,
    )


@cache
def stylesheet() -> str:
    """The page's own stylesheet."""
    return (_HERE / "docs.css").read_text("utf-8")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"prose": _prose, "pretty": _pretty}
    return environment.from_string((_HERE / "page.html").read_text("utf-8"))


def _prose(text: str) -> Markup:
    """Escaped text in which `…` is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped on this very line


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


# ---------------------------------------------------------------------------------------------- what is shown


def _calls(whole: Object, tag: str) -> list[Object]:
    return [
        {"method": _MARK[method], "path": path, **call, "answers": _answers(whole, call), "body": _body(call)}
        for path, calls in whole["paths"].items()
        for method, call in calls.items()
        if tag in call["tags"]
    ]


def _body(call: Object) -> Object | None:
    if "requestBody" not in call:
        return None
    content = call["requestBody"]["content"]["application/json"]
    return {"shape": _shape(content["schema"]), "example": content["example"]}


def _answers(whole: Object, call: Object) -> list[Object]:
    found = []
    for status, given in call["responses"].items():
        known = whole["components"]["responses"][status] if "$ref" in given else given
        kinds = [_shape(content["schema"]) for content in known["content"].values()]
        found.append({"status": status, "words": known["description"], "shape": kinds[0]})
    return sorted(found, key=lambda answer: answer["status"])


def _webhooks(whole: Object) -> list[Object]:
    return [{"name": name, "words": hook["post"]["summary"]} for name, hook in whole["webhooks"].items()]


def _schemas(whole: Object) -> list[Object]:
    return [
        {"name": name, "words": schema.get("description", ""), "fields": _fields(schema), "shape": _shape(schema)}
        for name, schema in whole["components"]["schemas"].items()
    ]


def _fields(schema: Object) -> list[Object]:
    required = schema.get("required", ())
    return [
        {"name": name, "shape": _shape(part), "words": part.get("description", ""), "required": name in required}
        for name, part in schema.get("properties", {}).items()
    ]


def _shape(schema: Object) -> list[Object]:
    """A schema in a few words: pieces of text, some of which lead to a named schema."""
    if "$ref" in schema:
        return [{"text": (name := schema["$ref"].rpartition("/")[2]), "to": name}]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _joined([_shape(kind) for kind in schema[key]])
    if "const" in schema or "enum" in schema:
        words = schema.get("enum") or [schema["const"]]
        return [{"text": " · ".join(map(str, words)), "to": ""}]
    kinds = schema.get("type", "any value")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds and "items" in schema:
        rest = [{"text": f" or {kind}", "to": ""} for kind in kinds if kind != "array"]
        return [{"text": "list of ", "to": ""}, *_shape(schema["items"]), *rest]
    return [{"text": " or ".join(kinds) + _limits(schema), "to": ""}]


def _joined(parts: list[list[Object]]) -> list[Object]:
    found: list[Object] = []
    for part in parts:
        found += [{"text": " or ", "to": ""}, *part] if found else part
    return found


def _limits(schema: Object) -> str:
    said = []
    if schema.get("format"):
        said.append(schema["format"])
    if "minimum" in schema:
        said.append(f"from {schema['minimum']}")
    if "maximum" in schema:
        said.append(f"to {schema['maximum']}")
    if "maxLength" in schema:
        said.append(f"at most {schema['maxLength']} characters")
    return f" ({', '.join(said)})" if said else ""
