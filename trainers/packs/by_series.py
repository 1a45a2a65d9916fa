"""A pass over a part that tells its series apart: each one's metrics, from sums of its own.

Accumulators add up what each trial of a pack has. Here a place on their first axis is a series, so
every metric has its value by series, and memory is that of the sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.metrics import Pass
from trainers.data.contract import SequenceData
from trainers.errors import DataError
from trainers.learning import losses
from trainers.learning.batches import Part
from trainers.learning.metrics import Measures, target_values
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut, target_places
from trainers.network.dropout import DropoutKey
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import Weights
from trainers.network.segment import Segment
from trainers.packs.parts import PartName, Parts
from trainers.packs.passes import evaluation_rows

_LOSS, _PLAIN, _ELEMENTS = range(3)


@dataclass(frozen=True)
class SeriesMetrics:
    """How well one series of a part is predicted.

    Attributes:
        series: Which of the data's series.
        windows: Its windows in the part.
        metrics: By name; those that its targets do not define are absent.
    """

    series: int
    windows: int
    metrics: dict[str, float]


class _Sums:
    """The sums of every series: those of metrics, and of the loss."""

    def __init__(self, measures: Measures, series: int, device: torch.device) -> None:
        self._measures, self._device = measures, device
        self.metrics = measures.zeros(series)
        self.numbers = self.metrics.new_zeros(series, 3)

    def add(self, segment: Segment, outputs: Tensor, series: Array) -> None:
        """Add one trial's segment, whose wanted element i is of `series[i]`, `(wanted,)`."""
        self._add_losses(segment, outputs, torch.from_numpy(series).to(self._device))
        assert segment.targets is not None
        targets, mask, rescale = segment.targets[0], segment.element_mask, segment.rescale
        for names, place, exists in _aligned(series):
            at, there = torch.from_numpy(place).to(self._device), torch.from_numpy(exists)
            counts = there.to(self._device).unsqueeze(-1)
            self.metrics[torch.from_numpy(names).to(self._device)] += self._measures.sums(
                outputs[0][at],
                targets[at],
                counts if mask is None else counts & mask[0][at],
                None if rescale is None else rescale[0][at],
            )

    def _add_losses(self, segment: Segment, outputs: Tensor, series: Tensor) -> None:
        assert segment.targets is not None
        values = losses.elements(self._measures.structure, outputs, segment.targets)
        weighted = losses.weighted(values, segment, self._measures.class_weights)
        mask = segment.element_mask
        counts = torch.ones_like(values) if mask is None else mask.expand(values.shape)
        plain = torch.where(counts > 0, values, 0.0)
        found = [each[0].double().sum(-1) for each in (weighted, plain, counts)]
        self.numbers.index_add_(0, series, torch.stack(found, dim=1))


@torch.no_grad()
def evaluate_by_series(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None = None,
) -> list[SeriesMetrics]:
    """Return the metrics of `weights` (one trial) on each series of a part, by one pass.

    Series without a window or a valid target in the part are left out.

    Raises:
        DataError: the data have a single series.
    """
    part = parts.part(name)
    owners = part.data.series
    if owners is None or not isinstance(part, Part):
        raise DataError(
            f"metrics by series need data of several series, but {parts.data.name!r} has one; "
            "data.series names the column that tells them apart."
        )
    owners = np.asarray(owners, dtype=np.int64)
    device, count = weights.head_bias.device, len(parts.data.series)
    measures = Measures(parts.data, model.structure, device, parts.metrics)
    sums = _Sums(measures, count, device)
    size = evaluation_rows(model, part)
    for first in range(0, part.rows, size):
        rows = np.arange(first, min(first + size, part.rows))
        batch = part.batch(rows)
        span = Span(0, batch.time_steps, gradient=False)
        segment = cut(batch, span, model.structure, parts.data.input_size).to(device)
        if segment.targets is not None:
            outputs, _ = model.forward(weights, segment, None, keys)
            wanted, _ = target_places(batch, span, model.structure)
            sums.add(segment, outputs, owners[rows[wanted]])
    windows = np.bincount(owners, minlength=count)
    squares = _total_squares(part, parts.data, owners) if parts.data.task == "regression" else None
    return list(_results(sums, measures, model, windows, squares))


def _results(
    sums: _Sums, measures: Measures, model: Model, windows: Array, squares: Array | None
) -> Iterator[SeriesMetrics]:
    reduction, loss = model.structure.loss_reduction, LOSSES[measures.structure.loss]
    each = measures.data.output_size if loss.targets != "ids" else 1
    metrics, numbers = sums.metrics.cpu(), sums.numbers.cpu().numpy()
    for series in np.flatnonzero(numbers[:, _ELEMENTS]):
        elements = float(numbers[series, _ELEMENTS])
        by_window = float(windows[series]) * (each if reduction == "sequence_sum" else 1)
        of = Pass(
            data=measures.data,
            loss=loss,
            mean_loss=numbers[series, _LOSS]
            / (elements if reduction == "valid_step" else by_window),
            plain_loss=float(numbers[series, _PLAIN]),
            elements=elements,
            total_squares=None if squares is None else squares[series],
        )
        found = measures.values(metrics[series], of)
        yield SeriesMetrics(int(series), int(windows[series]), found)


def _aligned(series: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Put the elements of each series side by side.

    Series with about as many elements come together, so at most half of the places are empty.

    Args:
        series: `(wanted,)` whose each element is.

    Yields:
        Series `(n,)`; `(n, most)` the place of each one's elements, and whether there is one.
    """
    order = np.argsort(series, kind="stable")
    names, first, counts = np.unique(series[order], return_index=True, return_counts=True)
    _, sizes = np.frexp(counts)
    for size in np.unique(sizes):
        own = np.flatnonzero(sizes == size)
        steps = np.arange(counts[own].max())
        exists = steps < counts[own, None]
        yield names[own], order[np.where(exists, first[own, None] + steps, 0)], exists


def _total_squares(part: Part, data: SequenceData, owners: Array) -> Array:
    """Return SST `(series, outputs)` over valid targets, as `total_squares` does of them all.

    Differences are from one value of each series, so that a constant target's SST is exactly 0.
    """
    series = len(data.series)
    shift = np.full((series, part.data.targets.shape[-1]), np.nan)
    for values, valid, own in _of_series(part, data, owners):
        for output, there in enumerate(valid.T):
            names, first = np.unique(own[there], return_index=True)
            new = np.isnan(shift[names, output])
            shift[names[new], output] = values[there, output][first[new]]
    totals, counts, squares = (np.zeros_like(shift) for _ in range(3))
    for values, valid, own in _of_series(part, data, owners):
        np.add.at(totals, own, np.where(valid, values - shift[own], 0.0))
        np.add.at(counts, own, valid)
    centre = shift + totals / np.maximum(counts, 1)
    for values, valid, own in _of_series(part, data, owners):
        np.add.at(squares, own, np.square(np.where(valid, values - centre[own], 0.0)))
    return squares


def _of_series(
    part: Part, data: SequenceData, owners: Array
) -> Iterator[tuple[Array, Array, Array]]:
    """Yield targets `(steps, outputs)` in float64, which are valid, and their series `(steps,)`."""
    first, steps = 0, 1 if part.last else part.data.time_steps
    for values, valid in target_values(part, data):
        stop = first + len(values) // steps
        yield values, valid, np.repeat(owners[first:stop], steps)
        first = stop
