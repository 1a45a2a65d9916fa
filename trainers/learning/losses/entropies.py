"""Losses of classes, in nats; outputs are logits."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def of_classes(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return −log p of class ids `(trials, wanted)`: `(trials, wanted, 1)`."""
    logits = outputs.reshape(-1, outputs.shape[-1])
    flat = F.cross_entropy(logits, targets.reshape(-1), reduction="none")
    return flat.reshape(*targets.shape, 1)


def of_labels(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return −log p of each label, `(trials, wanted, outputs)` as targets."""
    return F.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
