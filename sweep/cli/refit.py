"""`rnn-sweep refit`: a finalist's settings on more data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.options import SWEEPS, Directory, Name
from sweep.words.messages import INTERRUPTED

if TYPE_CHECKING:
    from sweep.models.refit import Refitted
    from sweep.results.results import Results


def refit(
    name: Name,
    trial: Annotated[int | None, typer.Option(help="A trial instead of the best.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Another file: short for --set data.path=FILE.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="data.KEY=VALUE; may be repeated.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Networks to train; the model is their mean.")
    ] = 1,
    registered: Annotated[
        str | None,
        typer.Option("--as", help="Name in the registry; default: tracking.register_as."),
    ] = None,
    directory: Directory = SWEEPS,
) -> None:
    """Train the best trial's settings anew on train and validation, or on new data.

    For its best epoch count; the test part is judged once and never trained on. The model lies in
    the sweep's folder, and in MLflow where the sweep is; the same command goes on where one was
    ended.

    \b
    Examples:
      rnn-sweep refit load
      rnn-sweep refit load --trial 3 --seeds 5
      rnn-sweep refit load --data this-year.csv --as load
    """
    import json

    from sweep.config.tracking_uri import name_problem
    from sweep.errors import TrackerError, UserError
    from sweep.models.refit import Wanted
    from sweep.models.refit import refit as refitted
    from sweep.models.refit_record import record_refit
    from sweep.results.results import open_results
    from sweep.words.console import console

    if registered is not None and (problem := name_problem(registered)) is not None:
        raise UserError(f"--as {problem}.")
    path = [] if data is None else [f"data.path={json.dumps(str(data))}"]
    given = [*path, *(overrides or [])]
    found, screen = open_results(name, directory), console(stderr=True)
    try:
        with screen.status("reading the data …") as status:
            made = refitted(found, Wanted(trial, tuple(given), seeds), status.update)
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on with the last whole epoch", err=True)
        raise typer.Exit(INTERRUPTED) from None
    _tell(made, found)
    if registered is None and not found.config.tracking.enabled:
        return
    try:
        typer.echo(f"  {record_refit(made, found, registered)}")
    except TrackerError as error:
        typer.echo(f"  not in MLflow: {error}", err=True)


def _tell(made: Refitted, found: Results) -> None:
    from sweep.words.console import measure

    told = ", ".join(f"{key} {measure(v, found.unit(key))}" for key, v in made.test.items())
    typer.echo(f"Refitted trial {made.trial.number} for {made.epochs} epochs: {made.folder}")
    typer.echo(f"  test: {told or 'the data have no test part'}")
    for note in made.notes:
        typer.echo(f"  note: {note}")
