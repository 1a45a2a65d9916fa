"""GRU and Elman layers on CPU with the backward pass written out, one trial at a time.

torch's CPU kernels for these cells record every operation of every step. Here a segment is one
node of the graph: the input's product of all steps is taken at once before it, a step is one
product with h and a few pointwise operations into memory that is there already, and the gradients
of the recurrent weights are one product over all steps at the end (Appleyard et al. 2016, section
3). The equations are those of the cells. Within, time comes first, as torch's kernels leave it.
 Without gradient torch's kernels record nothing and are the faster ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainers.config.cells import CELLS
from trainers.network.backends import native
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.affine import affine
from trainers.network.cells.interface import State
from trainers.network.masks import exists, last_of

_TWINS = ("rnn_tanh", "rnn_relu", "gru")


def applies_to(cell: str, trials: int, device: str) -> bool:
    """Return whether this backend is exact for a layer: one trial of RNN or GRU, on CPU."""
    return trials == 1 and device == "cpu" and CELLS[cell].torch in _TWINS


def run(layer: LayerRun) -> tuple[Tensor, State]:
    """Run one layer of one trial, without noise."""
    if not torch.is_grad_enabled():
        return native.run(layer)
    cell, weights, inputs, state, lengths, hold, _ = layer
    twin = CELLS[cell].torch
    _, batch, time_steps, features = inputs.shape
    bias = weights.input_bias if twin == "gru" else weights.input_bias + weights.hidden_bias
    rows = inputs.transpose(1, 2).reshape(1, time_steps * batch, features)
    from_x = affine(rows, weights.input, bias).view(time_steps, batch, -1)
    h, kernel = state[0].squeeze(0), weights.hidden.squeeze(0)
    node: Callable[..., tuple[Tensor, Tensor]] = _Gru.apply if twin == "gru" else _Elman.apply
    if twin == "gru":
        outputs, last = node(from_x, h, kernel, weights.hidden_bias.squeeze(0))
    else:
        padding = None if lengths is None else ~exists(lengths.squeeze(0), time_steps)
        outputs, last = node(from_x, h, kernel, twin, padding)
    outputs, last = outputs.transpose(0, 1).unsqueeze(0), last.unsqueeze(0)
    if hold and lengths is not None:
        last = last_of(outputs, lengths, state[0])
    return outputs, (last,)


class _Elman(torch.autograd.Function):
    """h' = tanh or max(0, ·) of `from_x (time, batch, hidden)` + U h.

    Returns h after every step and after the last. `padding (batch, time)` is True where a step
    does not exist.
    """

    @staticmethod
    def forward(
        ctx: Any, from_x: Tensor, h: Tensor, kernel: Tensor, twin: str, padding: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        states = _begin(from_x, h)
        transposed = kernel.t()
        activate = torch.tanh_ if twin == "rnn_tanh" else torch.relu_
        steps = states.unbind(0)
        for share, before, after in zip(from_x.unbind(0), steps, steps[1:], strict=False):
            activate(torch.addmm(share, before, transposed, out=after))
        if padding is not None and twin == "rnn_relu":
            # Nothing bounds h there, and infinity times its zero gradient would be NaN.
            states[1:].masked_fill_(padding.t().unsqueeze(-1), 0)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(kernel, states)
        ctx.twin = twin
        return states[1:], states[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> tuple[Any, ...]:
        kernel, states = ctx.saved_tensors
        after = states[1:]
        # The slope of the activation; step by step it becomes the gradient of from_x.
        d_x = after.sign() if ctx.twin == "rnn_relu" else 1 - after * after
        d_h = _last_gradient(d_last, states)
        for time in range(len(d_x) - 1, -1, -1):
            if d_outputs is not None:
                d_h += d_outputs[time]
            d_step = d_x[time].mul_(d_h)
            if time or ctx.needs_input_grad[1]:
                torch.mm(d_step, kernel, out=d_h)
        return d_x, d_h, _over_all_steps(d_x, states), None, None


class _Gru(torch.autograd.Function):
    """r, z, n and h' as in `trainers.network.cells.gru`; `from_x (time, batch, 3 · hidden)`.

    Returns h after every step and after the last.
    """

    @staticmethod
    def forward(
        ctx: Any, from_x: Tensor, h: Tensor, kernel: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        hidden = h.shape[-1]
        states, transposed = _begin(from_x, h), kernel.t()
        from_h, news = torch.empty_like(from_x), torch.empty_like(states[1:])
        gates_x, news_x = from_x[..., : 2 * hidden], from_x[..., 2 * hidden :]
        gates, news_h = from_h[..., : 2 * hidden], from_h[..., 2 * hidden :]
        for time, new in enumerate(news.unbind(0)):
            before, gate = states[time], gates[time]
            torch.addmm(bias, before, transposed, out=from_h[time])
            gate.add_(gates_x[time]).sigmoid_()  # r and z, where U h within them was
            torch.addcmul(news_x[time], gate[:, :hidden], news_h[time], out=new).tanh_()
            torch.lerp(new, before, gate[:, hidden:], out=states[time + 1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(kernel, states, from_h, news)
        return states[1:], states[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> tuple[Any, ...]:
        kernel, states, from_h, new = ctx.saved_tensors
        time_steps, batch, hidden = new.shape
        reset, update, new_h = from_h.split(hidden, -1)
        # Factors of the gradient of h', for all steps at once. Step by step they become the
        # gradients of: U h within n, both shares of r and of z, W x within n. The first three
        # are those of from_h, the last three those of from_x.
        factors = new.new_empty(time_steps, batch, 4, hidden)
        by_new_h, by_reset, by_update, by_new_x = factors.unbind(2)
        torch.mul(1 - update, 1 - new * new, out=by_new_x)
        torch.mul(by_new_x, reset, out=by_new_h)
        torch.mul(by_new_h, new_h * (1 - reset), out=by_reset)
        torch.mul(states[:-1] - new, update * (1 - update), out=by_update)
        d_from_h, d_x = (
            f.view(time_steps, batch, -1) for f in (factors[:, :, :3], factors[:, :, 1:])
        )
        kernel = kernel.roll(hidden, 0)  # n, r, z
        d_h = _last_gradient(d_last, states)
        for time in range(time_steps - 1, -1, -1):
            if d_outputs is not None:
                d_h += d_outputs[time]
            factors[time].mul_(d_h.unsqueeze(1))
            if time or ctx.needs_input_grad[1]:
                d_h.mul_(update[time]).addmm_(d_from_h[time], kernel)
        d_kernel, d_bias = _over_all_steps(d_from_h, states), d_from_h.sum((0, 1))
        return d_x, d_h, d_kernel.roll(-hidden, 0), d_bias.roll(-hidden, 0)


def _begin(from_x: Tensor, h: Tensor) -> Tensor:
    """Return memory for h before every step and after the last, `(time + 1, batch, hidden)`."""
    states = from_x.new_empty(len(from_x) + 1, *h.shape)
    states[0] = h
    return states


def _last_gradient(d_last: Tensor | None, states: Tensor) -> Tensor:
    """Return the gradient that the last h has from outside, as memory that may be written to."""
    return torch.zeros_like(states[-1]) if d_last is None else d_last.clone()


def _over_all_steps(d_products: Tensor, states: Tensor) -> Tensor:
    """Return the gradient of the recurrent kernel `(G, hidden)`: one product over all steps."""
    return d_products.flatten(0, 1).t() @ states[:-1].flatten(0, 1)
