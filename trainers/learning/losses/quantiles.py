"""Quantiles as a head gives them, one output a level; linear between them, constant beyond."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from trainers.learning.losses.forecast import (
    EVEN_LEVELS,
    Forecast,
    constant,
    crps_of_quantiles,
    pinball,
    uniform,
)


class Quantiles(Forecast):
    """Sorted quantiles; those that cross are put in order.

    Args:
        outputs: `(…, outputs, levels)`, or `(…, outputs)` of a single level.
        quantiles: The levels, ascending.
    """

    def __init__(self, outputs: Tensor, quantiles: tuple[float, ...]) -> None:
        self.levels = quantiles
        self.values = _by_level(outputs, quantiles).sort(-1).values

    @staticmethod
    def elements(outputs: Tensor, targets: Tensor, quantiles: tuple[float, ...]) -> Tensor:
        """Return the mean pinball loss of the levels as they are: `(…, outputs)` as targets."""
        errors = targets.unsqueeze(-1) - _by_level(outputs, quantiles)
        return pinball(errors, quantiles).mean(-1)

    @classmethod
    def point(cls, outputs: Tensor, quantiles: tuple[float, ...]) -> Tensor:
        """Return the quantile of the level nearest to .5, the lower of two."""
        nearest = min(range(len(quantiles)), key=lambda place: abs(quantiles[place] - 0.5))
        return cls(outputs, quantiles).values[..., nearest]

    @property
    def mean(self) -> Tensor:
        """The integral of all quantiles, `(…, outputs)`."""
        edges = (0.0, *self.levels, 1.0)
        widths = [(right - left) / 2 for left, right in pairwise(edges)]
        weights = [left + right for left, right in pairwise(widths)]
        weights[0] += widths[0]
        weights[-1] += widths[-1]
        return (self.values * constant(tuple(weights), self.values)).sum(-1)

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Interpolate `(…, outputs, levels)`."""
        if tuple(levels) == self.levels:
            return self.values
        asked = constant(tuple(levels), self.values)
        return self._at(asked.expand(*self.values.shape[:-1], -1))

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw a level, and take its quantile."""
        level = uniform(self.values[..., 0], generator).to(self.values.dtype)
        return self._at(level.unsqueeze(-1)).squeeze(-1)

    def crps(self, targets: Tensor) -> Tensor:
        """Return it from 19 even levels."""
        return crps_of_quantiles(self.quantile(EVEN_LEVELS), targets)

    def _at(self, asked: Tensor) -> Tensor:
        """Return the quantiles of `asked (…, outputs, any)`, each target's own levels."""
        known = constant(self.levels, self.values)
        after = torch.searchsorted(known, asked.contiguous()).clamp(1, max(len(known) - 1, 1))
        if len(known) == 1:
            return self.values.expand(asked.shape)
        share = ((asked - known[after - 1]) / (known[after] - known[after - 1])).clamp(0, 1)
        return torch.lerp(self.values.gather(-1, after - 1), self.values.gather(-1, after), share)


def _by_level(outputs: Tensor, levels: tuple[float, ...]) -> Tensor:
    return outputs if len(levels) > 1 else outputs.unsqueeze(-1)
