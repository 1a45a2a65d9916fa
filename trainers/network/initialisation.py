"""A trial's first weights: drawn on the CPU from its seed alone, whatever pack or device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.network.parameters import Layout


def initialise(layout: Layout, flat: Tensor, config: TrainConfig) -> None:
    """Draw one trial's first weights into `flat (P,)`.

    As torch does: U(±1/√hidden) for the recurrent layers, U(±1/√fan_in) for dense layers and
    convolutions, N(0, 1) for the embedding, gains 1 and biases 0 for layer normalisation; then
    `recurrent_init`, `forget_bias` and `chrono_time_steps`.
    """
    generator = torch.Generator().manual_seed(config.seed)
    row = torch.zeros(1, layout.size, dtype=flat.dtype)
    named = {name: view[0] for name, view in layout.views(row).items()}
    for name, view in named.items():
        bound = 1 / math.sqrt(_fan(name, named))
        view.uniform_(-bound, bound, generator=generator)
    normed = "gain_ih_l0" in named
    for name, view in named.items():
        if name == "embedding.weight":
            view.normal_(generator=generator)
        elif name.startswith("gain_"):
            view.fill_(1.0)
        elif normed and name.startswith("bias_"):
            view.zero_()
        _recurrent(name, view, config, generator)
    _gate_biases(named, config, generator)
    flat.copy_(row[0])


def _fan(name: str, named: dict[str, Tensor]) -> int:
    """Return what the bound of a parameter's draw is taken from."""
    kind, _, layer = name.partition("_l")
    if layer:
        return named[f"weight_hh_l{layer}"].shape[1]
    weight = named[kind.rpartition(".")[0] + ".weight"]
    return math.prod(weight.shape[1:])


def _recurrent(name: str, view: Tensor, config: TrainConfig, generator: torch.Generator) -> None:
    recurrent = name.startswith("weight_hh")
    if config.recurrent_init == "orthogonal" and recurrent:
        for gate in torch.split(view, view.shape[1]):
            torch.nn.init.orthogonal_(gate, generator=generator)
    if config.recurrent_init == "identity":  # IRNN, Le et al. 2015
        if recurrent:
            torch.nn.init.eye_(view)
        elif name.startswith("weight_ih"):
            view.normal_(0.0, 0.001, generator=generator)
        elif name.startswith("bias_"):
            view.zero_()


def _gate_biases(named: dict[str, Tensor], config: TrainConfig, generator: torch.Generator) -> None:
    """Set the biases that decide how long a cell remembers.

    Torch adds two biases: together they are what was asked for. Chrono (Tallec & Ollivier 2018):
    b_f ~ log U[1, T − 1] and b_i = −b_f; the GRU's update gate z, which keeps the old state in
    torch's equations, takes the place of f.
    """
    longest = config.chrono_time_steps
    for name, first in named.items():
        if not name.startswith("bias_ih"):
            continue
        second = named[name.replace("_ih", "_hh")]
        hidden = named[name.replace("bias_ih", "weight_hh")].shape[1]
        enter, keep = slice(0, hidden), slice(hidden, 2 * hidden)
        if config.forget_bias is not None:
            first[keep], second[keep] = config.forget_bias, 0.0
        if longest is not None:
            first[keep].uniform_(1.0, longest - 1.0, generator=generator).log_()
            second[keep] = 0.0
            if config.cell != "gru":
                first[enter], second[enter] = -first[keep], 0.0
