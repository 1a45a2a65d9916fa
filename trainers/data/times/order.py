"""Rows in order of time, each time once: checked, sorted, and told how to mend."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array
from trainers.data.tables.words import listed
from trainers.data.times.clocks import DAY, SECOND
from trainers.data.times.instants import Instants
from trainers.data.times.rows import by_series, followers
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_MOST_CANDIDATES = 8
_MOST_NAMED = 2
_LOOKED_AT = 200
_CLOCK = r" *\d{1,2}[:.]\d{2}(?:[:.]\d{2}.*)?(?: ?[AaPp][Mm])? *"


def require_order(
    instants: Instants, codes: Array | None = None, frame: pd.DataFrame | None = None
) -> None:
    """Check that each row of a series is later than the row before it.

    Args:
        codes: The series of each row, int `(rows,)`; None: one series.
        frame: The table, whose columns are named where one of them tells series apart.

    Raises:
        DataError: a row is earlier than the row before it, or at the same time.
    """
    order = by_series(codes)
    steps = np.diff(instants.utc[order])
    same = followers(codes, order)
    wrong = np.flatnonzero((steps <= 0) & (True if isinstance(same, slice) else same))
    if len(wrong) == 0:
        return
    rows = np.arange(len(instants))[order]
    back = wrong[steps[wrong] < 0]
    columns = "" if codes is not None or frame is None else _series_hint(frame, instants)
    if len(back) == 0:
        if not columns and codes is None:
            columns = "if these are several series, name their column with data.series"
        raise DataError(_duplicates(instants, rows[wrong[0]], rows[wrong[0] + 1], columns))
    before, after = int(rows[back[0]]), int(rows[back[0] + 1])
    if not columns and (steps <= 0).all() and codes is None:
        raise DataError(
            f"rows must be in order of {instants.name!r}, but they run newest first, from "
            f"{instants.text(0)} in data row 0 to {instants.text(len(instants) - 1)} in the last; "
            "turn them round with data.sort: true."
        )
    way_out = columns or _clock_hint(instants, before) or "sort them with data.sort: true"
    raise DataError(
        f"rows must be in order of {instants.name!r}, but data row {after} (counted from 0), "
        f"{instants.text(after)}, is before data row {before}, {instants.text(before)}; {way_out}."
    )


def sorted_rows(instants: Instants, codes: Array | None = None) -> Array:
    """Rows by series and time, `(rows,)`; rows of one time in the order of the file."""
    if codes is None:
        return np.argsort(instants.utc, kind="stable")
    return np.lexsort((instants.utc, codes))


def _duplicates(instants: Instants, first: int, second: int, columns: str) -> str:
    way_out = _clock_hint(instants, int(second)) or columns
    return (
        f"a time must come once, but {instants.name!r} is {instants.text(int(first))} in data row "
        f"{first} and {instants.text(int(second))} in data row {second} (counted from 0); "
        f"{f'{way_out}, or ' if way_out else ''}join such rows with data.duplicates: mean."
    )


def _series_hint(frame: pd.DataFrame, instants: Instants) -> str:
    """Name the columns that tell series of the same times apart; "" where there are none."""
    if (np.diff(np.sort(instants.utc)) > 0).all():
        return ""
    clock = _time_of_day(frame, instants)
    if clock is not None:
        return f"the time of day goes with it, data.time_column: [{instants.name}, {listed(clock)}]"
    found = series_columns(frame, instants)[:_MOST_NAMED]
    shown = [names[0] if len(names) == 1 else f"[{', '.join(names)}]" for names in found]
    return f"several series are told apart by data.series: {' or '.join(shown)}" if shown else ""


def _time_of_day(frame: pd.DataFrame, instants: Instants) -> str | None:
    """A column of times of day as texts, beside times that are days; None: there is none."""
    import pandas as pd

    if (instants.local() % DAY).any():
        return None
    for name in map(str, frame.columns):
        if isinstance(frame[name].dtype, pd.StringDtype):
            some = frame[name].dropna().iloc[:_LOOKED_AT]
            if len(some) and some.str.fullmatch(_CLOCK).all():
                return name
    return None


def series_columns(frame: pd.DataFrame, instants: Instants) -> list[tuple[str, ...]]:
    """Return columns, or pairs of them, with which each time comes once: likely series.

    Whole numbers only where no text or category does it; a series has two rows or more on average.
    """
    import pandas as pd

    codes: dict[str, Array] = {}
    for numbers in (False, True):
        for name in map(str, frame.columns):
            column = frame[name]
            if name in instants.options.columns or pd.api.types.is_float_dtype(column.dtype):
                continue
            if pd.api.types.is_integer_dtype(column.dtype) is not numbers:
                continue
            known, values = pd.factorize(column)
            if 1 < len(values) <= len(frame) // (10 if numbers else 2):
                codes[name] = known
    likely = dict(itertools.islice(codes.items(), _MOST_CANDIDATES))
    single: list[tuple[str, ...]] = [
        (name,) for name, known in likely.items() if _once(known, instants.utc)
    ]
    whole = pd.api.types.is_integer_dtype
    named = [names for names in single if not whole(frame[names[0]].dtype)]
    if single:
        return named or single  # a measured number is seldom a name
    return [
        (one, other)
        for one, other in itertools.combinations(likely, 2)
        if _once(likely[one] * (likely[other].max() + 2) + likely[other], instants.utc)
    ]


def _once(codes: Array, utc: Array) -> bool:
    """Whether each time comes once in each series."""
    order = np.lexsort((utc, codes))
    same = (np.diff(codes[order]) == 0) & (np.diff(utc[order]) == 0)
    return not same.any()


def _clock_hint(instants: Instants, row: int) -> str:
    """Name the zone where a row stands in the hour that local clocks repeat in autumn."""
    if instants.aware:
        return ""
    time = datetime(1970, 1, 1) + timedelta(seconds=int(instants.utc[row] // SECOND))
    if time.weekday() != 6 or time.hour > 3 or time.month not in (4, 10, 11):
        return ""
    return "it looks like the end of summer time, which data.time_zone tells (Europe/Berlin, say)"
