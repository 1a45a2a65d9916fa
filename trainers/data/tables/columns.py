"""One long series from a CSV or Parquet file: columns of numbers, rows in order of time."""

from __future__ import annotations

import lzma
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainers.data.contract import Array
from trainers.data.options import nearest
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Missing = Literal["error", "mask"]

SECONDS_PER_DAY = 86_400
DAYS_PER_WEEK = 7
CALENDAR_NAMES = ("time_of_day_sin", "time_of_day_cos", "time_of_week_sin", "time_of_week_cos")

# What pandas lets through of a broken file or archive; a link in an archive leads nowhere.
_UNREADABLE = (
    *(ValueError, OSError, EOFError, KeyError, zlib.error, lzma.LZMAError),
    *(zipfile.BadZipFile, tarfile.TarError),
)


def read_frame(path: Path) -> pd.DataFrame:
    """Read a table whose rows are time steps; `.parquet` by its ending, CSV otherwise.

    Raises:
        DataError: there is no such file, it can't be read as a table, or it has no rows.
    """
    import pandas as pd

    if not path.is_file():
        but = ", it is a folder" if path.is_dir() else ""
        raise DataError(f"there is no data file {path}{but}; name a CSV or Parquet file.")
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except _UNREADABLE as error:
        reason = (str(error).strip().splitlines() or [repr(error)])[0]
        raise DataError(f"{path} can't be read as a table: {reason}") from error
    if frame.empty:
        raise DataError(f"{path} must have at least one row of data, but has none.")
    frame.columns = [str(name) for name in frame.columns]
    return frame


def require_columns(frame: pd.DataFrame, names: Sequence[str], option: str) -> None:
    """Check that the table has the columns that an option names.

    Raises:
        DataError: a column is missing; the message names the nearest one.
    """
    have = [str(name) for name in frame.columns]
    for name in names:
        if name not in have:
            raise DataError(
                f"data.{option} names the column {name!r}, which the file lacks;"
                f"{nearest(name, have)} its columns are: {', '.join(have)}."
            )


def numeric_columns(frame: pd.DataFrame) -> list[str]:
    """Names of the columns that hold numbers (true and false count as 1 and 0)."""
    return [str(name) for name in frame.select_dtypes(include=["number", "bool"]).columns]


def matrix(frame: pd.DataFrame, names: Sequence[str], missing: Missing = "error") -> Array:
    """Return columns as float64 `(rows, columns)`, finite; with "mask", NaN where one is missing.

    Raises:
        DataError: a column holds something other than finite numbers.
    """
    return np.column_stack([_column(frame, name, missing) for name in names])


def _column(frame: pd.DataFrame, name: str, missing: Missing) -> Array:
    import pandas as pd

    column = frame[name]
    present = column.notna().to_numpy()
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(present & np.isnan(values))
    if len(wrong):
        raise DataError(
            f"column {name!r} must hold numbers, but got {column.iloc[wrong[0]]!r} in data row "
            f"{wrong[0]} (counted from 0); leave the column out of data.inputs or convert it."
        )
    bad = np.flatnonzero(np.isinf(values) if missing == "mask" else ~np.isfinite(values))
    if len(bad):
        kind = "missing" if not present[bad].any() else "missing or infinite"
        kind = "infinite" if present[bad].all() else kind
        way_out = "" if kind == "infinite" else ", make gaps of them with data.missing: mask"
        raise DataError(
            f"column {name!r} must hold finite numbers, but {len(bad)} of {len(values)} are "
            f"{kind}, the first in data row {bad[0]} (counted from 0); fill them in{way_out}, or "
            f"leave the column out with data.drop: [{name}]."
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
