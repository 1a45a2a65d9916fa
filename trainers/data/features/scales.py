"""Scales of features and targets: one for all series, or one for each; fitted on training rows.

A series without training rows has the scale of its own history: its first `history` rows, those
that come before its first forecast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.rows import Rows
from trainers.data.scaling import ColumnScaler, Scaling, fit_scaler


@dataclass(frozen=True)
class Scale:
    """How one feature or target is scaled: `(own − shift) / scale`; plain values.

    Attributes:
        scale: Of all series.
        shift: Likewise.
        each: By series `(scale, shift)`; None where all share one.
    """

    scale: float = 1.0
    shift: float = 0.0
    each: Mapping[str, tuple[float, float]] | None = None

    def of_rows(self, values: Array, rows: Rows, fit: Fit) -> tuple[Array | float, Array | float]:
        """Return scale and shift of each row, `(rows,)`, or one for all.

        Args:
            values: `(rows,)` in own units, for the history of series that are not known.
            rows: Of which series they are.
            fit: How to fit them.
        """
        if self.each is None:
            return self.scale, self.shift
        pairs = [self.each.get(name) for name in rows.names]
        if any(pair is None for pair in pairs):
            fitted = fit.of_series(values, rows, np.zeros(len(values), dtype=np.bool_), self)
            pairs = [p if p is not None else f for p, f in zip(pairs, fitted, strict=True)]
        table = np.array(pairs, dtype=np.float64)
        return table[rows.codes, 0], table[rows.codes, 1]


UNSCALED = Scale()


@dataclass(frozen=True)
class Fit:
    """How scales are fitted; plain values.

    Attributes:
        scaling: The formula.
        by_series: Whether each series has its own.
        history: Rows of a series without training rows that its scale is fitted to.
    """

    scaling: Scaling
    by_series: bool = False
    history: int = 1

    def of(self, values: Array, rows: Rows, train: Array, *, shared: bool = False) -> Scale:
        """Fit one column.

        Args:
            values: `(rows,)` in own units; NaN where missing.
            rows: Of which series they are.
            train: `(rows,)` bool, the rows to fit to; at least one, none of them missing.
            shared: Whether all series share one scale in any case.
        """
        scaler: ColumnScaler = fit_scaler(values[train][:, None], self.scaling)
        common = Scale(float(scaler.scale[0]), float(scaler.shift[0]))
        if not self.by_series or shared or self.scaling == "none":
            return common
        pairs = self.of_series(values, rows, train, common)
        return Scale(common.scale, common.shift, dict(zip(rows.names, pairs, strict=True)))

    def of_series(
        self, values: Array, rows: Rows, train: Array, common: Scale
    ) -> list[tuple[float, float]]:
        """Fit each series' scale and shift; a constant one has the common scale."""
        codes, count = rows.codes, len(rows.names)
        place = np.arange(len(values)) - rows.bounds[:-1][codes]
        trained = np.bincount(codes[train], minlength=count) > 0
        used = np.where(trained[codes], train, place < self.history) & ~np.isnan(values)
        own, of = values[used], codes[used]
        number = np.maximum(np.bincount(of, minlength=count), 1)
        if self.scaling == "minmax":
            low, high = np.full(count, np.inf), np.full(count, -np.inf)
            np.minimum.at(low, of, own)
            np.maximum.at(high, of, own)
            shift, scale = low, high - low
        else:
            shift = np.bincount(of, weights=own, minlength=count) / number
            squares = np.bincount(of, weights=(own - shift[of]) ** 2, minlength=count)
            scale = np.sqrt(squares / number)
        empty = np.bincount(of, minlength=count) == 0
        constant = empty | (scale <= 1e-12 * np.maximum(np.abs(shift), 1e-300))
        scale = np.where(constant, common.scale, scale)
        shift = np.where(empty, common.shift, shift)
        return list(zip(scale.tolist(), shift.tolist(), strict=True))
