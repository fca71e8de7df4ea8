"""Would the tests notice? A mistake is made on purpose in a copy of a package, and its tests are run against that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NURSERY = ROOT / "tests/fakes/nursery.py"
#: What pytest says when all could be read and a test failed.
_FAILED = 1


@dataclass(frozen=True, slots=True)
class Mistake:
    """Text in a file of the package, there exactly once, and what it becomes."""

    file: str
    right: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a run of pytest: its exit code, and all it printed."""

    code: int
    said: str

    @property
    def found(self) -> bool:
        """Whether a test failed by its assertion, and not because the copy could not be read."""
        return self.code == _FAILED and "AssertionError" in self.said


class Bed:
    """Where copies of a package are tried: tests that lie ready, and a process that forks one more for each run."""

    def __init__(self, folder: Path, package: str, tests: Sequence[str], process: subprocess.Popen[str]) -> None:
        self._folder, self._package, self._tests, self._process = folder, package, tests, process

    def clean(self, folder: Path) -> Came:
        """Every test against a copy without a mistake, in an empty folder."""
        self._copy(folder)
        return self._run(folder, self._tests)

    def tried(self, folder: Path, mistake: Mistake) -> Came:
        """The tests against a copy with a mistake, up to the first file of them that finds it.

        The tests of the file it is in come first: tests mirror the tree.
        """
        self._copy(folder)
        path = folder / self._package / mistake.file
        text = path.read_text("utf-8")
        assert text.count(mistake.right) == 1, f"{mistake.file} holds {text.count(mistake.right)} of: {mistake.right}"
        path.write_text(text.replace(mistake.right, mistake.wrong), "utf-8")
        for code in path.parent.glob(f"__pycache__/{path.stem}.*"):
            code.unlink()
        own = path.stem
        said = ""
        for name in sorted(self._tests, key=lambda name: name != own):
            came = self._run(folder, [name])
            said += came.said
            if came.found or came.code not in (0, _FAILED):
                return Came(came.code, said)
        return Came(0, said)

    def _copy(self, folder: Path) -> None:
        # With the byte code: it is taken where time and size of its source are the same, and a copy keeps both.
        shutil.copytree(ROOT / self._package, folder / self._package)

    def _run(self, folder: Path, tests: Sequence[str]) -> Came:
        files = [str(self._folder / f"tests/{self._package}/test_{name}.py") for name in tests]
        told, heard = self._process.stdin, self._process.stdout
        assert told is not None
        assert heard is not None
        said = folder / f"{'-'.join(tests)[:50]}.txt"
        options = ["-q", "-x", "--no-header", "-p", "no:cacheprovider", "-c", str(self._folder / "pytest.ini")]
        told.write(json.dumps({"folder": str(folder), "said": str(said), "args": [*options, *files]}) + "\n")
        told.flush()
        return Came(int(heard.readline()), said.read_text("utf-8"))


@contextmanager
def bed(
    folder: Path, package: str, tests: Sequence[str], *, beside: Sequence[str] = (), loads: Sequence[str] = ()
) -> Iterator[Bed]:
    """A bed in an empty folder. `voting` among the tests of PACKAGE is tests/PACKAGE/test_voting.py.

    `beside` are further files and packages of the project they need, as they are; `loads` are modules imported once
    for all runs: none of the package, and none of the tests.
    """
    files = [f"tests/{package}/test_{name}.py" for name in tests]
    for part in ("tests/__init__.py", f"tests/{package}/__init__.py", *files, *beside):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).symlink_to(ROOT / part)
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n")
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTHONPATH": ""}
    command = [sys.executable, "-P", str(_NURSERY), str(folder), *loads]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        yield Bed(folder, package, tests, process)
