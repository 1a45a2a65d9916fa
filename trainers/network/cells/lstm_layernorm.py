"""The LSTM with layer normalisation."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.network.cells.affine import gate_biases, kernel_shapes, orthogonal_gates
from trainers.network.cells.interface import Cell, State
from trainers.network.cells.lstm import memory


class NormedWeights(NamedTuple):
    """One layer, one direction; G = 4 · hidden.

    Attributes:
        input, hidden, input_bias, hidden_bias: As in `AffineWeights`.
        input_gain: `(trials, G)`, scales the normalised product from the input.
        hidden_gain: `(trials, G)`, scales the normalised product from h.
        cell_gain: `(trials, hidden)`, scales the normalised c on its way to h.
        cell_bias: `(trials, hidden)`, shifts it.
    """

    input: Tensor
    hidden: Tensor
    input_bias: Tensor
    hidden_bias: Tensor
    input_gain: Tensor
    hidden_gain: Tensor
    cell_gain: Tensor
    cell_bias: Tensor


class NormedLstm(Cell[NormedWeights]):
    """Ba et al. 2016, equations 20 to 22, in torch's order of gates.

    (i, f, g, o) = LN(W x; gain_ih, bias_ih) + LN(U h; gain_hh, bias_hh);
    c' = σ(f) c + σ(i) tanh(g);  h' = σ(o) tanh(LN(c'; gain_c, bias_c)).
    LN(a; α, β) = α (a − mean) / √(variance + 1e-5) + β over all G numbers of a step (over the
    hidden ones for c). The paper's third bias is the sum of the two here.
    """

    weights = NormedWeights
    recurrent = "hidden"

    def shapes(self, features: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return torch's names and shapes, then those of the gains and of c's bias."""
        kernels = kernel_shapes(self.facts, features, hidden)
        gains = dict.fromkeys(("gain_ih", "gain_hh"), kernels["bias_ih"])
        return {**kernels, **gains, "gain_cell": (hidden,), "bias_cell": (hidden,)}

    def from_input(self, x: Tensor, weights: NormedWeights) -> Tensor:
        """Return LN(W x)."""
        product = x @ weights.input.transpose(1, 2)
        return _layer_norm(product, weights.input_gain, weights.input_bias)

    def from_hidden(self, h: Tensor, weights: NormedWeights) -> Tensor:
        """Return LN(U h)."""
        product = h @ weights.hidden.transpose(1, 2)
        return _layer_norm(product, weights.hidden_gain, weights.hidden_bias)

    def combine(
        self, from_x: Tensor, from_h: Tensor, state: State, weights: NormedWeights
    ) -> State:
        """Return h' and c'."""
        c, leave = memory(from_x + from_h, state[1])
        return leave * torch.tanh(_layer_norm(c, weights.cell_gain, weights.cell_bias)), c

    def first_weights(
        self, weights: NormedWeights, config: TrainConfig, generator: torch.Generator
    ) -> None:
        """Begin with gains of 1 and biases of 0."""
        for gain in (weights.input_gain, weights.hidden_gain, weights.cell_gain):
            gain.fill_(1.0)
        for bias in (weights.input_bias, weights.hidden_bias, weights.cell_bias):
            bias.zero_()
        orthogonal_gates(weights.hidden, config, generator)

    def first_biases(
        self, weights: NormedWeights, config: TrainConfig, generator: torch.Generator
    ) -> None:
        """Set the gates' biases."""
        biases = weights.input_bias, weights.hidden_bias
        gate_biases(self.facts, *biases, config, generator)


def _layer_norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """Normalise `x (trials, rows, width)` over its width, then scale and shift (ε = 1e-5)."""
    if len(x) == 1:
        return F.layer_norm(x, x.shape[-1:], gain[0], bias[0])
    return torch.addcmul(bias.unsqueeze(1), F.layer_norm(x, x.shape[-1:]), gain.unsqueeze(1))
