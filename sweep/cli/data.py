"""`rnn-sweep data`: what a file, or a sweep file's data, holds, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sweep.cli.init import Ahead, Overrides, Series, Target, Task, Time, wishes_of

if TYPE_CHECKING:
    from sweep.datasets.inspection import Inspection

Data = Annotated[
    str, typer.Argument(metavar="FILE|SPEC", help="A data file or folder, a sweep file, a preset.")
]
Format = Annotated[Literal["text", "json"], typer.Option(help="text or json.")]
Html = Annotated[Path | None, typer.Option(help="Write a page with a picture to this file.")]
Parts = Annotated[
    bool, typer.Option("--parts", help="List which rows or ids are in which part, as CSV or JSON.")
]


def data(
    data: Data,
    target: Target = None,
    time: Time = None,
    series: Series = None,
    ahead: Ahead = None,
    task: Task = None,
    format: Format = "text",
    html: Html = None,
    parts: Parts = False,
    overrides: Overrides = None,
) -> None:
    """Show what data hold and what is wrong with them: columns, steps, holes, parts, findings.

    \b
    A finding is wrong (plan and run refuse it, unless data.accept names its kind), doubtful or a
    note. The exit code is 0 whatever is found, 2 where the data can't be read.

    \b
    Examples:
      rnn-sweep data load.csv --target load
      rnn-sweep data load.yaml --html load.html
      rnn-sweep data load.yaml --parts > parts.csv
      rnn-sweep data digits --format json
    """
    from sweep.datasets.inspection import inspect_file, inspect_spec, is_spec

    if is_spec(data):
        found = inspect_spec(data, overrides or [])
    else:
        wishes = wishes_of(target, time, series, ahead, task, overrides)
        found = inspect_file(Path(data).expanduser(), wishes)
    _show(found, format, parts=parts)
    if html is not None:
        from sweep.datasets.picture import render_page

        html.write_text(render_page(found), encoding="utf-8")
        typer.echo(f"Wrote {html}", err=True)


def _show(found: Inspection, format: str, *, parts: bool) -> None:
    import dataclasses
    import json

    from sweep.datasets.document import document_of
    from sweep.datasets.membership import as_csv, runs_of

    values: Any
    if format == "json":
        values = (
            [dataclasses.asdict(run) for run in runs_of(found)] if parts else document_of(found)
        )
        typer.echo(json.dumps(values, indent=2, default=str, ensure_ascii=False))
    elif parts:
        if found.refused is not None:
            typer.echo(f"no parts: {found.refused}", err=True)
        typer.echo(as_csv(found), nl=False)
    else:
        from sweep.cli.printing_data import show_inspection
        from sweep.words.console import console

        show_inspection(console(), found)
