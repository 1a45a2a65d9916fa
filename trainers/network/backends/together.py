"""Layers of several trials at once with the backward pass written out: few operations a step.

What `manual` does for one trial, over the trial axis: a step is one batched product with h and a
few pointwise operations into memory that is there already, and the gradients of the recurrent
weights are one batched product over all steps at the end (Appleyard et al. 2016, section 3). On a
GPU small nets cost what their launches cost, and the reference's graph makes three times as many.
Within, tensors are `(trials, time, batch, …)`. Nothing is masked step by step: rows are padded on
the right, and the state is taken where each row ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainers.config.cells import CELLS
from trainers.network.backends import stepwise
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.affine import affine
from trainers.network.cells.interface import State
from trainers.network.masks import exists, last_of


def applies_to(cell: str, trials: int, device: str) -> bool:
    """Return whether this backend is exact for a layer: any number of trials of torch's cells."""
    return CELLS[cell].torch in _NODES


def run(layer: LayerRun) -> tuple[Tensor, State]:
    """Run one layer; the reference runs noise."""
    cell, weights, inputs, state, lengths, _, noise = layer
    if noise is not None:
        return stepwise.run(layer)
    twin = str(CELLS[cell].torch)
    trials, batch, time_steps, features = inputs.shape
    bias = weights.input_bias if twin == "gru" else weights.input_bias + weights.hidden_bias
    rows = inputs.transpose(1, 2).reshape(trials, time_steps * batch, features)
    from_x = affine(rows, weights.input, bias).view(trials, time_steps, batch, -1)
    apply: Callable[..., Any] = _NODES[twin].apply
    parts: tuple[Tensor, ...]
    if twin == "lstm":
        parts = apply(from_x, *state, weights.hidden)
    elif twin == "gru":
        parts = (apply(from_x, state[0], weights.hidden, weights.hidden_bias),)
    else:
        padding = None
        if lengths is not None and twin == "rnn_relu":
            # Nothing bounds h there, and infinity times its zero gradient would be NaN.
            padding = ~exists(lengths, time_steps).transpose(1, 2).unsqueeze(-1)
        parts = (apply(from_x, state[0], weights.hidden, twin, padding),)
    by_row = tuple(part.transpose(1, 2) for part in parts)
    if lengths is None:
        return by_row[0], tuple(part[:, -1] for part in parts)
    pairs = zip(by_row, state, strict=True)
    return by_row[0], tuple(last_of(part, lengths, old) for part, old in pairs)


class _Elman(torch.autograd.Function):
    """h' = tanh or max(0, ·) of `from_x (trials, time, batch, hidden)` + U h; h of every step."""

    @staticmethod
    def forward(
        ctx: Any, from_x: Tensor, h: Tensor, kernel: Tensor, twin: str, padding: Tensor | None
    ) -> Tensor:
        states, transposed = _begin(from_x, h), kernel.transpose(1, 2)
        activate = torch.tanh_ if twin == "rnn_tanh" else torch.relu_
        for time in range(from_x.shape[1]):
            after = states[:, time + 1]
            activate(torch.baddbmm(from_x[:, time], states[:, time], transposed, out=after))
            if padding is not None:
                after.masked_fill_(padding[:, time], 0)
        ctx.save_for_backward(kernel, states)
        ctx.twin = twin
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Any, ...]:
        kernel, states = ctx.saved_tensors
        after = states[:, 1:]
        # The slope of the activation; step by step it becomes the gradient of from_x.
        d_x = after.sign() if ctx.twin == "rnn_relu" else 1 - after * after
        d_h = torch.zeros_like(states[:, 0])
        for time in range(d_x.shape[1] - 1, -1, -1):
            d_h += d_outputs[:, time]
            d_step = d_x[:, time].mul_(d_h)
            if time or ctx.needs_input_grad[1]:
                torch.bmm(d_step, kernel, out=d_h)
        return d_x, d_h, _over_all_steps(d_x, states), None, None


