"""Sums of likelihoods and pinball losses, in own units."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.learning.losses.forecast import pinball as pinball_losses
from trainers.learning.losses.quantiles import Quantiles
from trainers.learning.own_units import OwnForecast


def nll(losses: tuple[Tensor, Tensor], targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return negative log-likelihoods `(trials, 1, outputs)`: a density's unit is one target's."""
    elements, unit = losses
    return _summed(elements + unit.log(), mask)


def pinball(forecast: OwnForecast, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return pinball losses `(trials, 1, outputs)` of quantiles in order, as they are reported."""
    said = forecast.forecast
    assert isinstance(said, Quantiles)
    errors = targets.unsqueeze(-1) - forecast.quantile(said.levels)
    return _summed(pinball_losses(errors, said.levels).mean(-1), mask)


def _summed(values: Tensor, mask: Tensor | None) -> Tensor:
    return (values if mask is None else torch.where(mask, values, 0.0)).sum(1, keepdim=True)
