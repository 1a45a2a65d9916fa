"""Metrics that need all answers of a part at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from trainers.config.metrics import Judged, MetricType
from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData
from trainers.learning.own_units import OwnUnits
from trainers.learning.seen import Seen
from trainers.network.masks import Array
from trainers.registry import load_object


def judged(
    outputs: Array,
    targets: Array,
    mask: Array | None,
    rescale: Array | None,
    data: SequenceData,
    structure: Structure,
) -> Judged:
    """Return answers as people judge them; arguments as `trainers.packs.answers.Answers` has."""
    seen = Seen(
        structure,
        OwnUnits(data),
        torch.from_numpy(outputs)[None],
        torch.from_numpy(targets)[None],
        None if rescale is None else torch.from_numpy(rescale)[None],
    )
    everywhere = mask is None
    if data.task == "classification":
        predictions, truth = seen.probabilities, torch.from_numpy(targets)[None]
    else:
        predictions, truth = seen.own_answers.double(), seen.own_targets.double()
    found = truth[0].numpy()
    there = torch.ones(found.shape, dtype=torch.bool).numpy() if everywhere else mask
    assert there is not None
    return Judged(predictions[0].numpy(), found, there)


def answer_metrics(judged: Judged, metrics: Mapping[str, MetricType]) -> dict[str, float]:
    """Return those of some metrics that need all answers; what is not defined is absent."""
    found = {
        name: _loaded(metric.of_answers)(judged)
        for name, metric in metrics.items()
        if metric.of_answers is not None
    }
    return {name: value for name, value in found.items() if value is not None}


def need_answers(metrics: Mapping[str, MetricType]) -> bool:
    """Return whether one of some metrics needs all answers."""
    return any(metric.of_answers is not None for metric in metrics.values())


def auc(judged: Judged) -> float | None:
    """Return the mean area under the ROC curve of each class against the rest.

    Classes that all or none of the targets have are left out; None where no class is left.
    """
    from sklearn.metrics import roc_auc_score

    return _mean(roc_auc_score, judged)


def average_precision(judged: Judged) -> float | None:
    """Return the mean average precision of each class against the rest; otherwise as `auc`."""
    from sklearn.metrics import average_precision_score

    return _mean(average_precision_score, judged)


def _mean(score: Callable[[Array, Array], Any], judged: Judged) -> float | None:
    found = [float(score(true, said)) for true, said in _classes(judged)]
    return sum(found) / len(found) if found else None


def _classes(judged: Judged) -> Iterator[tuple[Array, Array]]:
    """Yield of each class `(targets,)` whether it is true, and its probability; valid ones only."""
    for place, said in enumerate(judged.predictions.T):
        if judged.targets.ndim == 1:
            valid, true = judged.mask, judged.targets == place
        else:
            valid, true = judged.mask[:, place], judged.targets[:, place] > 0.5
        true = true[valid]
        if true.any() and not true.all():
            yield true, said[valid]


def _loaded(code: str | Callable[..., Any]) -> Callable[..., Any]:
    found = load_object(code) if isinstance(code, str) else code
    assert callable(found)
    return found
