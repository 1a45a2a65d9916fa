"""Metrics of classes that exclude each other (`ids`) and of labels that do not."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from trainers.config.losses import LossType, Targets
from trainers.config.metrics.metric import Accumulator, MetricType, Pass, Sums
from trainers.errors import ConfigError

if TYPE_CHECKING:
    from trainers.data.contract import Array, SequenceData

BINS = 15  # of calibration (Guo et al. 2017, section 2)
_CODE = "trainers.learning.accumulators.classes"
COUNTS = Accumulator(("hits", "predicted", "actual"), f"{_CODE}:counts")
SQUARES = Accumulator(
    ("probability_squares", "probabilities"), f"{_CODE}:squares", of="probabilities"
)
CALIBRATION = Accumulator(
    tuple(f"{what}_{place}" for what in ("count", "confidence", "right") for place in range(BINS)),
    f"{_CODE}:calibration",
    of="probabilities",
)
_BOTH: tuple[Targets, ...] = ("ids", "labels")
_Rate = Callable[["Array", "Array", "Array"], "Array"]


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


def _balanced(sums: Sums, of: Pass) -> float | None:
    hits, _, actual = (sums[row] for row in COUNTS.rows)
    there = actual > 0
    return float((hits[there] / actual[there]).mean()) if there.any() else None


def _precision(hits: Array, predicted: Array, actual: Array) -> Array:
    return _over(hits, predicted)


def _recall(hits: Array, predicted: Array, actual: Array) -> Array:
    return _over(hits, actual)


def _f1(hits: Array, predicted: Array, actual: Array) -> Array:
    return _over(2 * hits, predicted + actual)


def _over(part: Array, whole: Array) -> Array:
    """Return the shares, 0 of nothing, as scikit-learn takes them."""
    import numpy as np

    found: Array = np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)
    return found


def _rated(rate: _Rate, name: str, sentence: str) -> MetricType:
    """Return the mean of a rate over the classes that are present or predicted; all labels."""

    def macro(sums: Sums, of: Pass) -> float | None:
        hits, predicted, actual = (sums[row] for row in COUNTS.rows)
        known = predicted + actual > 0 if of.loss.targets == "ids" else actual >= 0
        return float(rate(hits, predicted, actual)[known].mean()) if known.any() else None

    def of_class(text: str, data: SequenceData) -> MetricType:
        place = class_number(text, data, name)

        def one(sums: Sums, of: Pass) -> float | None:
            counts = [sums[row][place : place + 1] for row in COUNTS.rows]
            needed = counts[2] if rate is _recall else counts[1] + counts[2]
            return float(rate(*counts)[0]) if needed[0] else None

        def nowhere(targets: Array) -> str | None:
            there = targets == place if targets.ndim == 1 else targets[:, place] > 0.5
            return None if there.any() else f"targets of class {text}"

        about = f"{sentence} of class {text}"
        return replace(whole, sentence=about, value=one, named=None, undefined=nowhere)

    whole = MetricType(
        f"{sentence}, mean of the classes", "maximize", "share", _BOTH, macro, (COUNTS,),
        each_epoch=False, named=of_class,
    )  # fmt: skip
    return whole


def class_names(data: SequenceData) -> tuple[str, ...]:
    """Return the classes' names; their numbers where they have none."""
    return data.target_names or tuple(map(str, range(data.output_size)))


def class_number(text: str, data: SequenceData, metric: str) -> int:
    """Return which class a name means.

    Raises:
        ConfigError: the data have no such class; the line names near ones.
    """
    known = class_names(data)
    if text in known:
        return known.index(text)
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.4) or known[:5]
    raise ConfigError(
        f"{metric}/CLASS must name a class of the data, but got {metric}/{text}; there are "
        f"{len(known)}, as {', '.join(near)}."
    )


def _brier(sums: Sums, of: Pass) -> float:
    """Return the mean squared distance of probabilities; half of it for two classes (Brier 1950).

    So scikit-learn has it: of two classes that exclude each other both err alike.
    """
    squares = sums["probability_squares"].sum()
    if of.loss.targets == "labels":
        return float(squares / sums["probabilities"].sum())
    classes = len(sums["probabilities"])
    return float(squares / (sums["probabilities"][0] * (2 if classes == 2 else 1)))


def _ece(sums: Sums, of: Pass) -> float:
    """Return Σ |right − confidence| over the bins, by count (Guo et al. 2017, equation 3)."""
    gap = total = 0.0
    for place in range(BINS):
        right, confidence = (sums[f"{what}_{place}"].sum() for what in ("right", "confidence"))
        gap += abs(float(right - confidence))
        total += float(sums[f"count_{place}"].sum())
    return gap / total


def _one_class(targets: Array) -> str | None:
    import numpy as np

    known = targets[~np.isnan(targets)]
    return None if len(np.unique(known)) > 1 else "targets of at least two classes"


def _few_classes(data: SequenceData, loss: LossType) -> str | None:
    if data.task == "classification" and data.vocabulary_size == data.output_size:
        return "classes that are no vocabulary"
    return None


CLASSES = {
    "accuracy": MetricType(
        "share of right answers", "maximize", "share", _BOTH, _accuracy, (COUNTS,)
    ),
    "macro_f1": MetricType(
        "mean F1 of the classes", "maximize", "share", _BOTH, _macro_f1, (COUNTS,)
    ),
    "balanced_accuracy": MetricType(
        "mean recall of the classes that there are", "maximize", "share", ("ids",), _balanced,
        (COUNTS,), each_epoch=False,
    ),
    "precision": _rated(_precision, "precision", "share of right ones among those predicted"),
    "recall": _rated(_recall, "recall", "share of those found among those present"),
    "f1": _rated(_f1, "f1", "harmonic mean of precision and recall"),
    "brier": MetricType(
        "mean squared distance of the probabilities", "minimize", "number", _BOTH, _brier,
        (SQUARES,), each_epoch=False,
    ),
    "ece": MetricType(
        "expected calibration error, 15 bins", "minimize", "share", _BOTH, _ece, (CALIBRATION,),
        each_epoch=False,
    ),
    "auc": MetricType(
        "area under the ROC curve, mean of one class against the rest", "maximize", "share", _BOTH,
        each_epoch=False, lacks=_few_classes, of_answers="trainers.learning.judged:auc",
        undefined=_one_class,
    ),
    "average_precision": MetricType(
        "area under precision by recall, mean of the classes", "maximize", "share", _BOTH,
        each_epoch=False, lacks=_few_classes,
        of_answers="trainers.learning.judged:average_precision", undefined=_one_class,
    ),
}  # fmt: skip
