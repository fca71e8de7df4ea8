"""A room of commands per surface that has some, such as `placet slack manifest` and `placet teams package`.

Surfaces are found by the entry-point group `placet.tools`. Looking them up takes long, so it waits until a command is
asked for that is no other, or the list of all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from bot.cli.options import DEFAULT, AsJson, ConfigFile
from bot.tools import entries, tools_of
from reviews.errors import PlacetError

if TYPE_CHECKING:
    from adapters.port import Tools
    from bot.config import Config

Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Where the vendor reaches Placet; by default server.public_url."),
]
Socket = Annotated[
    bool, typer.Option("--socket", help="For a connection Placet opens itself; nothing has to be reachable.")
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; by default placet-SURFACE.zip, here.")
]


class NoPackage(PlacetError):
    """There is nothing to upload, or it cannot be written."""


class Rooms(TyperGroup):
    """The commands of the house, and a room per surface beside them."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name, None where there is none."""
        if cmd_name not in self.commands:
            self._furnish()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all."""
        self._furnish()
        return super().list_commands(ctx)

    def _furnish(self) -> None:
        """A room for each surface that has none yet; no surface takes the place of a command of the house."""
        for name in sorted(entries()):
            if name not in self.commands:
                self.commands[name] = _room(name)


def _room(name: str) -> Any:
    made = typer.Typer(
        name=name, help=f"What {name.title()} must be told of Placet.", no_args_is_help=True, add_completion=False
    )
    made.command("manifest")(_manifest(name))
    made.command("package")(_package(name))
    room: Any = typer.main.get_command(made)
    room.rich_help_panel = "Begin and run"
    return room


def _manifest(name: str) -> Callable[..., None]:
    def manifest(
        url: Url = None, socket: Socket = False, as_json: AsJson = False, config: ConfigFile = DEFAULT
    ) -> None:
        import yaml  # noqa: PLC0415 - a quick start: loaded by the command that needs it

        tools, section, address = _asked(name, url, config)
        text = tools.manifest(section, url=address, socket=socket)
        typer.echo(json.dumps(yaml.safe_load(text), ensure_ascii=False) if as_json else text, nl=as_json)

    manifest.__doc__ = (
        f"Print the app manifest: what {name.title()} makes the app from. As it is taken there, or JSON with --json."
    )
    return manifest


def _package(name: str) -> Callable[..., None]:
    def package(out: Out = None, url: Url = None, config: ConfigFile = DEFAULT) -> None:
        tools, section, address = _asked(name, url, config)
        held = tools.package(section, url=address)
        if held is None:
            raise NoPackage(f"{name.title()} takes no package, only the manifest: placet {name} manifest")
        path = out or Path(f"placet-{name}.zip")
        try:
            path.write_bytes(held)
        except OSError as fault:
            raise NoPackage(f"{path} cannot be written ({fault.strerror}): name another file by --out.") from None
        typer.echo(f"wrote {path}")

    package.__doc__ = f"Write the app package, where {name.title()} takes one: the manifest and its icons, as a zip."
    return package


def _asked(name: str, url: str | None, config: Path) -> tuple[Tools, Mapping[str, Any], str]:
    """A surface's tools, its section of the configuration, and where the vendor reaches us; "" where nobody said."""
    tools = tools_of(name)
    assert tools is not None, "the room is there because its entry is"
    found = _configured(config)
    section = getattr(found, name, None) or {}
    return tools, section, url or (found.server.public_url if found is not None else None) or ""


def _configured(path: Path) -> Config | None:
    """The configuration; None where there is none yet. Raises ConfigFault, also where another file was named."""
    from bot.config import load  # noqa: PLC0415 - a quick start, as above

    return load(path) if path != DEFAULT or path.exists() else None
