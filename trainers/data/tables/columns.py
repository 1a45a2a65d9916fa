"""Columns of a table: found by name, as numbers, as times in order."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainers.data.contract import Array
from trainers.data.options import nearest
from trainers.data.tables.naming import UNNAMED
from trainers.data.tables.numbers import forms_of, plain_numbers
from trainers.data.tables.texts import evenly
from trainers.data.tables.words import listed, no_numbers
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Missing = Literal["error", "mask"]

_HELD_BY_FLOAT32 = tuple(map(np.dtype, ("float32", "int8", "int16", "uint8", "uint16", "bool")))
SECONDS_PER_DAY = 86_400
DAYS_PER_WEEK = 7
CALENDAR_NAMES = ("time_of_day_sin", "time_of_day_cos", "time_of_week_sin", "time_of_week_cos")


def require_columns(frame: pd.DataFrame, names: Sequence[str], option: str) -> None:
    """Check that the table has the columns that an option names.

    Raises:
        DataError: a column is missing; the message names the nearest one.
    """
    have = [str(name) for name in frame.columns]
    for name in names:
        # Row numbers that pandas wrote were left out when the file was read.
        if name not in have and not (option == "drop" and name.startswith(UNNAMED)):
            raise DataError(
                f"data.{option} names the column {name!r}, which the file lacks;"
                f"{nearest(name, have)} its columns are: {', '.join(have)}."
            )


def numeric_columns(frame: pd.DataFrame, left_out: Collection[str | None] = ()) -> list[str]:
    """Names of the columns that hold numbers (true and false count as 1 and 0).

    Args:
        frame: As read.
        left_out: Columns that are no inputs anyway, so that nobody asks what they hold.

    Raises:
        DataError: at least half of a column's values are numbers, and others are not.
    """
    import pandas as pd

    found = []
    for name in [str(name) for name in frame.columns if str(name) not in left_out]:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column.dtype):
            found.append(name)
        elif (
            isinstance(column.dtype, pd.StringDtype)
            and forms_of(evenly(column)).mostly
            and plain_numbers(column) is None
        ):
            raise no_numbers(name, column)
    return found


def matrix(frame: pd.DataFrame, names: Sequence[str], missing: Missing = "error") -> Array:
    """Return columns as `(rows, columns)`, finite; with "mask", NaN where one is missing.

    float64, or float32 where a large table's columns were read as that.

    Raises:
        DataError: a column holds something other than finite numbers.
    """
    narrow = all(frame[name].dtype in _HELD_BY_FLOAT32 for name in names)
    some_single = any(frame[name].dtype == np.float32 for name in names)
    dtype = np.float32 if narrow and some_single else np.float64
    values = np.empty((len(frame), len(names)), dtype=dtype)
    for place, name in enumerate(names):
        values[:, place] = _column(frame, name, missing)
    return values


def _column(frame: pd.DataFrame, name: str, missing: Missing) -> Array:
    import pandas as pd

    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        read = plain_numbers(column)
        if read is None:
            raise no_numbers(name, column)
        values = read
    elif isinstance(column.dtype, np.dtype):
        values = column.to_numpy()
    else:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if values.dtype.kind != "f":
        return values
    bad = np.flatnonzero(np.isinf(values) if missing == "mask" else ~np.isfinite(values))
    if len(bad):
        infinite = np.isinf(values[bad])
        kind = "infinite" if infinite.all() else "missing or infinite"
        kind = "missing" if not infinite.any() else kind
        way_out = "" if kind == "infinite" else ", make gaps of them with data.missing: mask"
        raise DataError(
            f"column {name!r} must hold finite numbers, but {len(bad)} of {len(values)} are "
            f"{kind}, the first in data row {bad[0]} (counted from 0); fill them in{way_out}, or "
            f"leave the column out with data.drop: [{listed(name)}]."
        )
    return values


def as_dates(raw: pd.Series[Any], *, utc: bool = False) -> pd.Series[pd.Timestamp]:
    """Return a column as dates, NaT where a value is none."""
    import pandas as pd

    with warnings.catch_warnings():
        # pandas warns where values have no common format; those are told by their rows instead.
        warnings.simplefilter("ignore", UserWarning)
        return pd.to_datetime(raw, errors="coerce", utc=utc)


def parse_times(frame: pd.DataFrame, column: str) -> pd.Series[pd.Timestamp]:
    """Return the time column as dates.

    Raises:
        DataError: a value is no date, or a row is earlier than the row before it.
    """
    require_columns(frame, [column], "time_column")
    raw = frame[column]
    times = as_dates(raw)
    wrong = np.flatnonzero(times.isna().to_numpy())
    if len(wrong):
        raise DataError(
            f"time column {column!r} must hold dates, but got {raw.iloc[wrong[0]]!r} in data row "
            f"{wrong[0]} (counted from 0)."
        )
    back = np.flatnonzero(np.diff(_seconds(times)) < 0)
    if len(back):
        row = back[0] + 1
        raise DataError(
            f"rows must be in order of {column!r}, but data row {row} ({raw.iloc[row]}) is earlier "
            f"than the row before it ({raw.iloc[row - 1]}); sort the file by time."
        )
    return times


def gap_note(times: pd.Series[pd.Timestamp]) -> str | None:
    """One line on steps that are not of the usual length; None when all are."""
    steps = np.diff(_seconds(times))
    if len(steps) == 0:
        return None
    lengths, counts = np.unique(steps, return_counts=True)
    usual = lengths[counts.argmax()]
    odd = int((steps != usual).sum())
    return f"{odd} steps differ from the usual {usual:g} s; windows span them" if odd else None


def calendar_features(times: pd.Series[pd.Timestamp]) -> Array:
    """Sine and cosine of the time of day and of the time in the week: `(rows, 4)`, in -1..1."""
    seconds = _seconds(times)
    day = seconds / SECONDS_PER_DAY
    # 1 January 1970 was a Thursday, three days after a Monday.
    phases = [2 * np.pi * (day % 1), 2 * np.pi * ((day + 3) % DAYS_PER_WEEK) / DAYS_PER_WEEK]
    return np.column_stack([wave(phase) for phase in phases for wave in (np.sin, np.cos)])


def _seconds(times: pd.Series[pd.Timestamp]) -> Array:
    """Seconds since 1970 in the series' own clock (a time zone's local time), float64 `(rows,)`."""
    local = times.dt.tz_localize(None)
    return local.to_numpy(dtype="datetime64[ns]").astype(np.int64) / 1e9
