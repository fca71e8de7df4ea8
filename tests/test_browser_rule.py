"""What tests/conftest.py does with browser tests, tried on a suite of its own, with and without xdist."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SUITE = """
import pytest

@pytest.mark.browser
def test_the_page(chromium):
    assert chromium

def test_the_rest():
    pass
"""


def run_suite(folder: Path, *arguments: str, browser: bool, required: bool) -> subprocess.CompletedProcess[str]:
    """pytest on the two tests above, in a folder of their own, where `chromium` is there or not."""
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_suite.py").write_text(SUITE, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = browser\n", "utf-8")
    program = folder / "chromium"
    if browser:
        program.write_text("#!/bin/sh\n", "utf-8")
        program.chmod(0o755)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PLACET"))},
        "PLACET_CHROMIUM": str(program),
        "PLACET_REQUIRE_BROWSER": "1" if required else "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # the big plugins take seconds to load, in each worker
    }
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


WORKERS = pytest.mark.parametrize("workers", ["0", "2"])


@WORKERS
def test_without_chromium_one_line_says_what_did_not_run(tmp_path: Path, workers: str) -> None:
    """The rest runs and passes; the line names the file and how to run it."""
    run = run_suite(tmp_path, "-n", workers, browser=False, required=False)
    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout
    told = [line for line in run.stdout.splitlines() if line.startswith("NOT RUN")]
    assert len(told) == 1
    assert "test_suite.py (1)" in told[0]
    assert "make test" in told[0]


@WORKERS
def test_a_run_that_must_use_a_browser_fails_without_one(tmp_path: Path, workers: str) -> None:
    """Everything else passing does not make it green."""
    run = run_suite(tmp_path, "-n", workers, browser=False, required=True)
    assert run.returncode == 1, run.stdout
    assert "no browser test passed" in run.stdout


@WORKERS
def test_with_chromium_all_run(tmp_path: Path, workers: str) -> None:
    """Nothing is left out, nothing is said."""
    run = run_suite(tmp_path, "-n", workers, browser=True, required=True)
    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout
    assert "NOT RUN" not in run.stdout


def test_a_required_browser_run_that_chose_none_fails(tmp_path: Path) -> None:
    """`-m "not browser"` in CI would be a silent hole."""
    run = run_suite(tmp_path, "-m", "not browser", browser=True, required=True)
    assert run.returncode == 1, run.stdout


def test_a_test_not_chosen_is_not_named(tmp_path: Path) -> None:
    """`make unit` says nothing of browser tests: it would not have run them anyway."""
    run = run_suite(tmp_path, "-m", "not browser", browser=False, required=False)
    assert run.returncode == 0, run.stdout
    assert "NOT RUN" not in run.stdout
