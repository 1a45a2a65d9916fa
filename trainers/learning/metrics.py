"""Metrics as streaming sums, in the target's own units where it was scaled.

A pass over a part adds up a few float64 sums per output or class, so memory does not grow with
the data, a pass can be interrupted, and masked steps never enter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from trainers.config.fitting import LANGUAGE, is_language, metric_names
from trainers.config.objective import Objective
from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData
from trainers.errors import ConfigError
from trainers.learning.batches import Part
from trainers.learning.lanes import StreamPart
from trainers.network.masks import Array
from trainers.network.segment import Segment

_LARGEST_EXPONENT = 700.0  # e^700 is about the largest float
_NUMBERS = ("loss_sum", "loss_count", "plain_loss", "elements")


def check_objective(objective: Objective, data: SequenceData, structure: Structure) -> None:
    """Check that the objective is a metric of this data.

    Raises:
        ConfigError: it is not.
    """
    names = metric_names(data, structure.loss)
    if objective.metric not in names:
        raise ConfigError(
            f"the objective's metric must be one of {list(names)} for {data.task}, "
            f"but got {objective.metric!r}."
        )


class Tally:
    """The sums of one pass over a part.

    Attributes:
        sums: `(3, outputs or classes)` float64. Regression: squared errors, absolute errors,
            elements. Classification: hits, predicted, actual.
        loss_sum: Weighted losses, before division.
        loss_count: What `loss_sum` is divided by.
        plain_loss: The loss's elements without weights.
        elements: Valid target elements.
        class_weights: `(classes,)` factors of the loss, or None.
    """

    def __init__(
        self, data: SequenceData, structure: Structure, device: torch.device | None = None
    ) -> None:
        self._data = data
        self._single_label = structure.loss == "cross_entropy"
        self.class_weights: Tensor | None = None
        if data.class_weights is not None:
            dtype = getattr(torch, structure.dtype)
            self.class_weights = torch.as_tensor(data.class_weights, dtype=dtype, device=device)
        self.sums = torch.zeros(3, data.output_size, dtype=torch.float64, device=device)
        self.loss_sum = 0.0
        self.loss_count = 0.0
        self.plain_loss = 0.0
        self.elements = 0.0

    def add_segment(self, segment: Segment, outputs: Tensor, values: Tensor, loss: float) -> None:
        """Add one trial's segment: `outputs (1, wanted, outputs)` and the loss's elements.

        `loss` is their reduction. The count of the loss's mean is added apart, as segments
        without a valid target may have a share in it.
        """
        whole_loss = loss * float(segment.denominator)
        self.loss_sum += whole_loss
        whole = segment.weights is None and self.class_weights is None
        self.plain_loss += whole_loss if whole else values.sum().item()
        assert segment.targets is not None
        mask = segment.element_mask
        self.add(outputs[0], segment.targets[0], None if mask is None else mask[0])

    def add(self, outputs: Tensor, targets: Tensor, mask: Tensor | None) -> None:
        """Add predictions `(wanted, outputs)` against targets (same, or class ids `(wanted,)`).

        `mask (wanted, outputs)` leaves single elements out.
        """
        self.elements += targets.numel() if mask is None else int(mask.sum())
        if self._data.task == "regression":
            self._add_errors(outputs, targets, mask)
        elif targets.dim() == 1:
            self._add_classes(outputs, targets)
        else:
            self._add_labels(outputs > 0, targets > 0.5, mask)

    def numbers(self) -> dict[str, float]:
        """Return everything but `sums`, to save it; restored by setting the attributes."""
        return {name: getattr(self, name) for name in _NUMBERS}

    def restore(self, sums: Tensor, numbers: dict[str, float]) -> None:
        """Go on where another tally was."""
        self.sums.copy_(sums)
        for name in _NUMBERS:
            setattr(self, name, numbers[name])

    def clear(self) -> None:
        """Begin a new pass."""
        self.restore(torch.zeros_like(self.sums), dict.fromkeys(_NUMBERS, 0.0))

    def _add_errors(self, outputs: Tensor, targets: Tensor, mask: Tensor | None) -> None:
        error = (outputs - targets).double()
        if mask is None:
            self.sums[2] += len(targets)
        else:
            error = torch.where(mask, error, 0.0)
            self.sums[2] += mask.sum(0)
        self.sums[0] += error.square().sum(0)
        self.sums[1] += error.abs().sum(0)

    def _add_classes(self, outputs: Tensor, targets: Tensor) -> None:
        predicted = outputs.argmax(-1)
        classes = self.sums.shape[1]
        self.sums[0] += torch.bincount(targets[predicted == targets], minlength=classes)
        self.sums[1] += torch.bincount(predicted, minlength=classes)
        self.sums[2] += torch.bincount(targets, minlength=classes)

    def _add_labels(self, predicted: Tensor, actual: Tensor, mask: Tensor | None) -> None:
        if mask is not None:
            predicted, actual = predicted & mask, actual & mask
        self.sums[0] += (predicted & actual).sum(0)
        self.sums[1] += predicted.sum(0)
        self.sums[2] += actual.sum(0)

    def result(self, total_squares: Array | None = None) -> dict[str, float]:
        """Return the metrics by name; those that the data do not define are absent.

        `total_squares (outputs,)` is SST of the part, for r2.
        """
        if not self.loss_count or not self.elements:
            return {}  # the very first segment diverged
        metrics = {"loss": self.loss_sum / self.loss_count}
        if self._data.task == "regression":
            metrics |= self._regression(total_squares)
        else:
            metrics |= self._classification()
        return metrics

    def _regression(self, total_squares: Array | None) -> dict[str, float]:
        squares, absolutes, elements = self.sums.cpu().numpy()
        scale = (
            np.ones(len(squares)) if self._data.target_scale is None else self._data.target_scale
        )
        scale = np.asarray(scale, dtype=np.float64)
        mse = float((squares * scale**2).sum() / elements.sum())
        mae = float((absolutes * np.abs(scale)).sum() / elements.sum())
        metrics = {"mse": mse, "rmse": math.sqrt(mse) if mse >= 0 else mse, "mae": mae}
        if total_squares is not None and (varies := total_squares > 0).any():
            # A linear scale cancels: SSE and SST are both in scaled units.
            metrics["r2"] = float((1 - squares[varies] / total_squares[varies]).mean())
        return metrics

    def _classification(self) -> dict[str, float]:
        hits, predicted, actual = self.sums.cpu().numpy()
        known = predicted + actual > 0
        f1 = 2 * hits[known] / (predicted[known] + actual[known])
        # Single-label: every element has one class. Multi-label: absent and unpredicted is right.
        wrong = (predicted + actual - 2 * hits).sum()
        right = hits.sum() if self._single_label else self.elements - wrong
        metrics = {
            "accuracy": float(right / self.elements),
            "macro_f1": float(f1.mean()) if known.any() else 0.0,
        }
        if self._single_label:
            nats = metrics["cross_entropy"] = self.plain_loss / self.elements
            if is_language(self._data):
                perplexity = math.exp(min(nats, _LARGEST_EXPONENT))
                bits = nats / math.log(2)
                metrics |= dict(zip(LANGUAGE, (nats, bits, perplexity), strict=True))
        return metrics


def total_squares(part: Part | StreamPart) -> Array:
    """Return SST per output `(outputs,)` over a part's valid targets, in two streaming passes."""
    shift: Array | None = None
    mean = squares = count = np.zeros(1)
    for values, valid in _target_blocks(part):
        # Differences from one value keep a constant target's SST exactly 0.
        shift = values[0] if shift is None else shift
        mean = mean + np.where(valid, values - shift, 0.0).sum(0)
        count = count + valid.sum(0)
    mean = mean / np.maximum(count, 1)
    for values, valid in _target_blocks(part):
        squares = squares + np.square(np.where(valid, values - shift - mean, 0.0)).sum(0)
    return np.asarray(squares)


def _target_blocks(part: Part | StreamPart) -> Iterator[tuple[Array, Array]]:
    """Yield targets `(steps, outputs)` in float64 and which are valid, some rows at a time."""
    for targets, mask in part.target_blocks():
        values = targets.reshape(-1, targets.shape[-1]).astype(np.float64)
        valid = np.ones(values.shape, dtype=bool)
        if mask is not None:
            valid &= mask.reshape(len(values), -1)
        yield values, valid
