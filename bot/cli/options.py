"""The options many commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ConfigFile: TypeAlias = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", metavar="FILE", show_default=True)
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]
Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="PLACET_TOKEN",
        show_envvar=True,
        metavar="plr_…",
        help="Your token; `placet token PERSON` makes one.",
    ),
]
ServerUrl: TypeAlias = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="Where Placet is reached; by default what the configuration says."),
]
Reason: TypeAlias = Annotated[str | None, typer.Option("--reason", "-r", help="Why; the agent and the log get it.")]
Notes: TypeAlias = Annotated[str | None, typer.Option("--notes", help="Anything else the agent should know.")]
Revision: TypeAlias = Annotated[
    int | None, typer.Option("--revision", help="Refuse unless the review stands at this revision.", min=1)
]
ReviewId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="A review, as `placet inbox` lists them.")]
Person: TypeAlias = Annotated[str, typer.Argument(metavar="PERSON", help="An id under `people:` of placet.yml.")]

DEFAULT = Path("placet.yml")
