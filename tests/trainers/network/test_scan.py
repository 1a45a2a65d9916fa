"""minGRU and minLSTM: their equations, and the scan against steps and against the paper's own."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from trainers.config.cells import CELLS
from trainers.config.train_config import TrainConfig
from trainers.network.backends import scan, stepwise
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.interface import cell_of
from trainers.network.cells.linear import InputWeights, above_zero
from trainers.network.dropout import RecurrentNoise
from trainers.network.initialisation import initialise
from trainers.network.parameters import Layout

LINEAR = [name for name in CELLS if CELLS[name].linear]
FEATURES, HIDDEN, ROWS = 3, 4, 3


def drawn(cell, time_steps, trials=2, dtype=torch.float64, size=1.0):
    """Weights, inputs, and a state that may be below zero."""
    generator = torch.Generator().manual_seed(time_steps)

    def numbers(*shape):
        return torch.randn(trials, *shape, generator=generator, dtype=torch.float64).to(dtype)

    shapes = cell_of(cell).shapes(FEATURES, HIDDEN).values()
    weights = InputWeights(*(numbers(*shape) * size for shape in shapes))
    return weights, numbers(ROWS, time_steps, FEATURES), numbers(ROWS, HIDDEN)


def differentiated(run, cell, given, **fields):
    """Outputs, the state after them, and all gradients."""
    weights, x, h = given
    leaves = [t.detach().clone().requires_grad_() for t in (*weights, x, h)]
    layer = LayerRun(cell, InputWeights(*leaves[:2]), leaves[2], (leaves[3],), hold=True, **fields)
    outputs, (after,) = run(layer)
    loss = outputs.square().sum() + (after**3).sum()
    return [outputs.detach(), after.detach(), *torch.autograd.grad(loss, leaves)]


def by_logarithms(cell):
    """Heinsen's scan, as Feng et al. give it (appendix B); the state's share stays a product."""

    def run(layer):
        x, h = layer.inputs, layer.state[0]
        product = x @ layer.weights.input.transpose(1, 2).unsqueeze(1)
        shares = (product + layer.weights.bias[:, None, None]).chunk(len(CELLS[cell].gates), -1)
        if cell == "mingru":
            log_keep, log_take = -F.softplus(shares[0]), -F.softplus(-shares[0])
        else:
            difference = F.softplus(-shares[1]) - F.softplus(-shares[0])
            log_keep, log_take = -F.softplus(difference), -F.softplus(-difference)
        new = shares[-1]
        log_new = torch.where(new >= 0, (F.relu(new) + 0.5).log(), -F.softplus(-new))
        so_far = log_keep.cumsum(2)
        states = so_far.exp() * h.unsqueeze(2)
        states = states + (so_far + (log_take + log_new - so_far).logcumsumexp(2)).exp()
        return states, (states[:, :, -1],)

    return run


@pytest.mark.parametrize("time_steps", [1, 2, 7, 8, 9, 18, 50, 53])
@pytest.mark.parametrize("trials", [1, 3])
@pytest.mark.parametrize("cell", LINEAR)
def test_the_scan_is_the_steps_in_values_and_gradients(cell, trials, time_steps):
    """Blocks of 1 to 5 steps, the last one whole or not."""
    given = drawn(cell, time_steps, trials)
    mine, theirs = (differentiated(way.run, cell, given) for way in (scan, stepwise))
    torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("time_steps", [200, 4000])
@pytest.mark.parametrize("cell", LINEAR)
def test_in_single_precision_they_agree_to_1e_5_at_any_length(cell, time_steps):
    given = drawn(cell, time_steps, 1, torch.float32)
    pairs = zip(*(differentiated(way.run, cell, given) for way in (scan, stepwise)), strict=True)
    for mine, theirs in pairs:
        assert (mine - theirs).norm() <= 1e-5 * theirs.norm()


@pytest.mark.parametrize("cell", LINEAR)
def test_the_scan_is_the_papers_scan_of_logarithms(cell):
    given = drawn(cell, 60)
    mine, theirs = (differentiated(way, cell, given) for way in (scan.run, by_logarithms(cell)))
    torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("cell", LINEAR)
def test_gates_that_are_shut_or_open_give_no_nan(cell):
    given = drawn(cell, 40, size=300.0)
    for way in (scan, stepwise):
        assert all(torch.isfinite(one).all() for one in differentiated(way.run, cell, given))


def test_the_state_goes_half_the_way_where_z_is_a_half():
    """z = σ(0), g(1.5) = 2: 0, 1, 1.5, 1.75."""
    bias = torch.tensor([[0.0, 1.5]])
    layer = LayerRun(
        "mingru", InputWeights(torch.zeros(1, 2, 1), bias), torch.ones(1, 1, 3, 1),
        (torch.zeros(1, 1, 1),),
    )  # fmt: skip
    for way in (scan, stepwise):
        outputs, _ = way.run(layer)
        assert outputs.flatten().tolist() == [1.0, 1.5, 1.75]


def test_the_gates_of_minlstm_are_shares_of_their_sum():
    """f = ½, i = ¼: two thirds of the old state stay; g(−ln 3) = ¼ of the new."""
    bias = torch.tensor([[-math.log(3), 0.0, -math.log(3)]])
    layer = LayerRun(
        "minlstm", InputWeights(torch.zeros(1, 3, 1), bias), torch.ones(1, 1, 2, 1),
        (torch.full((1, 1, 1), 3.0),),
    )  # fmt: skip
    first = 3 * 2 / 3 + 0.25 / 3
    for way in (scan, stepwise):
        outputs, _ = way.run(layer)
        assert outputs.flatten().tolist() == pytest.approx([first, first * 2 / 3 + 0.25 / 3])


def test_g_is_continuous_and_above_zero():
    values = above_zero(torch.tensor([-50.0, -1.0, 0.0, 2.0], dtype=torch.float64))
    assert values.tolist() == pytest.approx([math.exp(-50), 1 / (1 + math.e), 0.5, 2.5])
    assert (values > 0).all()


@pytest.mark.parametrize("cell", LINEAR)
def test_padded_steps_hold_the_state_to_the_bit(cell):
    given = drawn(cell, 20, 1, torch.float32)
    lengths = torch.tensor([[20, 7, 0]])
    outputs, state, *_ = differentiated(scan.run, cell, given, lengths=lengths)
    assert torch.equal(state[0, 1], outputs[0, 1, 6])
    assert torch.equal(state[0, 2], given[2][0, 2])
    weights, x, h = given
    one = slice(1, 2)
    alone = scan.run(LayerRun(cell, weights, x[:, one, :7], (h[:, one],)))[0]
    torch.testing.assert_close(outputs[:, one, :7], alone, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kept", ["drawn", "expected"])
@pytest.mark.parametrize("cell", LINEAR)
def test_zoneout_is_scanned_as_it_is_stepped(cell, kept):
    given = drawn(cell, 30)
    rates = torch.tensor([0.0, 0.3], dtype=torch.float64).reshape(2, 1, 1, 1)
    keep = rates
    if kept == "drawn":
        keep = (torch.rand(2, ROWS, 30, HIDDEN, dtype=torch.float64) < rates).double()
    noise = RecurrentNoise(None, (keep,))
    lengths = torch.tensor([30, 11, 0]).expand(2, -1)
    mine, theirs = (
        differentiated(way.run, cell, given, noise=noise, lengths=lengths)
        for way in (scan, stepwise)
    )
    torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-11)


def test_blocks_grow_with_the_root_of_time():
    lengths = [scan.block_length(steps) for steps in (1, 2, 8, 200, 4000)]
    assert lengths == [1, 1, 2, 10, 44]


def test_chrono_draws_memories_of_as_many_steps():
    """A share of 1/T at most is forgotten in a step, whichever gate says so."""
    config = TrainConfig(hidden_size=500, chrono_time_steps=100, dtype="float64")
    for cell in LINEAR:
        own = replace(config, cell=cell)
        layout = Layout.of(own.structure(), FEATURES, 1)
        flat = torch.zeros(layout.size, dtype=torch.float64)
        initialise(layout, flat, own)
        bias = layout.views(flat.unsqueeze(0))["bias_ih_l0"]
        keep, _ = cell_of(cell).gates(bias)
        memory = 1 / (1 - keep)  # in steps, 1 + U(1, 99)
        assert memory.min() >= 2
        assert memory.max() <= 100 + 1e-9
        assert memory.mean() == pytest.approx(51, rel=0.1)


def test_the_forget_bias_is_the_one_asked_for():
    config = TrainConfig(cell="minlstm", hidden_size=4, forget_bias=1.5)
    layout = Layout.of(config.structure(), FEATURES, 1)
    flat = torch.zeros(layout.size)
    initialise(layout, flat, config)
    assert layout.views(flat.unsqueeze(0))["bias_ih_l0"][0, 4:8].tolist() == [1.5] * 4
