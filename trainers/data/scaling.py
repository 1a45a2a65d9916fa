"""Column scalers with scikit-learn's formulas, fitted on the training rows only.

`min-max` maps a column's range to 0..1, `standard` its mean to 0 and its (population) standard
deviation to 1. A constant column is shifted only, as scikit-learn does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainers.data.contract import Array

Scaling = Literal["minmax", "standard", "none"]


@dataclass(frozen=True)
class ColumnScaler:
    """`scale (columns,)` and `shift (columns,)`: own units are `scaled * scale + shift`."""

    scale: Array
    shift: Array

    def apply(self, values: Array) -> Array:
        """Scale `(rows, columns)` in own units; returns float64."""
        return (values - self.shift) / self.scale


def fit_scaler(train: Array, scaling: Scaling) -> ColumnScaler:
    """Fit on the training rows `(rows, columns)`; sums are float64 whatever they are."""
    columns = train.shape[1]
    if scaling == "none":
        return ColumnScaler(np.ones(columns), np.zeros(columns))
    if scaling == "minmax":
        low = train.min(axis=0).astype(np.float64)
        return ColumnScaler(_without_zeros(train.max(axis=0) - low, low), low)
    mean = train.mean(axis=0, dtype=np.float64)
    return ColumnScaler(_without_zeros(train.std(axis=0, dtype=np.float64), mean), mean)


def joined(scalers: Sequence[ColumnScaler]) -> ColumnScaler:
    """Return one scaler of several ones' columns, side by side."""
    scale = np.concatenate([scaler.scale for scaler in scalers])
    return ColumnScaler(scale, np.concatenate([scaler.shift for scaler in scalers]))


def _without_zeros(scale: Array, magnitude: Array) -> Array:
    """Replace the scale of a constant column by 1; rounding may leave it just above zero."""
    rounding = 10 * np.finfo(np.float64).eps * np.maximum(np.abs(magnitude), 1e-300)
    return np.where(scale <= rounding, 1.0, scale)
