"""Would the tests notice? A mistake is made on purpose in a copy of a package, and its tests are run against that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Mistake:
    """Text in a file of the package, there exactly once, and what it becomes."""

    file: str
    right: str
    wrong: str


def run(
    folder: Path, package: str, tests: Sequence[str], mistake: Mistake | None, *, beside: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """The tests of a package (`voting` is tests/PACKAGE/test_voting.py) against a copy of it in an empty folder.

    `beside` are further files and packages of the project they need, as they are.
    """
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / package, folder / package, ignore=ignore)
    files = [f"tests/{package}/test_{name}.py" for name in tests]
    for part in ("tests/__init__.py", f"tests/{package}/__init__.py", *files, *beside):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).symlink_to(ROOT / part)
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n")
    if mistake is not None:
        path = folder / package / mistake.file
        text = path.read_text("utf-8")
        assert text.count(mistake.right) == 1, f"{mistake.file} holds {text.count(mistake.right)} of: {mistake.right}"
        path.write_text(text.replace(mistake.right, mistake.wrong), "utf-8")
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTHONPATH": ""}
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *files]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def found(came: subprocess.CompletedProcess[str]) -> bool:
    """Whether a test failed by its assertion, and not because the copy could not be read."""
    return came.returncode == 1 and "AssertionError" in came.stdout
