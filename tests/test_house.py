"""The house around the code: what is true of every file, and is kept true here."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("reviews", "policies", "storage", "adapters", "bot")
CODE = (*PACKAGES, "tests", "bench", "examples", "tools", "docs")
MADE = {".git", ".venv", "node_modules", "__pycache__", "dist", "build", "demo-data"}
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")


def every_file() -> Iterator[Path]:
    """The regular files of the project; no socket of a server that runs in it, nothing that a run made."""
    yield from (path for path in tracked() or walked() if path.is_file())


def tracked() -> list[Path]:
    """What git keeps; nothing where this is no checkout, or there is no git to ask."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return []
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    return [ROOT / os.fsdecode(name) for name in run.stdout.split(b"\0") if name]


def walked() -> Iterator[Path]:
    """All files that people wrote or a lock tool made, where git cannot say."""
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in MADE and not name.endswith(("_cache", ".egg-info"))]
        names[:] = [name for name in names if name not in {".hypothesis", ".schemathesis"}]
        yield from (Path(folder, name) for name in files)


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file with its text; pictures and other bytes are passed over."""
    for path in every_file():
        try:
            yield path.relative_to(ROOT), path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def modules(*folders: str) -> list[Path]:
    """The Python files below these folders."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if not MADE & set(path.parts)]


def imported(tree: ast.AST) -> Iterator[str]:
    """The full names of the modules a tree imports, wherever in it."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=0):
                yield from (f"{module}.{name.name}" for name in names)


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each comment."""
    with tokenize.open(path) as lines:
        for token in tokenize.generate_tokens(lines.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def test_a_server_that_runs_in_the_project_is_no_file_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its control socket is passed over, where git says what is ours and where it cannot."""
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "kept.md").write_text("kept", "utf-8")
    monkeypatch.chdir(tmp_path)  # a socket's path may have 107 bytes at most
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("placet.db.sock")
        assert list(texts()) == [(Path("kept.md"), "kept")]
        subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
        subprocess.run(["git", "add", "kept.md"], cwd=tmp_path, check=True)
        (tmp_path / "made.md").write_text("made by a run", "utf-8")
        assert list(texts()) == [(Path("kept.md"), "kept")]


# --- where things come from


def test_no_file_names_a_package_registry() -> None:
    """Whoever installs Placet decides where packages come from: no file names such a place."""
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "yarnpkg" + ".com")
    named = [(str(path), host) for path, text in texts() for host in hosts if host in text.lower()]
    assert named == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_and_says_nothing_of_where(lock: str) -> None:
    """Each requirement is one exact version with hashes; no option, no address, no path."""
    text = (ROOT / lock).read_text("utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", text).strip()) if entry]
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^\s;]+ ", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"(?m)^\s*-(?!-hash)|://|@\s", text)


def pins(lock: str) -> set[str]:
    """`name==version` of a lock file."""
    return set(re.findall(r"(?m)^([A-Za-z0-9._-]+==\S+)", re.sub(r"\[[a-z,]+\]", "", (ROOT / lock).read_text("utf-8"))))


def test_the_developers_lock_holds_the_runtime_one() -> None:
    """Tests run with the versions people get."""
    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    """A dependency added without `make lock` is found before somebody else's machine finds it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    dev = [entry for entry in project["dependency-groups"]["dev"] if isinstance(entry, str)]
    for lock, wanted in (("requirements.lock", project["project"]["dependencies"]), ("requirements-dev.lock", dev)):
        locked = {pin.partition("==")[0].lower() for pin in pins(lock)}
        names = {re.split(r"[\[<>=!~ ]", line)[0].lower().replace("_", "-") for line in wanted}
        assert names <= locked, f"{lock} lacks {sorted(names - locked)}: run make lock"


def test_the_npm_lock_has_hashes_and_no_addresses() -> None:
    """npm takes each package from wherever it is set up to, and checks it by its hash."""
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


def test_npm_tools_are_pinned_exactly() -> None:
    """`^` would let a test tool change under us; the lock and package.json agree."""
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values()), wanted
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted


# --- what is said


def test_the_package_storage_is_not_ignored() -> None:
    """hatchling reads .gitignore: a line that hits `storage` would empty the package out of the wheel."""
    lines = [line.split("#")[0].strip().strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()]
    assert not {*PACKAGES, "*", "**"} & set(lines)
    assert [line for line in lines if re.match(r"(\*\*/)?(storage|stor\*)", line)] == []


