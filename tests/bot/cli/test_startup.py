"""What a command loads: one that only asks the server loads neither the engine nor what the server is made of."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from tests.bot.cli.conftest import ROOT
from tests.fakes.app import CONFIG, running

pytestmark = pytest.mark.slow

#: What takes long to load, and a command that asks a server never needs.
HEAVY = (
    "adapters", "aiohttp", "alembic", "apscheduler", "bot.app", "bot.people", "bot.service", "cel", "icalendar",
    "jsonschema_rs", "policies", "prompt_toolkit", "slack_bolt", "slack_sdk", "sqlalchemy", "sqlmodel", "storage",
    "structlog",
)  # fmt: skip
ASKING = (
    ("agent", "add", "refunds"), ("agent", "list"), ("agent", "secret", "refunds"), ("agent", "revoke", "refunds"),
    ("token", "ana"), ("link", "ana"), ("stats",), ("deliveries",), ("oncall", "now"), ("oncall", "gaps"),
)  # fmt: skip

#: Runs a command as `python -m bot` does, then tells its exit code and which of these modules it has loaded.
LOADED = """
import json, sys
from bot.__main__ import main
names, sys.argv[1:] = json.loads(sys.argv[1]), sys.argv[2:]
code = 0
try:
    main()
except SystemExit as end:
    code = end.code or 0
sys.stdout.write("\\n" + json.dumps([code, [name for name in names if name in sys.modules]]))
"""


async def loaded(*args: str, folder: Path, names: tuple[str, ...] = HEAVY) -> list[str]:
    """Which of the modules a command has loaded when it ends; it must end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOADED, json.dumps(names), *args,
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    code, found = json.loads(out.splitlines()[-1])
    assert code == 0, err.decode()
    return list(found)


def _configured(folder: Path) -> None:
    config = CONFIG | {"database": "sqlite:///placet.db", "policy": "policy.yml"}
    (folder / "placet.yml").write_text(yaml.safe_dump(config), "utf-8")


async def test_commands_that_ask_the_server_load_no_engine(tmp_path: Path) -> None:
    """All of them, through the control socket of a server that runs."""
    _configured(tmp_path)
    async with running(tmp_path, store="sqlite:///placet.db"):
        found = {" ".join(args): await loaded(*args, folder=tmp_path) for args in ASKING}
    assert found == {" ".join(args): [] for args in ASKING}


async def test_a_command_that_opens_the_database_itself_is_told_apart(tmp_path: Path) -> None:
    """The check above can fail: without a server the engine is loaded."""
    _configured(tmp_path)
    assert {"bot.app", "sqlalchemy", "storage"} <= set(await loaded("agent", "list", folder=tmp_path))


async def test_help_loads_not_even_the_configuration(tmp_path: Path) -> None:
    """Nor what a configuration is read with."""
    names = (*HEAVY, "asyncio", "bot.config", "http.client", "yaml")
    assert await loaded("--help", folder=tmp_path, names=names) == []
