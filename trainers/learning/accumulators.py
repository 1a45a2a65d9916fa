"""Sums that the metrics are made of: one segment's, of all its trials, in float64.

`trainers.config.metrics.Accumulator` says what comes in and goes out.
"""

from __future__ import annotations

import torch
from torch import Tensor


def errors(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return squared errors, absolute errors and elements: `(trials, 3, outputs)`."""
    error = (outputs - targets).double()
    if mask is None:
        count = error.new_full((len(error), error.shape[2]), error.shape[1])
    else:
        error = torch.where(mask, error, 0.0)
        count = mask.expand(error.shape).double().sum(1)
    return torch.stack([error.square().sum(1), error.abs().sum(1), count], dim=1)


def counts(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return hits, predicted and actual of each class or label: `(trials, 3, classes)`."""
    if targets.dim() == 2:
        return _classes(outputs, targets, mask)
    predicted, actual = outputs > 0, targets > 0.5
    if mask is not None:
        predicted, actual = predicted & mask, actual & mask
    parts = (predicted & actual, predicted, actual)
    return torch.stack([part.double().sum(1) for part in parts], dim=1)


def _classes(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    predicted = outputs.argmax(-1)
    one = torch.ones_like(targets, dtype=torch.float64) if mask is None else mask[..., 0].double()
    found = one.new_zeros(3, len(targets), outputs.shape[-1])
    found[0].scatter_add_(1, targets, one * (predicted == targets))
    found[1].scatter_add_(1, predicted, one)
    found[2].scatter_add_(1, targets, one)
    return found.transpose(0, 1)
