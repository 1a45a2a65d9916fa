"""Numbers that stand for a missing value: −9999 and its like, far outside the rest of a column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array
from trainers.data.finding import Finding, Grade
from trainers.data.findings.judged import JudgedTable, evenly, number

# What loggers, weather services, NetCDF and 16- or 32-bit fields write where nothing was measured.
_MARK = re.compile(
    r"-?9{3,}(\.9+|\.0)?|-99(\.9+|\.0)?|-999\.25|-(8{3,}|7{3,})(\.0)?|[-]?[67]999(\.0)?"
    r"|-1(\.0)?|-32768(\.0)?|32767(\.0)?|65535(\.0)?|-?214748364[78](\.0)?|-?1e\+(1[89]|[23]\d)"
    r"|9\.96\d*e\+36|-?3\.4028\d*e\+38|-?1\.7976\d*e\+308"
)
MARKS = 'set data.reading.missing_values: ["{mark}"]'
_HUGE = 1e18
_MOST = 4  # of a column: several marks may mean several things
_SAMPLE = 20_000
# Gaps between the value and the others, in widths of the others.
_NEAR, _FAR, _VERY_FAR, _BEYOND_A_TAIL = 0.01, 1.0, 10.0, 40.0
_OFTEN = 3


@dataclass(frozen=True)
class _Suspect:
    """A value at the end of a column, and how it lies to the other values.

    Attributes:
        gap: How far off the nearest other value is, in widths of the others.
        skewed: Whether the others reach much farther to the top than to the bottom.
        whole: Whether the others are whole numbers.
    """

    value: float
    count: int
    first: int
    gap: float
    low: float
    high: float
    skewed: bool
    whole: bool


def sentinels(table: JudgedTable) -> list[Finding]:
    """Judge the columns that a network sees or predicts."""
    return marks_of(table.numbers(), table)


def marks_of(
    columns: Iterable[tuple[str, Array]], table: JudgedTable | None = None, way_out: str = MARKS
) -> list[Finding]:
    """Judge columns of numbers `(rows,)` by name; all values are looked at.

    Args:
        way_out: How a person says that `{mark}` stands for a missing value.
    """
    found = []
    for name, values in columns:
        for suspect in _suspects(values):
            grade = _grade(suspect)
            if grade is not None:
                text = _text(name, suspect, table) + way_out.format(mark=number(suspect.value))
                found.append(Finding("sentinel", grade, f"{text} and data.missing: mask"))
    return found


def _suspects(values: Array) -> list[_Suspect]:
    """Values that look like marks, each beyond all others that are none."""
    with np.errstate(invalid="ignore"):
        low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if not _is_mark(low, values) and not _is_mark(high, values):
        return []
    found: list[tuple[float, Array]] = []
    rest = values[np.isfinite(values)]
    for _ in range(_MOST):
        if not len(rest):
            break
        ends = [float(end) for end in (rest.min(), rest.max()) if _is_mark(float(end), values)]
        if not ends:
            break
        # The farther one first: with 9999 beside −1 the −1 is judged without it.
        value = max(ends, key=abs)
        found.append((value, np.flatnonzero(values == value)))
        rest = rest[rest != value]
    return [_suspect(value, rows, rest) for value, rows in found]


def _suspect(value: float, rows: Array, rest: Array) -> _Suspect:
    if not len(rest):
        return _Suspect(value, len(rows), int(rows[0]), 0.0, value, value, False, True)
    low, high = float(rest.min()), float(rest.max())
    sample = rest[evenly(len(rest), _SAMPLE)].astype(np.float64)
    middle = float(np.median(sample))
    # Values that hardly differ show no width of their own.
    width = max(high - low, 0.1 * abs(middle), 1e-12)
    return _Suspect(
        value=value,
        count=len(rows),
        first=int(rows[0]),
        gap=(low - value if value < low else value - high) / width,
        low=low,
        high=high,
        skewed=high - middle >= 3 * (middle - low),
        whole=bool((sample == np.floor(sample)).mean() > 0.5),
    )


def _grade(suspect: _Suspect) -> Grade | None:
    """How sure it is that the value was never measured; None where it may well be."""
    value, often = suspect.value, suspect.count >= _OFTEN
    if value == -1:
        return _grade_of_minus_one(suspect)
    if value < 0 <= suspect.low:  # a sign that no other value has
        surely = often or value <= -999
        return "wrong" if surely and suspect.gap > _NEAR else "doubtful"
    if suspect.gap <= _FAR:
        return None
    if value < 0:
        return "wrong" if often or suspect.gap > _VERY_FAR else "doubtful"
    # Prices, powers and counts may have a long tail; what is just before it tells how long.
    tail = suspect.skewed and value < _HUGE
    surely = suspect.gap > (_BEYOND_A_TAIL if tail else _VERY_FAR)
    return "wrong" if surely and (often or value >= _HUGE) else "doubtful" if often else None


def _grade_of_minus_one(suspect: _Suspect) -> Grade | None:
    """−1 among continuous values that are never below 0."""
    positive = suspect.low >= 0 and suspect.high > suspect.low
    if not positive or suspect.whole or suspect.count < _OFTEN:
        return None
    return "wrong" if suspect.low > 0 or suspect.high > 2 else "doubtful"


def _is_mark(value: float, values: Array) -> bool:
    """Whether a number is one of those, in the digits that its type holds."""
    if not np.isfinite(value):
        return False
    text = str(np.float32(value)) if values.dtype == np.float32 else repr(value)
    return _MARK.fullmatch(text) is not None


def _text(name: str, suspect: _Suspect, table: JudgedTable | None) -> str:
    value = number(suspect.value)
    where = "" if table is None else f", first in {table.row(suspect.first)}"
    times = "once" if suspect.count == 1 else f"{suspect.count} times"
    return (
        f"column {name!r} holds {value} {times}{where}, the others lie in {suspect.low:.4g} to "
        f"{suspect.high:.4g}: if it stands for missing, "
    )
