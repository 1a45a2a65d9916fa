"""Numbers that tell a time: digits that are dates, or counts in a unit that the user names.

A number is never taken for nanoseconds since 1970, as pandas would.
"""

from __future__ import annotations

import re

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.civil import FIRST_YEAR, LAST_YEAR, days_of, time_of_day
from trainers.data.times.clocks import DAY, HOUR, MINUTE, SECOND
from trainers.data.times.options import Unit
from trainers.data.times.reads import Read, all_fit
from trainers.errors import DataError

UNIT_NS: dict[str, int] = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "min": MINUTE,
    "h": HOUR,
    "day": DAY,
    "excel": DAY,
}
# Excel counts days from here, as far as years after 1900 go.
EXCEL_START = -25_569 * DAY
_LIMIT = np.iinfo(np.int64).max // 2

# Digits of a date: year, month and day, then hour, minute and second.
_COMPACT_DIGITS = (8, 10, 12, 14)
_LAW_YEARS = (1800, 2200)
_YEAR_NAME = re.compile(r"(?i)(year|yr|jahr|année|annee|año)s?")


def read_numbers(values: Array, column: str, unit: Unit | None) -> Read:
    """Read finite numbers `(rows,)`: by their unit, or as the dates that all their digits show.

    Raises:
        DataError: they have no unit and are no dates, or lie outside the years that can be told.
    """
    if unit is not None:
        return _counted(values, column, unit)
    whole = None
    if (values == np.floor(values)).all() and np.isfinite(values).all():
        whole = np.asarray(values, dtype=np.int64)
    if whole is not None:
        read = _compact(whole, column) or _years(whole, column)
        if read is not None:
            return read
    raise DataError(_refusal(values, whole, column))


def _counted(values: Array, column: str, unit: Unit) -> Read:
    size = UNIT_NS[unit]
    start = EXCEL_START if unit == "excel" else 0
    far = np.flatnonzero(np.abs(values.astype(np.float64)) * size > _LIMIT)
    if len(far):
        raise DataError(
            f"column {column!r} must lie in the years {FIRST_YEAR} to {LAST_YEAR}, but "
            f"{values[far[0]]:g} {unit} since 1970 does not (data row {far[0]}, counted from 0); "
            f"{_unit_hint(values) or 'choose another data.time_unit'}."
        )
    if values.dtype.kind in "iu":
        ns = values.astype(np.int64) * size
    else:
        whole = np.floor(values)
        ns = whole.astype(np.int64) * size + np.rint((values - whole) * size).astype(np.int64)
        ns = _settled(ns, values, size)
    if unit == "excel":
        return all_fit(ns + start)
    return Read(ns, np.ones(len(ns), dtype=bool), np.zeros(len(ns), dtype=np.int64))


