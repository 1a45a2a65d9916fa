"""Sums of errors of numbers."""

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


def relative(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return sums of |e| / |y| and their count where y is not 0, 2|e| / (|y| + |ŷ|) and |y|.

    `(trials, 4, outputs)`. Where y and ŷ are both 0 there is no error.
    """
    error, size = (outputs - targets).double().abs(), targets.double().abs()
    both = size + outputs.double().abs()
    not_zero = size > 0
    found = torch.stack(
        [
            torch.where(not_zero, error / size, 0.0),
            not_zero.double(),
            torch.where(both > 0, 2 * error / both, 0.0),
            size,
        ],
        dim=1,
    )
    return (found if mask is None else torch.where(mask.unsqueeze(1), found, 0.0)).sum(2)
