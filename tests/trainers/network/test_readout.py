"""Readouts and the head, by hand and against torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainers.factory import (
    Network,
    admitted,
    prefix_mask,
    regression_data,
    regression_set,
    slot_weights,
)
from trainers.config.train_config import TrainConfig
from trainers.learning.batches import Part
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut
from trainers.network.dropout import DropoutKey
from trainers.network.parameters import weights_of
from trainers.network.readout import pool
from trainers.network.regularisation import head_penalty, strengths

SERIES = torch.tensor([[1.0, -5.0, 3.0], [-2.0, -4.0, 9.0]]).reshape(1, 2, 3, 1)
LENGTHS = torch.tensor([[3, 2]])


def test_mean_and_maximum_see_existing_steps_only():
    assert pool("mean", SERIES, LENGTHS, None)[0].flatten().tolist() == pytest.approx([-1 / 3, -3])
    assert pool("max", SERIES, LENGTHS, None)[0].flatten().tolist() == [3.0, -2.0]
    assert pool("max", SERIES, None, None)[0].flatten().tolist() == [3.0, 9.0]


def test_accumulators_run_over_segments_and_begin_at_zero():
    """A maximum of negative numbers is negative, though the accumulator begins at 0."""
    below = SERIES - 10
    _, before = pool("max", below[:, :, :1], None, None)
    _, held = pool("max", below[:, :, 1:], torch.tensor([[0, 0]]), before)
    value, _ = pool("max", below[:, :, 1:2], None, held)
    assert value.flatten().tolist() == [-9.0, -12.0]
    nothing, state = pool("max", below, torch.tensor([[0, 3]]), None)
    assert nothing.flatten().tolist() == [0.0, -1.0]
    assert [part.flatten().tolist() for part in state] == [[0.0, -1.0], [0.0, 3.0]]


def config(**fields):
    return TrainConfig(**{"cell": "gru", "hidden_size": 3, "dtype": "float64"} | fields)


@pytest.mark.parametrize("readout", ["mean", "max"])
@pytest.mark.parametrize("k1", [2, 3, 8])
def test_pooled_outputs_over_segments_are_those_of_one_pass(readout, k1):
    mask = prefix_mask([8, 8, 3, 5], 8)
    mask[0, 2:4] = False
    data = regression_set(4, 8, mask=mask, dtype=np.float64)
    network = Network.of(config(readout=readout).structure(), data, 1)
    (full,) = network.walk(data)
    parts = network.walk(data, tbptt_forward_steps=k1)
    together = torch.cat([p[1] for p in parts if len(p[1])])
    assert sorted(together.flatten().tolist()) == pytest.approx(sorted(full[1].flatten().tolist()))
    assert sum(p[2] for p in parts if p[2] is not None) == pytest.approx(full[2])


def test_what_earlier_segments_brought_to_the_mean_is_detached():
    """With the recurrence cut to nothing, only the last segment's steps have a gradient."""
    data = regression_set(2, 4, dtype=np.float64)
    network = Network.of(config(readout="mean").structure(), data, 1)
    first, second = network.walk(data, tbptt_forward_steps=2)
    (full,) = network.walk(data)
    assert first[2] is None
    assert second[2] == pytest.approx(full[2])
    stack = [name for name in network.named(second[3]) if not name.startswith("head")]
    assert all(
        not torch.allclose(network.named(second[3])[n], network.named(full[3])[n]) for n in stack
    )


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_all_states_are_every_layers_last_h(cell, merge):
    data = regression_set(5, 6, mask=prefix_mask([6, 6, 4, 2, 1], 6), dtype=np.float64)
    shape = config(
        cell=cell, num_layers=2, hidden_size=[4, 3], readout="all_states", bidirectional=True,
        bidirectional_merge=merge,
    ).structure()  # fmt: skip
    network = Network.of(shape, data, 2)
    width = 14 if merge == "concat" else 7
    assert network.named(network.flat[0])["head.weight"].shape == (2, width)


def test_all_states_of_a_stack_equal_torch_nn():
    data = regression_set(5, 6, outputs=2, dtype=np.float64)
    network = Network.of(config(num_layers=2, readout="all_states").structure(), data, 2)
    module = torch.nn.GRU(3, 3, 2, batch_first=True).double()
    named = network.named(network.flat[0])
    module.load_state_dict({n: v for n, v in named.items() if not n.startswith("head.")})
    _, final = module(torch.from_numpy(data.inputs))
    states = torch.cat([final[0], final[1]], -1)
    expected = torch.nn.functional.linear(states, named["head.weight"], named["head.bias"])
    ((_, outputs, _, _),) = network.walk(data)
    torch.testing.assert_close(outputs, expected.detach())


