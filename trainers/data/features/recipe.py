"""From the columns of a table to the features of a network, row by row, one column at a time.

The same recipe runs in training and in prediction: it is plain values, kept with a model.

Features come in this order: the input columns (a category as one column a value, or as its id),
what was missing of them, the calendar, the time since the row before, a holiday; then the columns
known ahead, step by step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from trainers.data.classes import label_name
from trainers.data.contract import Array
from trainers.data.features.filling import Filling, filled
from trainers.data.features.rows import Rows
from trainers.data.tables.columns import matrix, require_columns
from trainers.data.times.cycles import Calendar
from trainers.data.times.elapsed import ELAPSED_NAME, elapsed
from trainers.data.times.public_holidays import HOLIDAY_NAME, Holidays
from trainers.data.times.steps import Step


@dataclass(frozen=True)
class InputColumn:
    """How a column becomes features; plain values.

    Attributes:
        name: The column's.
        values: Of a category, sorted; its ids begin at 1, 0 is anything else. None for numbers.
        embedded: Whether a category is one feature, its id, to be embedded by the network.
        filling: How missing numbers are filled; None leaves gaps.
        indicator: Whether a further feature says where they were.
    """

    name: str
    values: tuple[str, ...] | None = None
    embedded: bool = False
    filling: Filling | None = None
    indicator: bool = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Without the indicator's."""
        if self.values is None or self.embedded:
            return (self.name,)
        return tuple(f"{self.name}={value}" for value in self.values)


class Feature(NamedTuple):
    """One feature of all rows.

    Attributes:
        name: For people.
        values: `(rows,)` float64, not scaled; NaN where missing.
        number: Values to fit its scale to, at the rows themselves also where `values` are those of
            later rows; None for what is not scaled: waves, marks and ids.
        column: What it is made of, or None.
        ahead: How many rows later its values are.
    """

    name: str
    values: Array
    number: Array | None = None
    column: InputColumn | None = None
    ahead: int = 0


@dataclass(frozen=True)
class Recipe:
    """What is made of which columns; plain values.

    Attributes:
        columns: Input columns.
        known: Columns whose values at the target rows are inputs too.
        calendar: Its cycles.
        elapsed: Whether the time since the row before is an input, in usual steps.
        holidays: Public holidays, at the row and at its target rows.
        steps_ahead: Rows from the last input to the first target.
        output_steps: Rows predicted at once.
        step: From row to row in the training data; None without times.
    """

    columns: tuple[InputColumn, ...]
    known: tuple[InputColumn, ...] = ()
    calendar: Calendar = field(default_factory=lambda: Calendar(()))
    elapsed: bool = False
    holidays: Holidays | None = None
    steps_ahead: int = 1
    output_steps: int = 1
    step: Step | None = None

    @property
    def ahead(self) -> range:
        """Rows ahead of a row, at which its targets are."""
        return range(self.steps_ahead, self.steps_ahead + self.output_steps)

    @property
    def needs_times(self) -> bool:
        """Whether features are made of times."""
        return bool(self.calendar.cycles or self.elapsed or self.holidays)

    def features(self, rows: Rows, *, consume: bool = False) -> Iterator[Feature]:
        """Make all features, one at a time.

        Args:
            rows: The rows.
            consume: Whether a column may leave the rows' table once it is done, to save memory.

        Raises:
            DataError: a column is missing, or holds what it must not.
        """
        begins = rows.bounds[:-1][rows.codes] if len(rows.names) > 1 else np.zeros(1, np.int64)
        marks = []
        later = {column.name for column in self.known}
        for column in self.columns:
            raw = raw_column(rows, column)
            if column.indicator:
                missing = np.isnan(raw).astype(np.float64)
                marks.append(Feature(f"{column.name} missing", missing))
            if column.filling is not None:
                raw = filled(raw, begins, column.filling)
            yield from _of_column(column, raw, raw)
            if consume and column.name not in later:
                rows.frame.pop(column.name)
        yield from marks
        yield from self._of_times(rows)
        for step in self.ahead:
            for column in self.known:
                yield from self._known(column, step, rows)
            if self.holidays is not None and step > 0:
                assert rows.instants is not None
                assert self.step is not None
                then = rows.instants.at(self.step.ahead(rows.instants.utc, step))
                yield Feature(f"{HOLIDAY_NAME}+{step}", self.holidays.features(then.local()))

    def _known(self, column: InputColumn, step: int, rows: Rows) -> Iterator[Feature]:
        if rows.brings_ahead:
            there = replace(column, name=f"{column.name}+{step}")
            values = raw_column(rows, there)
            yield from _of_column(column, values, values, step)
            return
        raw = raw_column(rows, column)
        yield from _of_column(column, raw, ahead_of(raw, step, rows), step)

    def _of_times(self, rows: Rows) -> Iterator[Feature]:
        if rows.instants is None:
            return
        waves = self.calendar.features(rows.instants)
        for name, wave in zip(self.calendar.names, waves.T, strict=True):
            yield Feature(name, wave)
        if self.elapsed and self.step is not None:
            yield Feature(ELAPSED_NAME, elapsed(rows.instants, self.step, rows.codes))
        if self.holidays is not None:
            yield Feature(HOLIDAY_NAME, self.holidays.features(rows.instants.local()))


def raw_column(rows: Rows, column: InputColumn) -> Array:
    """Return a column's numbers, or ids of its category, `(rows,)` float64, NaN where missing."""
    require_columns(rows.frame, [column.name], "inputs")
    if column.values is None:
        return matrix(rows.frame, [column.name], "mask")[:, 0]
    return category_ids(rows.frame[column.name], column.values)


def distinct_values(series: Any, train: Array) -> tuple[str, ...]:
    """Return the values of a category in the training rows `(rows,)` bool, sorted as text."""
    return tuple(sorted({label_name(value) for value in series[train].dropna().unique()}))


def category_ids(series: Any, values: tuple[str, ...]) -> Array:
    """Return `(rows,)` ids: 1 and on in the order of `values`, 0 for others, NaN where missing."""
    import pandas as pd

    codes, found = pd.factorize(series)
    known = {value: float(number) for number, value in enumerate(values, start=1)}
    ids = np.array([*(known.get(label_name(value), 0.0) for value in found), np.nan])
    return np.asarray(ids[codes])  # a missing value's code is −1, the last


def ahead_of(values: Array, step: int, rows: Rows) -> Array:
    """Return each row's value `step` rows later, NaN past the end of its series."""
    later = np.full(len(values), np.nan)
    later[: len(values) - step] = values[step:]
    if len(rows.names) > 1:
        place = np.arange(len(values)) + step
        later[place >= rows.bounds[1:][rows.codes]] = np.nan
    return later


def _of_column(column: InputColumn, raw: Array, values: Array, ahead: int = 0) -> Iterator[Feature]:
    """Features of a column's `raw (rows,)`, their values those of `ahead` rows later."""
    suffix = f"+{ahead}" if ahead else ""
    if column.values is None:
        yield Feature(column.name + suffix, values, raw, column, ahead)
    elif column.embedded:
        yield Feature(column.name + suffix, values, None, column, ahead)
    else:
        for number, name in enumerate(column.feature_names, start=1):
            hit = np.where(np.isnan(values), np.nan, values == number)
            yield Feature(name + suffix, hit, None, column, ahead)
