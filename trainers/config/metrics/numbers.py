"""Metrics of numbers, in the targets' own units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trainers.config.losses import LossType, Targets
from trainers.config.metrics.metric import Accumulator, MetricType, Pass, Sums

if TYPE_CHECKING:
    from trainers.data.contract import Array, SequenceData

_ROUNDING = 1e-6
_CODE = "trainers.learning.accumulators.numbers"
ERRORS = Accumulator(("squares", "absolutes", "elements"), f"{_CODE}:errors")
RELATIVE = Accumulator(
    ("relative", "not_zero", "symmetric", "sizes"), f"{_CODE}:relative", own_units=True
)


def _mse(sums: Sums, of: Pass) -> float:
    return float((sums["squares"] * of.scale**2).sum() / sums["elements"].sum())


def _rmse(sums: Sums, of: Pass) -> float:
    mse = _mse(sums, of)
    return math.sqrt(mse) if mse >= 0 else mse  # NaN stays NaN


def _mae(sums: Sums, of: Pass) -> float:
    return float((sums["absolutes"] * abs(of.scale)).sum() / sums["elements"].sum())


def _r2(sums: Sums, of: Pass) -> float | None:
    """Return the mean of 1 − SSE / SST over the outputs that vary; a linear scale cancels."""
    total = of.total_squares
    if total is None or not (varies := total > 0).any():
        return None
    return float((1 - sums["squares"][varies] / total[varies]).mean())


def _mape(sums: Sums, of: Pass) -> float | None:
    count = sums["not_zero"].sum()
    return float(sums["relative"].sum() / count) if count else None


def _left_out(sums: Sums, of: Pass) -> float:
    return float(sums["elements"].sum() - sums["not_zero"].sum())


def _smape(sums: Sums, of: Pass) -> float:
    return float(sums["symmetric"].sum() / sums["elements"].sum())


def _wape(sums: Sums, of: Pass) -> float | None:
    size = sums["sizes"].sum()
    return float((sums["absolutes"] * abs(of.scale)).sum() / size) if size else None


def _mase(sums: Sums, of: Pass) -> float | None:
    return _scaled(sums["absolutes"] * abs(of.scale), sums, of, moment=0)


def _rmsse(sums: Sums, of: Pass) -> float | None:
    found = _scaled(sums["squares"] * of.scale**2, sums, of, moment=1)
    return None if found is None else math.sqrt(found) if found >= 0 else found


def _scaled(errors: Array, sums: Sums, of: Pass, moment: int) -> float | None:
    """Return the mean error in units of the seasonal one (Hyndman & Koehler 2006, equation 4).

    Outputs whose training part repeats itself exactly have no such unit and are left out.
    """
    if of.seasonal_errors is None:
        return None
    unit = of.seasonal_errors[moment]
    there = unit > 0
    count = sums["elements"][there].sum()
    return float((errors[there] / unit[there]).sum() / count) if count else None


def _seasonless(data: SequenceData, loss: LossType) -> str | None:
    known = data.seasonal_errors
    if known is None:
        return "a target whose past is told (a series' windows, say)"
    return None if (known[0] > 0).any() else "a training part that does not repeat itself exactly"


def _constant(targets: Array) -> str | None:
    import numpy as np

    first = targets[:1]
    varies = (~np.isnan(targets) & (abs(targets - first) > _ROUNDING * abs(first))).any()
    return None if varies else "targets that vary"


def _zero(targets: Array) -> str | None:
    return None if (abs(targets) > _ROUNDING).any() else "targets other than 0"


_VALUES: tuple[Targets, ...] = ("values",)
NUMBERS = {
    "mse": MetricType(
        "mean squared error", "minimize", "target²", _VALUES, _mse, (ERRORS,), by_step=True
    ),
    "rmse": MetricType("its root", "minimize", "target", _VALUES, _rmse, (ERRORS,), by_step=True),
    "mae": MetricType(
        "mean absolute error", "minimize", "target", _VALUES, _mae, (ERRORS,), by_step=True
    ),
    "r2": MetricType(
        "explained variance", "maximize", "number", _VALUES, _r2, (ERRORS,), by_step=True,
        undefined=_constant,
    ),
    "mape": MetricType(
        "mean |error| / |target| where that is not 0", "minimize", "share", _VALUES, _mape,
        (ERRORS, RELATIVE), each_epoch=False, by_step=True, undefined=_zero,
    ),
    "mape_left_out": MetricType(
        "targets of 0, which mape leaves out", "minimize", "number", _VALUES, _left_out,
        (ERRORS, RELATIVE), each_epoch=False, by_step=True,
    ),
    "smape": MetricType(
        "mean 2 |error| / (|target| + |answer|)", "minimize", "share", _VALUES, _smape,
        (ERRORS, RELATIVE), each_epoch=False, by_step=True,
    ),
    "wape": MetricType(
        "sum of |error| / sum of |target|", "minimize", "share", _VALUES, _wape,
        (ERRORS, RELATIVE), each_epoch=False, by_step=True, undefined=_zero,
    ),
    "mase": MetricType(
        "mae in units of the training part's change over a season", "minimize", "number", _VALUES,
        _mase, (ERRORS,), each_epoch=False, by_step=True, lacks=_seasonless,
    ),
    "rmsse": MetricType(
        "rmse likewise, of squares", "minimize", "number", _VALUES, _rmsse,
        (ERRORS,), each_epoch=False, by_step=True, lacks=_seasonless,
    ),
}  # fmt: skip
