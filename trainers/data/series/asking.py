"""What a trained network is asked of a table: its windows, encoded as training data were.

Everything goes the way that training data went: the same reading, clock, filling, categories and
scales. Targets are not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.ahead import ahead_of_rows, ahead_of_steps
from trainers.data.features.encoding import Encoded, encode
from trainers.data.features.requests import SERIES, Asked
from trainers.data.features.rows import Rows
from trainers.data.series.reading import WindowReading
from trainers.data.series.rows import long_form, rows_of
from trainers.data.tables.table import read_table
from trainers.errors import DataError

ROW, TIME = "row", "time"


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
    frame = long_form(read_table(path, reading.table).frame, reading.rows)
    options = replace(reading.rows, sort=reading.rows.times is not None)
    rows = rows_of(frame, options)
    _check_step(rows, reading, path)
    windows = list(_windows(rows, reading, last))
    if not windows:
        longest = int(np.diff(rows.bounds).max())
        raise DataError(
            f"a window has {reading.input_steps} rows, but {path} has {longest}"
            f"{' of its longest series' if rows.names else ''}; bring more rows."
        )
    _tell_short(rows, reading, tell)
    return windows


def _tell_short(rows: Rows, reading: WindowReading, tell: Callable[[str], object]) -> None:
    lengths = np.diff(rows.bounds)
    short = np.flatnonzero(lengths < reading.input_steps)
    if len(short):
        first = rows.names[short[0]]
        tell(
            f"{len(short)} of {len(lengths)} series have fewer rows than a window of "
            f"{reading.input_steps} and no forecast, the first {first} with {lengths[short[0]]}"
        )


def _check_step(rows: Rows, reading: WindowReading, path: Path) -> None:
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
    has_own, bases = _has_own(rows, reading), reading.bases(rows)
    name = "+".join(reading.rows.series or ()) or SERIES
    ahead = _Ahead(encoded, rows, reading)
    for series in range(len(rows.bounds) - 1):
        begin, end = rows.bounds[series : series + 2].tolist()
        there = np.flatnonzero(has_own[begin:end])
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


def _has_own(rows: Rows, reading: WindowReading) -> Array:
    """Rows that bring more than what is known ahead, `(rows,)`: others only serve forecasts."""
    recipe = reading.encoding.recipe
    known = {column.name for column in recipe.known}
    own = [column.name for column in recipe.columns if column.name not in known]
    if not known or not own:
        return np.ones(len(rows.frame), dtype=np.bool_)
    return np.asarray(rows.frame[own].notna().any(axis=1))


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
    """Name a target row: by its time as the file writes it, or by its number."""
    target = row + ahead
    inside = target < rows.bounds[1:][rows.codes[row]]
    if rows.instants is None:
        return {ROW: target - int(rows.bounds[rows.codes[row]])}
    columns = reading.times
    column = columns[0] if len(columns) == 1 else TIME
    if inside:
        written = column in rows.frame.columns
        return {column: rows.frame[column].iloc[target] if written else rows.said(target)}
    step = rows.step if reading.step is None else reading.step
    assert step is not None
    now = rows.instants.take(slice(row, row + 1))
    later = now.at(step.ahead(now.utc, ahead))
    return {column: _as_written(later.text(0), rows, reading)}


def _as_written(text: str, rows: Rows, reading: WindowReading) -> str:
    """Write a time beyond the file as the file writes its own, as far as that is plain."""
    import pandas as pd

    written = None if reading.rows.times is None else reading.rows.times.format
    if written is not None and len(reading.times) == 1:
        return pd.Timestamp(text).strftime(written)
    column = reading.times[0]
    first = rows.frame[column].iloc[0] if column in rows.frame.columns else None
    if isinstance(first, str) and len(first) == len("2021-01-01") and text.endswith(" 00:00:00"):
        return text[: len("2021-01-01")]
    return text.replace(" ", "T") if isinstance(first, str) and "T" in first else text
