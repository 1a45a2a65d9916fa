"""The metrics by name: which data and losses have them, and how they follow from sums of a pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trainers.config.losses import LOSSES, LossType, Targets
from trainers.config.objective import Direction
from trainers.registry import Registry

if TYPE_CHECKING:
    from trainers.data.contract import Array, SequenceData

Sums = Mapping[str, "Array"]  # `(outputs or classes,)` each, by row name
_LARGEST_EXPONENT = 700.0  # e^700 is about the largest float


@dataclass(frozen=True)
class Pass:
    """What a pass over a part of the data knows beside its sums.

    Attributes:
        data: Whose part it is.
        loss: What is minimised.
        mean_loss: Its reduced mean, weights included.
        plain_loss: Its elements without weights, added up.
        elements: Valid target elements; more than 0.
        total_squares: `(outputs,)` SST of a part with numbers for targets, otherwise None.
    """

    data: SequenceData
    loss: LossType
    mean_loss: float
    plain_loss: float
    elements: float
    total_squares: Array | None

    @property
    def scale(self) -> Array:
        """Return `(outputs,)`: the target's own unit, in what the network was trained on."""
        import numpy as np

        given = self.data.target_scale
        return np.ones(self.data.output_size) if given is None else np.asarray(given, np.float64)


@dataclass(frozen=True)
class Accumulator:
    """Sums that a pass adds up for metrics, in float64.

    Attributes:
        rows: Their names, unlike those of any other accumulator.
        code: `(outputs, targets, mask) -> (trials, rows, outputs)`, or `module:function` of it.
            Outputs are `(trials, wanted, outputs)`, targets alike or class ids `(trials, wanted)`;
            the mask is None or `(trials, wanted, outputs or 1)`, True where an element counts, and
            what it leaves out may be anything. It is captured, so no shape may depend on values.
        own_units: Whether outputs and targets that are numbers come in in the target's own units;
            otherwise as the network was trained on them.
    """

    rows: tuple[str, ...]
    code: str | Callable[..., Any]
    own_units: bool = False


@dataclass(frozen=True)
class MetricType:
    """A metric of a pass over a part.

    Attributes:
        sentence: What it is, for people.
        direction: What is better.
        unit: `target` is the targets' own.
        targets: The kinds of targets that have it.
        value: From the sums to the number; None where the data do not define it.
        sums: What it is made of.
        of_loss: Whether only losses that name it among their metrics have it.
        language: Whether it needs classes that are the vocabulary itself.
    """

    sentence: str
    direction: Direction
    unit: Literal["loss", "target", "target²", "share", "nats", "bits", "number"]
    targets: tuple[Targets, ...]
    value: Callable[[Sums, Pass], float | None]
    sums: tuple[Accumulator, ...] = ()
    of_loss: bool = False
    language: bool = False


def metric_names(data: SequenceData, loss: str) -> tuple[str, ...]:
    """Return the names of the metrics that a pass over this data reports."""
    kind = LOSSES[loss]
    return tuple(
        name
        for name, metric in METRICS.items()
        if kind.targets in metric.targets
        and (not metric.of_loss or name in kind.metrics)
        and (not metric.language or is_language(data))
    )


def is_language(data: SequenceData) -> bool:
    """Return whether classes are the vocabulary itself: what comes next is a token."""
    return data.task == "classification" and data.vocabulary_size == data.output_size


ERRORS = Accumulator(("squares", "absolutes", "elements"), "trainers.learning.accumulators:errors")
COUNTS = Accumulator(("hits", "predicted", "actual"), "trainers.learning.accumulators:counts")


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


def _accuracy(sums: Sums, of: Pass) -> float:
    hits, predicted, actual = (sums[row] for row in COUNTS.rows)
    # Single-label: every element has one class. Multi-label: absent and unpredicted is right.
    wrong = (predicted + actual - 2 * hits).sum()
    right = hits.sum() if of.loss.targets == "ids" else of.elements - wrong
    return float(right / of.elements)


def _macro_f1(sums: Sums, of: Pass) -> float:
    hits, predicted, actual = (sums[row] for row in COUNTS.rows)
    known = predicted + actual > 0
    f1 = 2 * hits[known] / (predicted[known] + actual[known])
    return float(f1.mean()) if known.any() else 0.0


def _nats(sums: Sums, of: Pass) -> float:
    return of.plain_loss / of.elements


_CLASSES: tuple[Targets, ...] = ("ids", "labels")
_OWN = {
    "loss": MetricType(
        "what is minimised", "minimize", "loss", ("values", "ids", "labels"),
        lambda sums, of: of.mean_loss,
    ),
    "mse": MetricType("mean squared error", "minimize", "target²", ("values",), _mse, (ERRORS,)),
    "rmse": MetricType("its root", "minimize", "target", ("values",), _rmse, (ERRORS,)),
    "mae": MetricType("mean absolute error", "minimize", "target", ("values",), _mae, (ERRORS,)),
    "r2": MetricType("explained variance", "maximize", "number", ("values",), _r2, (ERRORS,)),
    "accuracy": MetricType(
        "share of right answers", "maximize", "share", _CLASSES, _accuracy, (COUNTS,)
    ),
    "macro_f1": MetricType(
        "mean F1 of the classes", "maximize", "share", _CLASSES, _macro_f1, (COUNTS,)
    ),
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
    "parameters": MetricType(
        "how many numbers a trial trains: of the network, so no pass has it", "minimize", "number",
        (), lambda sums, of: None,
    ),
    "interval_coverage": MetricType(
        "share of targets in a finalist's calibrated interval, on the test part", "maximize",
        "share", (), lambda sums, of: None,
    ),
    "interval_width": MetricType(
        "mean width of that interval", "minimize", "target", (), lambda sums, of: None
    ),
}  # fmt: skip

METRICS: Registry[MetricType] = Registry("rnn_sweep.metrics", "metric", MetricType, _OWN)
