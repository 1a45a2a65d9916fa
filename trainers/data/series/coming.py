"""The coming rows of series: those after the last one whose target is known.

A table may hold some of them, with what is known ahead and empty targets; the others are made:
their times continue the step, and what never changes in a series goes on. Any other input is known
only as far as the table holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.rows import Rows
from trainers.data.series.places import as_written, name_of_time, place_of
from trainers.data.series.reading import WindowReading
from trainers.data.tables.columns import matrix
from trainers.data.times.instants import Instants
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Coming:
    """Series, each up to its origin and then `count` coming rows.

    Attributes:
        rows: All of them.
        origins: `(series,)` the last row of each whose target is known; one before its first row
            where none is.
        count: Coming rows of each series.
        given: `(rows,)` bool, coming rows that the table held.
    """

    rows: Rows
    origins: Array
    count: int
    given: Array

    @property
    def at(self) -> Array:
        """The numbers of the coming rows, `(series, count)`."""
        return self.origins[:, None] + np.arange(1, self.count + 1)

    def known(self, column: str) -> Array:
        """Which coming rows have a value of a column, `(series, count)` bool."""
        if column not in self.rows.frame.columns:
            return np.zeros(self.at.shape, dtype=np.bool_)
        return np.asarray(self.rows.frame[column].notna())[self.at]

    def place(self, reading: WindowReading, series: int, step: int) -> dict[str, Any]:
        """Name the coming row `step` (from 1 on) of a series: by its time, or its number."""
        row = int(self.origins[series]) + step
        if self.given[row] or self.rows.instants is None:
            return place_of(self.rows, reading, row)
        return {name_of_time(reading): as_written(self.rows.said(row), self.rows, reading)}


def origins_of(rows: Rows, reading: WindowReading) -> Array:
    """The last row of each series whose target is known, `(series,)`.

    Where the table holds no target of a series it is the last row with more than what is known
    ahead; one before the series where there is none either.
    """
    known = np.zeros(len(rows.frame), dtype=np.bool_)
    for name in reading.targets:
        if name in rows.frame.columns:
            known |= rows.frame[name].notna().to_numpy()
    own = has_own(rows, reading)
    found = []
    for begin, end in zip(rows.bounds[:-1].tolist(), rows.bounds[1:].tolist(), strict=True):
        here = np.flatnonzero(known[begin:end])
        here = here if len(here) else np.flatnonzero(own[begin:end])
        found.append(begin + int(here[-1]) if len(here) else begin - 1)
    return np.array(found, dtype=np.int64)


def has_own(rows: Rows, reading: WindowReading) -> Array:
    """Rows that bring more than what is known ahead, `(rows,)`: others only serve forecasts."""
    recipe = reading.encoding.recipe
    known = {column.name for column in recipe.known}
    own = [column.name for column in recipe.columns if column.name not in known]
    if not known or not own:
        return np.ones(len(rows.frame), dtype=np.bool_)
    return np.asarray(rows.frame[own].notna().any(axis=1))


def with_coming_rows(
    rows: Rows,
    reading: WindowReading,
    origins: Array,
    count: int,
    tell: Callable[[str], object] = lambda line: None,
) -> Coming:
    """Let each series end `count` rows after its origin.

    Args:
        rows: As the table has them.
        reading: Of the training data.
        origins: As `origins_of` finds them.
        count: How many.
        tell: Called with a line on times that are an estimate.

    Raises:
        DataError: coming times are inputs, and steps are irregular; or they are beyond what a time
            can be.
    """
    bounds = rows.bounds
    take = np.concatenate(
        [
            _padded(np.arange(begin, min(origin + 1 + count, end)), origin + 1 + count - begin)
            for begin, origin, end in zip(bounds[:-1], origins, bounds[1:], strict=True)
        ]
    )
    lengths = origins + 1 + count - bounds[:-1]
    begins = np.cumsum(lengths) - lengths
    instants = None
    if rows.instants is not None:
        if (take < 0).any():
            _check_regular(rows, reading, tell)
        instants = _continued(rows.instants, take, rows, reading)
    codes = np.repeat(np.arange(len(origins)), lengths)
    frame = _taken(rows.frame, take, reading)
    extended = replace(rows, frame=frame, codes=codes, instants=instants)
    coming = Coming(extended, begins + origins - bounds[:-1], count, take >= 0)
    _carry_on(coming, reading)
    return coming


def _padded(rows: Array, length: int) -> Array:
    """Numbers of rows, −1 for each that there is not."""
    return np.concatenate([rows, np.full(length - len(rows), -1)])


def _taken(frame: pd.DataFrame, take: Array, reading: WindowReading) -> pd.DataFrame:
    """Rows of a table, −1 for an empty one."""
    import pandas as pd

    recipe = reading.encoding.recipe
    numbers = {c.name for c in (*recipe.columns, *recipe.known) if c.values is None}
    # True, false and missing are 1, 0 and NaN, as numbers are.
    flags = [name for name in frame.select_dtypes(include="bool").columns if name in numbers]
    frame = frame.astype(dict.fromkeys(flags, np.float32))
    columns = {
        name: pd.api.extensions.take(column.array, take, allow_fill=True)
        for name, column in frame.items()
    }
    return pd.DataFrame(columns, index=range(len(take)))


def _check_regular(rows: Rows, reading: WindowReading, tell: Callable[[str], object]) -> None:
    step = rows.step if reading.step is None else reading.step
    if step is None or step.kind != "irregular":
        return
    if reading.encoding.recipe.needs_times:
        raise DataError(
            "coming times are inputs, but steps are irregular, so that they can't be told; give "
            "rows with their times after the last known target, or train on even steps with "
            f"data.resample: {step.rule}."
        )
    tell(
        f"steps are irregular, so coming times are an estimate, {step.text} apart: even steps with "
        f"data.resample: {step.rule}"
    )


def _continued(instants: Instants, take: Array, rows: Rows, reading: WindowReading) -> Instants:
    """The times of rows, those of empty ones so many steps after the last one before."""
    numbers = np.arange(len(take))
    last = np.maximum.accumulate(np.where(take >= 0, numbers, 0))
    count = numbers - last
    utc = instants.utc[take[last]]
    offsets = None if instants.offsets is None else instants.offsets[take[last]]
    if not count.any():
        return replace(instants, utc=utc, offsets=offsets)
    step = rows.step if reading.step is None else reading.step
    assert step is not None
    if (utc.astype(np.float64) + count * float(step.nanoseconds)).max() > np.iinfo(np.int64).max:
        raise DataError("coming times must be before the year 2262; ask for fewer `steps`.")
    empty = count > 0
    utc[empty] = step.ahead(utc[empty], count[empty])
    return replace(instants, utc=utc, offsets=offsets)


def _carry_on(coming: Coming, reading: WindowReading) -> None:
    """Fill what never changes in a series into its coming rows."""
    frame, codes = coming.rows.frame, coming.rows.codes
    is_coming = np.zeros(len(frame), dtype=np.bool_)
    is_coming[coming.at.reshape(-1)] = True
    for name in {*(reading.rows.series or ()), *reading.rows.static, *reading.constant}:
        if name in frame.columns and frame[name][is_coming].isna().any():
            onward = frame[name].groupby(codes).ffill()
            frame[name] = frame[name].where(frame[name].notna() | ~is_coming, onward)


def feed(coming: Coming, targets: Sequence[str]) -> None:
    """Put a number into the coming rows of targets that are inputs, so that none is a gap."""
    rows = coming.at.reshape(-1)
    for name in targets:
        values = matrix(coming.rows.frame, [name], "mask")[:, 0].copy()
        values[rows] = 0.0
        coming.rows.frame[name] = values
