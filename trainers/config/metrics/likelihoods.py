"""Metrics that follow from the mean of the loss's elements."""

from __future__ import annotations

import math

from trainers.config.metrics.metric import MetricType, Pass, Sums

_LARGEST_EXPONENT = 700.0  # e^700 is about the largest float


def _nats(sums: Sums, of: Pass) -> float:
    return of.plain_loss / of.elements


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
}  # fmt: skip
