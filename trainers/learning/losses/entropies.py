"""Losses of classes, in nats; outputs are logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def of_classes(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return −log p of class ids `(trials, wanted)`: `(trials, wanted, 1)`."""
    logits = outputs.reshape(-1, outputs.shape[-1])
    flat = F.cross_entropy(logits, targets.reshape(-1), reduction="none")
    return flat.reshape(*targets.shape, 1)


def focal(outputs: Tensor, targets: Tensor, focal_gamma: float) -> Tensor:
    """Return −(1 − p)^γ log p of class ids `(trials, wanted)`: `(trials, wanted, 1)`.

    Lin et al. 2017, equation 4; class weights are their α.
    """
    nats = of_classes(outputs, targets)
    # Not 0, where a root's gradient is infinite.
    missed = (-torch.expm1(-nats)).clamp_min(torch.finfo(nats.dtype).tiny)
    return missed.pow(focal_gamma) * nats


def of_labels(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return −log p of each label, `(trials, wanted, outputs)` as targets."""
    return F.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
