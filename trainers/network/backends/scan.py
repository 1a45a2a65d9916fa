"""Cells that are linear in h, by a scan over blocks of time: any number of trials, any device.

h_t = a_t h_(t−1) + (1 − a_t) n_t, where a and n come from the input alone, for all steps at once.
Time is cut into √(T/2) steps a block. All blocks advance together, each as if it began with 0;
then each in its turn adds what the state before it leaves: a product of its a's so far. That takes
some 2 √(2T) operations over all trials, rows and units instead of T (Blelloch 1990, section 1.4, by
blocks). Padded steps have a = 1: they hold the state to the bit. Zoneout keeps a share of the old
state as a does, so it is part of a.

Feng et al. (2024) scan logarithms (Heinsen 2023). Their running sums grow with T, so in single
precision h is off by 3e-5 of itself at 200 steps and by 9e-4 at 4,000, and each step costs an exp
and a log; products of numbers below 1 may underflow, to the 0 that they are. Within, tensors are
`(trials, time, batch, hidden)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainers.config.cells import CELLS
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.interface import State, cell_of
from trainers.network.cells.linear import LinearCell
from trainers.network.masks import exists


def applies_to(cell: str, trials: int, device: str) -> bool:
    """Return whether this backend is exact for a layer: any cell that is linear in h."""
    return CELLS[cell].linear


def run(layer: LayerRun) -> tuple[Tensor, State]:
    """Run one layer, zoneout too."""
    name, weights, inputs, (h,), lengths, _, noise = layer
    cell = cell_of(name)
    assert isinstance(cell, LinearCell)
    trials, batch, time_steps, features = inputs.shape
    rows = inputs.transpose(1, 2).reshape(trials, time_steps * batch, features)
    from_x = cell.from_input(rows, weights).view(trials, time_steps, batch, -1)
    keep, new = cell.gates(from_x)
    kept = None if noise is None else noise.keep[0]
    if kept is not None:
        keep = torch.lerp(keep, torch.ones_like(keep), kept.transpose(1, 2).expand_as(keep))
    if lengths is not None:
        keep = torch.where(exists(lengths, time_steps).transpose(1, 2).unsqueeze(-1), keep, 1.0)
    scan: Callable[..., tuple[Tensor, Tensor]] = _Scan.apply
    outputs, last = scan(keep, new, h)
    return outputs.transpose(1, 2), (last,)


class _Scan(torch.autograd.Function):
    """h after every step and after the last.

    `keep` and `new` are `(trials, time, batch, hidden)`, `h` is `(trials, batch, hidden)`.
    """

    @staticmethod
    def forward(ctx: Any, keep: Tensor, new: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        states = (1 - keep).mul_(new)
        states[:, 0].addcmul_(keep[:, 0], h)
        _forwards(states, keep)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(keep, new, h, states)
        return states, states[:, -1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> tuple[Any, ...]:
        keep, new, h, states = ctx.saved_tensors
        d_h = torch.zeros_like(states) if d_outputs is None else d_outputs.clone()
        if d_last is not None:
            d_h[:, -1] += d_last
        _backwards(d_h, keep)
        before = torch.cat([h.unsqueeze(1), states[:, :-1]], dim=1)
        return before.sub_(new).mul_(d_h), (1 - keep).mul_(d_h), keep[:, 0] * d_h[:, 0]


def _forwards(states: Tensor, keep: Tensor) -> None:
    """Add a_t h_(t−1) to `states` at every step but the first, in place."""
    time_steps, decay = states.shape[1], keep.clone()
    size = block_length(time_steps)
    for step in range(1, size):
        here = states[:, step::size]
        count = here.shape[1]  # the last block may have ended
        here.addcmul_(keep[:, step::size], states[:, step - 1 :: size][:, :count])
        decay[:, step::size].mul_(decay[:, step - 1 :: size][:, :count])
    for begin in range(size, time_steps, size):
        block = slice(begin, begin + size)
        states[:, block].addcmul_(decay[:, block], states[:, begin - 1 : begin])


def _backwards(d_h: Tensor, keep: Tensor) -> None:
    """Add a_(t+1) times the gradient of h_(t+1) to that of h_t, in place, from the end."""
    time_steps, later = d_h.shape[1], keep[:, 1:]
    size, decay = block_length(time_steps), later.clone()
    for step in range(size - 2, -1, -1):
        after = d_h[:, step + 1 :: size]
        count = after.shape[1]
        d_h[:, step::size][:, :count].addcmul_(later[:, step::size][:, :count], after)
        by_then = decay[:, step + 1 :: size]
        decay[:, step::size][:, : by_then.shape[1]].mul_(by_then)
    last = (time_steps - 1) // size * size
    for begin in range(last - size, -1, -size):
        block = slice(begin, begin + size)
        d_h[:, block].addcmul_(decay[:, block], d_h[:, begin + size : begin + size + 1])


def block_length(time_steps: int) -> int:
    """Return the steps of a block that make the fewest operations: 2 a step, 1 a block."""
    return max(1, math.isqrt(time_steps // 2))
