"""Dates and times of day put together from numbers, whole columns at once."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.clocks import DAY, HOUR, MINUTE, SECOND

# What int64 nanoseconds hold in whole years.
FIRST_YEAR, LAST_YEAR = 1678, 2261


def days_of(year: Array, month: Array, day: Array) -> tuple[Array, Array]:
    """Days since 1970, and whether there is such a date; all `(rows,)`."""
    fits = (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12)
    months = np.where(fits, (year - 1970) * 12 + month - 1, 0)
    fits &= (day >= 1) & (day <= days_in_month(months))
    return np.where(fits, month_start(months) + day - 1, 0), fits


def days_of_week(year: Array, week: Array, weekday: Array) -> tuple[Array, Array]:
    """Days since 1970 of ISO 8601 weeks (Monday is 1), and whether there is such a week."""
    fits = (year >= FIRST_YEAR) & (year < LAST_YEAR)
    first, after = (_first_monday(np.where(fits, year + more, 1970)) for more in (0, 1))
    day = first + (week - 1) * 7
    fits &= (week >= 1) & (day < after) & (weekday >= 1) & (weekday <= 7)
    return np.where(fits, day + weekday - 1, 0), fits


def _first_monday(year: Array) -> Array:
    """Days since 1970 of the Monday of each year's ISO week 1, the one with 4 January in it."""
    fourth = month_start((year - 1970) * 12) + 3
    # 1 January 1970 was a Thursday, three days after a Monday.
    return np.asarray(fourth - (fourth + 3) % 7)


def days_of_ordinal(year: Array, day: Array) -> tuple[Array, Array]:
    """Days since 1970 of the n-th day of a year, and whether there is such a day."""
    fits = (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    months = np.where(fits, (year - 1970) * 12, 0)
    length = month_start(months + 12) - month_start(months)
    fits &= (day >= 1) & (day <= length)
    return np.where(fits, month_start(months) + day - 1, 0), fits


def time_of_day(
    hour: Array, minute: Array | int = 0, second: Array | int = 0, fraction: Array | int = 0
) -> tuple[Array, Array]:
    """Nanoseconds since midnight, and whether there is such a time; 24:00 ends the day."""
    fits = (hour >= 0) & (hour <= 24) & (minute >= 0) & (minute < 60) & (second >= 0)
    ns = hour * HOUR + minute * MINUTE + second * SECOND + fraction
    fits &= (second < 60) & (ns <= DAY)
    return np.where(fits, ns, 0), fits


def month_start(months: Array) -> Array:
    """Days since 1970 of each month's first day; months counted from January 1970."""
    return np.asarray(months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64))


def days_in_month(months: Array) -> Array:
    """Days of each month, counted from January 1970."""
    return month_start(months + 1) - month_start(months)


def months_of(local: Array) -> Array:
    """Months since January 1970 of local times in nanoseconds."""
    days = np.asarray(local // DAY).astype("datetime64[D]")
    return np.asarray(days.astype("datetime64[M]").astype(np.int64))
