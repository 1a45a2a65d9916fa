"""minGRU and minLSTM (Feng et al. 2024, "Were RNNs all we needed?", algorithms 6 and 8)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.network.cells.linear import InputWeights, LinearCell, above_zero


class MinGru(LinearCell):
    """h' = (1 − z) h + z g(W_h x + b_h), z = σ(W_z x + b_z): the update gate lets the new in."""

    def gates(self, from_x: Tensor) -> tuple[Tensor, Tensor]:
        """Return 1 − z and the new state."""
        update, new = from_x.chunk(2, -1)
        return torch.sigmoid(-update), above_zero(new)

    def first_biases(
        self, weights: InputWeights, config: TrainConfig, generator: torch.Generator
    ) -> None:
        """Draw chrono's biases with the other sign: z takes the place of 1 − f."""
        super().first_biases(weights, config, generator)
        if config.chrono_time_steps is not None:
            weights.bias[: len(weights.bias) // 2].neg_()


class MinLstm(LinearCell):
    """h' = f/(f + i) h + i/(f + i) g(W_h x + b_h): forget and input gates that add up to 1."""

    def gates(self, from_x: Tensor) -> tuple[Tensor, Tensor]:
        """Return f/(f + i) = σ(log f − log i), which no small f and i make 0/0, and the new state.

        As the paper's log-space form has it.
        """
        enter, forget, new = from_x.chunk(3, -1)
        return torch.sigmoid(F.logsigmoid(forget) - F.logsigmoid(enter)), above_zero(new)
