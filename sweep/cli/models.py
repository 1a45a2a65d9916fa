"""The commands that use trained models; `sweep.cli.app` takes them up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

_SWEEPS = Path("sweeps")
_Directory = Annotated[Path, typer.Option("--dir", help="Folder that holds all sweeps.")]


def predict(
    model: Annotated[
        str,
        typer.Argument(
            help="models:/NAME@champion, runs:/ID/NAME, a folder, SWEEP, SWEEP/TRIAL or "
            "SWEEP/ensemble."
        ),
    ],
    data: Annotated[Path, typer.Argument(help="A table, a text, or JSON as curl sends it.")],
    last: Annotated[bool, typer.Option("--last", help="Only the forecast of each series.")] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Of each class, one column each.")
    ] = False,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Of a sweep: its finalists together.")
    ] = False,
    format: Annotated[
        Literal["csv", "json"] | None,
        typer.Option(help="Default: by the ending of --output, or csv."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file to write.")] = None,
    directory: _Directory = _SWEEPS,
) -> None:
    """Predict with a trained model: raw values in, own units or class names out.

    \b
    Examples:
      rnn-sweep predict load load.csv --last
      rnn-sweep predict load/3 load.csv --output predicted.csv
      rnn-sweep predict load load.csv --ensemble
      rnn-sweep predict models:/load@champion load.csv
    """
    from sweep.models.prediction import format_of, predict_file, write_rows
    from sweep.models.trained import ENSEMBLE, open_model

    kind = format_of(format, output)
    found = open_model(f"{model}/{ENSEMBLE}" if ensemble else model, directory)
    rows = predict_file(found, data, last=last, probabilities=probabilities, tell=_tell)
    text = write_rows(rows, kind, output)
    if text is not None:
        typer.echo(text, nl=False)


def _tell(line: str) -> None:
    typer.echo(f"note: {line}", err=True)


def register(
    name: Annotated[str, typer.Argument(help="The sweep's name, or its folder.")],
    trial: Annotated[int | None, typer.Option(help="A complete trial instead of the best.")] = None,
    registered: Annotated[
        str | None,
        typer.Option("--as", help="Name in the registry; default: tracking.register_as."),
    ] = None,
    directory: _Directory = _SWEEPS,
) -> None:
    """Put a trial's model into MLflow's registry; champion, if it is better on the same test data.

    \b
    Examples:
      rnn-sweep register load --as load
      rnn-sweep register load --trial 3 --as load
    """
    from sweep.config.tracking_uri import name_problem
    from sweep.errors import UserError
    from sweep.models.registering import register_trial

    if registered is not None and (problem := name_problem(registered)) is not None:
        raise UserError(f"--as {problem}.")

    typer.echo(register_trial(name, trial, registered, directory))
