"""A decoder against the same loop written out over `torch.nn`, in values and gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.trainers.factory import Network
from tests.trainers.forecast_factory import AHEAD, HORIZON, TARGETS, decoding, forecast_data
from trainers.config.cells import CELLS
from trainers.learning import losses
from trainers.learning.batches import Part
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut
from trainers.network.draws import Draws
from trainers.network.dropout import Counted, DropoutKey, happens
from trainers.network.model import Model
from trainers.network.parameters import weights_of
from trainers.network.recurrence import choose_backend
from trainers.network.sites import TEACHER

MODULES = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn_tanh": nn.RNN}


def run(config, data, *, backend="auto", keys=None):
    """Run all rows as one batch; return segment, outputs, loss and gradients by name."""
    network = Network.of(config.structure(), data.train, data.output_size, seed=3)
    structure = config.structure()
    batch = Part(data.train, structure).batch(np.arange(len(data.train)))
    segment = cut(batch, Span(0, batch.time_steps), structure, data.input_size)
    gradient = torch.zeros_like(network.flat)
    weights = weights_of(network.model.layout, network.flat, gradient)
    chosen = choose_backend(backend, config.cell, 1, "cpu")
    model = Model(structure, network.model.layout, chosen)
    outputs, _ = model.forward(weights, segment, None, keys)
    loss = losses.reduced(losses.elements(structure, outputs, segment.targets), segment)
    loss.sum().backward()
    return network, segment, outputs.detach(), loss.detach(), network.named(gradient[0])


def written_out(config, data, network, told):
    """The same with torch's modules, each row alone at its true length."""
    named = network.named(network.flat[0])
    layers, hidden = config.num_layers, config.hidden_size
    module = MODULES[config.cell]
    encoder = module(data.input_size, hidden, layers, batch_first=True).double()
    decoder = module(TARGETS + config.ahead_size, hidden, layers, batch_first=True).double()
    head = nn.Linear(hidden, TARGETS).double()
    encoder.load_state_dict({n: w for n, w in named.items() if n.partition("_l")[0] in
                             ("weight_ih", "weight_hh", "bias_ih", "bias_hh")})  # fmt: skip
    decoder.load_state_dict(
        {n.removeprefix("decoder."): w for n, w in named.items() if n.startswith("decoder.")}
    )
    head.load_state_dict({n.removeprefix("head."): named[n] for n in ("head.weight", "head.bias")})
    part, answers = data.train, []
    for row in range(len(part)):
        exists = slice(None) if part.input_mask is None else part.input_mask[row]
        x = torch.from_numpy(part.inputs[row][exists])
        _, state = encoder(x[None])
        fed = x[-1, :TARGETS] if config.past_targets else torch.zeros(TARGETS).double()
        truth = torch.from_numpy(part.targets[row, 0]).view(HORIZON, TARGETS)
        for step in range(HORIZON):
            inputs = fed
            if part.ahead is not None:
                inputs = torch.cat([fed, torch.from_numpy(part.ahead[row, step])])
            y, state = decoder(inputs[None, None], state)
            answer = head(y[0, 0])
            answers.append(answer)
            fed = truth[step] if step + 1 < HORIZON and told[step, row] else answer
    outputs = torch.stack(answers).view(len(part), -1)
    targets = torch.from_numpy(part.targets[:, 0])
    loss = (outputs - targets).square().mean()
    loss.backward()
    gradients = {
        **{n: p.grad for n, p in encoder.named_parameters()},
        **{f"decoder.{n}": p.grad for n, p in decoder.named_parameters()},
        **{f"head.{n}": p.grad for n, p in head.named_parameters()},
    }
    return outputs.detach(), loss.detach(), gradients


def drawn(config, rows, *, step):
    """Which answers are told, `(horizon − 1, rows)`."""
    like = torch.zeros(1, dtype=torch.float64)
    key = DropoutKey(config, step)
    told = happens([key], TEACHER, (HORIZON - 1, rows, 1), like, Counted())
    return np.zeros((HORIZON - 1, rows), bool) if told is None else told[0, ..., 0].numpy()


