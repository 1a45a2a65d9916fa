"""Metrics of forecast distributions and quantiles, in the targets' own units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainers.config.losses import LossType
from trainers.config.metrics.metric import Accumulator, MetricType, Pass, Sums
from trainers.config.metrics.numbers import ERRORS
from trainers.errors import ConfigError

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData

LEVEL = 0.9  # of central intervals where nobody says other
_CODE = "trainers.learning.accumulators.forecasts"
SCORES = Accumulator(("scores",), f"{_CODE}:scores", of="forecast")
_LEVEL = re.compile(r"0?\.\d+")


def _intervals(level: float) -> Accumulator:
    rows = (f"covered_{level:g}", f"widths_{level:g}")
    return Accumulator(rows, f"{_CODE}:intervals", of="forecast", arguments=(level,))


def _crps(sums: Sums, of: Pass) -> float:
    return float(sums["scores"].sum() / sums["elements"].sum())


def _pointless(data: SequenceData, loss: LossType) -> str | None:
    if loss.distribution is not None:
        return None
    return "a loss with quantiles or a distribution (train.loss: quantile, say)"


def _coverage(level: float) -> MetricType:
    intervals = _intervals(level)

    def value(sums: Sums, of: Pass) -> float:
        return float(sums[intervals.rows[0]].sum() / sums["elements"].sum())

    return MetricType(
        f"share of targets in the central {level:.4g} interval", "maximize", "share", ("values",),
        value, (ERRORS, intervals), each_epoch=False, by_step=True, lacks=_pointless,
        named=lambda text, data: _coverage(_level(text, "coverage")),
    )  # fmt: skip


def _width(level: float) -> MetricType:
    intervals = _intervals(level)

    def value(sums: Sums, of: Pass) -> float:
        return float(sums[intervals.rows[1]].sum() / sums["elements"].sum())

    return MetricType(
        f"mean width of the central {level:.4g} interval", "minimize", "target", ("values",),
        value, (ERRORS, intervals), each_epoch=False, by_step=True, lacks=_pointless,
        named=lambda text, data: _width(_level(text, "width")),
    )  # fmt: skip


def _level(text: str, metric: str) -> float:
    if _LEVEL.fullmatch(text) and 0 < float(text) < 1:
        return float(text)
    raise ConfigError(
        f"{metric}/LEVEL must have a level between 0 and 1, as {metric}/0.8, but got "
        f"{metric}/{text}."
    )


FORECASTS = {
    "crps": MetricType(
        "continuous ranked probability score", "minimize", "target", ("values",), _crps,
        (ERRORS, SCORES), each_epoch=False, by_step=True, lacks=_pointless,
    ),
    "coverage": _coverage(LEVEL),
    "width": _width(LEVEL),
}  # fmt: skip
