"""The sums of several trials at once; each trial's own are a `Tally`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.learning.losses import reduced
from trainers.network.segment import Segment


@dataclass
class Sums:
    """What one segment of several trials adds to their tallies.

    Attributes:
        metrics: `(trials, 3, outputs or classes)` float64, as `Tally.sums`.
        losses: `(trials,)` the losses, reduced.
        plain: `(trials,)` the losses' elements without weights, added up.
    """

    metrics: Tensor
    losses: Tensor
    plain: Tensor


def sums_of(
    segment: Segment,
    outputs: Tensor,
    values: Tensor,
    structure: Structure,
    class_weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Sums:
    """Add up a segment of several trials.

    Args:
        segment: With targets.
        outputs: `(trials, wanted, outputs)`.
        values: The loss's elements.
        structure: Of the trials.
        class_weights: `(classes,)` factors of the loss.
        valid: `(trials, wanted)` which of the wanted count; None for all.
    """
    losses = reduced(values, segment, class_weights)
    mask, own = segment.element_mask, values.detach()
    if valid is not None:
        counts = valid.unsqueeze(-1)
        mask = counts if mask is None else mask & counts
    if mask is not None:
        own = torch.where(mask, own, 0.0)
    assert segment.targets is not None
    with torch.no_grad():
        metrics = _metrics(outputs.detach(), segment.targets, mask, structure)
    return Sums(metrics, losses, own.double().sum(dim=(1, 2)))


def elements_of(segment: Segment) -> float:
    """Return the valid target elements of a segment of one trial."""
    assert segment.targets is not None
    mask = segment.element_mask
    return float(segment.targets[0].numel() if mask is None else mask[0].sum())


def _metrics(outputs: Tensor, targets: Tensor, mask: Tensor | None, structure: Structure) -> Tensor:
    if structure.loss == "cross_entropy":
        return _classes(outputs, targets, mask)
    if structure.loss == "binary_cross_entropy":
        predicted, actual = outputs > 0, targets > 0.5
        if mask is not None:
            predicted, actual = predicted & mask, actual & mask
        parts = (predicted & actual, predicted, actual)
        return torch.stack([part.double().sum(1) for part in parts], dim=1)
    error = (outputs - targets).double()
    if mask is None:
        count = error.new_full((len(error), error.shape[2]), error.shape[1])
    else:
        error = torch.where(mask, error, 0.0)
        count = mask.expand(error.shape).double().sum(1)
    return torch.stack([error.square().sum(1), error.abs().sum(1), count], dim=1)


def _classes(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Count hits, predicted and actual: `(trials, 3, classes)`."""
    predicted = outputs.argmax(-1)
    one = torch.ones_like(targets, dtype=torch.float64) if mask is None else mask[..., 0].double()
    counts = one.new_zeros(3, len(targets), outputs.shape[-1])
    counts[0].scatter_add_(1, targets, one * (predicted == targets))
    counts[1].scatter_add_(1, predicted, one)
    counts[2].scatter_add_(1, targets, one)
    return counts.transpose(0, 1)
