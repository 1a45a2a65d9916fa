"""torch's own fused kernels (oneDNN for LSTM on CPU, cuDNN on GPU), one trial at a time.

The parameters keep their trial axis, of size one: `squeeze` is a view in both directions of
autograd, where `weight[0]` would copy the gradient into a buffer of zeros.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.config.cells import CELLS
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.interface import State
from trainers.network.masks import exists, last_of

_SATURATED = 1e4  # sigmoid(±1e4) is exactly 1 or 0 in float32 and float64


def applies_to(cell: str, trials: int, device: str) -> bool:
    """Return whether the native kernels are exact for this layer: one trial, a cell torch has."""
    return trials == 1 and CELLS[cell].torch is not None


def run(layer: LayerRun) -> tuple[Tensor, State]:
    """Run one layer of one trial, without noise."""
    cell, weights, inputs, state, lengths, hold, _ = layer
    x = inputs.squeeze(0)
    flat = [weight.squeeze(0) for weight in weights]
    training = torch.is_grad_enabled()
    twin = str(CELLS[cell].torch)
    if twin != "lstm":
        kernel = getattr(torch, twin)
        outputs, h = kernel(x, state[0], flat, True, 1, 0.0, training, False, True)
        new: State = (h,)
    else:
        if hold and lengths is not None:
            x, flat[0] = _with_hold_column(x, flat[0], lengths)
        outputs, h, c = torch.lstm(x, state, flat, True, 1, 0.0, training, False, True)
        new = (h, c)
    outputs = outputs.unsqueeze(0)
    if hold and lengths is not None:
        new = (last_of(outputs, lengths, state[0]), *new[1:])
    return outputs, new


def _with_hold_column(x: Tensor, weight: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Add an untrained input that is 1 on padded steps and there shuts i and opens f: c is held.

    The kernel returns c only after its last step; h needs no such help, it is in the outputs.
    """
    padded = ~exists(lengths.squeeze(0), x.shape[1])
    gate = weight.new_zeros(4, weight.shape[0] // 4)
    gate[0], gate[1] = -_SATURATED, _SATURATED
    x = torch.cat([x, padded.unsqueeze(-1).to(x.dtype)], dim=-1)
    return x, torch.cat([weight, gate.reshape(-1, 1)], dim=-1)