@pytest.mark.parametrize("forcing", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize("pattern", ["none", "prefix", "gaps"])
def test_values_and_gradients_are_those_of_a_loop_written_out(cell, forcing, pattern):
    data = forecast_data(pattern, rows=8)
    config = decoding(data, cell=cell, teacher_forcing=forcing)
    network, _, outputs, loss, gradients = run(config, data, keys=[DropoutKey(config, 5)])
    told = drawn(config, 8, step=5)
    assert told.mean() == forcing or (forcing == 0.5 and 0.2 < told.mean() < 0.8)
    expected, mean, theirs = written_out(config, data, network, told)
    torch.testing.assert_close(outputs[0], expected)
    torch.testing.assert_close(loss[0], mean)
    assert gradients.keys() == theirs.keys()
    for name, gradient in theirs.items():
        torch.testing.assert_close(gradients[name], gradient, msg=name)


@pytest.mark.parametrize("given", [{"ahead": 0}, {}], ids=["nothing ahead", "ahead"])
@pytest.mark.parametrize("past", [(), (0, 1)], ids=["zeros first", "the newest value first"])
def test_the_first_input_is_the_newest_value_or_zeros_beside_what_is_known_ahead(given, past):
    data = replace(forecast_data("gaps", rows=8, **given), past_targets=past)
    config = decoding(data)
    assert config.ahead_size == given.get("ahead", AHEAD)
    network, _, outputs, *_ = run(config, data)
    expected, *_ = written_out(config, data, network, drawn(replace(config, teacher_forcing=0), 8,
                                                            step=0))  # fmt: skip
    torch.testing.assert_close(outputs[0], expected)


def test_evaluation_is_never_told_the_truth():
    """Without dropout keys, as with those of an evaluation, the answers run free."""
    data = forecast_data(rows=8)
    config = decoding(data, teacher_forcing=1.0, zoneout_hidden=0.1)
    other = replace(data, train=replace(data.train, targets=data.train.targets + 7))
    for keys in (None, [DropoutKey(config, None)]):
        assert torch.equal(run(config, data, keys=keys)[2], run(config, other, keys=keys)[2])
    key = [DropoutKey(config, 0)]
    assert not torch.equal(run(config, data, keys=key)[2], run(config, other, keys=key)[2])


def test_teacher_forcing_decays_by_the_epoch():
    data = forecast_data()
    config = decoding(data, teacher_forcing=0.8, teacher_forcing_decay=0.5)
    rates = [DropoutKey(config, 9, epoch).rate(TEACHER) for epoch in range(3)]
    assert rates == [0.8, 0.4, 0.2]
    assert DropoutKey(config, None).rate(TEACHER) == 0.0


@pytest.mark.parametrize("kind", ["locked", "step"])
@pytest.mark.parametrize("cell", CELLS)
def test_told_all_answers_at_once_or_one_by_one_is_the_same(cell, kind, monkeypatch):
    """What is dropped too, whichever way the steps are run."""
    data = forecast_data("prefix", rows=8)
    inside = {"recurrent_dropout": 0.2, "weight_drop": 0.2, "zoneout_hidden": 0.1}
    config = decoding(
        data, cell=cell, dropout_kind=kind, input_dropout=0.2, layer_dropout=0.2,
        output_dropout=0.2, head_sizes=(5,), head_dropout=0.2,
        **({} if CELLS[cell].linear else inside),
    )  # fmt: skip
    keys = [DropoutKey(config, 2)]
    *_, outputs, _, gradients = run(config, data, keys=keys)
    monkeypatch.setattr(Draws, "certain", lambda *_: False)
    *_, one_by_one, _, others = run(config, data, keys=keys, backend="stepwise")
    torch.testing.assert_close(outputs, one_by_one)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, others[name], msg=name)


def test_an_answer_that_is_missing_is_never_told():
    """Its place may hold anything: the decoder goes on from its own."""
    data = forecast_data("gaps", rows=8, missing=True)
    config = decoding(data, teacher_forcing=1.0)
    *_, outputs, loss, gradients = run(config, data, keys=[DropoutKey(config, 0)])
    mask = data.train.target_mask
    dirty = np.where(mask, data.train.targets, np.nan)
    broken = replace(data, train=replace(data.train, targets=dirty))
    *_, others, same, theirs = run(config, broken, keys=[DropoutKey(config, 0)])
    assert torch.equal(outputs, others)
    assert torch.equal(loss, same)
    assert all(torch.equal(gradients[name], theirs[name]) for name in gradients)


def test_the_decoder_has_layers_and_draws_of_its_own():
    data = forecast_data()
    config = decoding(data)
    network = Network.of(config.structure(), data.train, data.output_size)
    named = network.named(network.flat[0])
    assert named["decoder.weight_ih_l0"].shape == (3 * 4, TARGETS + AHEAD)
    assert named["decoder.weight_hh_l1"].shape == named["weight_hh_l1"].shape
    assert not torch.equal(named["decoder.weight_hh_l0"], named["weight_hh_l0"])
    assert named["head.weight"].shape == (TARGETS, 4)
