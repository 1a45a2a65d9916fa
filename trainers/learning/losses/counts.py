"""Distributions of counts: whole numbers >= 0, in float64, since differences of log Γ are small."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from trainers.learning.losses.forecast import (
    EVEN_LEVELS,
    Likelihood,
    constant,
    crps_of_quantiles,
    positive,
    uniform,
)

_CELLS = 96  # of a sum over probabilities; counts of a deviation up to 7 have one each
_BELOW, _ABOVE = 8.0, 19**0.5  # standard deviations; 5 % at most lie above (Cantelli)


class _Counts(Likelihood):
    """What both share.

    Attributes:
        rate: `(…, outputs)` means, in the precision of the head's outputs and of what is returned.
    """

    rate: Tensor

    @property
    @abstractmethod
    def deviation(self) -> Tensor:
        """Standard deviations `(…, outputs)`, float64."""

    @abstractmethod
    def log_probability(self, counts: Tensor) -> Tensor:
        """Return log P of counts `(…, outputs, any)`, float64."""

    @abstractmethod
    def exact(self, levels: Any) -> Any:
        """Return quantiles of levels that go with `(…, outputs, any)`; by scipy, so not fast."""

    @property
    def mean(self) -> Tensor:
        """`(…, outputs)`."""
        return self.rate

    def nll(self, targets: Tensor) -> Tensor:
        """Return −log P of targets."""
        return -self.log_probability(targets.double().unsqueeze(-1)).squeeze(-1).to(self.rate)

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Return the least count that is not exceeded with probability τ."""
        return self._tensor(self.exact(levels))

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw a level, and take its quantile."""
        level = uniform(self.rate, generator).unsqueeze(-1)
        return self._tensor(self.exact(level.cpu().numpy())).squeeze(-1)

    def crps(self, targets: Tensor) -> Tensor:
        """Return it from 19 even levels."""
        quantiles = self.summed(EVEN_LEVELS)
        return crps_of_quantiles(quantiles, targets.double()).to(self.rate)

    def summed(self, levels: Sequence[float]) -> Tensor:
        """Return quantiles of levels up to .95 by adding up probabilities, on any device.

        Counts are split into cells that grow quadratically, from one count at the low end. A cell
        of several is summed by two of its places, exact for cubics: quantiles are then off by less
        than a hundredth of the deviation.
        """
        rate, deviation = self.rate.double().unsqueeze(-1), self.deviation.unsqueeze(-1)
        low = (rate - _BELOW * deviation).clamp_min(0).floor()
        high = rate + _ABOVE * deviation + 1
        step = constant(tuple(range(_CELLS + 1)), rate)
        growth = ((high - low) / _CELLS - 1).clamp_min(0) / _CELLS
        edges = (low + step + growth * step.square()).floor()
        first, size = edges[..., :-1], edges.diff()
        apart, middle = ((size.square() - 1) / 12).sqrt(), first + (size - 1) / 2
        places = torch.stack([middle - apart, middle + apart])
        share = self.log_probability(places).exp().mean(0) * size
        up_to = share.cumsum(-1)
        asked = constant(tuple(levels), rate).expand(*self.rate.shape, -1).contiguous()
        cell = torch.searchsorted(up_to, asked).clamp_max(_CELLS - 1)
        of_cell = [one.gather(-1, cell) for one in (first, size, share, up_to)]
        first, size, share, up_to = of_cell
        within = (((asked - up_to) / share + 1) * size).ceil() - 1
        return first + torch.minimum(within.clamp_min(0), size - 1)

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(values).to(self.rate)


class Poisson(_Counts):
    """Poisson distributions of a rate.

    Args:
        outputs: `(…, outputs)`.
    """

    def __init__(self, outputs: Tensor) -> None:
        self.rate = positive(outputs)

    @property
    def deviation(self) -> Tensor:
        """√λ."""
        return self.rate.double().sqrt()

    def log_probability(self, counts: Tensor) -> Tensor:
        """Return k log λ − λ − log k!."""
        rate = self.rate.double().unsqueeze(-1)
        return counts * rate.log() - rate - torch.lgamma(counts + 1)

    def exact(self, levels: Any) -> Any:
        """Return quantiles."""
        from scipy.stats import poisson

        return poisson.ppf(levels, self.rate.detach().double().unsqueeze(-1).cpu().numpy())


class NegativeBinomial(_Counts):
    """Negative binomial distributions of mean μ and variance μ + αμ² (as Salinas et al. 2020)."""

    def __init__(self, outputs: Tensor) -> None:
        self.rate, self.dispersion = positive(outputs[..., 0]), positive(outputs[..., 1])

    @property
    def deviation(self) -> Tensor:
        """√(μ + αμ²)."""
        rate = self.rate.double()
        return (rate * (1 + self.dispersion.double() * rate)).sqrt()

    def log_probability(self, counts: Tensor) -> Tensor:
        """Return log Γ(k+r) − log Γ(r) − log k! + k log p + r log(1−p), r = 1/α, p = μ/(μ+r)."""
        rate, dispersion = self.rate.double().unsqueeze(-1), self.dispersion.double().unsqueeze(-1)
        r, logit = 1 / dispersion, (rate * dispersion).log()
        ways = torch.lgamma(counts + r) - torch.lgamma(r) - torch.lgamma(counts + 1)
        return ways + counts * F.logsigmoid(logit) + r * F.logsigmoid(-logit)

    def exact(self, levels: Any) -> Any:
        """Return quantiles."""
        from scipy.stats import nbinom

        rate, dispersion = (
            one.detach().double().unsqueeze(-1).cpu().numpy()
            for one in (self.rate, self.dispersion)
        )
        return nbinom.ppf(levels, 1 / dispersion, 1 / (1 + rate * dispersion))
