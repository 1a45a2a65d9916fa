"""Monash's .tsf files: a header of @tags, then a series a line, as one long table.

A line holds the series' attributes, separated by `:`, then its values, separated by `,`; `?` is a
missing value. Godahewa et al., "Monash Time Series Forecasting Archive", NeurIPS 2021 (Datasets).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.tables.number_text import parse_numbers
from trainers.data.tables.request import Request, TableRead
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

VALUE = "value"
TIME = "time"
STEP = "step"
_NAME = "series_name"
_START = "start_timestamp"
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_WORDS = {
    "half_hourly": "30_minutes",
    "secondly": "second",
    "minutely": "minute",
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
}
_COUNTED = re.compile(r"(?:(\d+)[_ ])?(\w+?)s?")
_TOLD_TAGS = ("@frequency", "@horizon", "@missing", "@equallength")


@dataclass(frozen=True)
class _Step:
    """The time from one value to the next: whole months by the calendar, or seconds."""

    months: int = 0
    seconds: int = 0


@dataclass(frozen=True)
class _Header:
    """Attributes by name with their types, and the words after the other tags, in small letters."""

    attributes: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True)
class _Series:
    """A series a place: the texts of its attributes, its values and its line."""

    attributes: list[list[str]]
    values: list[Array]
    lines: list[int]


def read(request: Request) -> TableRead:
    """Read a .tsf file as a table; see `read_tsf`.

    Raises:
        DataError: it is none.
    """
    whole, notes = read_tsf(request.path)
    kept = whole[request.kept(whole.columns)]
    if request.limit is not None:
        kept = kept.iloc[-request.limit :] if request.last else kept.iloc[: request.limit]
    told = (*notes, *request.limit_note(len(kept), len(whole)))
    return TableRead(kept.reset_index(drop=True), told, replace(request.reading, format="tsf"))


def read_tsf(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a .tsf file into long format.

    Args:
        path: The file.

    Returns:
        One row a value: a column for each attribute, `time` (from `start_timestamp` and
        `@frequency`, months by the calendar) or, where these are not there, `step` (from 0), and
        `value`, NaN where missing; and what a person should know, one line each.

    Raises:
        DataError: the file is not as its format or its header has it; the message names the line.
    """
    import pandas as pd

    text, notes = _text(path)
    lines = _content(text)
    header = _header(lines, path)
    series = _series(lines, header, path)
    lengths = np.array([len(values) for values in series.values])
    columns: dict[str, Any] = {}
    for place, (name, kind) in enumerate(header.attributes.items()):
        texts = [one[place] for one in series.attributes]
        columns[name] = _attribute(texts, kind, series.lines, path)
    if not any(kind == "string" for kind in header.attributes.values()):
        columns = {_NAME: pd.Categorical([f"T{n + 1}" for n in range(len(lengths))]), **columns}
    columns = {name: column.repeat(lengths) for name, column in columns.items()}
    columns |= _places(columns, header, lengths, path)
    columns[VALUE] = np.concatenate(series.values)
    return pd.DataFrame(columns), (*notes, _note(header, lengths, path))


def _text(path: Path) -> tuple[str, list[str]]:
    """The file's text; Monash wrote some in Windows' letters."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        note = f"{path.name} is not UTF-8; read as cp1252, as Monash's files are"
        return content.decode("cp1252", errors="replace"), [note]


def _content(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1; comments and empty lines are left out."""
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _header(lines: Iterator[tuple[int, str]], path: Path) -> _Header:
    """Read up to @data."""
    attributes: dict[str, str] = {}
    tags: dict[str, str] = {}
    for number, line in lines:
        where = f"{path.name}, line {number}"
        if not line.startswith("@"):
            raise DataError(
                f"{where}: a .tsf file begins with a header of @tags that ends with @data, but got "
                f"{line[:40]!r}."
            )
        tag, *words = line.split()
        if tag.lower() == "@data":
            return _Header(attributes, tags)
        if tag.lower() != "@attribute":
            tags[tag.lower()] = " ".join(words).lower()
        elif len(words) == 2 and words[0] not in (*attributes, VALUE, TIME, STEP):
            attributes[words[0]] = words[1].lower()
        else:
            raise DataError(
                f"{where}: must be @attribute, a name of its own (not {VALUE}, {TIME}, {STEP}) and "
                f"a type (string, numeric, date), but got {line[:60]!r}."
            )
    raise DataError(f"{path.name}: a .tsf file needs a line @data before its series, but has none.")


