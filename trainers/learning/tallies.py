"""The sums of several trials at once; each trial's own are a `Tally`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.learning.losses import reduced
from trainers.learning.metrics import Measures
from trainers.network.segment import Segment


@dataclass
class Sums:
    """What one segment of several trials adds to their tallies.

    Attributes:
        metrics: `(trials, rows, outputs or classes)` float64, as `Tally.sums`.
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
    measures: Measures,
    valid: Tensor | None = None,
) -> Sums:
    """Add up a segment of several trials.

    Args:
        segment: With targets.
        outputs: `(trials, wanted, outputs)`.
        values: The loss's elements.
        measures: What is measured.
        valid: `(trials, wanted)` which of the wanted count; None for all.
    """
    assert segment.targets is not None
    mask, weighed = segment.element_mask, measures.class_weights
    losses = reduced(values, segment, weighed)
    if valid is not None:
        counts = valid.unsqueeze(-1)
        mask = counts if mask is None else mask & counts
    if segment.weights is None and weighed is None:
        plain = losses.detach().double() * segment.denominator
    else:
        own = values.detach()
        plain = (own if mask is None else torch.where(mask, own, 0.0)).sum(dim=(1, 2)).double()
    metrics = measures.sums(outputs, segment.targets, mask, segment.rescale, values)
    return Sums(metrics, losses, plain)


def elements_of(segment: Segment) -> float:
    """Return the valid target elements of a segment of one trial."""
    assert segment.targets is not None
    mask = segment.element_mask
    return float(segment.targets[0].numel() if mask is None else mask[0].sum())
