"""Metrics that follow from the mean of the loss's elements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trainers.config.losses import LossType
from trainers.config.metrics.metric import Accumulator, MetricType, Pass, Sums, Value
from trainers.config.metrics.numbers import ERRORS

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData

_CODE = "trainers.learning.accumulators.likelihoods"
NLL = Accumulator(("nll",), f"{_CODE}:nll", of="losses")
PINBALL = Accumulator(("pinball",), f"{_CODE}:pinball", of="forecast")
_LARGEST_EXPONENT = 700.0  # e^700 is about the largest float


def _nats(sums: Sums, of: Pass) -> float:
    return of.plain_loss / of.elements


def _mean(row: str) -> Value:
    return lambda sums, of: float(sums[row].sum() / sums["elements"].sum())


def _transformed(data: SequenceData, loss: LossType) -> str | None:
    if data.target_transform == "none":
        return None
    return f"targets that are not transformed, but got target_transform {data.target_transform}"


LOSS = {
    "loss": MetricType(
        "what is minimised", "minimize", "loss", ("values", "ids", "labels"),
        lambda sums, of: of.mean_loss,
    ),
}  # fmt: skip
LIKELIHOODS = {
    "cross_entropy": MetricType(
        "the loss without class weights", "minimize", "nats", ("ids",), _nats, of_loss=True
    ),
    "nats": MetricType(
        "cross-entropy of a token", "minimize", "nats", ("ids",), _nats, of_loss=True, language=True
    ),
    "bits_per_character": MetricType(
        "the same in bits", "minimize", "bits", ("ids",),
        lambda sums, of: _nats(sums, of) / math.log(2), of_loss=True, language=True,
    ),
    "perplexity": MetricType(
        "tokens among which a guess would do as well", "minimize", "number", ("ids",),
        lambda sums, of: math.exp(min(_nats(sums, of), _LARGEST_EXPONENT)),
        of_loss=True, language=True,
    ),
    "nll": MetricType(
        "negative log-likelihood in own units", "minimize", "nats", ("values",), _mean("nll"),
        (ERRORS, NLL), of_loss=True, by_step=True, lacks=_transformed,
    ),
    "pinball": MetricType(
        "mean pinball loss of the levels in quantiles", "minimize", "target", ("values",),
        _mean("pinball"), (ERRORS, PINBALL), of_loss=True, by_step=True, each_epoch=False,
    ),
}  # fmt: skip
