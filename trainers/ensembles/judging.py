"""How good what trials say together is: the metrics of single trials, over targets or resamples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.metrics import Pass
from trainers.ensembles.predictions import Predictions
from trainers.learning import losses
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


class Judge:
    """Judges means of what trials say of a part.

    Args:
        predictions: What they say.
    """

    def __init__(self, predictions: Predictions) -> None:
        self._predictions = predictions
        self._measures = Measures(predictions.data, predictions.structure)
        self._mean = _mean_of(predictions)  # any number near the targets would do for rounding
        whole = np.zeros(len(predictions.targets), dtype=np.int64)
        self._together = list(_grouped(whole))
        _, sequences = np.unique(predictions.rows, return_inverse=True)
        self._apart = list(_grouped(sequences))

    def metrics(self, counts: Array) -> dict[str, float]:
        """Return the metrics of a mean in which each trial counts so often."""
        return self.of_sums(self._sums(counts, self._together))

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
        return {n: v for n, v in found.items() if n not in _OF_TRAINING and math.isfinite(v)}

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
        moments = self._moments(targets, valid) if of.data.task == "regression" else sums[:, :0]
        return sums.numpy(), plain.double().numpy(), elements.numpy(), moments.numpy()

    def _moments(self, targets: Tensor, valid: Tensor) -> Tensor:
        mean = torch.from_numpy(self._mean)
        there = valid.expand(targets.shape)
        own = torch.where(there, targets.double() - mean, 0.0)
        return torch.stack([there.double().sum(1), own.sum(1), own.square().sum(1)], dim=1)


def _mean_of(predictions: Predictions) -> Array:
    """Return the mean target by output `(outputs,)`; of classes nobody asks for it."""
    hidden = np.ma.nomask if predictions.mask is None else ~predictions.mask
    found = np.ma.array(predictions.targets, mask=hidden).mean(0)
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