def make_targets() -> set[str]:
    """The targets of the Makefile that people call."""
    phony = re.search(r"(?m)^\.PHONY:(.*)$", (ROOT / "Makefile").read_text("utf-8"))
    assert phony
    return set(phony[1].split())


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_pages_name_only_commands_that_exist(page: str) -> None:
    """`make …` on a page is a target of the Makefile, and the two every reader needs are there."""
    text = (ROOT / page).read_text("utf-8")
    named = {name for line in re.findall(r"`?\bmake ((?:[a-z-]+ ?)+)", code_of(text)) for name in line.split()}
    assert named <= make_targets(), f"{page} names {sorted(named - make_targets())}"
    assert {"demo", "test"} <= named


def code_of(markdown: str) -> str:
    """What stands in code spans and code blocks, a line each."""
    blocks = re.findall(r"```[a-z]*\n(.*?)```", markdown, re.DOTALL)
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL))
    return "\n".join([*(line.split("#")[0] for block in blocks for line in block.splitlines()), *spans])


def test_the_readme_names_the_first_commands() -> None:
    """What a reader needs for the first own review stands on the first page."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert [
        command for command in ("make demo", "make test", "placet init", "placet serve") if command not in text
    ] == []


def test_the_changelog_tells_the_version() -> None:
    """CHANGELOG.md has an Unreleased part, and the version of pyproject.toml is there or still unreleased."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    heads = re.findall(r"(?m)^## \[?([^\]\s]+)\]?", text)
    assert heads[0] == "Unreleased"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert heads[1:2] in ([version], [])


# --- exceptions from the rules


def test_every_ruff_ignore_has_a_reason() -> None:
    """An ignored rule in pyproject.toml carries a comment on its line."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    lists = re.findall(r"(?ms)^(?:ignore|\"[a-z*/]+\") = \[\n(.*?)^\]", text)
    lines = [line.strip() for found in lists for line in found.splitlines()]
    assert len(lines) > 10
    assert [line for line in lines if not re.search(r"# \S.{5,}", line)] == []


def test_every_exception_in_code_has_a_code_and_a_reason() -> None:
    """`type: ignore[code]` and `noqa: CODE` are followed by why."""
    markers = re.compile(r"#\s*(?:type:\s*ignore|noqa)")
    good = re.compile(r"(?:type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)\s*(?:#|-|–|:)\s+\S.{5,}")
    bare = [
        f"{path.relative_to(ROOT)}:{line} {text}"
        for path in modules(*CODE)
        for line, text in comments(path)
        if markers.search(text) and not good.search(text)
    ]
    assert not bare, "\n".join(bare)


def test_nothing_is_left_to_do_in_comments() -> None:
    """What is left belongs into an issue."""
    words = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
    suffixes = {".py", ".sh", ".toml", ".yml", ".yaml", ".js", ".mjs", ".css", ".html", ".md", ""}
    left = [
        str(path) for path, text in texts() if path.suffix in suffixes and path.name != "LICENSE" and words.search(text)
    ]
    assert left == []


# --- the import rules that import-linter cannot say


def strings(tree: ast.AST) -> Iterator[str]:
    """Every string in a tree but docstrings: a module can be named by one too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


CONCRETE = re.compile(r"(?:storage(?:\.|$)|adapters\.(?!port\b)\w)")


def names_concrete(source: str) -> list[str]:
    """The concrete adapters and stores a source text names, by import or by a string like `storage.engine`."""
    tree = ast.parse(source)
    by_string = [text for text in strings(tree) if re.fullmatch(r"(?:storage|adapters)(?:\.\w+)+(?::\w+)?", text)]
    return [name for name in (*imported(tree), *by_string) if CONCRETE.match(name)]


def test_only_the_composition_root_names_adapters_and_stores() -> None:
    """bot/app.py knows who is who; the rest of bot/ knows the ports."""
    known = {str(path.relative_to(ROOT)): names_concrete(path.read_text("utf-8")) for path in modules("bot")}
    assert {path: names for path, names in known.items() if names and path != "bot/app.py"} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from storage.engine import open_store", True),
        ("import storage", True),
        ("def f():\n    from adapters.web.adapter import create", True),
        ("importlib.import_module('adapters.slack.adapter')", True),
        ("from adapters.port import Adapter", False),
        ("from reviews.ports import Store", False),
    ],
)
def test_the_rule_of_the_composition_root_finds_a_breach(source: str, found: bool) -> None:
    """The check above can fail."""
    assert bool(names_concrete(source)) is found


def test_only_a_main_imports_the_composition_root() -> None:
    """bot.__main__ → bot.app → the rest: whoever is below bot.app does not reach up to it."""
    above = {"bot/__main__.py", "bot/demo/stage.py"}
    reaching = [
        str(path.relative_to(ROOT))
        for path in modules(*PACKAGES)
        for name in imported(ast.parse(path.read_text("utf-8")))
        if re.match(r"bot\.(app|__main__)\b", name)
    ]
    assert [path for path in reaching if path not in above and not path.startswith("bot/cli")] == []


