"""The metrics by name, and which of them a sweep's data and loss have."""

from __future__ import annotations

from trainers.config.metrics.classes import CLASSES
from trainers.config.metrics.forecasts import FORECASTS
from trainers.config.metrics.likelihoods import LIKELIHOODS, LOSS
from trainers.config.metrics.metric import Accumulator, Judged, MetricType, Pass, Sums
from trainers.config.metrics.numbers import NUMBERS
from trainers.registry import Registry

__all__ = ["METRICS", "Accumulator", "Judged", "MetricType", "Pass", "Sums"]

_PARAMETERS = {
    "parameters": MetricType(
        "how many numbers a trial trains: of the network, so no pass has it", "minimize", "number",
        (),
    ),
}  # fmt: skip
METRICS: Registry[MetricType] = Registry(
    "rnn_sweep.metrics",
    "metric",
    MetricType,
    {**LOSS, **NUMBERS, **CLASSES, **LIKELIHOODS, **FORECASTS, **_PARAMETERS},
)
