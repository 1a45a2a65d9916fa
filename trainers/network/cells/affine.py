"""The cells whose weights are torch's: one kernel and one bias for the input, and for h."""

from __future__ import annotations

from abc import ABC
from typing import NamedTuple

import torch
from torch import Tensor

from trainers.config.cells import CellType
from trainers.config.train_config import TrainConfig
from trainers.network.cells.interface import Cell


class AffineWeights(NamedTuple):
    """One layer, one direction; G = gates · hidden.

    Attributes:
        input: `(trials, G, features)`, torch's `weight_ih`.
        hidden: `(trials, G, hidden)`, torch's `weight_hh`.
        input_bias: `(trials, G)`, torch's `bias_ih`.
        hidden_bias: `(trials, G)`, torch's `bias_hh`.
    """

    input: Tensor
    hidden: Tensor
    input_bias: Tensor
    hidden_bias: Tensor


class AffineCell(Cell[AffineWeights], ABC):
    """Both shares are affine; what is left to a cell is how it combines them."""

    weights = AffineWeights
    recurrent = "hidden"

    def shapes(self, features: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return torch's names and shapes."""
        return kernel_shapes(self.facts, features, hidden)

    def from_input(self, x: Tensor, weights: AffineWeights) -> Tensor:
        """Return W x + b."""
        return affine(x, weights.input, weights.input_bias)

    def from_hidden(self, h: Tensor, weights: AffineWeights) -> Tensor:
        """Return U h + b."""
        return affine(h, weights.hidden, weights.hidden_bias)

    def first_weights(
        self, weights: AffineWeights, config: TrainConfig, generator: torch.Generator
    ) -> None:
        """Leave torch's draw, but for orthogonal recurrent kernels and the IRNN's identity."""
        if config.recurrent_init == "identity":  # Le et al. 2015
            weights.input.normal_(0.0, 0.001, generator=generator)
            torch.nn.init.eye_(weights.hidden)
            weights.input_bias.zero_()
            weights.hidden_bias.zero_()
        orthogonal_gates(weights.hidden, config, generator)

    def first_biases(
        self, weights: AffineWeights, config: TrainConfig, generator: torch.Generator
    ) -> None:
        """Set the gates' biases."""
        biases = weights.input_bias, weights.hidden_bias
        gate_biases(self.facts, *biases, config, generator)


def kernel_shapes(facts: CellType, features: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Return torch's names and shapes of two kernels and two biases."""
    rows = len(facts.gates) * hidden
    return {
        "weight_ih": (rows, features),
        "weight_hh": (rows, hidden),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    }


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Per trial `x Wᵀ + b`: (trials, rows, in) → (trials, rows, out)."""
    if len(x) == 1:  # a plain product is faster than a batch of one
        return torch.addmm(bias.squeeze(0), x.squeeze(0), weight.squeeze(0).t()).unsqueeze(0)
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))


def orthogonal_gates(kernel: Tensor, config: TrainConfig, generator: torch.Generator) -> None:
    """Draw h's kernel `(G, hidden)` orthogonal gate by gate, where that was asked for."""
    if config.recurrent_init == "orthogonal":
        for gate in torch.split(kernel, kernel.shape[1]):
            torch.nn.init.orthogonal_(gate, generator=generator)


def gate_biases(
    facts: CellType,
    first: Tensor,
    second: Tensor,
    config: TrainConfig,
    generator: torch.Generator,
) -> None:
    """Set the biases `(G,)` that decide how long a cell remembers; their sum is what was asked for.

    Chrono (Tallec & Ollivier 2018): b_f ~ log U[1, T − 1] and b_i = −b_f; an update gate that keeps
    the old state, as torch's GRU has it, takes the place of f.
    """
    hidden = len(first) // len(facts.gates)
    rows = {name: slice(n * hidden, (n + 1) * hidden) for n, name in enumerate(facts.gates)}
    keep, enter = rows.get("forget", rows.get("update")), rows.get("input")
    if keep is None:
        return
    if config.forget_bias is not None:
        first[keep], second[keep] = config.forget_bias, 0.0
    if config.chrono_time_steps is not None:
        first[keep].uniform_(1.0, config.chrono_time_steps - 1.0, generator=generator).log_()
        second[keep] = 0.0
        if enter is not None:
            first[enter], second[enter] = -first[keep], 0.0
