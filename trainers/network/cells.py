"""One step of each cell: the readable reference, in torch's equations and parameter layout.

Every tensor has the trial axis first. Gates are stacked along the rows of a weight in torch's
order (LSTM: i, f, g, o; GRU: r, z, n), so a trained trial exports to `torch.nn` weight for weight.
A step is two products, one from the input and one from h, and an elementwise function that
combines them; so the input's product of all steps can be taken at once. A new cell is that
function and one line in `CELLS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

State = tuple[Tensor, ...]  # h, then c where the cell has one; each (trials, batch, hidden)


class LayerWeights(NamedTuple):
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


class NormedWeights(NamedTuple):
    """One layer, one direction, of a cell with layer normalisation.

    Attributes:
        input, hidden, input_bias, hidden_bias: As in `LayerWeights`.
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


AnyWeights = LayerWeights | NormedWeights
Combine = Callable[[Tensor, Tensor, State, AnyWeights], State]


@dataclass(frozen=True)
class CellType:
    """A cell: how many gates it stacks, how many tensors its state has, and how it combines them.

    `combine(from_input, from_hidden, state, weights)` takes both products `(trials, batch, G)`,
    biases included.
    """

    gates: int
    state_size: int
    combine: Combine
    weights: type[LayerWeights] | type[NormedWeights] = LayerWeights

    def step(self, x: Tensor, state: State, weights: AnyWeights) -> State:
        """Make one step from `x (trials, batch, features)`."""
        return self.combine(from_input(x, weights), from_hidden(state[0], weights), state, weights)


def from_input(x: Tensor, weights: AnyWeights) -> Tensor:
    """Return the input's share of the gates: (trials, rows, features) → (trials, rows, G)."""
    if isinstance(weights, LayerWeights):
        return affine(x, weights.input, weights.input_bias)
    product = x @ weights.input.transpose(1, 2)
    return _layer_norm(product, weights.input_gain, weights.input_bias)


def from_hidden(h: Tensor, weights: AnyWeights) -> Tensor:
    """Return h's share of the gates: (trials, batch, hidden) → (trials, batch, G)."""
    if isinstance(weights, LayerWeights):
        return affine(h, weights.hidden, weights.hidden_bias)
    product = h @ weights.hidden.transpose(1, 2)
    return _layer_norm(product, weights.hidden_gain, weights.hidden_bias)


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Per trial `x Wᵀ + b`: (trials, rows, in) → (trials, rows, out)."""
    if len(x) == 1:  # a plain product is faster than a batch of one
        return torch.addmm(bias.squeeze(0), x.squeeze(0), weight.squeeze(0).t()).unsqueeze(0)
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))


def _layer_norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """Normalise `x (trials, rows, width)` over its width, then scale and shift (ε = 1e-5)."""
    if len(x) == 1:
        return F.layer_norm(x, x.shape[-1:], gain[0], bias[0])
    return torch.addcmul(bias.unsqueeze(1), F.layer_norm(x, x.shape[-1:]), gain.unsqueeze(1))


def rnn_tanh(from_x: Tensor, from_h: Tensor, state: State, weights: AnyWeights) -> State:
    """Elman network: h' = tanh(W x + U h + b)."""
    return (torch.tanh(from_x + from_h),)


def rnn_relu(from_x: Tensor, from_h: Tensor, state: State, weights: AnyWeights) -> State:
    """Elman network with rectifier: h' = max(0, W x + U h + b) (IRNN: Le et al. 2015)."""
    return (torch.relu(from_x + from_h),)


def gru(from_x: Tensor, from_h: Tensor, state: State, weights: AnyWeights) -> State:
    """Cho et al. 2014 as cuDNN has it: the reset gate acts after the recurrent product."""
    (h,) = state
    reset_x, update_x, new_x = from_x.chunk(3, -1)
    reset_h, update_h, new_h = from_h.chunk(3, -1)
    reset = torch.sigmoid(reset_x + reset_h)
    update = torch.sigmoid(update_x + update_h)
    new = torch.tanh(new_x + reset * new_h)
    return ((1 - update) * new + update * h,)


def lstm(from_x: Tensor, from_h: Tensor, state: State, weights: AnyWeights) -> State:
    """Hochreiter & Schmidhuber 1997 with a forget gate (Gers et al. 2000), no peepholes."""
    enter, forget, new, leave = (from_x + from_h).chunk(4, -1)
    c = torch.sigmoid(forget) * state[1] + torch.sigmoid(enter) * torch.tanh(new)
    return torch.sigmoid(leave) * torch.tanh(c), c


def lstm_layernorm(from_x: Tensor, from_h: Tensor, state: State, weights: AnyWeights) -> State:
    """Ba et al. 2016, equations 20 to 22, in torch's order of gates.

    (i, f, g, o) = LN(W x; gain_ih, bias_ih) + LN(U h; gain_hh, bias_hh);
    c' = σ(f) c + σ(i) tanh(g);  h' = σ(o) tanh(LN(c'; gain_c, bias_c)).
    LN(a; α, β) = α (a − mean) / √(variance + 1e-5) + β over all G numbers of a step (over the
    hidden ones for c). The paper's third bias is the sum of the two here.
    """
    assert isinstance(weights, NormedWeights)
    enter, forget, new, leave = (from_x + from_h).chunk(4, -1)
    c = torch.sigmoid(forget) * state[1] + torch.sigmoid(enter) * torch.tanh(new)
    normed = _layer_norm(c, weights.cell_gain, weights.cell_bias)
    return torch.sigmoid(leave) * torch.tanh(normed), c


CELLS: dict[str, CellType] = {
    "rnn_tanh": CellType(gates=1, state_size=1, combine=rnn_tanh),
    "rnn_relu": CellType(gates=1, state_size=1, combine=rnn_relu),
    "gru": CellType(gates=3, state_size=1, combine=gru),
    "lstm": CellType(gates=4, state_size=2, combine=lstm),
    "lstm_layernorm": CellType(
        gates=4, state_size=2, combine=lstm_layernorm, weights=NormedWeights
    ),
}


def initial_state(cell: str, trials: int, batch: int, hidden: int, like: Tensor) -> State:
    """Return the zero state, each `(trials, batch, hidden)`, of `like`'s dtype and device."""
    return tuple(like.new_zeros(trials, batch, hidden) for _ in range(CELLS[cell].state_size))
