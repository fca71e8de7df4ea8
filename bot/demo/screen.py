"""What the demo says in the terminal: one line to open, three things to try, then a line per event, calmly."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.text import Text

from bot.demo import world
from bot.demo.agent import Asked

_STYLES = {
    "asked": "cyan",
    "approved": "green",
    "answered": "green",
    "redeemed": "bold green",
    "done": "bold green",
    "rejected": "red",
    "expired": "yellow",
    "escalated": "yellow",
    "revoked": "red",
    "changed": "magenta",
    "withdrawn": "dim",
    "stopped": "dim",
    "waits": "dim",
}


class Screen:
    """The demo's terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def open(self, url: str) -> None:
        """Say where to look and what to try."""
        pace = world.LOOKED_AT
        self._console.print(
            f"\nOpen [bold]{url}[/bold] and pick a person. Ctrl-C ends the demo; nothing is left behind.\n"
        )
        for number, text in enumerate(
            (
                f"As Ana, approve a production stop: its agent goes on {pace.linger:g} s later, unless you undo it.",
                "As Faye, edit the amount of a refund: the agent pays what you wrote. Request changes: it offers half.",
                f"Leave a staging stop alone: Chen is called after {pace.secondary} s, and it expires after "
                f"{pace.silent} s. Silence is never a yes.",
            ),
            start=1,
        ):
            self._console.print(f"  {number}. {text}")
        self._console.print()

    def tell(self, asked: Asked, event: str, text: str) -> None:
        """One line for one event of one request."""
        line = Text()
        line.append(f"{datetime.now().astimezone():%H:%M:%S}  ", style="dim")
        line.append(f"{asked.agent:<13}  ")
        line.append(f"#{asked.seq:<4}")
        line.append(f"{event:<11}", style=_STYLES.get(event, ""))
        line.append(text)
        self._console.print(line)

    def close(self) -> None:
        """Say that it ends."""
        self._console.print("\nThe demo ends; its folder is removed.")
