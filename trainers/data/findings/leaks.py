"""Inputs that know what is to be predicted: the target itself, some rows ahead, perhaps scaled.

A smooth or periodic target is like its own future, and so is what merely goes with it: only what
equals the future and does not equal the past as well is a leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.finding import Finding
from trainers.data.findings.judged import JudgedTable, numbers_of

_SAMPLE = 4_096
_AT_ONCE = 1 << 18  # rows
_MOST_LEADS = 400
_FEWEST = 24  # rows of which a correlation means something
_EQUAL = 1e-5  # 1 − |correlation| of what is equal up to scale and rounding
_CLEARLY = 10  # times that, which every shift to the past must exceed
_ROUNDING = 1e-11
_MOST_CLASSES = 100


@dataclass(frozen=True)
class _Pair:
    """An input and a target `(rows,)`, NaN where missing, and where series begin, and rows end.

    Attributes:
        classes: Whether both are codes of names: then they are equal up to other names.
    """

    values: Array
    target: Array
    edges: Array
    classes: bool

    def distance(self, shift: int, rows: Array | None = None) -> float:
        """How far the input is from the target `shift` rows later: 1 − |correlation|.

        Of some rows, or of all; NaN where nothing varies.
        """
        blocks = [rows]
        if rows is None:
            starts = range(0, len(self.values), _AT_ONCE)
            blocks = [np.arange(s, min(s + _AT_ONCE, len(self.values))) for s in starts]
        several = [self._present(block, shift) for block in blocks if block is not None]
        return _renamed(several) if self.classes else _uncorrelated(several)

    def _present(self, rows: Array, shift: int) -> tuple[Array, Array]:
        """Values of both, `(pairs,)`, where the later row is of the same series."""
        there = rows + shift
        series = np.searchsorted(self.edges, rows, side="right")
        fits = (there >= self.edges[series - 1]) & (there < self.edges[series])
        one, other = self.values[rows[fits]], self.target[there[fits]]
        present = np.isfinite(one) & np.isfinite(other)
        return one[present].astype(np.float64), other[present].astype(np.float64)


def leaks(table: JudgedTable) -> list[Finding]:
    """Judge inputs against each target; nothing where targets are not rows ahead."""
    if table.ahead is None or len(table.frame) < _FEWEST:
        return []
    found = []
    for target in table.targets:
        wanted = _read(table, target)
        for name in dict.fromkeys((*table.inputs, *table.known)):
            values = None if wanted is None or name in table.targets else _read(table, name)
            if wanted is None or values is None:
                continue
            first = 0 if name in table.known else min(1, table.ahead.start)
            leads = range(first, table.ahead.stop - 1 + table.input_steps)[:_MOST_LEADS]
            lead = _lead(_Pair(values, wanted, table.edges, table.classes), leads)
            if lead is not None:
                found.append(Finding("leak", "wrong", _text(name, target, lead)))
    return found


def _text(name: str, target: str, lead: int) -> str:
    when = "of the same row" if lead == 0 else f"of {lead} row{'s' if lead > 1 else ''} later"
    return (
        f"input {name!r} is the target {target!r} {when}, which nobody knows when predicting: "
        f"leave it out with data.drop: [{name}]"
    )


def _read(table: JudgedTable, name: str) -> Array | None:
    """A column as numbers; of classes as codes, None where there are too many."""
    column = table.frame[name]
    return _codes(column) if table.classes else numbers_of(column)


def _codes(column: Any) -> Array | None:
    import pandas as pd

    if column.iloc[:_SAMPLE].nunique() > _MOST_CLASSES:
        return None
    codes, values = pd.factorize(column)
    if not 1 < len(values) <= _MOST_CLASSES:
        return None
    return np.where(codes < 0, np.nan, codes)


def _lead(pair: _Pair, leads: range) -> int | None:
    """The shift at which the input equals the target's future; None: at none, or at the past too.

    Some rows show which shifts are possible at all, then all rows are compared.
    """
    before = range(leads.start - 1, leads.start - 1 - len(leads), -1)
    rows = np.random.default_rng(0).integers(0, len(pair.values), _SAMPLE)
    for lead in leads:
        if pair.distance(lead, rows) > 100 * _EQUAL:  # not so where nothing varies
            continue
        distance = pair.distance(lead)
        if distance < _EQUAL:
            bound = max(_CLEARLY * distance, _ROUNDING)
            return None if any(pair.distance(other, rows) < bound for other in before) else lead
    return None


def _uncorrelated(blocks: list[tuple[Array, Array]]) -> float:
    """1 − |correlation| of pairs of values."""
    shift = next(((one.mean(), other.mean()) for one, other in blocks if len(one)), (0.0, 0.0))
    sums = np.zeros(6)
    for one, other in blocks:
        a, b = one - shift[0], other - shift[1]
        sums += np.array([len(a), a.sum(), b.sum(), a @ a, b @ b, a @ b])
    count, a, b, aa, bb, ab = sums
    if count < _FEWEST:
        return np.nan
    size = np.sqrt(max(aa - a * a / count, 0) * max(bb - b * b / count, 0))
    return float(1 - abs(ab - a * b / count) / size) if size > 0 else np.nan


def _renamed(blocks: list[tuple[Array, Array]]) -> float:
    """0 where every code of the one is a code of the other under another name, else 1."""
    pairs = np.unique(np.concatenate([one * _MOST_CLASSES + other for one, other in blocks]))
    if len(pairs) < 2:
        return np.nan
    codes = (np.unique(pairs // _MOST_CLASSES), np.unique(pairs % _MOST_CLASSES))
    return 0.0 if all(len(own) == len(pairs) for own in codes) else 1.0
