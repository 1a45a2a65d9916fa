"""A sweep's trials as CSV, JSON, Parquet or plain text, to a file or to standard output."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console, RenderableType

from sweep.errors import UserError
from sweep.history.baselines import TEST
from sweep.results.ensemble import ensemble_record
from sweep.results.naive import trial_skill
from sweep.results.results import Results
from sweep.results.rows import frame, records
from sweep.results.tables import results_table
from sweep.words.console import WIDE

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["table", "csv", "json", "parquet"]
_ENDINGS: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}


def export_format(given: Format | None, output: Path | None) -> Format:
    """Return the format asked for, by name or by the file's ending.

    Raises:
        UserError: Parquet is asked for without a file.
    """
    ending = output.suffix if output is not None else ""
    if given is None and ending not in (*_ENDINGS, "", ".txt"):
        raise UserError(
            f"a file's ending says its format ({', '.join(_ENDINGS)}, .txt), but got {ending!r}; "
            "name another file, or give --format."
        )
    kind = given or _ENDINGS.get(ending, "table")
    if kind == "parquet" and output is None:
        raise UserError("Parquet is binary, so --format parquet needs --output FILE.")
    return kind


@dataclass(frozen=True)
class Exported:
    """A table in every form that it is written in.

    Attributes:
        frame: For CSV and Parquet.
        records: For JSON.
        shown: For people, of a width.
    """

    frame: Callable[[], pd.DataFrame]
    records: Callable[[], Any]
    shown: Callable[[int], RenderableType]


def export(results: Results, kind: Format, output: Path | None) -> None:
    """Write all trials in one format, to a file or to standard output."""
    trials = Exported(
        lambda: frame(results),
        lambda: records(results),
        lambda width: results_table(results, width),
    )
    write(trials, kind, output)


def write(exported: Exported, kind: Format, output: Path | None) -> None:
    """Write a table in one format, to a file or to standard output."""
    if kind == "parquet":
        assert output is not None
        table = _one_type_a_column(exported.frame())
        with output.open("wb") as file:  # pandas' own error would not name the file
            table.to_parquet(file, index=False)
        return
    text = _text(exported, kind)
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


def best_json(results: Results) -> str:
    """Return the best trial's record, checkpoint, ensemble and naive forecasts as JSON.

    `null` when no trial is complete. `baselines` has each naive forecast's metrics by part.
    """
    best = results.best()
    if best is None:
        return _json(None)
    path = results.checkpoint(best)
    (record,) = records(results, [best])
    record["checkpoint"] = None if path is None else str(path)
    record["ensemble"] = ensemble_record(results)
    naive = results.state.baselines
    if naive is not None:
        record["baselines"] = naive.metrics
        record["test_skill"] = trial_skill(results, best, TEST)
    return _json(record)


def _text(exported: Exported, kind: Format) -> str:
    if kind == "csv":
        return exported.frame().to_csv(index=False)
    if kind == "json":
        return _json(exported.records()) + "\n"
    page = io.StringIO()
    Console(file=page, width=WIDE, markup=False).print(exported.shown(WIDE))
    return page.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False)  # the log holds no NaN


def _one_type_a_column(table: pd.DataFrame) -> pd.DataFrame:
    """Write choices of mixed types, as [null, 16, full], as text: Parquet has typed columns."""
    mixed = {
        name: table[name].map(lambda v: None if v is None else str(v))
        for name in table.columns
        if table[name].dtype == object and len({type(v) for v in table[name].dropna()}) > 1
    }
    return table.assign(**mixed)
