"""A table's rows as long series: told apart, in order of time, at even steps where asked for.

Training and prediction go the same way, by the same `RowOptions`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainers.data.classes import label_name
from trainers.data.contract import Array
from trainers.data.features.rows import Rows
from trainers.data.tables.columns import require_columns
from trainers.data.times.aggregation import How
from trainers.data.times.grid import resampled
from trainers.data.times.instants import Instants, read_instants
from trainers.data.times.options import TimeOptions
from trainers.data.times.order import require_order, sorted_rows
from trainers.data.times.steps import Step, step_of
from trainers.data.times.table import merged_duplicates, timed_table
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

STEP_COLUMN = "step"
_NUMBERED = re.compile(r"(\D*)\d+")


@dataclass(frozen=True)
class RowOptions:
    """What makes rows of a table rows of series; plain values. See `WindowOptions`."""

    times: TimeOptions | None = None
    series: tuple[str, ...] | None = None
    wide: str | None = None
    value: str = ""
    sort: bool = False
    duplicates: Literal["error"] | How = "error"
    resample: str | None = None
    aggregate: How | dict[str, How] = "mean"
    static: tuple[str, ...] = ()

    def settled(self, times: TimeOptions) -> RowOptions:
        """The same, its times read as the data settled it."""
        return replace(self, times=times)


def rows_of(frame: pd.DataFrame, options: RowOptions, step: Step | None = None) -> Rows:
    """Put the rows of a table in long form in order.

    Args:
        frame: As `long_form` returns it.
        options: See there.
        step: The usual step where it is known; otherwise it is measured.

    Raises:
        DataError: a column is missing, times can't be read, are unsorted or there twice.
    """
    codes, names = _series(frame, options.series)
    instants = None
    if options.times is not None:
        instants = read_instants(frame, options.times, codes if names else None)
    order = _order(instants, codes, options)
    if order is not None:
        frame, codes = frame.iloc[order].reset_index(drop=True), codes[order]
        instants = None if instants is None else instants.take(order)
    if instants is None:
        return Rows(frame, codes, names, None, None, ())
    several = codes if len(names) > 1 else None
    if options.duplicates != "error" or options.resample is not None:
        table = timed_table(frame, instants, several)
        if options.duplicates != "error":
            table = merged_duplicates(table, options.duplicates)
        if options.resample is not None:
            held = [*(options.series or ()), *options.static]
            require_order(table.instants, table.codes, table.frame)
            table = resampled(table, options.resample, options.aggregate, held)
        frame, instants = table.frame, table.instants
        codes = np.zeros(len(frame), dtype=np.int64) if table.codes is None else table.codes
        several = table.codes
    require_order(instants, several, frame)
    notes = list(instants.notes)
    if step is None:
        step = step_of(instants, several)
        notes += [note for note in [step.note()] if note]
    return Rows(frame, codes, names, instants, step, tuple(notes))


def _series(frame: pd.DataFrame, columns: Sequence[str] | None) -> tuple[Array, tuple[str, ...]]:
    """Which series each row is of, `(rows,)`, and the series' names in order of appearance."""
    if columns is None:
        return np.zeros(len(frame), dtype=np.int64), ()
    import pandas as pd

    require_columns(frame, columns, "series")
    for column in columns:
        absent = np.flatnonzero(frame[column].isna().to_numpy())
        if len(absent):
            raise DataError(
                f"every row needs a series, but column {column!r} (data.series) misses "
                f"{len(absent)}, the first in data row {absent[0]} (counted from 0); fill it in, "
                "or keep words such as NA with data.reading.usual_missing_values: false."
            )
    if len(columns) == 1:
        codes, found = pd.factorize(frame[columns[0]])
        return codes.astype(np.int64), tuple(label_name(value) for value in found.tolist())
    found_codes: Array = frame.groupby(list(columns), sort=False, observed=True).ngroup().to_numpy()
    first = np.unique(found_codes, return_index=True)[1]
    named = frame[list(columns)].iloc[first].itertuples(index=False)
    return found_codes.astype(np.int64), tuple(" ".join(map(label_name, one)) for one in named)


def _order(instants: Instants | None, codes: Array, options: RowOptions) -> Array | None:
    """The permutation that puts series one after another; None where they are so already."""
    if instants is not None and options.sort:
        order = sorted_rows(instants, codes)
    elif (np.diff(codes) < 0).any():
        order = np.argsort(codes, kind="stable")
    else:
        return None
    return None if (order == np.arange(len(order))).all() else order


def long_form(frame: pd.DataFrame, options: RowOptions) -> pd.DataFrame:
    """Turn a row a series (`wide`) into a row a step; other columns stay with each of them.

    Raises:
        DataError: the pattern matches no steps, or a name is taken.
    """
    if options.wide is None:
        return frame
    import pandas as pd

    pattern = options.wide
    steps = [name for name in frame.columns if fnmatch.fnmatchcase(name, pattern)]
    if len(steps) < 2:
        raise DataError(
            f"data.wide must match the columns that are steps, but {pattern!r} matches "
            f"{len(steps)}; the file's columns are {', '.join(map(str, frame.columns[:8]))} …"
        )
    others = [name for name in frame.columns if name not in steps]
    taken = [name for name in (options.value, STEP_COLUMN) if name in others]
    if taken:
        raise DataError(
            f"data.wide makes a column {taken[0]!r}, but the file has one; name the target "
            "otherwise, or rename the file's column."
        )
    if options.times is None:
        steps = _by_number(steps)
    values = frame[steps].to_numpy()
    long: pd.DataFrame = frame[others].loc[frame.index.repeat(len(steps))].reset_index(drop=True)
    long[STEP_COLUMN] = np.tile(np.asarray(steps, dtype=object), len(frame))
    column = pd.Series(values.reshape(-1))
    words = column.dtype == object and pd.api.types.infer_dtype(column).startswith("mixed")
    long[options.value] = column.astype("str") if words else column
    # A name of a step that isn't a time only says its place.
    return long if options.times is not None else long.drop(columns=STEP_COLUMN)


def _by_number(steps: list[str]) -> list[str]:
    """Names that are one word and numbers, as d_1, d_10, d_2, in the order of the numbers."""
    starts = {found[1] if (found := _NUMBERED.fullmatch(name)) else None for name in steps}
    start = starts.pop()
    if start is None or starts:
        return steps
    return sorted(steps, key=lambda name: int(name.removeprefix(start)))
