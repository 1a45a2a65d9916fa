"""Losses of single elements; masks and reductions are the segment's (see `tbptt`)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from trainers.network.segment import Segment

_ELEMENTWISE: dict[str, Callable[..., Tensor]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,  # delta 1
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
}


def elements(loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of every element.

    Args:
        loss: Its name.
        outputs: `(trials, wanted, outputs)`, logits for the cross-entropies.
        targets: As outputs, or class ids `(trials, wanted)` for cross_entropy.

    Returns:
        `(trials, wanted, outputs)`, or `(trials, wanted, 1)` for cross_entropy, in nats.
    """
    if loss == "cross_entropy":
        flat = F.cross_entropy(
            outputs.reshape(-1, outputs.shape[-1]), targets.reshape(-1), reduction="none"
        )
        return flat.reshape(*targets.shape, 1)
    return _ELEMENTWISE[loss](outputs, targets, reduction="none")


def reduced(values: Tensor, segment: Segment, class_weights: Tensor | None = None) -> Tensor:
    """Reduce `elements` to one loss per trial `(trials,)` by the segment's weights.

    `class_weights (classes,)` are factors of the elements; what is divided by stays the same. For
    labels that don't exclude each other they weigh the present ones.
    """
    weighted = values if segment.weights is None else values * segment.weights
    if class_weights is not None:
        weighted = weighted * _class_factors(segment, class_weights)
    return torch.sum(weighted, dim=(1, 2)) / segment.denominator


def _class_factors(segment: Segment, class_weights: Tensor) -> Tensor:
    targets = segment.targets
    assert targets is not None
    if targets.dim() == 2:
        return class_weights[targets].unsqueeze(-1)
    return torch.where(targets > 0.5, class_weights, 1.0)
