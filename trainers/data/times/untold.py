"""Columns that hold times, as it seems, though nobody says so."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.tables.words import listed
from trainers.data.times.columns import as_texts, plain
from trainers.data.times.counts import read_likely
from trainers.data.times.reads import Read
from trainers.data.times.texts import read_texts
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_AT = 200


def untold_times(frame: pd.DataFrame, left_out: Collection[str]) -> list[str]:
    """One line on the first column whose first values are times; none where no column has them."""
    for name in [str(name) for name in frame.columns if str(name) not in left_out]:
        some = plain(frame[name].iloc[:_LOOKED_AT].dropna())
        read = _likely(some, name) if len(some) > 1 else None
        if read is not None and some.nunique() > 1:
            steps = np.diff(read.local)
            newest = "; by it, rows run newest first" if len(steps) and (steps < 0).all() else ""
            return [
                f"column {name!r} looks like times, but rows are taken as they stand{newest}: set "
                f"data.time_column: {listed(name)} (and data.sort: true if they aren't in order)"
            ]
    return []


def _likely(column: pd.Series[Any], name: str) -> Read | None:
    """A column's values as times, none of them known where they can be read in several ways."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        return None
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        local = column.dt.tz_localize(None).dt.as_unit("ns").to_numpy().view(np.int64)
        return Read(local, np.ones(len(local), dtype=bool))
    if pd.api.types.is_numeric_dtype(column.dtype):
        return read_likely(column.to_numpy(dtype=np.float64), name)
    if not column.map(lambda value: isinstance(value, str)).all():
        return None
    try:
        read = read_texts(as_texts(column), name)
    except DataError:  # day or month first: times all the same
        return Read(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))
    return read if read.fits.all() else None
