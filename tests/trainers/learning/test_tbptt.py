"""Truncated BPTT: SEMANTICS' tests (a) to (d), in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.trainers.factory import Network, admitted, prefix_mask, regression_set, wrap
from trainers.config.train_config import TrainConfig

CELLS = ("rnn_tanh", "rnn_relu", "gru", "lstm", "mingru", "minlstm")


def network(cell, data, readout="every", **fields):
    fields = {"hidden_size": 4, "num_layers": 2} | fields
    config = TrainConfig(cell=cell, readout=readout, dtype="float64", **fields)
    return Network.of(config.structure(), data, 1)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("k1", [10, 11, 500])
def test_segments_as_long_as_the_series_are_full_bptt(cell, k1):
    data = regression_set(5, 10, dtype=np.float64)
    net = network(cell, data)
    (full,) = net.walk(data)
    (truncated,) = net.walk(data, tbptt_forward_steps=k1)
    assert truncated[2] == pytest.approx(full[2], rel=1e-10)
    torch.testing.assert_close(truncated[3], full[3], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("k1", [1, 3, 4, 9])
def test_outputs_of_all_segments_are_those_of_one_pass(cell, k1):
    data = regression_set(5, 10, dtype=np.float64)
    net = network(cell, data)
    (full,) = net.walk(data)
    parts = [p[1].reshape(5, -1) for p in net.walk(data, tbptt_forward_steps=k1)]
    torch.testing.assert_close(torch.cat(parts, 1), full[1].reshape(5, 10), rtol=1e-10, atol=1e-12)


def test_each_segments_gradient_is_autograd_with_a_detach_at_its_border():
    """Compared with torch.nn.LSTM, driven by hand."""
    data = regression_set(5, 10, dtype=np.float64)
    net = network("lstm", data)
    module = torch.nn.LSTM(3, 4, 2, batch_first=True).double()
    head = torch.nn.Linear(4, 1).double()
    own = [*module.parameters(), *head.parameters()]
    for mine, theirs in zip(net.named(net.flat[0]).values(), own, strict=True):
        theirs.data.copy_(mine)
    x, y = torch.from_numpy(data.inputs), torch.from_numpy(data.targets)
    state = None
    for index, (_, _, loss, gradient) in enumerate(net.walk(data, tbptt_forward_steps=4)):
        steps = slice(4 * index, 4 * index + 4)
        outputs, state = module(x[:, steps], state)
        expected = (head(outputs) - y[:, steps]).square().mean()
        flat = torch.cat([g.flatten() for g in torch.autograd.grad(expected, own)])
        state = tuple(s.detach() for s in state)
        assert loss == pytest.approx(expected.item(), rel=1e-10)
        own_flat = torch.cat([g.flatten() for g in net.named(gradient).values()])
        torch.testing.assert_close(own_flat, flat, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("k1", "per_batch"), [(None, 1), (1, 10), (3, 4), (10, 1), (99, 1)])
def test_every_segment_is_one_optimizer_step(k1, per_batch):
    data = wrap(regression_set(8, 10))
    config = TrainConfig(hidden_size=3, readout="every", batch_size=4, tbptt_forward_steps=k1)
    pack = admitted(config, data)
    assert pack.train(0).optimizer_steps == 2 * per_batch
    assert pack.train(0).optimizer_steps == 4 * per_batch


@pytest.mark.parametrize("k1", [3, 4, 8])
def test_one_target_is_learned_in_the_segment_of_its_rows_last_step(k1):
    """The denominator is the batch's rows, so the segments' losses add up to the full loss."""
    lengths = np.array([8, 8, 3, 5])
    data = regression_set(4, 8, mask=prefix_mask(lengths, 8), dtype=np.float64)
    net = network("gru", data, readout="last")
    (full,) = net.walk(data)
    parts = net.walk(data, tbptt_forward_steps=k1)
    trained = {i for i, p in enumerate(parts) if p[2] is not None}
    assert trained == {(length - 1) // k1 for length in lengths}
    assert sum(p[2] for p in parts if p[2] is not None) == pytest.approx(full[2], rel=1e-10)


def test_segments_without_a_target_make_no_step_but_carry_the_state():
    data = wrap(regression_set(8, 9, dtype=np.float64))
    common = {"hidden_size": 4, "batch_size": 8, "dtype": "float64", "learning_rate": 0.0}
    truncated = admitted(TrainConfig(**common, tbptt_forward_steps=3), data).train(0)
    full = admitted(TrainConfig(**common), data).train(0)
    assert truncated.optimizer_steps == 1
    assert truncated.train == pytest.approx(full.train, rel=1e-10)


def test_state_does_not_survive_a_batch():
    """With learning rate 0, shuffled batches of one epoch give each row its own outputs."""
    data = wrap(regression_set(6, 9, dtype=np.float64))
    config = TrainConfig(
        hidden_size=4,
        batch_size=2,
        dtype="float64",
        learning_rate=0.0,
        readout="every",
        tbptt_forward_steps=4,
    )
    report = admitted(config, data).train(0)
    assert report.train == pytest.approx(report.validation, rel=1e-10)
