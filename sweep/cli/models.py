"""The commands that use trained models; `sweep.cli.app` takes them up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

_SWEEPS = Path("sweeps")
_Directory = Annotated[Path, typer.Option("--dir", help="Folder that holds all sweeps.")]


_FORECASTS, _TEXTS = "Coming steps", "Text"


def predict(
    model: Annotated[
        str,
        typer.Argument(
            help="models:/NAME@champion, runs:/ID/NAME, a folder, SWEEP, SWEEP/TRIAL or "
            "SWEEP/ensemble."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Argument(help="A table, a text, or JSON as curl sends it; none with --generate."),
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="Only the forecast of each series.")] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Of each class, one column each.")
    ] = False,
    interval: Annotated[
        float | None,
        typer.Option(help="Both ends of the calibrated interval of that level, as 0.9."),
    ] = None,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Of a sweep: its finalists together.")
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option(
            help="So many steps after the last known target, forecasts fed back.",
            rich_help_panel=_FORECASTS,
        ),
    ] = None,
    paths: Annotated[
        int | None,
        typer.Option(
            help="Draw so many paths from the model's distributions; tell their quantiles.",
            rich_help_panel=_FORECASTS,
        ),
    ] = None,
    quantiles: Annotated[
        str | None,
        typer.Option(help="Levels of --paths; default: 0.05,0.5,0.95.", rich_help_panel=_FORECASTS),
    ] = None,
    whole_paths: Annotated[
        bool,
        typer.Option(
            "--whole-paths", help="The paths too, with --format json.", rich_help_panel=_FORECASTS
        ),
    ] = False,
    generate: Annotated[
        int | None,
        typer.Option(help="Write so many tokens with a language model.", rich_help_panel=_TEXTS),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="What the text begins with.", rich_help_panel=_TEXTS)
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            help="Below 1 safer, above 1 bolder, 0 the likeliest; default: 1.",
            rich_help_panel=_TEXTS,
        ),
    ] = None,
    top_k: Annotated[
        int | None,
        typer.Option(help="Draw from so many of the likeliest tokens.", rich_help_panel=_TEXTS),
    ] = None,
    count: Annotated[
        int | None, typer.Option(help="How many texts; default: 1.", rich_help_panel=_TEXTS)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the draws of --paths and --generate; default: 0.")
    ] = None,
    format: Annotated[
        Literal["csv", "json"] | None,
        typer.Option(help="Default: by the ending of --output, or csv; a text as it is."),
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
      rnn-sweep predict load load.csv --interval 0.9
      rnn-sweep predict models:/load@champion load.csv
      rnn-sweep predict load load.csv --steps 48
      rnn-sweep predict load load.csv --steps 48 --paths 100 --quantiles 0.1,0.5,0.9
      rnn-sweep predict plays --generate 200 --prompt "ROMEO:" --temperature 0.8
    """
    from sweep.models.forecasts import forecast_file
    from sweep.models.prediction import format_of, predict_file, write_rows
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
        assert data is not None
        found = open_model(name, directory)
        if horizon is None:
            rows = predict_file(
                found, data, last=last, probabilities=probabilities, interval=interval, tell=_tell
            )
        else:
            rows = forecast_file(found, data, horizon, _tell)
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
