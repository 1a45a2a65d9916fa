"""Distributions of any number: location and scale, and perhaps degrees of freedom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from trainers.learning.losses.forecast import (
    EVEN_LEVELS,
    Likelihood,
    constant,
    crps_of_quantiles,
    positive,
    uniform,
)

_NODES = 32  # of a polynomial that is exact to rounding for levels of .0001 to .9999


class Gaussian(Likelihood):
    """Normal distributions of mean and standard deviation."""

    def __init__(self, outputs: Tensor) -> None:
        self.location, self.scale = outputs[..., 0], positive(outputs[..., 1])

    @property
    def mean(self) -> Tensor:
        """`(…, outputs)`."""
        return self.location

    def nll(self, targets: Tensor) -> Tensor:
        """Return z²/2 + log σ + log(2π)/2."""
        squares = ((targets - self.location) / self.scale).square()
        return squares / 2 + self.scale.log() + math.log(2 * math.pi) / 2

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Return μ + σ Φ⁻¹(τ)."""
        return _placed(self, torch.special.ndtri(constant(tuple(levels), self.scale)))

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw from the generator's normal distribution."""
        like = self.scale
        drawn = torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)
        return self.location + self.scale * drawn

    def crps(self, targets: Tensor) -> Tensor:
        """Return σ (z (2Φ(z) − 1) + 2φ(z) − 1/√π), Gneiting & Raftery 2007, equation 21."""
        z = (targets - self.location) / self.scale
        density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
        centred = torch.erf(z / math.sqrt(2))
        return self.scale * (z * centred + 2 * density - 1 / math.sqrt(math.pi))


class Laplace(Likelihood):
    """Laplace distributions of location μ and scale b."""

    def __init__(self, outputs: Tensor) -> None:
        self.location, self.scale = outputs[..., 0], positive(outputs[..., 1])

    @property
    def mean(self) -> Tensor:
        """`(…, outputs)`."""
        return self.location

    def nll(self, targets: Tensor) -> Tensor:
        """Return |y − μ|/b + log 2b."""
        return (targets - self.location).abs() / self.scale + (2 * self.scale).log()

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Return μ − b sgn(τ − ½) log(1 − 2|τ − ½|)."""
        return _placed(self, _laplace_quantile(constant(tuple(levels), self.scale)))

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw a level, and take its quantile."""
        drawn = _laplace_quantile(uniform(self.scale, generator)).to(self.scale.dtype)
        return self.location + self.scale * drawn

    def crps(self, targets: Tensor) -> Tensor:
        """Return |y − μ| + b exp(−|y − μ|/b) − ¾b."""
        distance = (targets - self.location).abs()
        return distance + self.scale * (torch.exp(-distance / self.scale) - 0.75)


class StudentT(Likelihood):
    """Student's t of location, scale and ν > 2 degrees of freedom: its variance is finite."""

    def __init__(self, outputs: Tensor) -> None:
        self.location, self.scale = outputs[..., 0], positive(outputs[..., 1])
        self.freedom = 2 + positive(outputs[..., 2])

    @property
    def mean(self) -> Tensor:
        """`(…, outputs)`."""
        return self.location

    def nll(self, targets: Tensor) -> Tensor:
        """Return (ν + 1)/2 log(1 + z²/ν) + log σ + ½ log νπ + log Γ(ν/2) − log Γ((ν + 1)/2)."""
        z, nu = (targets - self.location) / self.scale, self.freedom
        tail = (nu + 1) / 2 * torch.log1p(z.square() / nu) + self.scale.log()
        return tail + (nu * math.pi).log() / 2 + torch.lgamma(nu / 2) - torch.lgamma((nu + 1) / 2)

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Return those of the distribution that 1/ν and each level have, by polynomials in 1/ν."""
        angle = torch.acos((4 / self.freedom - 1).clamp(-1, 1)).unsqueeze(-1)
        waves = torch.cos(angle * constant(tuple(range(_NODES)), self.scale))
        flat = tuple(number for level in levels for number in _polynomial(level))
        weights = constant(flat, self.scale).reshape(len(levels), _NODES)
        return _placed(self, waves @ weights.T)

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw √(ν (u^(−2/ν) − 1)) cos 2πv, Bailey 1994, of uniform u and v."""
        u, v = (uniform(self.scale, generator) for _ in range(2))
        nu = self.freedom.double()
        drawn = torch.sqrt(nu * torch.expm1(-2 / nu * u.log())) * torch.cos(2 * math.pi * v)
        return self.location + self.scale * drawn.to(self.scale.dtype)

    def crps(self, targets: Tensor) -> Tensor:
        """Return it from 19 even levels."""
        return crps_of_quantiles(self.quantile(EVEN_LEVELS), targets)


def _placed(of: Gaussian | Laplace | StudentT, standard: Tensor) -> Tensor:
    """Return quantiles `(…, outputs, levels)` of the standard distribution's."""
    return of.location.unsqueeze(-1) + of.scale.unsqueeze(-1) * standard


def _laplace_quantile(levels: Tensor) -> Tensor:
    centred = levels - 0.5
    return -centred.sign() * torch.log1p(-2 * centred.abs())


@cache
def _polynomial(level: float) -> tuple[float, ...]:
    """Return Chebyshev coefficients of t's quantile over 4/ν − 1, for ν >= 2."""
    import numpy as np
    from scipy.stats import t

    nodes = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
    values = t.ppf(level, 4 / (nodes + 1))
    return tuple(np.polynomial.chebyshev.chebfit(nodes, values, _NODES - 1).tolist())