def _settled(ns: Array, values: Array, size: int) -> Array:
    """Undo the rounding of decimal fractions: 0.041667 days mean 3,600 s, not 3,600.03 s.

    Whole seconds (milli-, microseconds) are meant where all values lie within their last decimal,
    which spreadsheets round or cut off.
    """
    digits = next((n for n in range(16) if (np.round(values, n) == values).all()), 16)
    written = 10.0**-digits * size if size >= MINUTE else 0.0
    error = max(written, float(np.spacing(np.abs(values)).max()) * size)
    for unit in (SECOND, SECOND // 1_000, SECOND // 1_000_000):
        near = (ns + unit // 2) // unit * unit
        if unit > 2 * error and (np.abs(ns - near) <= error + 1).all():
            return np.asarray(near)
    return ns


def _compact(whole: Array, column: str) -> Read | None:
    """Read 20181113, 2018111306, 201811130600 or 20181113060000; None: some value is no date."""
    digits = len(str(abs(int(whole[0]))))
    if digits not in _COMPACT_DIGITS:
        return None
    clock = 10 ** (digits - 8)
    date, rest = whole // clock, whole % clock
    year = date // 10_000
    days, fits = days_of(year, date // 100 % 100, date % 100)
    fits &= (year >= _LAW_YEARS[0]) & (year <= _LAW_YEARS[1])
    # Hours, minutes and seconds from the front, whichever of them there are.
    parts = [rest // (clock // 100**n) % 100 for n in range(1, (digits - 8) // 2 + 1)]
    time, possible = time_of_day(*parts) if parts else (np.zeros_like(days), fits)
    if not (fits & possible).all():
        return None
    shown = "YYYYMMDDhhmmss"[:digits]
    return all_fit(
        days * DAY + time,
        [f"{column!r} holds digits that were read as {shown} (a count has its data.time_unit)"],
    )


def _years(whole: Array, column: str) -> Read | None:
    """Read years by a column's name; None: it has another name, or no years."""
    if not _YEAR_NAME.fullmatch(column.strip()):
        return None
    return read_years(whole, column)


def read_years(whole: Array, column: str) -> Read | None:
    """Read whole numbers as years; None: some are none."""
    one = np.ones_like(whole)
    days, fits = days_of(whole, one, one)
    if not fits.all():
        return None
    return all_fit(days * DAY, [f"{column!r} holds years (a count has its data.time_unit)"])


def _refusal(values: Array, whole: Array | None, column: str) -> str:
    """One line: such numbers are no times by themselves, and which option makes them some."""
    first = values[0] if whole is None else whole[0]
    law = (
        f"column {column!r} must hold times, but holds numbers ({first} in data row 0, counted "
        "from 0), which need a unit"
    )
    hint = _unit_hint(values) or (whole is not None and _format_hint(whole)) or ""
    if hint:
        return f"{law}; {hint}."
    return (
        f"{law}: set data.time_unit (s, ms, us, ns, min, h, day since 1970, or excel) or "
        "data.time_format; if they only count rows, leave data.time_column out."
    )


def _unit_hint(values: Array) -> str | None:
    """The option that is likely meant, by the size of the numbers; None: it could be anything."""
    unit = _unit_of_size(values)
    if unit is not None:
        return f"if they count from 1970, set data.time_unit: {unit}"
    if 20_000 <= float(np.median(np.abs(values))) < 80_000:
        return "set data.time_unit: excel if they are days of a spreadsheet, or day (since 1970)"
    return None


def _unit_of_size(values: Array) -> Unit | None:
    """The unit in which such numbers count from 1970 to our days; None: in none."""
    size = float(np.median(np.abs(values)))
    units: tuple[tuple[Unit, float], ...] = (("s", 1e8), ("ms", 1e11), ("us", 1e14), ("ns", 1e17))
    return next((unit for unit, low in units if 5 * low <= size < 500 * low), None)


def _format_hint(whole: Array) -> str | None:
    """The format that is likely meant, by the digits; None: no likely one."""
    low, high = int(whole.min()), int(whole.max())
    odd = _odd_date(whole)
    if odd is not None:
        return odd
    if low >= FIRST_YEAR and high <= LAST_YEAR:
        return 'set data.time_format: "%Y" if they are years, or data.time_unit'
    if low >= 167_801 and high <= 226_112 and ((whole % 100 >= 1) & (whole % 100 <= 12)).all():
        return 'set data.time_format: "%Y%m" if they are months, or data.time_unit'
    if low > 1_000_000 and high < 100_000_000:
        return 'set data.time_format: "%d%m%Y" (or "%m%d%Y") if they are dates, or data.time_unit'
    return None


def _odd_date(whole: Array) -> str | None:
    """Which of mostly good dates is none; None: most are none."""
    _, fits = days_of(whole // 10_000, whole // 100 % 100, whole % 100)
    fits &= (whole >= _LAW_YEARS[0] * 10_000) & (whole < _LAW_YEARS[1] * 10_000)
    wrong = np.flatnonzero(~fits)
    if not 0 < len(wrong) <= len(whole) // 2:
        return None
    return (
        f"most could be dates as YYYYMMDD, but {whole[wrong[0]]} in data row {wrong[0]} is none; "
        "mend it, or set data.time_unit"
    )
