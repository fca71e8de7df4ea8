"""Which tests run where: browser tests need Chromium, and a run without it says so in one line.

With `PLACET_REQUIRE_BROWSER=1` (as in `.ci/run`) a run in which no browser test passed has failed.
`PLACET_CHROMIUM` names another Chromium than the `chromium` on the PATH.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.walk import Walk

# A busy machine is no failure: no example is timed, nor the first draw, which reads every module of the project.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

#: The files that take longest, the longest first: a worker that begins one of them last leaves the other idle.
LONG = (
    "tests/bot/test_schemathesis.py",
    "tests/test_docs.py",
    "tests/adapters/web/test_browser.py",
    "tests/reviews/test_seeded_mistakes.py",
    "tests/bot/cli/test_serving.py",
    "tests/adapters/teams/test_pictures.py",
    "tests/adapters/slack/test_pictures.py",
    "tests/e2e/test_teams_playground.py",
    "tests/test_docs_rotations.py",
    "tests/e2e/test_restart.py",
    "tests/test_docs_people.py",
    "tests/bot/test_demo.py",
    "tests/bot/test_seeded_mistakes.py",
    "tests/e2e/test_replicas_at_once.py",
    "tests/e2e/test_stop_restart.py",
    "tests/e2e/test_examples.py",
    "tests/test_docs_stop.py",
    "tests/test_docs_gateways.py",
    "tests/test_browser_rule.py",
)

HOW = "install Debian's chromium or name one in PLACET_CHROMIUM, then: make test"


def browser() -> str | None:
    """The path of Chromium, or None where there is none."""
    return shutil.which(os.environ.get("PLACET_CHROMIUM") or "chromium")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium that browser tests drive."""
    path = browser()
    assert path is not None, f"a test that uses Chromium must carry @pytest.mark.browser; to run it: {HOW}"
    return path


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Walk]:
    """Somebody who reads a page and does what it says."""
    assert shutil.which("curl"), "the pages use curl: install it"
    made = Walk(tmp_path)
    yield made
    made.end()


class BrowserTests:
    """Leaves out what cannot run here, counts what did, and reports both at the end of the run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.required = os.environ.get("PLACET_REQUIRE_BROWSER") == "1"
        self.left_out: set[str] = set()
        self.passed = 0

    @pytest.hookimpl(trylast=True)  # after -m and -k have chosen: only what would have run is named
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Deselect the browser tests where there is no Chromium."""
        if browser():
            return
        out = [item for item in items if item.get_closest_marker("browser")]
        items[:] = [item for item in items if item not in out]
        self.config.hook.pytest_deselected(items=out)
        self.left_out |= {item.nodeid for item in out}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the browser tests that ran to their end; reports of xdist's workers arrive here too."""
        self.passed += report.when == "call" and report.passed and "browser" in report.keywords

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what one of xdist's workers left out."""
        self.left_out |= set(getattr(node, "workeroutput", {}).get("browser_left_out", ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller what was left out; fail a run that had to use a browser and did not."""
        worker = getattr(self.config, "workeroutput", None)
        if worker is not None:
            worker["browser_left_out"] = sorted(self.left_out)
        elif self.required and not self.passed and not self.config.option.collectonly:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line: which did not run, and how to run them."""
        if self.left_out:
            terminalreporter.line(
                f"NOT RUN, no Chromium: {_by_file(sorted(self.left_out))}; to run: {HOW}", yellow=True
            )
        if self.required and not self.passed:
            terminalreporter.line("FAILED: PLACET_REQUIRE_BROWSER=1, and no browser test passed", red=True)


def _by_file(names: Sequence[str]) -> str:
    """`tests/a.py (2), tests/b.py (1)`."""
    files = [name.partition("::")[0] for name in names]
    return ", ".join(f"{file} ({files.count(file)})" for file in sorted(set(files)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; xdist would end with it, since such a file holds few tests."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONG)))


def pytest_configure(config: pytest.Config) -> None:
    """Watch over the browser tests of this run."""
    config.pluginmanager.register(BrowserTests(config), "placet-browser-tests")
