"""A time in several columns: a date and a time of day, or year, month, day, hour, ….

Names say what a column holds; where they do not, the first is the date and the second its time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.civil import days_of, days_of_ordinal, days_of_week, time_of_day
from trainers.data.times.clocks import DAY
from trainers.data.times.columns import all_digits, as_texts, plain, read_column, require_present
from trainers.data.times.formats import ns_of, read_format
from trainers.data.times.months import month_numbers
from trainers.data.times.options import TimeOptions
from trainers.data.times.reads import Read, all_fit
from trainers.data.times.roles import IN_ORDER, OF_DATE, make_a_time, roles_of
from trainers.data.times.texts import TIME_OF_DAY, clock_times, groups_of
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_YEARS = r"^\d{4}$"
_WITH_DOTS = r"^ *(\d{1,2})\.(\d{2})\.(\d{2}) *$"  # as 18.00.00 of UCI's air quality
_QUARTER = r"^[Qq]?([1-4])$"


def read_joined(frame: pd.DataFrame, options: TimeOptions) -> Read:
    """Read local times from several columns; hour 24 ends the day.

    Raises:
        DataError: a value is missing or out of its range, or the columns make no time together.
    """
    if options.unit is not None:
        raise DataError(
            "data.time_unit counts the numbers of one column, but data.time_column names "
            f"{len(options.columns)}; leave data.time_unit out."
        )
    if options.format is not None and has_clock(options.format):
        return _by_format(frame, options, options.format)
    notes: list[str] = []
    roles = _roles(frame, options, notes)
    if "date" in roles:
        read = _date(frame, roles["date"], options)
        notes += read.notes
        days, written = read.local // DAY, read.format
    else:
        days, written = _date_of_parts(frame, roles), None
    return replace(all_fit(days * DAY + _clock(frame, roles, notes), notes), format=written)


def has_clock(written: str) -> bool:
    """Whether a format tells the time of day too."""
    return any(directive in written for directive in ("%H", "%I", "%T", "%X", "%c"))


def _by_format(frame: pd.DataFrame, options: TimeOptions, written: str) -> Read:
    import pandas as pd

    for name in options.columns:
        require_present(frame[name], name)
    texts = [as_texts(plain(frame[name])).to_pandas() for name in options.columns]
    whole = pd.Series(texts[0]).str.cat(texts[1:], sep=" ")
    read = read_format(as_texts(whole), written)
    wrong = np.flatnonzero(~read.fits)
    if len(wrong):
        raise DataError(
            f"columns {', '.join(options.columns)} joined by a space must be as data.time_format "
            f"{written!r} says, but got {whole.iloc[wrong[0]]!r} in data row {wrong[0]} (counted "
            "from 0); mend the value or the option."
        )
    return read


def _roles(frame: pd.DataFrame, options: TimeOptions, notes: list[str]) -> dict[str, str]:
    """Which column is the date, the time of day, the year, …: `{role: column}`.

    Raises:
        DataError: the columns make no time together.
    """
    import pyarrow.compute as pc

    names = options.columns
    first = as_texts(plain(frame[names[0]]).dropna())
    years = pc.all(pc.match_substring_regex(first, _YEARS), min_count=0).as_py()
    roles, by_place = roles_of(names, years=years)
    if len(roles) < len(names) or not make_a_time(roles):
        raise DataError(
            f"columns {', '.join(names)} make no time together; name a date and a time of day, as "
            "data.time_column: [date, time], or parts from the year on, as [year, month, day, "
            "hour]."
        )
    notes += [f"{name!r} was read as {role}s" for role, name in roles.items()
              if name in by_place]  # fmt: skip
    return roles


def _date(frame: pd.DataFrame, name: str, options: TimeOptions) -> Read:
    read = read_column(frame[name], name, options)
    timed = np.flatnonzero(read.local % DAY)
    if read.offsets is not None or len(timed):
        row = int(timed[0]) if len(timed) else 0
        what = "a time of day" if len(timed) else "an offset"
        raise DataError(
            f"column {name!r} has {what} of its own ({frame[name].iloc[row]!s} in data row {row}, "
            f"counted from 0); it alone may be enough: data.time_column: {name}."
        )
    return read


def _date_of_parts(frame: pd.DataFrame, roles: dict[str, str]) -> Array:
    """Days since 1970 of a year and what there is of month, day, week or day of year."""
    parts = {
        role: _part(frame[roles[role]], role, roles[role]) for role in OF_DATE if role in roles
    }
    year = parts["year"]
    one = np.ones_like(year)
    if "dayofyear" in parts:
        days, fits = days_of_ordinal(year, parts["dayofyear"])
    elif "week" in parts:
        days, fits = days_of_week(year, parts["week"], one)
    elif "quarter" in parts:
        days, fits = days_of(year, parts["quarter"] * 3 - 2, one)
    else:
        days, fits = days_of(year, parts.get("month", one), parts.get("day", one))
    _require(fits, parts, roles)
    return days


def _clock(frame: pd.DataFrame, roles: dict[str, str], notes: list[str]) -> Array:
    """Nanoseconds since midnight; 0 where no column tells the time of day."""
    if "time" in roles:
        return _time_of_day(frame[roles["time"]], roles["time"], notes)
    wanted = [role for role in IN_ORDER[3:] if role in roles]
    if not wanted:
        return np.zeros(len(frame), dtype=np.int64)
    if wanted == ["hour"]:
        return _time_of_day(frame[roles["hour"]], roles["hour"], notes)
    parts = {role: _whole(frame[roles[role]], roles[role]) for role in wanted}
    ns, fits = time_of_day(*parts.values())
    _require(fits, parts, roles)
    _note_ends(parts["hour"] == 24, roles["hour"], notes)
    return ns


def _note_ends(ends: Array, name: str, notes: list[str]) -> None:
    if ends.any():
        notes.append(
            f"hour 24 of {name!r} was read as 00:00 of the next day (rows: {int(ends.sum())})"
        )


def _time_of_day(column: pd.Series[Any], name: str, notes: list[str]) -> Array:
    """Nanoseconds since midnight of texts as 6:00, numbers as 600 or 6, times and durations.

    Raises:
        DataError: a value is missing or no time of day.
    """
    import pandas as pd
    import pyarrow.compute as pc

    column = plain(column)
    require_present(column, name)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return ns_of(column.dt.tz_localize(None))[0] % DAY
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        ns = column.dt.as_unit("ns").to_numpy().view(np.int64)
        fits = (ns >= 0) & (ns <= DAY)
    else:
        texts = as_texts(column)
        if all_digits(texts):
            return _digits(_whole(column, name), name, notes)
        texts = pc.replace_substring_regex(texts, _WITH_DOTS, r"\1:\2:\3")
        groups = groups_of(texts, f" *{TIME_OF_DAY} *")
        ns, fits, ends = clock_times(groups)
        fits = fits & groups.known
        _note_ends(np.arange(ends) >= 0, name, notes)
    _require(fits, {"time": column.to_numpy()}, {"time": name})
    return np.asarray(ns)


def _digits(whole: Array, name: str, notes: list[str]) -> Array:
    """Nanoseconds since midnight of hours, or of digits as 600 or 60000."""
    high = int(whole.max(initial=0))
    if high < 100:
        parts, shown = [whole], "hours"
    elif high <= 2400:
        parts, shown = [whole // 100, whole % 100], "hhmm"
    else:
        parts, shown = [whole // 10_000, whole // 100 % 100, whole % 100], "hhmmss"
    ns, fits = time_of_day(*parts)
    _require(fits, {"time": whole}, {"time": name})
    notes.append(f"{name!r} was read as {shown}")
    _note_ends(parts[0] == 24, name, notes)
    return ns


def _part(column: pd.Series[Any], role: str, name: str) -> Array:
    """Numbers of a part of the date, int64 `(rows,)`: months may be names, quarters Q1 to Q4."""
    import pandas as pd
    import pyarrow.compute as pc

    column = plain(column)
    if role not in ("month", "quarter") or pd.api.types.is_numeric_dtype(column.dtype):
        return _whole(column, name)
    require_present(column, name)
    texts = pc.utf8_trim_whitespace(as_texts(column))
    if role == "quarter":
        texts = pc.replace_substring_regex(texts, _QUARTER, r"\1")
        return _whole(texts.to_pandas(), name)
    numbers = month_numbers(pc.utf8_rtrim(texts, "."))
    return numbers if numbers.all() else _whole(column, name)


def _whole(column: pd.Series[Any], name: str) -> Array:
    """Whole numbers of a part, int64 `(rows,)`.

    Raises:
        DataError: a value is missing or no whole number.
    """
    import pandas as pd

    column = plain(column)
    require_present(column, name)
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~(values == np.floor(values)) | (np.abs(values) > 1e9))
    if len(wrong):
        raise DataError(
            f"column {name!r} must hold whole numbers as a part of the time, but got "
            f"{column.iloc[wrong[0]]!s} in data row {wrong[0]} (counted from 0); mend it, or "
            "choose other columns for data.time_column."
        )
    return values.astype(np.int64)


def _require(fits: Array, parts: dict[str, Array], roles: dict[str, str]) -> None:
    """Check that each row's parts are within their ranges; see `read_joined`."""
    wrong = np.flatnonzero(~fits)
    if len(wrong):
        row = int(wrong[0])
        got = ", ".join(f"{roles[role]}={values[row]!s}" for role, values in parts.items())
        what = "date" if "year" in parts else "time of day"
        raise DataError(
            f"columns must make a {what} in every row, but got {got} in data row {row} (counted "
            "from 0); mend it, or choose other columns for data.time_column."
        )
