"""Adagrad."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.learning.optimizers.interface import Columns, Rule

_EPSILON = 1e-10


class Adagrad(Rule):
    """Duchi et al. 2011."""

    def numbers(
        self, configs: Sequence[TrainConfig], steps_done: Sequence[int], rates: Sequence[float]
    ) -> dict[str, list[float]]:
        """Return the rates."""
        return {"size": [-rate for rate in rates]}

    def step(self, weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns) -> None:
        """Step along the gradient, divided by the root of the sum of its squares."""
        sums = moments[0]
        sums.addcmul_(gradient, gradient)
        direction = gradient / sums.sqrt().add_(_EPSILON)
        weights.add_(direction.mul_(columns["size"]))
