"""Texts that tell a time: ISO 8601 by pandas, other ways of writing by one pattern a family.

The first value says how a column is written; a value that is written otherwise does not fit.
What is written day first and what month first is for the whole column to say (`day_order.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.civil import days_of, days_of_ordinal, days_of_week, time_of_day
from trainers.data.times.clocks import DAY, HOUR, MINUTE
from trainers.data.times.day_order import Order, ThreeNumbers, choose_order, full_year
from trainers.data.times.months import month_numbers
from trainers.data.times.reads import Read

_CLOCK = (
    r"(?P<H>\d{1,2})(?::?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,](?P<f>\d+))?)?)?"
    r"(?: ?(?P<ap>[AaPp])\.?[Mm]\.?)?"
)
_OFFSET = r"(?: ?(?P<z>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
_TIME = rf"(?:(?:[Tt_:]|,? +){_CLOCK}{_OFFSET})?"
_MONTH = r"(?P<mon>\p{L}{3,10})\.?"
_OF = r"(?: ?de )?"
_WEEKDAY = r"(?:\p{L}{2,10}\.?,? +)?"

THREE_NUMBERS = (
    rf"(?P<a>\d{{1,2}})(?P<p>[-/.]) ?(?P<b>\d{{1,2}})[-/.] ?(?P<c>\d{{4}}|\d{{2}}){_TIME}"
)
TIME_OF_DAY = _CLOCK
# Ways of writing a date; a group's name says what it holds (see `_days`).
FAMILIES = (
    rf"(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}}){_TIME}",
    rf"(?P<y>\d{{4}})(?P<m>\d{{2}})(?P<d>\d{{2}})(?:[Tt_: ]?{_CLOCK}{_OFFSET})?",
    THREE_NUMBERS,
    r"(?P<q>[1-4])\.? ?(?:[Qq]|[Qq]uartal|[Tt]rimestre)[-/. ]?(?P<y>\d{4}|\d{2})",
    rf"{_WEEKDAY}(?P<d>\d{{1,2}})(?:\.? +|[-/.])?{_OF}{_MONTH}{_OF}[-/. ,]*"
    rf"(?P<y>\d{{4}}|\d{{2}}){_TIME}",
    rf"{_WEEKDAY}{_MONTH} +(?P<d>\d{{1,2}}),? +(?P<y>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_MONTH} +(?P<d>\d{{1,2}}) +{_CLOCK}{_OFFSET} +(?P<y>\d{{4}})",
    rf"{_MONTH}[-/. ,]*(?P<y>\d{{4}}|\d{{2}})",
    rf"(?P<y>\d{{4}})[-/. ]?{_MONTH}(?:[-/. ](?P<d>\d{{1,2}}){_TIME})?",
    r"(?P<y>\d{4})[-/.]?[Mm]?(?P<m>\d{1,2})",
    r"(?P<m>\d{1,2})[-/.](?P<y>\d{4})",
    r"(?P<y>\d{4})[-/. ]?[Qq](?P<q>[1-4])",
    r"[Qq](?P<q>[1-4])[-/. ]?(?P<y>\d{4}|\d{2})",
    rf"(?P<y>\d{{4}})-?W(?P<w>\d{{2}})(?:-?(?P<wd>[1-7]))?{_TIME}",
    rf"(?P<y>\d{{4}})-(?P<doy>\d{{3}}){_TIME}",
)
_BLOCK = 1 << 17  # texts that are Python objects at once
_ISO_START = re.compile(r"\d{4}[-/]?\d")
# An offset follows minutes or an hour; the end of "2021-01-01" is none.
_OFFSET_END = r"(?:Z|\d ?[+-]\d\d:?\d\d|[T :]\d\d[+-]\d\d)$"


def read_texts(texts: Any, column: str, order: Order | None = None) -> Read:
    """Read an arrow array of texts without missing values.

    `order` says which of day, month and year comes first, where all three are numbers.

    Raises:
        DataError: all values can be read with the day first as well as with the month first.
    """
    import pyarrow.compute as pc

    sample = texts[:10_000]
    if len(pc.unique(sample)) > len(sample) // 2:
        return _read_distinct(texts, column, order)
    coded = texts.dictionary_encode()
    rows = coded.indices.to_numpy(zero_copy_only=False)
    return _read_distinct(coded.dictionary, column, order).take(rows)


def _read_distinct(texts: Any, column: str, order: Order | None) -> Read:
    if order is None and _ISO_START.match(texts[0].as_py()):
        read = _read_iso(texts)
        if read is not None:
            return read
    return _read_written(texts, column, order)


def _read_iso(texts: Any) -> Read | None:
    """Read what pandas takes for ISO 8601; None: some value is none, in its eyes."""
    import pyarrow.compute as pc

    aware = pc.match_substring_regex(texts, _OFFSET_END)
    any_aware = pc.any(aware).as_py()
    try:
        ns = np.empty(len(texts), dtype=np.int64)
        for n in range(0, len(texts), _BLOCK):
            ns[n : n + _BLOCK] = _iso_ns(texts[n : n + _BLOCK], utc=any_aware)
    except ValueError:
        return None
    if not any_aware:
        return Read(ns, np.ones(len(ns), dtype=bool))
    offsets, fits = offsets_of(texts), aware.to_numpy(zero_copy_only=False)
    return Read(np.where(fits, ns + offsets, 0), fits, offsets)


def _iso_ns(texts: Any, *, utc: bool) -> Array:
    import pandas as pd

    times = pd.to_datetime(texts.to_pandas(), format="ISO8601", utc=utc)
    if not utc and times.dt.tz is not None:
        raise ValueError("an offset that was not seen")
    return np.asarray(times.dt.tz_localize(None).dt.as_unit("ns").to_numpy().view(np.int64))


def offsets_of(texts: Any) -> Array:
    """Offsets in nanoseconds at the texts' ends, 0 where there is none; int64 `(rows,)`."""
    import pyarrow.compute as pc

    if pc.all(pc.ends_with(texts, "Z")).as_py():
        return np.zeros(len(texts), dtype=np.int64)
    ends = pc.utf8_slice_codeunits(texts, -6).dictionary_encode()
    known = [_offset(end) for end in ends.dictionary.to_pylist()]
    rows = ends.indices.to_numpy(zero_copy_only=False)
    return np.asarray(np.asarray(known, dtype=np.int64)[rows])


