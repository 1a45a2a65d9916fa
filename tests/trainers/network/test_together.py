"""Layers of several trials with the backward pass written out, against the reference."""

from __future__ import annotations

import pytest
import torch

from trainers.config.cells import CELLS
from trainers.network.backends import stepwise, together
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.affine import AffineWeights
from trainers.network.recurrence import choose_backend

ROWS, STEPS, FEATURES, HIDDEN = 4, 6, 3, 5
ENDS = torch.tensor([6, 3, 0, 5])


def numbers(cell, trials):
    torch.manual_seed(trials)
    gates = len(CELLS[cell].gates) * HIDDEN
    shapes = ((gates, FEATURES), (gates, HIDDEN), (gates,), (gates,))

    def drawn(*shape):
        return (torch.randn(trials, *shape, dtype=torch.float64) * 0.5).requires_grad_()

    weights = AffineWeights(*(drawn(*shape) for shape in shapes))
    state = tuple(drawn(ROWS, HIDDEN) for _ in CELLS[cell].state)
    return weights, drawn(ROWS, STEPS, FEATURES), state


def differentiated(backend, cell, trials, lengths):
    """Outputs, state and all gradients; of the carried state only h counts."""
    weights, x, state = numbers(cell, trials)
    outputs, after = backend.run(LayerRun(cell, weights, x, state, lengths, True))
    if lengths is not None:
        here = torch.arange(STEPS) < lengths.unsqueeze(-1)
        outputs = torch.where(here.unsqueeze(-1), outputs, 0.0)
    loss = outputs.square().sum() + 2 * (after[0] ** 3).sum()
    return [outputs, *after, *torch.autograd.grad(loss, [*weights, x, *state])]


@pytest.mark.parametrize("ragged", [False, True])
def test_a_state_that_is_not_read_needs_no_gradient(ragged):
    lengths = ENDS.expand(3, -1) if ragged else None
    mine = differentiated(together, "lstm", 3, lengths)
    reference = differentiated(stepwise, "lstm", 3, lengths)
    for one, other in zip(mine, reference, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


def test_padding_that_would_grow_without_bound_is_harmless():
    """An expanding rectifier over 800 padded steps would overflow, and infinity times 0 is NaN."""
    weights, x, state = numbers("rnn_relu", 2)
    growing = weights._replace(hidden=(torch.eye(HIDDEN).double() * 10).expand(2, -1, -1).clone())
    growing.hidden.requires_grad_()
    long = x.detach().abs().repeat(1, 1, 140, 1).requires_grad_()
    outputs, _ = together.run(LayerRun("rnn_relu", growing, long, state, torch.full((2, ROWS), 2)))
    outputs[:, :, :2].sum().backward()
    assert torch.isfinite(growing.hidden.grad).all()
    assert torch.isfinite(long.grad).all()


def test_captured_packs_run_it_where_it_is_exact():
    assert choose_backend("eager", "lstm", 4, "cpu") == "together"
    assert choose_backend("graph", "gru", 4, "cuda") == "together"
    assert choose_backend("eager", "lstm_layernorm", 4, "cpu") == "stepwise"
    assert choose_backend("graph", "minlstm", 4, "cuda") == "scan"
