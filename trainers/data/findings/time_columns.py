"""Which columns of a table tell the time of its rows, where nobody says so."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.findings.judged import evenly
from trainers.data.tables.cells import usual_kind
from trainers.data.tables.words import is_nested
from trainers.data.times.instants import read_instants
from trainers.data.times.options import TimeOptions, Unit
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_AT = 300
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_CLOCK = re.compile(r"\d{1,2}(:\d{2}){1,2}(\.\d+)?( ?[AaPp]\.?[Mm]\.?)?")
_THREE_NUMBERS = re.compile(r"\d+([-/.])\d+\1\d+")
_DIGITS = re.compile(r"\d")
_NAMED = re.compile(
    r"(?i)(^|_|\b)(date|time|timestamp|datetime|ts|epoch|unix\w*|zeit|datum)($|_|\b)"
)
_UNITS: tuple[Unit, ...] = ("s", "ms", "us", "ns")
_YEARS = (
    np.datetime64("1980", "ns").astype(np.int64),
    np.datetime64("2100", "ns").astype(np.int64),
)


@dataclass(frozen=True)
class TimeColumns:
    """Columns that tell the time.

    Attributes:
        options: How they are read.
        problem: The line that refuses them as they are, as it asks for a format; None: they read.
    """

    options: TimeOptions
    problem: str | None = None


def find_times(frame: pd.DataFrame) -> TimeColumns | None:
    """Return the columns that tell the time, by some of their values; None: none does.

    One column comes first, then a date with its time of day, then year, month, day, ….
    """
    looked_at = frame.iloc[evenly(len(frame), _LOOKED_AT)].reset_index(drop=True)
    single = [found for name in map(str, frame.columns) if (found := _one(looked_at, name))]
    for found in single:
        clock = None if found.problem else _clock_of(looked_at, found)
        if clock is not None:
            return TimeColumns(TimeOptions((*found.options.columns, clock)))
    parts = _parts(looked_at)
    if single:
        return next((found for found in single if found.problem is None), single[0])
    return parts


def _one(frame: pd.DataFrame, name: str) -> TimeColumns | None:
    import pandas as pd

    column = frame[name]
    options = TimeOptions((name,))
    types = pd.api.types
    if types.is_bool_dtype(column) or types.is_float_dtype(column) or column.isna().any():
        return None
    if column.dtype == object and column.map(is_nested).any():
        return None
    if len(column) > 1 and column.nunique() < 2:  # rows of no time of their own
        return None
    if types.is_integer_dtype(column):
        return _of_numbers(frame, options)
    if types.is_datetime64_any_dtype(column):
        return TimeColumns(options)
    texts = [str(value) for value in column]
    if all(_CLOCK.fullmatch(text) for text in texts) or not all(map(_DIGITS.search, texts)):
        return None
    return _tried(frame, options)


def _of_numbers(frame: pd.DataFrame, options: TimeOptions) -> TimeColumns | None:
    """Digits that are dates; counts since 1970 that only grow, or fall, or have a time's name."""
    name = options.columns[0]
    found = _tried(frame, options)
    if found is not None and found.problem is None:
        years = int(frame[name].max()) < 10_000
        # The same years in many rows are a part of a date.
        return found if not years or frame[name].is_unique else None
    steps = np.sign(np.diff(frame[name].to_numpy(dtype=np.float64)))
    if not _NAMED.search(name) and not (len(steps) and steps[0] and (steps == steps[0]).all()):
        return None
    for unit in _UNITS:
        counted = TimeOptions((name,), unit=unit)
        read = _read(frame, counted)
        if read is not None and ((read > _YEARS[0]) & (read < _YEARS[1])).all():
            return TimeColumns(counted)
    return None


def _tried(frame: pd.DataFrame, options: TimeOptions) -> TimeColumns | None:
    """The column as it reads, or, where most of its values look like dates, what is wrong."""
    try:
        read_instants(frame, options)
    except DataError as error:
        texts = [str(value) for value in frame[options.columns[0]]]
        looks = usual_kind(texts) == "date" and _THREE_NUMBERS.match(texts[0])
        return TimeColumns(options, str(error)) if looks else None
    return TimeColumns(options)


def _read(frame: pd.DataFrame, options: TimeOptions) -> Any:
    try:
        return read_instants(frame, options).utc
    except DataError:
        return None


def _clock_of(frame: pd.DataFrame, found: TimeColumns) -> str | None:
    """The column with the times of day to a column of days; None where there is none."""
    read = _read(frame, found.options)
    day = np.int64(86_400_000_000_000)
    if read is None or (read % day).any():
        return None
    for name in map(str, frame.columns):
        texts = [str(value) for value in frame[name]]
        if name not in found.options.columns and all(map(_CLOCK.fullmatch, texts)):
            return name
    return None


def _parts(frame: pd.DataFrame) -> TimeColumns | None:
    """Columns called year, month, day, …, as many as make a time."""
    names = {str(name).casefold(): str(name) for name in frame.columns}
    there = [names[part] for part in itertools.takewhile(names.__contains__, _PARTS)]
    if len(there) < 2:
        return None
    options = TimeOptions(tuple(there))
    return None if _read(frame, options) is None else TimeColumns(options)
