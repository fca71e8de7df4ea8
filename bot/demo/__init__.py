"""`placet demo`: the real server in this process, two agents that keep asking over HTTP, and you, or a script."""

from bot.demo.stage import run

__all__ = ["run"]
