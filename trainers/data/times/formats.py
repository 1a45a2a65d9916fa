"""Times by a format of the user's, as `strptime` has it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.civil import FIRST_YEAR, LAST_YEAR
from trainers.data.times.reads import Read
from trainers.data.times.texts import offsets_of
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_DIGITS_ONLY = re.compile(r"(?:%[YymdjHIMS])+")
_YEAR = re.compile(r"%[YyGcxDF]")
# Hour 24 at a value's end, after a date of digits or something that is no digit.
_END_OF_DAY = r"(^|\D|\d{8})24((?::?00){0,2})$"
_ANY_END_OF_DAY = r"(?:^|\D|\d{8})24(?::?00){0,2}$"


def read_format(texts: Any, written: str) -> Read:
    """Read an arrow array of texts by a format; hour 24 ends the day.

    Raises:
        DataError: the format can't be used.
    """
    import pandas as pd
    import pyarrow.compute as pc

    _require_usable(written)
    if _DIGITS_ONLY.fullmatch(written):
        # A table's reader takes 0101 for a number, and its first zero is lost.
        texts = pc.utf8_lpad(texts, len(datetime(2000, 12, 28).strftime(written)), "0")
    values = texts.to_pandas()
    times = _parsed(values, written)
    notes = []
    ends = np.flatnonzero(times.isna() & values.str.contains(_ANY_END_OF_DAY))
    if len(ends):
        mended = values.iloc[ends].str.replace(_END_OF_DAY, r"\g<1>00\g<2>", regex=True)
        times.iloc[ends] = _parsed(mended, written) + pd.Timedelta(1, "D")
        notes.append(f"24:00 was read as 00:00 of the next day (rows: {len(ends)})")
    local, fits = ns_of(times)
    if "%z" not in written:
        return Read(local, fits, notes=notes, format=written)
    offsets = offsets_of(texts)
    return Read(np.where(fits, local + offsets, 0), fits, offsets, notes=notes, format=written)


def ns_of(dates: pd.Series[Any]) -> tuple[Array, Array]:
    """Nanoseconds since 1970 of naive dates, and which are there and not too far off, `(rows,)`."""
    import pandas as pd

    years = dates.dt.year
    fits = ((years >= FIRST_YEAR) & (years <= LAST_YEAR)).to_numpy(dtype=bool)
    near = dates if fits.all() else dates.where(fits, pd.Timestamp(0))
    return near.dt.as_unit("ns").to_numpy().view(np.int64), fits


def _parsed(values: pd.Series[str], written: str) -> pd.Series[Any]:
    """Dates of texts in UTC where they have an offset, NaT where they don't fit."""
    import pandas as pd

    try:
        times = pd.to_datetime(values, format=written, errors="coerce", utc="%z" in written)
    except ValueError as error:
        raise DataError(f"data.time_format {written!r} can't be used: {error}.") from error
    return times.dt.tz_localize(None)


def _require_usable(written: str) -> None:
    if not _YEAR.search(written):
        raise DataError(
            f"data.time_format must have a year, but {written!r} has none; add %Y or %y, or name "
            "the column that has it too, as data.time_column: [year, time]."
        )
    if "%z" in written and not written.endswith("%z"):
        raise DataError(f"%z must be the last of data.time_format, but got {written!r}.")
