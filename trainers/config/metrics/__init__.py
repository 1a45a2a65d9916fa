"""The metrics by name, and which of them a sweep's data and loss have."""

from __future__ import annotations

from trainers.config.metrics.classes import CLASSES
from trainers.config.metrics.forecasts import FORECASTS
from trainers.config.metrics.likelihoods import LIKELIHOODS, LOSS
from trainers.config.metrics.metric import Accumulator, Judged, MetricType, Pass, Sums
from trainers.config.metrics.numbers import NUMBERS
from trainers.registry import Registry

__all__ = ["METRICS", "Accumulator", "Judged", "MetricType", "Pass", "Sums"]

_OF_NO_PASS = {
    "parameters": MetricType(
        "how many numbers a trial trains: of the network, so no pass has it", "minimize", "number",
        (),
    ),
    "interval_coverage": MetricType(
        "share of targets in a finalist's calibrated interval, on the test part", "maximize",
        "share", (),
    ),
    "interval_width": MetricType("mean width of that interval", "minimize", "target", ()),
}  # fmt: skip
METRICS: Registry[MetricType] = Registry(
    "rnn_sweep.metrics",
    "metric",
    MetricType,
    {**LOSS, **NUMBERS, **CLASSES, **LIKELIHOODS, **FORECASTS, **_OF_NO_PASS},
)
