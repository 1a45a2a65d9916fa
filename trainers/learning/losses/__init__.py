"""Losses of single elements; masks and reductions are the segment's (see `tbptt`)."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.train_config import Structure
from trainers.network.point import by_target, loaded
from trainers.network.point import point as point
from trainers.network.segment import Segment


def elements(structure: Structure, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of every element.

    Args:
        structure: Names the loss and has its settings.
        outputs: `(trials, wanted, outputs)`, logits for the cross-entropies.
        targets: As outputs, or class ids `(trials, wanted)` for cross_entropy.

    Returns:
        `(trials, wanted, outputs)`, or `(trials, wanted, 1)` for cross_entropy, in nats.
    """
    loss = LOSSES[structure.loss]
    settings = loss.settings_of(structure)
    values: Tensor = loaded(loss.code)(by_target(structure, outputs), targets, **settings)
    return values


def reduced(values: Tensor, segment: Segment, class_weights: Tensor | None = None) -> Tensor:
    """Reduce `elements` to one loss per trial `(trials,)` by the segment's weights.

    `class_weights (classes,)` are factors of the elements; what is divided by stays the same. For
    labels that don't exclude each other they weigh the present ones.
    """
    return torch.sum(weighted(values, segment, class_weights), dim=(1, 2)) / segment.denominator


def weighted(values: Tensor, segment: Segment, class_weights: Tensor | None = None) -> Tensor:
    """Return `elements` times the segment's weights and those of classes; see `reduced`."""
    if segment.weights is not None:
        values = values * segment.weights
    if class_weights is not None:
        values = values * _class_factors(segment, class_weights)
    return values


def _class_factors(segment: Segment, class_weights: Tensor) -> Tensor:
    targets = segment.targets
    assert targets is not None
    if targets.dim() == 2:
        return class_weights[targets].unsqueeze(-1)
    return torch.where(targets > 0.5, class_weights, 1.0)
