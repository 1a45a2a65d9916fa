"""The arguments and options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="The sweep's name, or its folder.")]
Directory = Annotated[Path, typer.Option("--dir", help="Folder that holds all sweeps.")]
SWEEPS = Path("sweeps")
