"""Sums over a loss's elements, brought to own units."""

from __future__ import annotations

import torch
from torch import Tensor


def nll(losses: tuple[Tensor, Tensor], targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return negative log-likelihoods `(trials, 1, outputs)`: a density's unit is one target's."""
    elements, unit = losses
    return _summed(elements + unit.log(), mask)


def pinball(losses: tuple[Tensor, Tensor], targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return pinball losses `(trials, 1, outputs)`."""
    elements, unit = losses
    return _summed(elements * unit, mask)


def _summed(values: Tensor, mask: Tensor | None) -> Tensor:
    return (values if mask is None else torch.where(mask, values, 0.0)).sum(1, keepdim=True)