class _Gru(torch.autograd.Function):
    """r, z, n and h' as in `trainers.network.cells.gru`; h of every step."""

    @staticmethod
    def forward(ctx: Any, from_x: Tensor, h: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        hidden = h.shape[-1]
        states, transposed = _begin(from_x, h), kernel.transpose(1, 2)
        from_h, news = torch.empty_like(from_x), torch.empty_like(from_x[..., :hidden])
        wide = bias.unsqueeze(1)
        for time in range(from_x.shape[1]):
            before, share, new = states[:, time], from_h[:, time], news[:, time]
            torch.baddbmm(wide, before, transposed, out=share)
            gate = share[..., : 2 * hidden]  # r and z, where U h within them was
            gate.add_(from_x[:, time, :, : 2 * hidden]).sigmoid_()
            reset, update, new_h = share.chunk(3, -1)
            torch.addcmul(from_x[:, time, :, 2 * hidden :], reset, new_h, out=new).tanh_()
            torch.lerp(new, before, update, out=states[:, time + 1])
        ctx.save_for_backward(kernel, states, from_h, news)
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Any, ...]:
        kernel, states, from_h, new = ctx.saved_tensors
        hidden = new.shape[-1]
        reset, update, new_h = from_h.chunk(3, -1)
        # Factors of the gradient of h', as `manual` has them: of U h within n,
        # both shares of r and of z, W x within n.
        by_new_x = (1 - update) * (1 - new * new)
        by_new_h = by_new_x * reset
        by_reset = by_new_h * new_h * (1 - reset)
        by_update = (states[:, :-1] - new) * update * (1 - update)
        factors = torch.stack([by_new_h, by_reset, by_update, by_new_x], dim=3)
        d_from_h, d_x = (_joined(factors, first) for first in (0, 1))
        kernel = kernel.roll(hidden, 1)  # n, r, z
        d_h = torch.zeros_like(states[:, 0])
        for time in range(new.shape[1] - 1, -1, -1):
            d_h += d_outputs[:, time]
            factors[:, time].mul_(d_h.unsqueeze(2))
            if time or ctx.needs_input_grad[1]:
                d_h.mul_(update[:, time]).baddbmm_(d_from_h[:, time], kernel)
        d_kernel, d_bias = _over_all_steps(d_from_h, states), d_from_h.sum((1, 2))
        return d_x, d_h, d_kernel.roll(-hidden, 1), d_bias.roll(-hidden, 1)


class _Lstm(torch.autograd.Function):
    """i, f, g, o, c' and h' as in `trainers.network.cells.lstm`; h and c of every step."""

    @staticmethod
    def forward(
        ctx: Any, from_x: Tensor, h: Tensor, c: Tensor, kernel: Tensor
    ) -> tuple[Tensor, Tensor]:
        hidden = h.shape[-1]
        states, cells, transposed = _begin(from_x, h), _begin(from_x, c), kernel.transpose(1, 2)
        gates, shown = torch.empty_like(from_x), torch.empty_like(states[:, 1:])
        for time in range(from_x.shape[1]):
            gate = gates[:, time]
            torch.baddbmm(from_x[:, time], states[:, time], transposed, out=gate)
            enter, forget, new, leave = gate.chunk(4, -1)
            gate[..., : 2 * hidden].sigmoid_()
            new.tanh_()
            leave.sigmoid_()
            cell = torch.mul(forget, cells[:, time], out=cells[:, time + 1])
            torch.tanh(cell.addcmul_(enter, new), out=shown[:, time])
            torch.mul(leave, shown[:, time], out=states[:, time + 1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(kernel, states, cells, gates, shown)
        return states[:, 1:], cells[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, d_cells: Tensor | None) -> tuple[Any, ...]:
        kernel, states, cells, gates, shown = ctx.saved_tensors
        enter, forget, new, leave = gates.chunk(4, -1)
        # Factors of the gradients of c' (i, f, g) and of h' (o; c'); step by step all but the last
        # become the gradients of from_x.
        by_cell = torch.stack(
            [
                new * enter * (1 - enter),
                cells[:, :-1] * forget * (1 - forget),
                enter * (1 - new * new),
                shown * leave * (1 - leave),
            ],
            dim=3,
        )
        by_shown = leave * (1 - shown * shown)
        d_x = by_cell.flatten(3)
        d_h, d_c = torch.zeros_like(states[:, 0]), torch.zeros_like(states[:, 0])
        first = any(ctx.needs_input_grad[1:3])
        for time in range(shown.shape[1] - 1, -1, -1):
            if d_outputs is not None:
                d_h += d_outputs[:, time]
            if d_cells is not None:
                d_c += d_cells[:, time]
            d_c.addcmul_(d_h, by_shown[:, time])
            by_cell[:, time, :, :3].mul_(d_c.unsqueeze(2))
            by_cell[:, time, :, 3].mul_(d_h)
            if time or first:
                torch.bmm(d_x[:, time], kernel, out=d_h)
                d_c.mul_(forget[:, time])
        return d_x, d_h, d_c, _over_all_steps(d_x, states)


_NODES: dict[str | None, type[torch.autograd.Function]] = {
    "rnn_tanh": _Elman,
    "rnn_relu": _Elman,
    "gru": _Gru,
    "lstm": _Lstm,
}


def _begin(from_x: Tensor, first: Tensor) -> Tensor:
    """Return memory for a state before every step and after the last, `(trials, time + 1, …)`."""
    trials, time_steps, batch, _ = from_x.shape
    states = from_x.new_empty(trials, time_steps + 1, batch, first.shape[-1])
    states[:, 0] = first
    return states


def _joined(factors: Tensor, first: int) -> Tensor:
    """Return three of the four factors `(trials, time, batch, 4, hidden)` side by side: a view."""
    trials, time_steps, batch, _, hidden = factors.shape
    shape = (trials, time_steps, batch, 3 * hidden)
    return factors.as_strided(shape, (*factors.stride()[:3], 1), first * hidden)


def _over_all_steps(d_products: Tensor, states: Tensor) -> Tensor:
    """Return the gradient of the recurrent kernels `(trials, G, hidden)`: one batched product."""
    return d_products.flatten(1, 2).transpose(1, 2) @ states[:, :-1].flatten(1, 2)
