"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.learning.optimizers.interface import Columns, Rule


class Sgd(Rule):
    """With momentum and Nesterov's look-ahead as `torch.optim.SGD` has them."""

    def numbers(
        self, configs: Sequence[TrainConfig], steps_done: Sequence[int], rates: Sequence[float]
    ) -> dict[str, list[float]]:
        """Return the rates, and what of velocity and gradient a step goes along."""
        numbers = {"size": [-rate for rate in rates], **momentum(configs)}
        if "momentum" in numbers:
            # Plain momentum steps along the velocity; Nesterov along gradient + momentum ·
            # velocity.
            pairs = zip(numbers["momentum"], configs, strict=True)
            numbers["along_velocity"] = [m if c.nesterov else 1.0 for m, c in pairs]
            if any(config.nesterov for config in configs):
                numbers["along_gradient"] = [1.0 if c.nesterov else 0.0 for c in configs]
        return numbers

    def step(self, weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns) -> None:
        """Step along the gradient, or the velocity that it adds to."""
        if "momentum" not in columns:
            weights.add_(gradient * columns["size"])
            return
        velocity = moments[0]
        velocity.mul_(columns["momentum"]).add_(gradient)
        direction = velocity * columns["along_velocity"]
        if "along_gradient" in columns:
            direction.add_(gradient * columns["along_gradient"])
        weights.add_(direction.mul_(columns["size"]))


def momentum(configs: Sequence[TrainConfig]) -> dict[str, list[float]]:
    """Return the momenta, where any trial has one."""
    values = [config.momentum for config in configs]
    return {"momentum": values} if any(values) else {}
