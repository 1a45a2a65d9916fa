"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.learning.optimizers.interface import Columns, Rule
from trainers.learning.optimizers.sgd import momentum

_EPSILON = 1e-8


class RmsProp(Rule):
    """Tieleman & Hinton 2012; with momentum as `torch.optim.RMSprop` has it."""

    def numbers(
        self, configs: Sequence[TrainConfig], steps_done: Sequence[int], rates: Sequence[float]
    ) -> dict[str, list[float]]:
        """Return the rates, and how much of a squared gradient enters their mean."""
        rest = [1 - config.rmsprop_smoothing for config in configs]
        return {"rest": rest, "size": [-rate for rate in rates], **momentum(configs)}

    def step(self, weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns) -> None:
        """Step along the gradient, divided by the root of its mean square."""
        squares, velocity = moments.unbind(0)
        rest = columns["rest"]
        weight = rest.expand_as(squares) if isinstance(rest, Tensor) else rest
        squares.lerp_(gradient.square(), weight)
        direction = gradient / squares.sqrt().add_(_EPSILON)
        if "momentum" in columns:
            direction = velocity.mul_(columns["momentum"]).add_(direction)
        weights.add_(direction * columns["size"])
