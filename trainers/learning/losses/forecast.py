"""What a head says of targets beyond a point: quantiles, samples, and how well they fit.

All is in the network's scaled units. Quantiles, samples and the mean are linear in scale and shift,
CRPS in the scale.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.train_config import Structure
from trainers.network.point import by_target, loaded

EVEN_LEVELS = tuple(step / 20 for step in range(1, 20))  # .05 … .95


class Forecast(ABC):
    """A distribution of each target `(…, outputs)`."""

    @property
    @abstractmethod
    def mean(self) -> Tensor:
        """`(…, outputs)`."""

    @abstractmethod
    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Return `(…, outputs, levels)`, higher ones for higher levels; `0 < level < 1`."""

    @abstractmethod
    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw once `(…, outputs)`; the generator is of the outputs' device."""

    @abstractmethod
    def crps(self, targets: Tensor) -> Tensor:
        """Return the continuous ranked probability score of targets: `(…, outputs)` both.

        Gneiting & Raftery 2007. No shape depends on values, so it can be captured.
        """


class Likelihood(Forecast):
    """A forecast of a distribution that is learned by its likelihood.

    Args:
        outputs: `(…, outputs, outputs_per_target)` of a head, or `(…, outputs)` of one each.
    """

    @abstractmethod
    def __init__(self, outputs: Tensor) -> None: ...

    @abstractmethod
    def nll(self, targets: Tensor) -> Tensor:
        """Return −log of the density or probability of targets, in nats: `(…, outputs)` both."""

    @classmethod
    def elements(cls, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss's elements, as `LossType.code`."""
        return cls(outputs).nll(targets)

    @classmethod
    def point(cls, outputs: Tensor) -> Tensor:
        """Return the answer that metrics judge, as `LossType.point`."""
        return cls(outputs).mean


def forecast(structure: Structure, outputs: Tensor) -> Forecast | None:
    """Return what a head's outputs `(…, outputs · each)` say; None for a point or a class."""
    loss = LOSSES[structure.loss]
    if loss.distribution is None:
        return None
    settings = loss.settings_of(structure)
    found = loaded(loss.distribution)(by_target(structure, outputs), **settings)
    assert isinstance(found, Forecast)
    return found


def pinball(errors: Tensor, levels: Sequence[float]) -> Tensor:
    """Return max(τe, (τ − 1)e) of `errors (…, levels)`, y − q (Koenker & Bassett 1978)."""
    return errors * constant(tuple(levels), errors) + torch.relu(-errors)


def crps_of_quantiles(quantiles: Tensor, targets: Tensor) -> Tensor:
    """Return twice the mean pinball loss of quantiles at `EVEN_LEVELS`, `(…, outputs, levels)`."""
    return 2 * pinball(targets.unsqueeze(-1) - quantiles, EVEN_LEVELS).mean(-1)


def positive(outputs: Tensor) -> Tensor:
    """Return numbers above 0."""
    return torch.nn.functional.softplus(outputs) + 1e-6


def uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw numbers of (0, 1), in float64."""
    drawn = torch.rand(like.shape, generator=generator, dtype=torch.float64, device=like.device)
    return drawn.clamp_min(1e-12)


def constant(values: tuple[float, ...], like: Tensor) -> Tensor:
    """Return numbers as a tensor; made once, since a capture can't copy from the host."""
    return _constant(values, like.dtype, like.device)


@cache
def _constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=dtype, device=device)
