from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainers.factory import ACCURACY, admitted, classes_set, regression_set, wrap
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceSet
from trainers.errors import CheckpointError, ConfigError, DataError
from trainers.learning.batches import Part
from trainers.learning.checkpoint import read_checkpoint
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut
from trainers.use.streaming import StreamingModel

CELLS = ("rnn_tanh", "rnn_relu", "gru", "lstm", "mingru", "minlstm")
CONFIG = TrainConfig(
    cell="lstm", hidden_size=4, num_layers=2, readout="every", dtype="float64", batch_size=5,
    layer_dropout=0.4, input_dropout=0.4, output_dropout=0.4, learning_rate=0.05,
)  # fmt: skip
DATA = regression_set(5, 12, dtype=np.float64)
X = torch.from_numpy(DATA.inputs)


@pytest.fixture
def trained(tmp_path):
    def train(**fields):
        config = replace(CONFIG, **fields)
        pack = admitted(config, wrap(DATA))
        pack.train(0)
        pack.save(0, tmp_path / "trial")
        return StreamingModel.from_checkpoint(tmp_path / "trial")

    return train


def full_pass(model):
    """Every step's output `(batch, time, outputs)` by the forward pass of training."""
    structure = model._model.structure
    segment = cut(Part(DATA, structure).batch(np.arange(5)), Span(0, 12), structure, 3)
    outputs, _ = model._model.forward(model._weights, segment)
    return outputs[0].reshape(12, 5, -1).transpose(0, 1)


