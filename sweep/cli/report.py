"""The commands that show what came out elsewhere: on a page, side by side, in Optuna's storage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.options import SWEEPS, Directory, Name
from sweep.errors import UserError


def report(
    name: Name,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A file; default: report.html beside the log."),
    ] = None,
    browse: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    directory: Directory = SWEEPS,
) -> None:
    """Write one self-contained HTML page: plots, best trials, curves, pruning, where time went.

    \b
    Examples:
      rnn-sweep report digits
      rnn-sweep report digits --output digits.html --open
    """
    from sweep.report.document import render_report
    from sweep.results.results import open_results

    found = open_results(name, directory)
    path = output or found.folder / "report.html"
    path.write_text(render_report(found), encoding="utf-8")
    typer.echo(f"Report of {found.config.name}: {path}")
    if browse:
        typer.launch(path.resolve().as_uri())


def compare(
    first: Annotated[str, typer.Argument(help="A sweep, or a trial as SWEEP/NUMBER.")],
    second: Annotated[str, typer.Argument(help="Another one of the same kind.")],
    directory: Directory = SWEEPS,
) -> None:
    """Show two sweeps, or two trials, side by side: settings, best values, curves, test metrics.

    \b
    Examples:
      rnn-sweep compare digits digits-tpe
      rnn-sweep compare digits/3 digits/7
    """
    from sweep.cli.printing_compare import show_comparison
    from sweep.results.comparison import compare as compared
    from sweep.words.console import console

    show_comparison(console(), compared(first, second, directory))


def export(
    name: Annotated[
        str, typer.Argument(help="A sweep; for ONNX any model, as `predict` takes it.")
    ],
    target: Annotated[
        str, typer.Argument(help="A database URL, as sqlite:///study.db, or a file, as load.onnx.")
    ],
    directory: Directory = SWEEPS,
) -> None:
    """Write a trained model as ONNX, or a sweep as a study into an Optuna storage.

    An ONNX file takes and answers own units, sequences of any length, with state in and out; a
    study is for optuna-dashboard. Either replaces an earlier export.

    \b
    Examples:
      rnn-sweep export load load.onnx
      rnn-sweep export models:/load@champion load.onnx
      rnn-sweep export digits sqlite:///study.db
    """
    if target.lower().endswith(".onnx") and "://" not in target:
        from sweep.models.onnx_file import export_onnx

        typer.echo(export_onnx(name, Path(target), directory))
        return
    if "://" not in target:
        raise UserError(
            "a sweep is exported to a database URL, as sqlite:///study.db, and a model to a file "
            f"that ends in .onnx, but got {target!r}; name one of them."
        )
    typer.echo(_export_study(name, target, directory))


def _export_study(name: str, url: str, directory: Path) -> str:
    from sweep.log.places import open_log
    from sweep.results.optuna_export import export_study
    from sweep.results.results import open_results
    from sweep.words.redaction import shown

    found = open_results(name, directory)
    log = open_log(found.folder)
    try:
        count, replaced = export_study(found, log, url)
    finally:
        log.close()
    again = " in place of its earlier export" if replaced else ""
    return f"Study {found.config.name!r} in {shown(url)} holds {count} trials{again}."
