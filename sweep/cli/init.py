"""`rnn-sweep init`: a sweep file for a data file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from sweep.datasets.draft import Wishes
    from sweep.datasets.writing import Written

File = Annotated[Path, typer.Argument(metavar="FILE", help="A data file, or a folder of them.")]
Target = Annotated[str | None, typer.Option(metavar="COL", help="Column to predict; A,B: several.")]
Time = Annotated[
    str | None, typer.Option(metavar="COL[,COL…]", help="Column of times, or several to be joined.")
]
Series = Annotated[str | None, typer.Option(metavar="COL", help="Column that tells series apart.")]
Ahead = Annotated[int | None, typer.Option(min=0, help="Rows from the last input to the target.")]
Task = Annotated[
    Literal["classification", "regression"] | None, typer.Option(help="What the target holds.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Default: FILE's stem, .yaml, here.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="data.X=VALUE", help="An option of the data (repeatable)."),
]


def init(
    file: File,
    target: Target = None,
    time: Time = None,
    series: Series = None,
    ahead: Ahead = None,
    task: Task = None,
    output: Output = None,
    overrides: Overrides = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the sweep file.")] = False,
) -> None:
    """Write a sweep file that runs for a data file: what was understood, and what can be set.

    \b
    FILE is a table (CSV, Parquet, Excel …), a text, lines text<TAB>label, a .ts, UCR or .tsf file,
    or a folder of these. What is guessed is said in the file, with the option that changes it.

    \b
    Examples:
      rnn-sweep init load.csv --target load
      rnn-sweep init shops.csv --target sales --time date,hour --series shop --ahead 7
      rnn-sweep init input.txt --output shakespeare.yaml
      rnn-sweep init load.csv --target load --set 'data.reading.missing_values=["-9999"]'
    """
    from sweep.datasets.writing import write_sweep

    wishes = wishes_of(target, time, series, ahead, task, overrides)
    _show(write_sweep(file, wishes, output, force=force))


def wishes_of(
    target: str | None,
    time: str | None,
    series: str | None,
    ahead: int | None,
    task: str | None,
    overrides: list[str] | None,
) -> Wishes:
    """Put the options of the command line together."""
    from sweep.config.file import apply_overrides
    from sweep.datasets.draft import Wishes
    from sweep.errors import ConfigProblem

    values: dict[str, Any] = {}
    apply_overrides(values, overrides or [])
    foreign = [name for name in values if name != "data"]
    if foreign:
        raise ConfigProblem(
            f"--set takes options of the data here (data.NAME=VALUE), but got {foreign[0]!r}; "
            "change the rest in the sweep file."
        )
    return Wishes(
        _names(target), _names(time), _names(series), ahead, task, values.get("data") or {}
    )


def _names(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _show(written: Written) -> None:
    from sweep.cli.printing_plan import show_data
    from sweep.words.console import console

    screen = console()
    show_data(screen, written.plan.prepared)
    screen.print(f"Wrote {written.path}", markup=False)
    spec = shlex.quote(str(written.path))
    screen.print("Next:")
    screen.print(f"  rnn-sweep plan {spec}", markup=False)
    screen.print(f"  rnn-sweep run {spec}", markup=False)