@pytest.mark.parametrize("readout", ["every", "last"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("chunk", [0, 1, 2, 3, 4, 6, 12])
def test_outputs_equal_the_full_pass_for_any_chunking(trained, cell, chunk, readout):
    """Chunk 0 gives single steps without a time axis."""
    model = trained(cell=cell, readout=readout)
    if chunk:
        parts = [model.step(part) for part in X.split(chunk, dim=1)]
        outputs = torch.cat(parts, dim=1)
    else:
        outputs = torch.stack([model.step(X[:, t]) for t in range(12)], dim=1)
    assert outputs.shape == (5, 12, 1)
    torch.testing.assert_close(outputs, full_pass(model), rtol=1e-10, atol=1e-12)


def test_single_steps_and_chunks_may_alternate(trained):
    model = trained()
    outputs = [model.step(X[:, :5]), model.step(X[:, 5]).unsqueeze(1), model.step(X[:, 6:])]
    torch.testing.assert_close(torch.cat(outputs, 1), full_pass(model), rtol=1e-10, atol=1e-12)


def test_best_weights_are_the_ones_that_are_stepped(tmp_path):
    """A rate that makes every epoch after the first worse."""
    config = replace(CONFIG, learning_rate=2.0, max_epochs=30, optimizer="sgd", seed=3)
    pack = admitted(config, wrap(DATA))
    while pack.train(0).best_epoch == pack.epoch(0):
        pass
    pack.save(0, tmp_path / "trial")
    saved = read_checkpoint(tmp_path / "trial")
    assert not torch.equal(saved.tensors["best"], saved.tensors["weights"])
    model = StreamingModel.from_checkpoint(tmp_path / "trial")
    error = model.step(X) - torch.from_numpy(DATA.targets)
    assert error.square().mean().sqrt().item() == pytest.approx(
        saved.progress["best_validation"]["rmse"]
    )


def test_after_clear_state_the_state_is_zero_and_the_batch_may_change(trained):
    model = trained()
    first = model.step(X[:, 0])
    assert not torch.allclose(model.step(X[:, 0]), first)
    model.clear_state()
    assert model.get_state(0) is None
    assert torch.equal(model.step(X[:, 0]), first)
    with pytest.raises(DataError, match="batch size must stay 5"):
        model.step(X[:2, 0])
    with pytest.raises(DataError, match="batch size must stay 5"):
        model.step(X[:2])
    model.clear_state()
    torch.testing.assert_close(model.step(X[:2, 0]), first[:2])


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_state_can_be_taken_out_of_every_layer_and_put_back(trained, cell):
    model = trained(cell=cell)
    model.step(X[:, :4])
    taken = [model.get_state(layer) for layer in range(model.num_layers)]
    assert [len(state) for state in taken] == [2 if cell == "lstm" else 1] * 2
    expected = model.step(X[:, 4])
    model.clear_state()
    for layer, state in enumerate(taken):
        model.set_state(layer, state)
    assert torch.equal(model.step(X[:, 4]), expected)
    taken[0][0].fill_(9.0)
    assert not (model.get_state(0)[0] == 9.0).any(), "a state taken out is a copy"


def test_a_layer_that_is_not_set_begins_at_zero(trained):
    model = trained()
    zeros = [tuple(torch.zeros(5, 4, dtype=torch.float64) for _ in "hc") for _ in range(2)]
    given = (torch.ones(5, 4), torch.ones(5, 4))
    model.set_state(1, given)
    single = model.step(X[:, 0])
    for state in (model.set_state(0, zeros[0]), model.set_state(1, given)):
        assert state is None
    torch.testing.assert_close(model.step(X[:, 0]), single)


@pytest.mark.parametrize(
    "state", [(), (torch.zeros(5, 4),), (torch.zeros(5, 4), torch.zeros(5, 3))], ids=len
)
def test_a_state_of_another_shape_is_refused(trained, state):
    with pytest.raises(DataError, match="2 tensor"):
        trained().set_state(0, state)


def test_the_state_is_saved_apart_from_the_model(trained, tmp_path):
    model = trained()
    model.step(X[:, :7])
    model.save_state(tmp_path / "state")
    expected = model.step(X[:, 7:])
    other = StreamingModel.from_checkpoint(tmp_path / "trial")
    assert other.get_state(0) is None, "a checkpoint of the model holds no state"
    other.load_state(tmp_path / "state")
    torch.testing.assert_close(other.step(X[:, 7:]), expected, rtol=0, atol=0)


def test_a_cleared_state_is_saved_as_such(trained, tmp_path):
    model = trained()
    model.save_state(tmp_path / "state")
    model.step(X)
    model.load_state(tmp_path / "state")
    assert model.get_state(1) is None


def test_a_damaged_or_foreign_state_is_refused_and_the_one_in_hand_is_kept(trained, tmp_path):
    model = trained(num_layers=1, layer_dropout=0.0)
    model.step(X)
    model.save_state(tmp_path / "shallow")
    model = trained()
    model.step(X)
    before = model.get_state(0)
    with pytest.raises(DataError, match="2 layer"):
        model.load_state(tmp_path / "shallow")
    (tmp_path / "bad").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="clear_state"):
        model.load_state(tmp_path / "bad")
    narrow = trained(hidden_size=3)
    narrow.step(X)
    narrow.save_state(tmp_path / "narrow")
    with pytest.raises(DataError, match="must be 2 tensor"):
        model.load_state(tmp_path / "narrow")
    assert all(torch.equal(a, b) for a, b in zip(model.get_state(0), before, strict=True))


def test_stepping_changes_no_parameter_and_builds_no_graph(trained):
    model = trained()
    before = model._weights[0][0][0].input.clone()
    inputs = X.clone().requires_grad_()
    assert not model.step(inputs).requires_grad
    assert not model.step(inputs[:, 0]).requires_grad
    assert torch.equal(model._weights[0][0][0].input, before)


def test_a_bidirectional_network_is_refused(trained):
    with pytest.raises(ConfigError, match="forwards only"):
        trained(bidirectional=True)


@pytest.mark.parametrize("shape", [(5, 2), (5, 12, 4), (3,), (1, 1, 1, 3)])
def test_inputs_of_another_shape_are_refused(trained, shape):
    with pytest.raises(DataError, match=r"\(batch, 3\) or \(batch, time, 3\)"):
        trained().step(torch.zeros(shape))


def test_ids_are_stepped_as_they_were_trained_on(tmp_path):
    labels = classes_set(4, 6)
    ids = SequenceSet(np.arange(24).reshape(4, 6) % 3, labels.targets)
    data = wrap(ids, task="classification", input_size=3)
    config = replace(CONFIG, loss="cross_entropy", cell="gru", dtype="float32")
    pack = admitted(config, data, ACCURACY)
    pack.train(0)
    pack.save(0, tmp_path / "trial")
    tokens = torch.from_numpy(ids.inputs)
    model = StreamingModel.from_checkpoint(tmp_path / "trial")
    singles = torch.stack([model.step(tokens[:, t]) for t in range(6)], dim=1)
    model.clear_state()
    torch.testing.assert_close(model.step(tokens), singles)
    accuracy = (singles.argmax(-1).numpy() == labels.targets).mean()
    assert accuracy == pytest.approx(pack.evaluate(0, "train")["accuracy"])


def test_every_chunking_of_twelve_steps_gives_the_same(trained):
    model = trained(cell="gru")
    expected = full_pass(model)
    for sizes in ([5, 7], [1, 11], [2, 2, 8], [11, 1]):
        model.clear_state()
        starts = itertools.accumulate(sizes, initial=0)
        parts = [model.step(X[:, a:b]) for a, b in itertools.pairwise(starts)]
        torch.testing.assert_close(torch.cat(parts, 1), expected, rtol=1e-10, atol=1e-12)


EVERYTHING = {
    "stem": "conv", "stem_size": 6, "stem_kernel": 4, "cell": "lstm_layernorm",
    "hidden_size": (5, 3), "head_sizes": (4,),
}  # fmt: skip


@pytest.mark.parametrize("readout", ["every", "last", "mean", "max", "all_states"])
@pytest.mark.parametrize("chunk", [0, 1, 5, 12])
def test_stems_heads_and_readouts_are_stepped_as_in_one_go(trained, readout, chunk):
    """At each step the answer is what the sequence up to there gives."""
    model = trained(**EVERYTHING, readout=readout)
    whole = []
    for stop in range(1, 13):
        model.clear_state()
        whole.append(model.step(X[:, :stop])[:, -1])
    model.clear_state()
    if chunk:
        outputs = torch.cat([model.step(part) for part in X.split(chunk, dim=1)], dim=1)
    else:
        outputs = torch.stack([model.step(X[:, t]) for t in range(12)], dim=1)
    torch.testing.assert_close(outputs, torch.stack(whole, dim=1), rtol=1e-9, atol=1e-11)


def test_the_last_answer_is_what_evaluation_judges(tmp_path):
    for readout in ("last", "mean", "max", "all_states"):
        config = replace(CONFIG, **EVERYTHING, readout=readout)
        pack = admitted(config, wrap(DATA))
        pack.train(0)
        pack.save(0, tmp_path / readout)
        answer = StreamingModel.from_checkpoint(tmp_path / readout).step(X)[:, -1]
        error = answer - torch.from_numpy(DATA.targets)[:, -1]
        mse = pack.evaluate(0, "train")["mse"]
        assert error.square().mean().item() == pytest.approx(mse, rel=1e-9)


def test_what_a_convolution_remembers_is_saved_with_the_state(trained, tmp_path):
    model = trained(**EVERYTHING, readout="mean")
    model.step(X[:, :5])
    model.save_state(tmp_path / "state")
    expected = model.step(X[:, 5:])
    model.clear_state()
    model.load_state(tmp_path / "state")
    torch.testing.assert_close(model.step(X[:, 5:]), expected, rtol=0, atol=0)
