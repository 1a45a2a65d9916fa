"""`rnn-sweep backtest`: does it hold at other times, too?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sweep.cli.options import SWEEPS, Directory, Name


def backtest(
    name: Name,
    origins: Annotated[
        int, typer.Option(min=1, help="Origins in the test part, at even steps.")
    ] = 5,
    refit: Annotated[
        Literal["never", "every"],
        typer.Option(help="Train anew on all before each origin, or take models as they are."),
    ] = "never",
    trial: Annotated[int | None, typer.Option(help="A trial, instead of the finalists.")] = None,
    format: Annotated[
        Literal["table", "csv", "json", "parquet"] | None,
        typer.Option("--format", help="Default: by the file's ending, or a table."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: standard output.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with a picture, too.")] = None,
    directory: Directory = SWEEPS,
) -> None:
    """Judge finalists and naive forecasts at one origin after another, over the test part.

    At each origin the stretch up to the next one is forecast; a table by origin, means with 95 %
    intervals. Of data with rows in time; nothing is written to the sweep.

    \b
    Examples:
      rnn-sweep backtest load
      rnn-sweep backtest load --origins 8 --refit every --html backtest.html
      rnn-sweep backtest load --trial 3 --format csv
    """
    from sweep.models.backtest import backtest as tested
    from sweep.results.export import export_format, write
    from sweep.results.results import open_results
    from sweep.words.console import console

    kind, screen = export_format(format, output), console(stderr=True)
    found = open_results(name, directory)
    with screen.status("reading the data …") as status:
        result = tested(found, origins, refit, trial, status.update)
    write(result.exported(), kind, output)
    if html is not None:
        from sweep.report.plot_of_origins import backtest_page

        html.write_text(backtest_page(result), encoding="utf-8")
        typer.echo(f"Backtest of {found.config.name}: {html}", err=True)