def _offset(text: str) -> int:
    """Nanoseconds that the offset at the end of a text is ahead of UTC; 0 for Z or none."""
    found = re.search(r"([+-])(\d{2}):?(\d{2})?$", text)
    if found is None:
        return 0
    size = int(found[2]) * HOUR + int(found[3] or 0) * MINUTE
    return -size if found[1] == "-" else size


@dataclass(frozen=True)
class Groups:
    """What the groups of a family's pattern hold, by name: arrow arrays, "" where there is none."""

    texts: dict[str, Any]
    known: Array

    def numbers(self, name: str, default: int = 0) -> Array:
        """A group's numbers, int64 `(rows,)`."""
        import pyarrow.compute as pc

        if name not in self.texts:
            return np.full(len(self.known), default, dtype=np.int64)
        text = self.texts[name]
        filled = pc.if_else(pc.equal(text, ""), str(default), text)
        return np.asarray(pc.cast(filled, "int64").to_numpy(zero_copy_only=False))

    def lengths(self, name: str) -> Array:
        """How many letters or digits a group holds, int `(rows,)`; 0 where it holds nothing."""
        import pyarrow.compute as pc

        if name not in self.texts:
            return np.zeros(len(self.known), dtype=np.int32)
        return np.asarray(pc.utf8_length(self.texts[name]).to_numpy(zero_copy_only=False))

    def has(self, name: str) -> Array:
        """Rows in which a group holds something, bool `(rows,)`."""
        return np.asarray(self.lengths(name) > 0)


def groups_of(texts: Any, pattern: str) -> Groups:
    """Match a pattern against whole texts; what does not match is not `known` and holds ""."""
    import pyarrow.compute as pc

    fields = pc.extract_regex(texts, f"^(?:{pattern})$")
    known = fields.is_valid().to_numpy(zero_copy_only=False)
    names = [fields.type.field(n).name for n in range(fields.type.num_fields)]
    return Groups({n: pc.fill_null(pc.struct_field(fields, n), "") for n in names}, known)


