"""A cell from outside the packages: multiplicative integration (Wu et al. 2016, equation 4).

h' = tanh(α ⊙ W x ⊙ U h + β₁ ⊙ U h + β₂ ⊙ W x + b).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from trainers.config.cells import CellType
from trainers.network.cells.affine import orthogonal_gates
from trainers.network.cells.interface import Cell


class Weights(NamedTuple):
    input: Tensor
    hidden: Tensor
    both: Tensor
    from_hidden: Tensor
    from_input: Tensor
    bias: Tensor


class Multiplicative(Cell[Weights]):
    weights = Weights
    recurrent = "hidden"

    def shapes(self, features, hidden):
        kernels = {"weight_ih": (hidden, features), "weight_hh": (hidden, hidden)}
        return kernels | dict.fromkeys(("alpha", "beta_hh", "beta_ih", "bias"), (hidden,))

    def from_input(self, x, weights):
        return x @ weights.input.transpose(1, 2)

    def from_hidden(self, h, weights):
        return h @ weights.hidden.transpose(1, 2)

    def combine(self, from_x, from_h, state, weights):
        _, _, both, by_h, by_x, bias = (w.unsqueeze(1) for w in weights)
        return (torch.tanh(both * from_x * from_h + by_h * from_h + by_x * from_x + bias),)

    def first_weights(self, weights, config, generator):
        weights.both.fill_(1.0)
        weights.from_hidden.fill_(0.5)
        weights.from_input.fill_(0.5)
        orthogonal_gates(weights.hidden, config, generator)

    def first_biases(self, weights, config, generator):
        weights.bias.zero_()


MULTIPLICATIVE = CellType(
    "multiplicative integration (Wu et al. 2016)", "outside_cell:Multiplicative", ("new",)
)