# --- reviews/: no I/O, no clock

PURE_IMPORTS = {
    "__future__", "base64", "binascii", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum",
    "functools", "hashlib", "hmac", "html", "ipaddress", "itertools", "json", "math", "operator", "orjson", "re",
    "reviews", "rfc8785", "string", "textwrap", "types", "typing", "unicodedata", "urllib.parse", "uuid", "zoneinfo",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "compile", "__import__"}
IMPURE_METHODS = {"now", "utcnow", "today", "uuid1", "uuid4", "getnode", "read_text", "write_text"}


def impurities(source: str) -> list[str]:
    """What a source text does that the domain may not: a foreign import, a clock, a file, chance."""
    tree = ast.parse(source)
    allowed = tuple(f"{name}." for name in PURE_IMPORTS)
    found = [name for name in imported(tree) if not f"{name}.".startswith(allowed)]
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                found.append(f"{name}()")
            case ast.Attribute(attr=name) if name in IMPURE_METHODS:
                found.append(f".{name}")
    return found


def test_reviews_is_pure_by_its_text() -> None:
    """The domain imports the standard library's pure part, orjson and rfc8785, and calls no clock, file or chance."""
    found = {str(path.relative_to(ROOT)): impurities(path.read_text("utf-8")) for path in modules("reviews")}
    assert found
    assert {path: names for path, names in found.items() if names} == {}


GUARD = """
import importlib, pathlib, pkgutil, sys
package, *_ = sys.argv[1:]
# Loaded before the guard: the standard library may look at clocks and files while it starts; the domain may not.
for name in {stdlib!r}:
    importlib.import_module(name)
import datetime, time, socket, orjson, rfc8785, encodings.idna
def refuse(what):
    def fail(*args, **kwargs):
        raise AssertionError(f"reviews used {{what}}")
    return fail
class Stopped(datetime.datetime):
    now = utcnow = today = classmethod(refuse("a clock"))
class StoppedDate(datetime.date):
    today = classmethod(refuse("a clock"))
datetime.datetime, datetime.date = Stopped, StoppedDate
for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep"):
    setattr(time, name, refuse("a clock"))
def audit(event, args):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.remove", "os.mkdir")):
        raise AssertionError(f"reviews used {{event}}")
    # The importer itself reads sources and byte code, and lists folders.
    if event == "open" and not str(args[0]).endswith((".py", ".pyc")):
        raise AssertionError(f"reviews opened {{args[0]!r}}")
sys.dont_write_bytecode = True
sys.addaudithook(audit)
loaded = importlib.import_module(package)
for module in pkgutil.walk_packages(loaded.__path__, package + "."):
    importlib.import_module(module.name)
print("pure")
"""


def import_guarded(package: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Import a package and all its modules where sockets, clocks, programs and files are refused."""
    stdlib = sorted(name for name in PURE_IMPORTS if name not in {"reviews", "orjson", "rfc8785", "__future__"})
    guard = GUARD.format(stdlib=stdlib)
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", guard, package], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_reviews_loads_without_sockets_clocks_and_files() -> None:
    """No module of the domain reaches outside while it is imported."""
    run = import_guarded("reviews", ROOT)
    assert run.stdout.strip() == "pure", run.stderr


BREACHES = {
    "a clock": "import time\nNOW = time.time()\n",
    "a clock that is a date": "from datetime import datetime\nNOW = datetime.now()\n",
    "a file": "TEXT = open('/etc/hostname').read()\n",
    "a socket": "import socket\nS = socket.socket()\n",
    "a program": "import subprocess\nsubprocess.run(['true'])\n",
}


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES.keys())
def test_both_guards_find_a_breach(breach: str, tmp_path: Path) -> None:
    """The two tests above can fail: a module that does it is refused by its text and when it is imported."""
    assert impurities(breach)
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "__init__.py").touch()
    (tmp_path / "domain" / "bad.py").write_text(breach, "utf-8")
    run = import_guarded("domain", tmp_path)
    assert run.returncode != 0
    assert "AssertionError: reviews " in run.stderr


def test_nobody_waits_with_wait_for() -> None:
    """On Python 3.11 `asyncio.wait_for` swallows a cancellation that meets its result (CPython issue 86296)."""
    using = [path for path in modules(*PACKAGES) if "asyncio.wait_for(" in path.read_text("utf-8")]
    assert using == [], "use `async with asyncio.timeout(…)`, which never loses a cancellation"