def _read_written(texts: Any, column: str, order: Order | None) -> Read:
    import pyarrow.compute as pc

    texts = pc.utf8_trim_whitespace(texts)
    families = FAMILIES if order is None else (THREE_NUMBERS,)
    for pattern in families:
        if pc.match_substring_regex(texts[:1], f"^(?:{pattern})$")[0].as_py():
            return _read_groups(groups_of(texts, pattern), column, order, texts[0].as_py())
    return Read(np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=bool))


def _read_groups(groups: Groups, column: str, order: Order | None, first: str) -> Read:
    notes: list[str] = []
    written = None
    if "a" in groups.texts:
        dates, alike = _three_numbers(groups, first)
        if order is None:
            order, note = choose_order(dates, alike, column)
            notes += [note] if note else []
        written = dates.format(order)
        days, fits = dates.days(order)
        fits = fits & alike
    else:
        days, fits = _days(groups, column, notes)
    clock, possible, ends = clock_times(groups)
    if ends:
        notes.append(f"24:00 of {column!r} was read as 00:00 of the next day (rows: {ends})")
    fits = fits & possible & groups.known
    offsets = None
    with_offset = groups.has("z")
    if with_offset.any():
        fits &= with_offset
        offsets = offsets_of(groups.texts["z"])
    local = np.where(fits, days * DAY + clock, 0)
    return Read(local, fits, offsets, notes=notes, format=written)


def _days(groups: Groups, column: str, notes: list[str]) -> tuple[Array, Array]:
    """Days since 1970 and whether there is such a date, both `(rows,)`; what to say is added."""
    year = groups.numbers("y")
    short = groups.lengths("y") == 2
    if short.any():
        year = np.where(short, full_year(year), year)
        notes.append(
            f"years of {column!r} have two digits; they are 1969 to 2068 (write four for others)"
        )
    if "w" in groups.texts:
        return days_of_week(year, groups.numbers("w"), groups.numbers("wd", 1))
    if "doy" in groups.texts:
        return days_of_ordinal(year, groups.numbers("doy"))
    if "q" in groups.texts:
        month = groups.numbers("q") * 3 - 2
    elif "mon" in groups.texts:
        month = month_numbers(groups.texts["mon"])
    else:
        month = groups.numbers("m")
    return days_of(year, month, groups.numbers("d", 1))


def _three_numbers(groups: Groups, first: str) -> tuple[ThreeNumbers, Array]:
    """Dates of three numbers, and the rows whose separator is that of the first value."""
    import pyarrow.compute as pc

    short = groups.lengths("c") == 2
    separator = groups.texts["p"][0].as_py()
    alike = pc.equal(groups.texts["p"], separator).to_numpy(zero_copy_only=False)
    numbers = (groups.numbers("a"), groups.numbers("b"), groups.numbers("c"))
    dates = ThreeNumbers(
        numbers, groups.lengths("a") == 2, short, separator, _clock_format(groups), first
    )
    return dates, alike


def _clock_format(groups: Groups) -> str:
    """How `strptime` writes the time of day of the first value."""
    has = {name: bool(groups.has(name)[0]) for name in ("H", "S", "f", "ap", "z")}
    if not has["H"]:
        return ""
    seconds = (":%S" if has["S"] else "") + (".%f" if has["f"] else "")
    end = (" %p" if has["ap"] else "") + ("%z" if has["z"] else "")
    return f" {'%I' if has['ap'] else '%H'}:%M{seconds}{end}"


def clock_times(groups: Groups) -> tuple[Array, Array, int]:
    """Nanoseconds since midnight, whether there is such a time, and how many are 24:00."""
    import pyarrow.compute as pc

    hour = groups.numbers("H")
    fraction: Array | int = 0
    if groups.has("f").any():
        digits = pc.utf8_rpad(pc.utf8_slice_codeunits(groups.texts["f"], 0, 9), 9, "0")
        fraction = pc.cast(digits, "int64").to_numpy(zero_copy_only=False)
    half = groups.has("ap")
    fits = ~half | ((hour >= 1) & (hour <= 12))
    if half.any():
        late = pc.equal(pc.utf8_lower(groups.texts["ap"]), "p").to_numpy(zero_copy_only=False)
        hour = np.where(half, hour % 12 + 12 * late, hour)
    ns, possible = time_of_day(hour, groups.numbers("M"), groups.numbers("S"), fraction)
    return ns, fits & possible, int((hour == 24).sum())
