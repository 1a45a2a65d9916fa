"""Cells whose gates read the input alone: h' = a h + (1 − a) n, linear in h.

So all steps of a segment can be had at once (`trainers.network.backends.scan`), where other cells
must wait for h.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, final

import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.network.cells.affine import affine, gate_biases
from trainers.network.cells.interface import Cell, State


class InputWeights(NamedTuple):
    """One layer, one direction; G = gates · hidden.

    Attributes:
        input: `(trials, G, features)`.
        bias: `(trials, G)`.
    """

    input: Tensor
    bias: Tensor


class LinearCell(Cell[InputWeights], ABC):
    """One kernel and one bias; what is left to a cell is what its gates make of the input."""

    weights = InputWeights

    @abstractmethod
    def gates(self, from_x: Tensor) -> tuple[Tensor, Tensor]:
        """Return a, the share of the old state that stays, and n, the new one.

        Both `(…, hidden)` of `from_x (…, G)`; 0 <= a <= 1.
        """

    @final
    def shapes(self, features: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return the names of torch's weights of the input."""
        rows = len(self.facts.gates) * hidden
        return {"weight_ih": (rows, features), "bias_ih": (rows,)}

    @final
    def from_input(self, x: Tensor, weights: InputWeights) -> Tensor:
        """Return W x + b."""
        return affine(x, weights.input, weights.bias)

    @final
    def from_hidden(self, h: Tensor, weights: InputWeights) -> Tensor:
        """Return nothing, `(trials, batch, 0)`: no gate reads h."""
        return h[..., :0]

    @final
    def combine(self, from_x: Tensor, from_h: Tensor, state: State, weights: InputWeights) -> State:
        """Return h'."""
        keep, new = self.gates(from_x)
        return (torch.lerp(new, state[0], keep),)

    @final
    def first_weights(
        self, weights: InputWeights, config: TrainConfig, generator: torch.Generator
    ) -> None:
        """Leave torch's draw."""

    def first_biases(
        self, weights: InputWeights, config: TrainConfig, generator: torch.Generator
    ) -> None:
        """Set the gates' biases; there is one of each."""
        none = torch.zeros_like(weights.bias)
        gate_biases(self.facts, weights.bias, none, config, generator)


def above_zero(x: Tensor) -> Tensor:
    """Return g(x): x + ½ above 0, σ(x) below (Feng et al. 2024, appendix B): continuous, > 0.

    As max(x, 0) + σ(min(x, 0)): a choice by element takes five times as long on a CPU.
    """
    above = torch.relu(x)
    return above + torch.sigmoid(x - above)
