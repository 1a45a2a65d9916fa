"""Sums over forecast distributions and quantiles, all in own units."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.learning.own_units import OwnForecast


def scores(forecast: OwnForecast, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return the continuous ranked probability scores: `(trials, 1, outputs)`."""
    found = forecast.crps(targets)
    return (found if mask is None else torch.where(mask, found, 0.0)).sum(1, keepdim=True)


def intervals(forecast: OwnForecast, targets: Tensor, mask: Tensor | None, level: float) -> Tensor:
    """Return how many targets a central interval holds, and its widths: `(trials, 2, outputs)`."""
    ends = forecast.quantile(((1 - level) / 2, (1 + level) / 2))
    low, high = ends.unbind(-1)
    held = ((low <= targets) & (targets <= high)).double()
    found = torch.stack([held, high - low], dim=1)
    return (found if mask is None else torch.where(mask.unsqueeze(1), found, 0.0)).sum(2)
