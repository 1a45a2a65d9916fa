"""The reference: one Python step at a time, any number of trials, masks taken literally.

The input's product of all steps is taken at once, as nothing in it waits for the state.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trainers.network.backends.contract import LayerRun
from trainers.network.cells.interface import Cell, LayerWeights, State, cell_of
from trainers.network.masks import exists


def applies_to(cell: str, trials: int, device: str) -> bool:
    """The reference runs everything."""
    return True


def run(layer: LayerRun) -> tuple[Tensor, State]:
    """Run one layer; the only backend that runs all noise."""
    cell, weights, inputs, state, lengths, _, noise = layer
    one = cell_of(cell)
    mask = None if lengths is None else exists(lengths, inputs.shape[2]).unsqueeze(-1).unbind(2)
    keep = () if noise is None else noise.keep_by_step(inputs.shape[2])
    outputs = []
    for time, from_x in enumerate(_from_inputs(one, inputs, weights)):
        h = state[0]
        if noise is not None and noise.hidden is not None:
            h = h * noise.hidden
        new = one.combine(from_x, one.from_hidden(h, weights), state, weights)
        if noise is not None:
            new = tuple(
                n if kept is None else torch.lerp(n, old, kept[time])
                for n, old, kept in zip(new, state, keep, strict=False)
            )
        if mask is not None:
            here = mask[time]
            new = tuple(torch.where(here, n, old) for n, old in zip(new, state, strict=True))
        state = new
        outputs.append(state[0])
    return torch.stack(outputs, dim=1).transpose(1, 2), state


def _from_inputs(cell: Cell[Any], inputs: Tensor, weights: LayerWeights) -> tuple[Tensor, ...]:
    """Return the input's share of the gates, step by step: each `(trials, batch, G)`."""
    trials, batch, time_steps, features = inputs.shape
    rows = inputs.transpose(1, 2).reshape(trials, time_steps * batch, features)
    product = cell.from_input(rows, weights)
    return product.view(trials, time_steps, batch, product.shape[-1]).unbind(1)
