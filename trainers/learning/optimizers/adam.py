"""Adam; AdamW where weight decay is decoupled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.learning.optimizers.interface import Columns, Rule

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class Adam(Rule):
    """Kingma & Ba 2015, algorithm 1."""

    def numbers(
        self, configs: Sequence[TrainConfig], steps_done: Sequence[int], rates: Sequence[float]
    ) -> dict[str, list[float]]:
        """Return the corrections of the moments' bias, the rate within one of them."""
        return {
            "spread": [(1 - _BETA2 ** (done + 1)) ** -0.5 for done in steps_done],
            "size": [
                -r / (1 - _BETA1 ** (done + 1)) for r, done in zip(rates, steps_done, strict=True)
            ],
        }

    def step(self, weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns) -> None:
        """Step along the mean gradient, divided by the root of its mean square."""
        first, second = moments.unbind(0)
        first.lerp_(gradient, 1 - _BETA1)
        second.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
        denominator = second.sqrt().mul_(columns["spread"]).add_(_EPSILON)
        weights.add_(torch.div(first, denominator, out=denominator).mul_(columns["size"]))
