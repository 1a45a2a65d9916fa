"""The commands that use trained models; `sweep.cli.app` takes them up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweep.cli import predicting

if TYPE_CHECKING:
    from sweep.models.wanted import Wanted
    from trainers.use.ensemble import EnsembleModel
    from trainers.use.forecasting import Horizon
    from trainers.use.portable import PortableModel

_SWEEPS = Path("sweeps")
_Directory = Annotated[Path, typer.Option("--dir", help="Folder that holds all sweeps.")]


def predict(
    model: predicting.Model,
    data: predicting.Data = None,
    last: predicting.Last = False,
    probabilities: predicting.Probabilities = False,
    interval: predicting.Interval = None,
    ensemble: predicting.Ensemble = False,
    steps: predicting.Steps = None,
    paths: predicting.Paths = None,
    quantiles: predicting.Quantiles = None,
    whole_paths: predicting.WholePaths = False,
    generate: predicting.Generate = None,
    prompt: predicting.Prompt = None,
    temperature: predicting.Temperature = None,
    top_k: predicting.TopK = None,
    count: predicting.Count = None,
    seed: predicting.Seed = None,
    format: predicting.AnswerFormat = None,
    output: predicting.Output = None,
    directory: _Directory = _SWEEPS,
) -> None:
    """Predict with a trained model: raw values in, own units or class names out.

    \b
    Examples:
      rnn-sweep predict load load.csv --last
      rnn-sweep predict load/3 load.csv --output predicted.csv
      rnn-sweep predict load load.csv --ensemble
      rnn-sweep predict load load.csv --interval 0.9
      rnn-sweep predict models:/load@champion load.csv
      rnn-sweep predict load load.csv --steps 48
      rnn-sweep predict load load.csv --steps 48 --paths 100 --quantiles 0.1,0.5,0.9
      rnn-sweep predict plays --generate 200 --prompt "ROMEO:" --temperature 0.8
    """
    from sweep.models.prediction import format_of, write_rows
    from sweep.models.texts import tell_texts, written_texts
    from sweep.models.trained import ENSEMBLE, open_model, open_single
    from sweep.models.wanted import Wanted

    wanted = Wanted(
        data=data, last=last, probabilities=probabilities, interval=interval, steps=steps,
        paths=paths, quantiles=quantiles, whole_paths=whole_paths, generate=generate, prompt=prompt,
        temperature=temperature, top_k=top_k, count=count, seed=seed,
    )  # fmt: skip
    kind = format_of(format, output)
    horizon, generation = wanted.horizon(kind), wanted.generation()
    name = f"{model}/{ENSEMBLE}" if ensemble else model
    if generation is not None:
        writer = open_single(name, "a text", directory)
        text = tell_texts(written_texts(writer, generation, count or 1, _tell), format, output)
    else:
        rows = _predicted(open_model(name, directory), wanted, horizon)
        text = write_rows(rows, kind, output)
    if text is not None:
        typer.echo(text, nl=False)


def _predicted(
    model: PortableModel | EnsembleModel, wanted: Wanted, horizon: Horizon | None
) -> list[dict[str, Any]]:
    from sweep.models.forecasts import forecast_file
    from sweep.models.prediction import predict_file

    assert wanted.data is not None
    if horizon is not None:
        return forecast_file(model, wanted.data, horizon, _tell)
    return predict_file(
        model, wanted.data, last=wanted.last, probabilities=wanted.probabilities,
        interval=wanted.interval, tell=_tell,
    )  # fmt: skip


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