def test_summed_directions_are_torchs_two_halves_added():
    data = regression_set(5, 6, dtype=np.float64)
    shape = config(bidirectional=True, bidirectional_merge="sum", readout="every").structure()
    network = Network.of(shape, data, 1)
    module = torch.nn.GRU(3, 3, bidirectional=True, batch_first=True).double()
    named = network.named(network.flat[0])
    module.load_state_dict({n: v for n, v in named.items() if not n.startswith("head.")})
    every, _ = module(torch.from_numpy(data.inputs))
    summed = every[..., :3] + every[..., 3:]
    expected = torch.nn.functional.linear(summed, named["head.weight"], named["head.bias"])
    ((_, outputs, _, _),) = network.walk(data)
    torch.testing.assert_close(outputs.reshape(5, 6, 1), expected.detach())


def test_hidden_layers_of_the_head_equal_torch_nn():
    data = regression_set(5, 6, dtype=np.float64)
    shape = config(readout="every", head_sizes=[7, 4], head_activation="relu").structure()
    network = Network.of(shape, data, 1)
    named = network.named(network.flat[0])
    assert [tuple(named[f"dense.{i}.weight"].shape) for i in (0, 1)] == [(7, 3), (4, 7)]
    module = torch.nn.GRU(3, 3, batch_first=True).double()
    module.load_state_dict({n: v for n, v in named.items() if n.endswith("_l0")})
    h, _ = module(torch.from_numpy(data.inputs))
    for i in (0, 1):
        h = torch.relu(
            torch.nn.functional.linear(h, named[f"dense.{i}.weight"], named[f"dense.{i}.bias"])
        )
    expected = torch.nn.functional.linear(h, named["head.weight"], named["head.bias"])
    ((_, outputs, _, _),) = network.walk(data)
    torch.testing.assert_close(outputs.reshape(5, 6, 1), expected.detach())


def test_head_dropout_is_drawn_per_row_and_hidden_unit():
    data = regression_set(6, 5, dtype=np.float64)
    settings = config(readout="every", head_sizes=[40], head_dropout=0.5)
    network = Network.of(settings.structure(), data, 1)
    network.named(network.flat[0])["weight_hh_l0"].zero_()
    data.inputs[:] = 1.0
    segment = cut(
        Part(data, settings.structure()).batch(np.arange(6)), Span(0, 5), settings.structure(), 3
    )
    weights = weights_of(network.model.layout, network.flat)
    plain, _ = network.model.forward(weights, segment)
    dropped, _ = network.model.forward(weights, segment, None, [DropoutKey(settings, 0)])
    rows = dropped.reshape(5, 6).T
    assert not torch.allclose(plain, dropped)
    assert len({round(v, 9) for v in rows[:, 0].tolist()}) == 6


def test_head_l2_is_half_the_sum_of_squares_of_the_hidden_kernels_only():
    kernels = ((torch.full((2, 2, 3), 2.0), torch.ones(2, 2)), (torch.ones(2, 1, 2), torch.ones(2)))
    configs = [config(head_sizes=[2], head_l2=0.5), config(head_sizes=[2])]
    half = torch.tensor(strengths(configs)["head"])
    assert head_penalty(kernels, half).tolist() == [0.5 * (24 + 2) / 2, 0.0]


def test_head_l2_pulls_the_hidden_kernels_down_and_is_no_part_of_the_loss():
    data = regression_data()
    settings = config(head_sizes=[4], optimizer="sgd", learning_rate=0.1, batch_size=20)
    plain, pulled = (admitted(replace(settings, head_l2=s), data) for s in (0.0, 0.3))
    entry = next(e for e in plain._model.layout.entries if e.name == "dense.0.weight")
    before = slot_weights(plain)[entry.start : entry.stop]
    reports = plain.train(0), pulled.train(0)
    assert reports[0].train == reports[1].train
    after = [slot_weights(pack)[entry.start : entry.stop] for pack in (plain, pulled)]
    torch.testing.assert_close(after[0] - after[1], 0.1 * 0.3 * before)
