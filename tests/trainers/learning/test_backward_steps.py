"""k2 on either side of k1, against torch.nn modules walked by hand with explicit detach."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.trainers.factory import (
    Network,
    admitted,
    finish,
    prefix_mask,
    regression_set,
    slot_weights,
    wrap,
)
from trainers.config.train_config import TrainConfig

REGIMES = [(4, 1), (4, 3), (4, 4), (3, 5), (2, 7), (1, 4), (5, 50)]
MODULES = {
    "rnn_tanh": torch.nn.RNN,
    "gru": torch.nn.GRU,
    "lstm": torch.nn.LSTM,
}


def modules(network, cell, features=3):
    module = MODULES[cell](features, 4, 2, batch_first=True).double()
    head = torch.nn.Linear(4, 1).double()
    own = [*module.parameters(), *head.parameters()]
    for mine, theirs in zip(network.named(network.flat[0]).values(), own, strict=True):
        theirs.data.copy_(mine)
    return module, head, own


def cut_off(state):
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def by_hand(module, head, x, y, k1, k2):
    """Yield each segment's loss, as Williams & Peng have it: states per step, one step a call."""
    history = [None]  # the detached state before each step, by the newest pass over it
    for stop in range(k1, x.shape[1] + k1, k1):
        stop = min(stop, x.shape[1])
        start = (stop - 1) // k1 * k1
        begin = max(0, stop - k2) if k2 > k1 else start
        state, outputs = history[begin], []
        for step in range(begin, stop):
            if step < stop - k2 and state is not None:
                state = cut_off(state)
            out, state = module(x[:, step : step + 1], state)
            if step < stop - k2:  # steps without gradient: only the head sees them
                out, state = out.detach(), cut_off(state)
            history[step + 1 :] = [cut_off(state)]
            if step >= start:
                outputs.append(head(out))
        yield (torch.cat(outputs, 1) - y[:, start:stop]).square().mean()


@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize(("k1", "k2"), REGIMES)
def test_losses_and_gradients_are_autograds_with_explicit_detach(cell, k1, k2):
    data = regression_set(5, 10, dtype=np.float64)
    config = TrainConfig(cell=cell, readout="every", dtype="float64", hidden_size=4, num_layers=2)
    network = Network.of(config.structure(), data, 1)
    module, head, own = modules(network, cell)
    x, y = torch.from_numpy(data.inputs), torch.from_numpy(data.targets)
    steps = network.walk(data, tbptt_forward_steps=k1, tbptt_backward_steps=k2)
    expected = list(by_hand(module, head, x, y, k1, k2))
    assert len(steps) == len(expected) == -(-10 // k1)
    for (_, _, loss, gradient), theirs in zip(steps, expected, strict=True):
        assert loss == pytest.approx(theirs.item(), rel=1e-10)
        flat = torch.cat([g.flatten() for g in torch.autograd.grad(theirs, own)])
        mine = torch.cat([g.flatten() for g in network.named(gradient).values()])
        torch.testing.assert_close(mine, flat, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("k1", "k2"), REGIMES)
def test_replays_and_steps_take_the_weights_of_now(k1, k2):
    """Training by SGD, weights moving from segment to segment, ends where the hand-made loop does.

    Replayed states are by the newest pass, so this tells which weights each state came from.
    """
    data = regression_set(5, 10, dtype=np.float64)
    config = TrainConfig(
        cell="gru", readout="every", dtype="float64", hidden_size=4, num_layers=2, batch_size=5,
        tbptt_forward_steps=k1, tbptt_backward_steps=k2, optimizer="sgd", learning_rate=0.3,
        max_epochs=1,
    )  # fmt: skip
    network = Network.of(config.structure(), data, 1)
    module, head, own = modules(network, "gru")
    sgd = torch.optim.SGD(own, lr=0.3)
    x, y = torch.from_numpy(data.inputs), torch.from_numpy(data.targets)
    for loss in by_hand(module, head, x, y, k1, k2):
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    pack = admitted(config, wrap(data))
    (report,) = finish(pack)
    assert report.optimizer_steps == -(-10 // k1)
    named = network.named(slot_weights(pack))
    flat = torch.cat([w.flatten() for w in named.values()])
    expected = torch.cat([p.detach().flatten() for p in own])
    torch.testing.assert_close(flat, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("readout", ["every", "last"])
@pytest.mark.parametrize("reduction", ["valid_step", "sequence_sum", "sequence_mean"])
@pytest.mark.parametrize(("k1", "k2"), REGIMES)
def test_k2_changes_no_output_and_no_loss(readout, reduction, k1, k2):
    """With weights fixed only gradients depend on k2; masks with gaps and ragged rows too."""
    mask = prefix_mask([10, 4, 7, 9, 1], 10)
    mask[0, 3:6] = mask[3, 0] = False
    data = regression_set(5, 10, mask=mask, dtype=np.float64)
    config = TrainConfig(
        cell="lstm", readout=readout, dtype="float64", hidden_size=4, loss_reduction=reduction
    )
    network = Network.of(config.structure(), data, 1)
    plain = network.walk(data, tbptt_forward_steps=k1)
    reaching = network.walk(data, tbptt_forward_steps=k1, tbptt_backward_steps=k2)
    assert sum(p[0].count for p in plain) == pytest.approx(
        5 if reduction != "valid_step" else (5 if readout == "last" else mask.sum())
    )
    for (_, _, mine, _), (_, _, theirs, _) in zip(reaching, plain, strict=True):
        assert (mine is None) == (theirs is None)
        assert mine is None or mine == pytest.approx(theirs, rel=1e-10)


@pytest.mark.parametrize(("k1", "k2"), REGIMES)
def test_epoch_metrics_count_every_target_once(k1, k2):
    mask = prefix_mask(np.arange(8) % 5 + 4, 8)
    data = wrap(regression_set(8, 8, mask=mask, dtype=np.float64))
    config = TrainConfig(
        readout="every", hidden_size=3, batch_size=3, learning_rate=0.0, dtype="float64",
        tbptt_forward_steps=k1, tbptt_backward_steps=k2,
    )  # fmt: skip
    report = admitted(config, data).train(0)
    assert report.train == pytest.approx(report.validation, rel=1e-9)


def test_k2_of_k1_is_k1_alone_bit_by_bit():
    data = wrap(regression_set(8, 10))
    common = {"readout": "every", "hidden_size": 3, "batch_size": 4, "max_epochs": 2}
    plain = admitted(TrainConfig(**common, tbptt_forward_steps=3), data)
    same = admitted(TrainConfig(**common, tbptt_forward_steps=3, tbptt_backward_steps=3), data)
    finish(plain), finish(same)
    assert torch.equal(slot_weights(plain), slot_weights(same))
