"""Numbers that stand for missing values, as -9999 does: said, never taken for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.tables.words import listed

if TYPE_CHECKING:
    import pandas as pd

_USUAL = frozenset(
    sign * number
    for sign in (1, -1)
    for number in (99, 999, 9999, 99999, 999999, 99.9, 999.9, 9999.9, 99.99, 999.99, 999.25)
) | {-7999, 7999, 1e20, -1e20, 1e30, -1e30, 9.96921e36, -32768, 32767}
_FAR = 1
"""By so many times the range of all others such a number is away from them."""
_SHOWN = 3


def sentinel_notes(frame: pd.DataFrame) -> list[str]:
    """One line on numbers that likely stand for missing values, and the option that says so."""
    found: list[tuple[str, float, int]] = []
    for name in map(str, frame.columns):
        column: Any = frame[name]
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf" and len(column):
            found += [(name, *one) for one in _sentinels(column.to_numpy())]
    if not found:
        return []
    shown = ", ".join(f"{n} × {value:g} in {listed(name)}" for name, value, n in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    marks = ", ".join(f"{value:g}" for value in dict.fromkeys(value for _, value, _ in found))
    return [
        f"far from all other values: {shown}{more}; if these are missing values, set "
        f"data.reading.missing_values: [{marks}]"
    ]


def _sentinels(values: Array) -> list[tuple[float, int]]:
    """Usual marks far from all other values, and how often each comes."""
    ends = {float(end) for end in (np.fmin.reduce(values), np.fmax.reduce(values))}
    usual = [end for end in ends if round(end, 6) in _USUAL]
    if not usual:
        return []
    others = values[np.isfinite(values) & ~np.isin(values, usual)]
    if not len(others):
        return []
    low, high = float(others.min()), float(others.max())
    near = _FAR * max(high - low, abs(low), abs(high))
    return [
        (end, int((values == end).sum()))
        for end in sorted(usual)
        if min(abs(end - low), abs(end - high)) > near
    ]
