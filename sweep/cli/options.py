"""The arguments and options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="The sweep's name, or its folder.")]
Directory = Annotated[Path, typer.Option("--dir", help="Folder that holds all sweeps.")]
SWEEPS = Path("sweeps")
Spec = Annotated[str, typer.Argument(help="A sweep's YAML file, or a preset's name.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Set any key of the sweep file (repeatable)."),
]
Trials = Annotated[int | None, typer.Option(help="Trials in all, instead of the file's.")]
Workers = Annotated[str | None, typer.Option(help="Workers, instead of the file's: auto or N.")]
SweepName = Annotated[str | None, typer.Option("--name", help="Name, instead of the file's.")]
