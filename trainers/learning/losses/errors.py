"""Losses of numbers, element by element: `(trials, wanted, outputs)` both."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return (ŷ − y)²."""
    return F.mse_loss(outputs, targets, reduction="none")


def absolute(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return |ŷ − y|."""
    return F.l1_loss(outputs, targets, reduction="none")


def huber(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return half the squared error below 1, |ŷ − y| − ½ above (Huber 1964)."""
    return F.huber_loss(outputs, targets, reduction="none")
