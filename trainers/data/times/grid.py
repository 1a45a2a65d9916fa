"""Rows on a regular grid of times: stretches with an aggregate, or absent rows put in.

What was absent becomes rows of missing values. Rows of the result come by series, in the order of
codes, and within one by time; a series' grid begins and ends with its own rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.aggregation import How, aggregated, hows_of
from trainers.data.times.civil import month_start, months_of
from trainers.data.times.clocks import DAY
from trainers.data.times.instants import Instants
from trainers.data.times.steps import Step, step_from
from trainers.data.times.table import TimedTable
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# A grid so much finer than the rows is a slip of the pen.
_MOST_A_ROW = 1_000
_ALWAYS_ALLOWED = 1_000_000
# January of year 0 counted from January 1970: quarters begin in January.
_YEAR_0 = -1970 * 12
# The Monday before 1 January 1970.
_MONDAY = -3


def resampled(
    table: TimedTable,
    every: str,
    how: How | Mapping[str, How] = "mean",
    static: Sequence[str] = (),
) -> TimedTable:
    """Make one row of all those of a stretch of time, at its start; an empty one is missing.

    Hours and less are counted from the first day's local midnight, days and weeks (from Monday)
    by the local clock, months and quarters from January. `static` columns hold throughout a series.

    Raises:
        DataError: `every` is no length of time, or much too short, or a column can't be
            aggregated so.
    """
    hows = hows_of(table.frame, how, "aggregate")
    table = table.sorted()
    step = step_from(every, table.instants)
    numbers, starts = _stretches(table.instants, step)
    layout = _layout(table, numbers, every)
    frame = layout.spread(aggregated(table.frame, layout.places, hows))
    counts = [name for name, its in hows.items() if its == "count"]
    frame[counts] = frame[counts].fillna(0).astype(np.int64)
    instants = starts(numbers[layout.first][layout.series] + layout.within)
    return _rebuilt(table, layout, frame, instants, static)


def with_absent_rows(table: TimedTable, step: Step, static: Sequence[str] = ()) -> TimedTable:
    """Put in the rows that regular steps leave out, with missing values; see `resampled`.

    Raises:
        DataError: steps are not regular.
    """
    table = table.sorted()
    numbers = _steps_from_first(table, step)
    layout = _layout(table, numbers, step.rule)
    if len(layout.series) == len(table.instants):
        return table
    starts = table.instants.utc[layout.first][layout.series]
    instants = table.instants.at(step.ahead(starts, layout.within))
    return _rebuilt(
        table, layout, layout.spread(table.frame.set_axis(layout.places)), instants, static
    )


def _stretches(instants: Instants, step: Step) -> tuple[Array, Callable[[Array], Instants]]:
    """The stretch of each row, int `(rows,)`, and where stretches of such numbers begin."""
    local = instants.local()
    if step.months:
        numbers = (months_of(local) - _YEAR_0) // step.months
        return numbers, lambda n: instants.at_local(month_start(n * step.months + _YEAR_0) * DAY)
    if step.by_clock:
        days = step.nanoseconds // DAY
        origin = _MONDAY if days % 7 == 0 else int(local.min()) // DAY
        numbers = (local // DAY - origin) // days
        return numbers, lambda n: instants.at_local((n * days + origin) * DAY)
    midnight = instants.at_local(np.asarray([local[instants.utc.argmin()] // DAY * DAY]))
    begin, size = int(midnight.utc[0]), step.nanoseconds
    return (instants.utc - begin) // size, lambda n: instants.at(n * size + begin)


def _steps_from_first(table: TimedTable, step: Step) -> Array:
    """Steps from each series' first row, int `(rows,)`.

    Raises:
        DataError: a row is not a whole number of steps from it.
    """
    begins = table.begins()
    utc, first = table.instants.utc, np.flatnonzero(begins)[np.cumsum(begins) - 1]
    if step.kind not in ("regular", "months"):
        wrong = np.arange(len(utc))
    else:
        clock = table.instants.local() if step.months or step.by_clock else utc
        if step.months:
            months = months_of(clock)
            numbers = (months - months[first]) // step.months
        elif step.by_clock:
            numbers = (clock // DAY - clock[first] // DAY) // (step.nanoseconds // DAY)
        else:
            numbers = (clock - clock[first]) // step.nanoseconds
        wrong = np.flatnonzero(step.ahead(utc[first], numbers) != utc)
        if len(wrong) == 0:
            return np.asarray(numbers)
    row = int(wrong[0])
    raise DataError(
        f"rows must be a whole number of steps ({step.text}) apart, but row {row} of "
        f"{table.instants.name!r} in order of time, {table.instants.text(row)}, is not; make a "
        f"grid of them with data.resample: {step.rule}."
    )


@dataclass(frozen=True)
class _Layout:
    """Where rows lie on the grid.

    Attributes:
        first: The first row of each series, `(series,)`.
        series: The series of each row of the grid, counted from 0, `(grid,)`.
        within: The number of each row of the grid in its series, `(grid,)`.
        places: The row of the grid of each row of the table, `(rows,)`.
    """

    first: Array
    series: Array
    within: Array
    places: Array

    def spread(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Put rows on the grid, at their `index`; the other rows hold missing values."""
        import pandas as pd

        if len(frame) == len(self.series):
            return frame.reset_index(drop=True)
        # True, false and missing are 1, 0 and NaN, as numbers are.
        flags = frame.select_dtypes(include="bool").columns
        frame = frame.astype(dict.fromkeys(flags, np.float32))
        rows = np.full(len(self.series), -1)
        rows[frame.index.to_numpy()] = np.arange(len(frame))
        columns = {
            name: pd.api.extensions.take(column.array, rows, allow_fill=True)
            for name, column in frame.items()
        }
        return pd.DataFrame(columns, index=range(len(rows)))


def _layout(table: TimedTable, numbers: Array, rule: str) -> _Layout:
    begins = table.begins()
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(numbers)) - 1
    counts = numbers[last] - numbers[first] + 1
    grid = int(counts.sum())
    if grid > max(_MOST_A_ROW * len(numbers), _ALWAYS_ALLOWED):
        raise DataError(
            f"a grid must not be much finer than the rows, but data.resample: {rule} makes {grid} "
            f"rows of {len(numbers)}; choose a longer time, or leave far-off rows out."
        )
    offsets = np.cumsum(counts) - counts
    series = np.repeat(np.arange(len(first)), counts)
    of_row = np.cumsum(begins) - 1
    places = numbers - numbers[first][of_row] + offsets[of_row]
    return _Layout(first, series, np.arange(grid) - offsets[series], places)


def _rebuilt(
    table: TimedTable,
    layout: _Layout,
    frame: pd.DataFrame,
    instants: Instants,
    static: Sequence[str],
) -> TimedTable:
    """Give the rows of the grid their series, what holds throughout it, and a note."""
    first = layout.first[layout.series]
    for name in static:
        frame[name] = table.frame[name].iloc[first].to_numpy()
    codes = None if table.codes is None else table.codes[first]
    empty = len(first) - 1 - int(np.count_nonzero(np.diff(layout.places)))
    note = f"{empty} of {len(first)} rows on the grid were absent and hold missing values"
    notes = (*instants.notes, note) if empty else instants.notes
    return TimedTable(frame, replace(instants, notes=notes), codes)