def _series(lines: Iterator[tuple[int, str]], header: _Header, path: Path) -> _Series:
    found = _Series([], [], [])
    for number, line in lines:
        *attributes, values = line.split(":")
        where = f"{path.name}, line {number}"
        if len(attributes) != len(header.attributes):
            raise DataError(
                f"{where}: a series must have {len(header.attributes)} attribute(s) "
                f"({', '.join(header.attributes)}) and its values, separated by ':', but got "
                f"{len(attributes) + 1} field(s): {line[:40]!r}."
            )
        if not values:
            raise DataError(f"{where}: a series needs at least one value, but has none.")
        found.attributes.append(attributes)
        found.values.append(parse_numbers(values.split(","), where))
        found.lines.append(number)
    if not found.lines:
        raise DataError(f"{path.name} must hold at least one series, but has none.")
    return found


def _attribute(texts: Sequence[str], kind: str, lines: Sequence[int], path: Path) -> Any:
    """An attribute's values, one a series: categories, float64 or times to the second."""
    import pandas as pd

    if kind == "numeric":
        numbers = [
            parse_numbers([text], f"{path.name}, line {line}")
            for text, line in zip(texts, lines, strict=True)
        ]
        return np.concatenate(numbers)
    if kind != "date":
        return pd.Series(texts, dtype=pd.CategoricalDtype(list(dict.fromkeys(texts)))).array
    # Beyond the years 1677 to 2262, which nanoseconds hold, lie some of M4's series.
    written = pd.Series([_iso(text) for text in texts])
    times = pd.to_datetime(written, errors="coerce", format="ISO8601")
    wrong = np.flatnonzero(times.isna().to_numpy())
    if len(wrong):
        raise DataError(
            f"{path.name}, line {lines[wrong[0]]}: a date must be as 2024-12-31 23-00-00, but got "
            f"{texts[wrong[0]]!r}."
        )
    return times.to_numpy(dtype="datetime64[s]")


def _iso(text: str) -> str:
    """`2024-12-31 23-00-00` with colons."""
    day, _, clock = text.strip().partition(" ")
    return f"{day} {clock.replace('-', ':')}" if clock else day


def _places(
    columns: dict[str, Any], header: _Header, lengths: Array, path: Path
) -> dict[str, Array]:
    """The column of times, or of steps where there is no beginning or no frequency."""
    ends = np.cumsum(lengths)
    counts = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    dates = [name for name, kind in header.attributes.items() if kind == "date"]
    start = _START if _START in dates else next(iter(dates), None)
    frequency = header.tags.get("@frequency", "")
    if start is None or not frequency:
        return {STEP: counts}
    step = _step(frequency, path)
    starts = columns[start]
    if step.months:
        return {TIME: _months_later(starts, counts * step.months)}
    return {TIME: starts + (counts * step.seconds).astype("timedelta64[s]")}


def _step(frequency: str, path: Path) -> _Step:
    match = _COUNTED.fullmatch(_WORDS.get(frequency, frequency))
    count, unit = (int(match[1] or 1), match[2]) if match else (0, "")
    if count > 0 and unit in _SECONDS:
        return _Step(seconds=count * _SECONDS[unit])
    if count > 0 and unit in _MONTHS:
        return _Step(months=count * _MONTHS[unit])
    raise DataError(
        f"{path.name}: @frequency must be one of {', '.join(_WORDS)}, or as "
        f"10_minutes, but got {frequency!r}."
    )


def _months_later(starts: Array, months: Array) -> Array:
    """Add months to times; the day is the start's, or the month's last where that is earlier."""
    begins = starts.astype("datetime64[M]")
    days = starts.astype("datetime64[D]")
    later = begins + months.astype("timedelta64[M]")
    first = later.astype("datetime64[D]")
    last = (later + 1).astype("datetime64[D]") - 1
    day = np.minimum(first + (days - begins.astype("datetime64[D]")), last)
    return np.asarray(day.astype("datetime64[s]") + (starts - days))


def _note(header: _Header, lengths: Array, path: Path) -> str:
    low, high = int(lengths.min()), int(lengths.max())
    span = f"{low}" if low == high else f"{low} to {high}"
    told = [f"{tag} {words}" for tag, words in header.tags.items() if tag in _TOLD_TAGS and words]
    return f"{path.name}: {', '.join([f'{len(lengths)} series of {span} values', *told])}"
