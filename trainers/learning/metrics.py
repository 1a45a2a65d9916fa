"""Metrics as streaming sums, in the target's own units where it was scaled.

A pass over a part adds up a few float64 sums per output or class, so memory does not grow with
the data, a pass can be interrupted, and masked steps never enter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.measured import epoch_metrics
from trainers.config.metrics import MetricType, Pass
from trainers.config.objective import Objective
from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData
from trainers.data.own_units import own_units
from trainers.errors import ConfigError
from trainers.learning import losses
from trainers.learning.batches import Part
from trainers.learning.lanes import StreamPart
from trainers.learning.own_units import OwnUnits
from trainers.learning.seen import Known, Seen
from trainers.learning.waiting import Batch, Waiting
from trainers.network.masks import Array
from trainers.network.segment import Segment
from trainers.registry import load_object

_WAITING = ("answers", "losses")
_KEPT = 3  # rows that checkpoints hold as one tensor
_NUMBERS = ("loss_sum", "loss_count", "plain_loss", "elements")


def check_objective(
    objective: Objective, metrics: Mapping[str, MetricType], data: SequenceData
) -> None:
    """Check that the objective is among the metrics of an epoch.

    Raises:
        ConfigError: it is not.
    """
    if objective.metric not in metrics:
        raise ConfigError(
            f"the objective's metric must be one of {list(metrics)} for {data.task}, "
            f"but got {objective.metric!r}."
        )


class Measures:
    """What a pass over some data measures under a loss, and the sums that this takes.

    Attributes:
        data: Whose parts are passed over.
        structure: Names the loss and has its settings.
        rows: Names of the sums; a pass adds them up as `(…, rows, outputs or classes)`.
        class_weights: `(classes,)` factors of the loss, or None.
        waits: Whether batches may be added up together: nothing but sums, products and distances
            is made of answers, whose last bit does not depend on what lies beside them.

    Args:
        metrics: What is measured, by name; those that need all answers are left out. None for
            what every epoch has.
    """

    def __init__(
        self,
        data: SequenceData,
        structure: Structure,
        device: torch.device | None = None,
        metrics: Mapping[str, MetricType] | None = None,
    ) -> None:
        self.data, self.structure, self._device = data, structure, device
        wanted = epoch_metrics(data, structure.loss) if metrics is None else metrics
        self._values = {name: m.value for name, m in wanted.items() if m.value is not None}
        # One of each, in the metrics' order; the loss's own come first.
        needed = dict.fromkeys(each for name in self._values for each in wanted[name].sums)
        self._adds = [(one, _loaded(one.code)) for one in needed]
        self._units = OwnUnits(data, device)
        self.waits = self._units.is_linear and all(one.of in _WAITING for one in needed)
        self.rows = tuple(row for accumulator in needed for row in accumulator.rows)
        self.class_weights: Tensor | None = None
        if data.class_weights is not None:
            dtype = getattr(torch, structure.dtype)
            self.class_weights = torch.as_tensor(data.class_weights, dtype=dtype, device=device)

    def zeros(self, *trials: int) -> Tensor:
        """Return the sums of nothing, `(*trials, rows, outputs)`."""
        shape = (*trials, len(self.rows), self.data.output_size)
        return torch.zeros(shape, dtype=torch.float64, device=self._device)

    def sums(
        self,
        outputs: Tensor,
        targets: Tensor,
        mask: Tensor | None,
        rescale: Tensor | None = None,
        elements: Tensor | None = None,
        answers: Tensor | None = None,
    ) -> Tensor:
        """Return the sums `(trials, rows, outputs)` of a head's outputs `(trials, wanted, ·)`.

        `mask (trials, wanted, outputs or 1)` leaves single elements out. `rescale (trials, wanted,
        2, outputs)` brings answers and targets to the data's common scale. `elements` of the loss
        and the outputs' `answers` are given where they are known.
        """
        known = Known(elements, answers)
        seen = Seen(self.structure, self._units, outputs.detach(), targets, rescale, known)
        found = [add(*seen.by(one), mask, *one.arguments) for one, add in self._adds]
        return torch.cat(found, dim=1) if found else self.zeros(len(outputs))

    def values(self, sums: Tensor, of: Pass) -> dict[str, float]:
        """Return the metrics by name; those that the data do not define are absent."""
        named = dict(zip(self.rows, sums.cpu().numpy(), strict=True))
        found = {name: value(named, of) for name, value in self._values.items()}
        return {name: value for name, value in found.items() if value is not None}


class Tally:
    """The sums of one pass over a part.

    Attributes:
        measures: What is measured.
        loss_sum: Weighted losses, before division.
        loss_count: What `loss_sum` is divided by.
        plain_loss: The loss's elements without weights.
        elements: Valid target elements.
    """

    def __init__(
        self,
        data: SequenceData,
        structure: Structure,
        device: torch.device | None = None,
        metrics: Mapping[str, MetricType] | None = None,
    ) -> None:
        self.measures = Measures(data, structure, device, metrics)
        self._sums = self.measures.zeros()
        self._waiting = Waiting()
        self.loss_sum = 0.0
        self.loss_count = 0.0
        self.plain_loss = 0.0
        self.elements = 0.0

    @property
    def sums(self) -> Tensor:
        """`(rows, outputs or classes)` float64."""
        if len(self._waiting):
            self._take()
        return self._sums

    @sums.setter
    def sums(self, sums: Tensor) -> None:
        self._sums = sums
        self._waiting.clear()

    def _take(self) -> None:
        """Add up what waits, batch by batch: bit for bit as if each had been added by itself."""
        for found in self.measures.sums(*self._waiting.taken()):
            self._sums += found

    def add_segment(self, segment: Segment, outputs: Tensor, values: Tensor, loss: float) -> None:
        """Add one trial's segment: `outputs (1, wanted, outputs)` and the loss's elements.

        `loss` is their reduction. The count of the loss's mean is added apart, as segments
        without a valid target may have a share in it.
        """
        whole_loss = loss * float(segment.denominator)
        self.loss_sum += whole_loss
        whole = segment.weights is None and self.measures.class_weights is None
        self.plain_loss += whole_loss if whole else values.sum().item()
        assert segment.targets is not None
        self.add(outputs, segment.targets, segment.element_mask, segment.rescale, values)

    def add(
        self,
        outputs: Tensor,
        targets: Tensor,
        mask: Tensor | None = None,
        rescale: Tensor | None = None,
        values: Tensor | None = None,
    ) -> None:
        """Add predictions `(1, wanted, outputs)` against targets (same, or ids `(1, wanted)`).

        `mask (1, wanted, outputs)` leaves single elements out; `rescale (1, wanted, 2, outputs)`
        brings both to the data's common scale; `values` are the loss's elements, where known.
        """
        self.elements += targets.numel() if mask is None else int(mask.sum())
        answers = losses.point(self.measures.structure, outputs.detach())
        batch: Batch = (outputs.detach(), targets, mask, rescale, values, answers)
        if not self._waiting.takes(batch):
            self._take()
        self._waiting.add(batch)
        if not self.measures.waits:
            self._take()

    def numbers(self) -> dict[str, float]:
        """Return everything but the sums, to save it."""
        return {name: getattr(self, name) for name in _NUMBERS}

    def tensors(self) -> dict[str, Tensor]:
        """Return the sums, to save them: those that every release has, others by their names."""
        others = zip(self.measures.rows[_KEPT:], self.sums[_KEPT:], strict=True)
        return {"sums": self.sums[:_KEPT], **{f"sums.{row}": values for row, values in others}}

    def restore(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, float]) -> None:
        """Go on where another tally was; what it did not add up is unknown until the next pass."""
        for name in _NUMBERS:
            setattr(self, name, numbers[name])
        self._waiting.clear()
        self.sums[:_KEPT] = tensors["sums"]
        for row, values in zip(self.measures.rows[_KEPT:], self.sums[_KEPT:], strict=True):
            unknown = torch.full_like(values, math.nan if self.elements else 0.0)
            values.copy_(tensors.get(f"sums.{row}", unknown))

    def clear(self) -> None:
        """Begin a new pass."""
        self._waiting.clear()
        self._sums.zero_()
        for name in _NUMBERS:
            setattr(self, name, 0.0)

    def result(self, total_squares: Array | None = None) -> dict[str, float]:
        """Return the metrics by name; those that the data do not define are absent.

        `total_squares (outputs,)` is SST of the part, for r2.
        """
        if not self.loss_count or not self.elements:
            return {}  # the very first segment diverged
        mean = self.loss_sum / self.loss_count
        data, loss = self.measures.data, LOSSES[self.measures.structure.loss]
        of = Pass(data, loss, mean, self.plain_loss, self.elements, total_squares)
        return self.measures.values(self.sums, of)


def _loaded(code: str | Callable[..., Any]) -> Callable[..., Any]:
    found = load_object(code) if isinstance(code, str) else code
    assert callable(found)
    return found


def total_squares(part: Part | StreamPart, data: SequenceData | None = None) -> Array:
    """Return SST per output `(outputs,)` over a part's valid targets, in two streaming passes.

    It is of targets as they are trained on; those that `data` says were transformed are taken in
    own units.
    """
    shift: Array | None = None
    mean = squares = count = np.zeros(1)
    for values, valid in target_values(part, data):
        # Differences from one value keep a constant target's SST exactly 0.
        shift = values[0] if shift is None else shift
        mean = mean + np.where(valid, values - shift, 0.0).sum(0)
        count = count + valid.sum(0)
    mean = mean / np.maximum(count, 1)
    for values, valid in target_values(part, data):
        squares = squares + np.square(np.where(valid, values - shift - mean, 0.0)).sum(0)
    return np.asarray(squares)


def target_values(
    part: Part | StreamPart, data: SequenceData | None
) -> Iterator[tuple[Array, Array]]:
    """Yield targets `(steps, outputs)` in float64 and which are valid, some rows at a time."""
    for targets, mask in part.target_blocks():
        values = targets.reshape(-1, targets.shape[-1]).astype(np.float64)
        if data is not None and data.target_transform != "none":
            values = own_units(data, values)
        valid = np.ones(values.shape, dtype=bool)
        if mask is not None:
            valid &= mask.reshape(len(values), -1)
        yield values, valid
