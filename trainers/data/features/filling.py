"""Missing values filled from the past of their own series only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainers.data.contract import Array
from trainers.errors import DataError

Fill = Literal["forward", "linear", "mean"]


@dataclass(frozen=True)
class Filling:
    """How one column's missing values are filled; plain values.

    Attributes:
        how: `forward`: the value before; `linear`: on the line through the two values before, kept
            within the training values; `mean`: the training mean. Where nothing was before, each
            of them is the mean.
        mean: Of the training values.
        low: Least training value.
        high: Greatest training value.
    """

    how: Fill
    mean: float
    low: float
    high: float


def fit_filling(how: Fill, train: Array, column: str) -> Filling:
    """Fit on the training rows `(rows,)`, NaN where missing.

    Raises:
        DataError: all of them are missing.
    """
    known = train[~np.isnan(train)]
    if len(known) == 0:
        raise DataError(
            f"column {column!r} is missing in all {len(train)} training rows; leave it out with "
            f"data.drop: [{column}]."
        )
    return Filling(how, float(known.mean()), float(known.min()), float(known.max()))


def filled(values: Array, begins: Array, filling: Filling) -> Array:
    """Fill a column.

    Args:
        values: `(rows,)` float64, NaN where missing.
        begins: `(rows,)` the first row of each row's series.
        filling: How.
    """
    known = ~np.isnan(values)
    if known.all():
        return values
    if filling.how == "mean":
        return np.where(known, values, filling.mean)
    rows = np.arange(len(values))
    newest = np.maximum.accumulate(np.where(known, rows, -1))
    found = newest >= begins
    value = values[newest]
    if filling.how == "linear":
        before = np.concatenate([[-1], newest[:-1]])  # the newest known before each row
        older = before[newest]
        two = found & (older >= begins)
        slope = (value - values[older]) / np.maximum(newest - older, 1)
        line = value + np.where(two, slope, 0) * (rows - newest)
        value = np.where(two, np.clip(line, filling.low, filling.high), value)
    return np.where(known, values, np.where(found, value, filling.mean))
