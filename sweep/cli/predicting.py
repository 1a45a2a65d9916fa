"""The arguments and options of `rnn-sweep predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

_FORECASTS, _TEXTS = "Coming steps", "Text"

Model = Annotated[
    str,
    typer.Argument(
        help="models:/NAME@champion, runs:/ID/NAME, a folder, SWEEP, SWEEP/TRIAL or SWEEP/ensemble."
    ),
]
Data = Annotated[
    Path | None,
    typer.Argument(help="A table, a text, or JSON as curl sends it; none with --generate."),
]
Last = Annotated[bool, typer.Option("--last", help="Only the forecast of each series.")]
Probabilities = Annotated[
    bool, typer.Option("--probabilities", help="Of each class, one column each.")
]
Interval = Annotated[
    float | None,
    typer.Option(help="Both ends of the calibrated interval of that level, as 0.9."),
]
Ensemble = Annotated[bool, typer.Option("--ensemble", help="Of a sweep: its finalists together.")]
Steps = Annotated[
    int | None,
    typer.Option(
        help="So many steps after the last known target, forecasts fed back.",
        rich_help_panel=_FORECASTS,
    ),
]
Paths = Annotated[
    int | None,
    typer.Option(
        help="Draw so many paths from the model's distributions; tell their quantiles.",
        rich_help_panel=_FORECASTS,
    ),
]
Quantiles = Annotated[
    str | None,
    typer.Option(help="Levels of --paths; default: 0.05,0.5,0.95.", rich_help_panel=_FORECASTS),
]
WholePaths = Annotated[
    bool,
    typer.Option(
        "--whole-paths", help="The paths too, with --format json.", rich_help_panel=_FORECASTS
    ),
]
Generate = Annotated[
    int | None,
    typer.Option(help="Write so many tokens with a language model.", rich_help_panel=_TEXTS),
]
Prompt = Annotated[
    str | None, typer.Option(help="What the text begins with.", rich_help_panel=_TEXTS)
]
Temperature = Annotated[
    float | None,
    typer.Option(
        help="Below 1 safer, above 1 bolder, 0 the likeliest; default: 1.",
        rich_help_panel=_TEXTS,
    ),
]
TopK = Annotated[
    int | None,
    typer.Option(help="Draw from so many of the likeliest tokens.", rich_help_panel=_TEXTS),
]
Count = Annotated[
    int | None, typer.Option(help="How many texts; default: 1.", rich_help_panel=_TEXTS)
]
Seed = Annotated[
    int | None, typer.Option(help="Of the draws of --paths and --generate; default: 0.")
]
AnswerFormat = Annotated[
    Literal["csv", "json"] | None,
    typer.Option(help="Default: by the ending of --output, or csv; a text as it is."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="A file to write.")]
