"""The demo's house in a folder of its own: people, rules, and ladders as slow or fast as the demo wants them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.config import Config, parse

HERE = Path(__file__).parent
HOST = "127.0.0.1"
USUAL_PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long people are waited for, in seconds. `silent` is the ladder that nobody climbs in a headless run.

    `linger` is how long an agent waits before it uses a person's approval, which can be undone until then.
    """

    secondary: int
    manager: int
    silent: int
    patient: int
    linger: float


#: An escalation is seen within a minute; there is time to read a card, to decide it, and to undo that.
LOOKED_AT = Pace(secondary=20, manager=45, silent=100, patient=120, linger=6.0)
#: Silence ends at once; whatever the script decides has ample time, however slow the machine.
HEADLESS = Pace(secondary=1, manager=2, silent=4, patient=45, linger=0.0)


def chains(pace: Pace) -> str:
    """The ladders, as the part of the policy that `include:` joins."""
    return f"""\
chains:
  on-call:
    - {{after: 0s, notify: channel:role}}
    - {{after: 0s, notify: oncall:it-ops.primary, via: dm}}
    - {{after: {pace.secondary}s, notify: oncall:it-ops.secondary, via: dm}}
    - {{after: {pace.manager}s, notify: role:engineering-manager, via: dm}}
    - {{after: {pace.silent}s, then: expire}}
  production:
    - {{after: 0s, notify: channel:role}}
    - {{after: {pace.secondary}s, notify: oncall:it-ops.primary, via: dm}}
    - {{after: {pace.patient}s, then: expire}}
  desk:
    - {{after: 0s, notify: channel:role}}
    - {{after: {pace.secondary}s, notify: role:senior-reviewer, via: dm}}
    - {{after: {pace.patient}s, then: expire}}
"""


def furnish(folder: Path, *, pace: Pace, port: int | None) -> Config:
    """Write the demo's policy into a folder, and answer with the configuration that serves it."""
    rules = folder / "rules"
    rules.mkdir()
    (rules / "main.yml").write_text((HERE / "policy.yml").read_text("utf-8"), "utf-8")
    (rules / "chains.yml").write_text(chains(pace), "utf-8")
    house: dict[str, Any] = yaml.safe_load((HERE / "placet.yml").read_text("utf-8"))
    house["server"] = {"host": HOST, "port": free_port() if port is None else port}
    house |= {"database": "sqlite:///demo.db", "policy": "rules"}
    return parse(house, "the demo's placet.yml")


def free_port() -> int:
    """The usual port when it is free, else 0: whichever is."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, USUAL_PORT))
        except OSError:
            return 0
    return USUAL_PORT
