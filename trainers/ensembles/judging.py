"""How good what trials say together is: the metrics of single trials, over targets or resamples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.measured import NOTHING, Asked, find_metric, metric_names
from trainers.config.metrics import MetricType, Pass
from trainers.data.own_units import own_units
from trainers.ensembles.predictions import Predictions
from trainers.errors import ConfigError
from trainers.learning import losses
from trainers.learning.judged import answer_metrics, judged, need_answers
from trainers.learning.metrics import Measures
from trainers.network.masks import Array

_ELEMENTS = 1 << 22  # of predictions that are judged at once
_OF_TRAINING = ("loss",)  # reduced and weighed as trials are trained, which a mean is not


@dataclass(frozen=True)
class Sums:
    """What metrics are made of, by sequence.

    Attributes:
        metrics: `(sequences, rows, outputs or classes)`.
        losses: `(sequences,)` elements of the loss, added up.
        elements: `(sequences,)` valid target elements.
        moments: `(sequences, 3, outputs)` of targets that are numbers: how many are valid, their
            sum and the sum of their squares, less the whole's mean; otherwise None.
    """

    metrics: Array
    losses: Array
    elements: Array
    moments: Array | None

    def __len__(self) -> int:
        return len(self.elements)


def metrics_of(predictions: Predictions, asked: Asked = NOTHING) -> dict[str, MetricType]:
    """Return the metrics that means have, of those that single trials have."""
    data, loss = predictions.data, predictions.structure.loss
    found = {}
    for name in (*metric_names(data, loss), *asked.names):
        try:
            found[name] = find_metric(name, data, loss, asked)
        except ConfigError:  # of a distribution, whose means are points
            continue
    return {name: metric for name, metric in found.items() if name not in _OF_TRAINING}


class Judge:
    """Judges means of what trials say of a part.

    Args:
        predictions: What they say.
        metrics: By which metrics; None for all that means have.
    """

    def __init__(
        self, predictions: Predictions, metrics: Mapping[str, MetricType] | None = None
    ) -> None:
        self._predictions = predictions
        self._metrics = dict(metrics_of(predictions) if metrics is None else metrics)
        self._measures = Measures(predictions.data, predictions.structure, None, self._metrics)
        self._compared = _compared(predictions)
        self._mean = _mean_of(self._compared, predictions.mask)  # for rounding's sake
        whole = np.zeros(len(predictions.targets), dtype=np.int64)
        self._together = list(_grouped(whole))
        _, sequences = np.unique(predictions.rows, return_inverse=True)
        self._apart = list(_grouped(sequences))

    def metrics(self, counts: Array) -> dict[str, float]:
        """Return the metrics of a mean in which each trial counts so often."""
        found = self.of_sums(self._sums(counts, self._together))
        if need_answers(self._metrics):
            found |= self._of_answers(counts)
        return found

    def only(self, metric: str) -> Judge:
        """Return a judge by one metric, or by none where means do not have it."""
        chosen = {name: found for name, found in self._metrics.items() if name == metric}
        return Judge(self._predictions, chosen)

    def by_sequence(self, counts: Array) -> Sums:
        """Return what those metrics are made of, for each sequence with a target."""
        return self._sums(counts, self._apart)

    def of_sums(self, sums: Sums, drawn: Array | None = None) -> dict[str, float]:
        """Return the metrics, with each sequence `drawn` so often, `(sequences,)`; None: once."""
        times = np.ones(len(sums)) if drawn is None else drawn
        elements = float(times @ sums.elements)
        metrics = np.tensordot(times, sums.metrics, axes=1)
        squares = None
        if sums.moments is not None:
            count, total, square = np.tensordot(times, sums.moments, axes=1)
            squares = square - total**2 / np.maximum(count, 1)
        loss, plain = LOSSES[self._predictions.structure.loss], float(times @ sums.losses)
        of = Pass(self._predictions.data, loss, math.nan, plain, elements, squares)
        found = self._measures.values(torch.from_numpy(metrics), of)
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _of_answers(self, counts: Array) -> dict[str, float]:
        of, outputs = self._predictions, self._predictions.mean(counts)
        said = judged(outputs, of.targets, of.mask, None, of.data, of.structure)
        return answer_metrics(said, self._metrics)

    def _sums(self, counts: Array, groups: list[tuple[Array, Array]]) -> Sums:
        outputs = self._predictions.mean(counts)
        found = [self._of_group(outputs, places, there) for places, there in groups]
        metrics, plain, elements, moments = zip(*found, strict=True)
        numbers = self._predictions.data.task == "regression"
        return Sums(
            np.concatenate(metrics),
            np.concatenate(plain),
            np.concatenate(elements),
            np.concatenate(moments) if numbers else None,
        )

    def _of_group(
        self, outputs: Array, places: Array, there: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Add up sequences whose targets lie at `places (sequences, most)`, where `there`."""
        of = self._predictions
        said, targets = torch.from_numpy(outputs[places]), torch.from_numpy(of.targets[places])
        mask = there[..., None] if of.mask is None else there[..., None] & of.mask[places]
        valid = torch.from_numpy(mask)
        values = losses.elements(of.structure, said, targets)
        wide = valid.expand(values.shape)
        plain = torch.where(wide, values, 0.0).sum((1, 2))
        sums = self._measures.sums(said, targets, valid)
        elements = wide.sum((1, 2)).double()
        moments = sums[:, :0]
        if of.data.task == "regression":
            moments = self._moments(torch.from_numpy(self._compared[places]), valid)
        return sums.numpy(), plain.double().numpy(), elements.numpy(), moments.numpy()

    def _moments(self, targets: Tensor, valid: Tensor) -> Tensor:
        mean = torch.from_numpy(self._mean)
        there = valid.expand(targets.shape)
        own = torch.where(there, targets.double() - mean, 0.0)
        return torch.stack([there.double().sum(1), own.sum(1), own.square().sum(1)], dim=1)


def _compared(predictions: Predictions) -> Array:
    """Return targets as errors are taken of them: in own units where the way there bends."""
    linear = predictions.data.target_transform == "none"
    return predictions.targets if linear else own_units(predictions.data, predictions.targets)


def _mean_of(targets: Array, mask: Array | None) -> Array:
    """Return the mean target by output `(outputs,)`; of classes nobody asks for it."""
    found = np.ma.array(targets, mask=np.ma.nomask if mask is None else ~mask).mean(0)
    return np.asarray(np.ma.filled(found, 0.0), dtype=np.float64)


def _grouped(groups: Array) -> Iterator[tuple[Array, Array]]:
    """Put the targets of each group side by side, some groups at a time.

    Args:
        groups: `(targets,)` the group of each, numbered from 0.

    Yields:
        `(groups, most)` the places of each group's targets, and which of them there are.
    """
    order = np.argsort(groups, kind="stable")
    _, first, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    most = int(sizes.max())
    at_once = max(_ELEMENTS // most, 1)
    for start in range(0, len(sizes), at_once):
        begin, size = first[start : start + at_once], sizes[start : start + at_once]
        there = np.arange(most) < size[:, None]
        yield order[np.where(there, begin[:, None] + np.arange(most), 0)], there
