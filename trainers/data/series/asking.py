"""What a trained network is asked of a table: its windows, encoded as training data were.

Everything goes the way that training data went: the same reading, clock, filling, categories and
scales. Targets are not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.ahead import ahead_of_rows, ahead_of_steps
from trainers.data.features.encoding import Encoded, encode
from trainers.data.features.requests import SERIES, Asked
from trainers.data.features.rows import Rows
from trainers.data.series.coming import has_own, origins_of, with_coming_rows
from trainers.data.series.courses import (
    Course,
    check_numbers,
    courses_of,
    least_rows,
    rows_needed,
)
from trainers.data.series.places import ROW, as_written, name_of_time, place_of
from trainers.data.series.reach import check_reach
from trainers.data.series.reading import WindowReading
from trainers.data.series.rows import long_form, rows_of
from trainers.data.tables.columns import require_columns
from trainers.data.tables.table import read_table
from trainers.errors import DataError


@dataclass(frozen=True)
class AskedWindow:
    """A window of a table.

    Attributes:
        asked: Its steps.
        key: What names its series, by column.
        targets: What names each row that is predicted, by column: its time, or its number.
    """

    asked: Asked
    key: dict[str, Any]
    targets: tuple[dict[str, Any], ...]


def windows_of_table(
    path: Path,
    reading: WindowReading,
    *,
    last: bool = False,
    tell: Callable[[str], object] = lambda line: None,
) -> list[AskedWindow]:
    """Cut a table into windows, one that ends in each row: the last forecasts are beyond the file.

    A window that ends in a gap is asked about like any other, as in training; one without a single
    row that is present is left out, and one whose targets are beyond what is known ahead.

    Args:
        path: A table of any format.
        reading: Of the training data.
        last: Whether only the newest window of each series is wanted.
        tell: Called with a line on series that have no window.

    Raises:
        DataError: the file is not as the training data were, too short, or its newest row lacks
            what must be known ahead.
    """
    rows = rows_of_table(path, reading)
    windows = list(_windows(rows, reading, last))
    if not windows:
        longest = int(np.diff(rows.bounds).max())
        raise DataError(
            f"a window has {reading.input_steps} rows, but {path} has {longest}"
            f"{' of its longest series' if rows.names else ''}; bring more rows."
        )
    tell_short(rows.names, np.diff(rows.bounds), reading.input_steps, tell)
    return windows


def rows_of_table(path: Path, reading: WindowReading) -> Rows:
    """Read a table's rows, in order of time, as those of training were read.

    Raises:
        DataError: the file is not as the training data were.
    """
    frame = long_form(read_table(path, reading.table).frame, reading.rows)
    options = replace(reading.rows, sort=reading.rows.times is not None)
    rows = rows_of(frame, options)
    check_step(rows, reading, path)
    return rows


def tell_short(
    names: Sequence[str], lengths: Array, least: int, tell: Callable[[str], object]
) -> None:
    """Tell which series, of `lengths (series,)` rows, have fewer than a forecast needs."""
    short = np.flatnonzero(lengths < least)
    if len(short):
        first = names[short[0]]
        tell(
            f"{len(short)} of {len(lengths)} series have fewer rows than a window of "
            f"{least} and no forecast, the first {first} with {lengths[short[0]]}"
        )


def check_step(rows: Rows, reading: WindowReading, path: Path) -> None:
    """Check that rows are as far apart as those of training.

    Raises:
        DataError: they are not.
    """
    trained, here = reading.step, rows.step
    if trained is None or here is None or len(rows.frame) < 3:
        return
    if {trained.kind, here.kind} <= {"regular", "months"} and trained.text != here.text:
        raise DataError(
            f"the model was trained on rows {trained.text} apart, but those of {path.name} are "
            f"{here.text} apart; bring rows of the same step."
        )


def _windows(rows: Rows, reading: WindowReading, newest: bool) -> Iterator[AskedWindow]:
    encoded = encode(reading.encoding, rows)
    recipe, steps = reading.encoding.recipe, reading.input_steps
    # Past the end of a series nothing is known ahead, which is no gap of the row.
    place = np.arange(len(rows.codes)) + recipe.ahead.stop - 1
    past = place >= rows.bounds[1:][rows.codes]
    present = encoded.present & (encoded.known | past)
    unknown = past & ~encoded.known
    own_rows, bases = has_own(rows, reading), reading.bases(rows)
    name = "+".join(reading.rows.series or ()) or SERIES
    ahead = _Ahead(encoded, rows, reading)
    for series in range(len(rows.bounds) - 1):
        begin, end = rows.bounds[series : series + 2].tolist()
        there = np.flatnonzero(own_rows[begin:end])
        end = begin + (int(there[-1]) + 1 if len(there) else 0)
        own = reading.target_scales(rows, series)
        key = {name: rows.names[series]} if rows.names else {}
        first = begin + steps - 1
        if newest and end > first:
            first = end - 1
            _check_known(encoded, rows, reading, first)
        for row in range(first, end):
            span = slice(row - steps + 1, row + 1)
            if unknown[row] or not present[span].any():
                continue
            scales = own
            if bases is not None:
                if not newest and np.isnan(bases[row]).any():
                    continue
                scales = reading.from_base(own, bases[row])
            asked = Asked(encoded.values[span], present[span], scales, ahead.of(row))
            targets = tuple(_place(rows, reading, row, ahead) for ahead in recipe.ahead)
            yield AskedWindow(asked, key, targets)


class _Ahead:
    """What is known ahead of the targets of a window that ends in a row."""

    def __init__(self, encoded: Encoded, rows: Rows, reading: WindowReading) -> None:
        recipe = reading.encoding.recipe
        self._run = recipe.ahead
        self._inside = ahead_of_rows(reading.encoding, rows)
        place = np.arange(len(rows.codes)) + self._run.stop - 1
        self._beyond = np.flatnonzero(place >= rows.bounds[1:][rows.codes])
        instants = None if rows.instants is None else rows.instants.take(self._beyond)
        self._of_time = ahead_of_steps(reading.encoding, instants, encoded.values[self._beyond])

    def of(self, row: int) -> Array | None:
        """Return `(1, horizon, features)`; None for nothing."""
        if self._inside is None or self._of_time is None:
            return None
        at = int(np.searchsorted(self._beyond, row))
        if at < len(self._beyond) and self._beyond[at] == row:
            return self._of_time[at : at + 1]
        return self._inside[None, row + self._run.start : row + self._run.stop]


def _check_known(encoded: Encoded, rows: Rows, reading: WindowReading, row: int) -> None:
    recipe = reading.encoding.recipe
    if recipe.known and not encoded.known[row]:
        names = ", ".join(column.name for column in recipe.known)
        of = f" of {rows.names[rows.codes[row]]}" if rows.names else ""
        raise DataError(
            f"the forecast{of} from {rows.said(row)} needs {names} of the next "
            f"{recipe.ahead.stop - 1} row(s), but the file ends before; add rows with what is "
            "known ahead, their other columns empty."
        )


def _place(rows: Rows, reading: WindowReading, row: int, ahead: int) -> dict[str, Any]:
    """Name a target row, which may lie beyond the file."""
    target = row + ahead
    if rows.instants is None:
        return {ROW: target - int(rows.bounds[rows.codes[row]])}
    if target < rows.bounds[1:][rows.codes[row]]:
        return place_of(rows, reading, target)
    step = rows.step if reading.step is None else reading.step
    assert step is not None
    now = rows.instants.take(slice(row, row + 1))
    later = now.at(step.ahead(now.utc, ahead))
    return {name_of_time(reading): as_written(later.text(0), rows, reading)}


def courses_of_table(
    path: Path,
    reading: WindowReading,
    steps: int,
    tell: Callable[[str], object] = lambda line: None,
) -> list[Course]:
    """Return the course of each series of a table, so many steps beyond its last known target.

    Args:
        path: A table of any format; it may hold coming rows, their targets empty.
        reading: Of the training data.
        steps: How many.
        tell: Called with a line on series that are left out, and on times that are an estimate.

    Raises:
        DataError: the network tells classes; the file is not as the training data were, or too
            short; or an input is not known as far ahead as it is needed.
    """
    check_numbers(reading)
    rows = rows_of_table(path, reading)
    recipe = reading.encoding.recipe
    require_columns(rows.frame, [c.name for c in (*recipe.columns, *recipe.known)], "inputs")
    origins, least = origins_of(rows, reading), least_rows(reading)
    lengths = origins - rows.bounds[:-1] + 1
    series = np.flatnonzero(lengths >= least).tolist()
    if not series:
        raise DataError(
            f"a forecast needs {least} rows before it, but {path} has {lengths.max()}"
            f"{' of its longest series' if rows.names else ''}; bring more rows."
        )
    tell_short(rows.names, lengths, least, tell)
    coming = with_coming_rows(rows, reading, origins, rows_needed(reading, steps), tell)
    target = reading.targets[0]
    way_out = f"add rows with it after the last known {target!r}, which stays empty there"
    check_reach(coming, reading, series, steps, way_out)
    return list(courses_of(coming, reading, series, steps))
