"""What stands in front of the recurrence, against torch.nn and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    Network,
    admitted,
    classes_set,
    prefix_mask,
    regression_data,
    regression_set,
    wrap,
)
from tests.trainers.fused_cases import ids_data
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.learning.batches import Part
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut
from trainers.network.dropout import DropoutKey
from trainers.network.stem import convolve, embed
from trainers.packs.pack import Pack
from trainers.use.streaming import StreamingModel

IDS = np.array([[0, 2, 1, 3], [1, 1, 0, 2]])


def config(**fields):
    return TrainConfig(cell="gru", hidden_size=3, dtype="float64", readout="every", **fields)


@pytest.mark.parametrize("activation", ["tanh", "relu", "none"])
@pytest.mark.parametrize("stem", ["dense", "conv"])
def test_a_stem_equals_torch_nn_in_values_and_gradients(stem, activation):
    data = regression_set(4, 6, dtype=np.float64)
    shape = config(stem=stem, stem_size=5, stem_kernel=3, stem_activation=activation).structure()
    network = Network.of(shape, data, 1)
    ((_, outputs, _, gradient),) = network.walk(data)

    named = {n: v.clone().requires_grad_() for n, v in network.named(network.flat[0]).items()}
    x = torch.from_numpy(data.inputs)
    if stem == "dense":
        y = torch.nn.functional.linear(x, named["stem.weight"], named["stem.bias"])
    else:
        padded = torch.nn.functional.pad(x.transpose(1, 2), (2, 0))
        y = torch.nn.functional.conv1d(padded, named["stem.weight"], named["stem.bias"])
        y = y.transpose(1, 2)
    y = {"tanh": torch.tanh, "relu": torch.relu, "none": lambda v: v}[activation](y)
    own = [named[f"{n}_l0"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    zero = torch.zeros(1, 4, 3, dtype=torch.float64)
    every, _ = torch.gru(y, zero, own, True, 1, 0.0, True, False, True)
    expected = torch.nn.functional.linear(every, named["head.weight"], named["head.bias"])
    (expected - torch.from_numpy(data.targets)).square().mean().backward()

    torch.testing.assert_close(outputs.reshape(4, 6, 1), expected.detach())
    for name, mine in network.named(gradient).items():
        torch.testing.assert_close(mine, named[name].grad, rtol=1e-9, atol=1e-12)


def test_a_convolution_sees_the_past_only_and_begins_with_zeros():
    structure = config(stem="conv", stem_size=1, stem_kernel=2, stem_activation="none").structure()
    weights = torch.tensor([[[[10.0, 1.0]]]]), torch.tensor([[0.5]])
    x = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    y, (history,) = convolve(structure, weights, x, None, None)
    assert y.flatten().tolist() == [1.5, 12.5, 23.5]
    assert history.flatten().tolist() == [3.0]
    y, _ = convolve(structure, weights, x, (history,), None)
    assert y.flatten().tolist() == [31.5, 12.5, 23.5]


def test_a_convolutions_history_is_each_rows_last_existing_inputs():
    structure = config(stem="conv", stem_size=1, stem_kernel=3, stem_activation="none").structure()
    weights = torch.ones(1, 1, 1, 3), torch.zeros(1, 1)
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]]).reshape(1, 2, 3, 1)
    past = torch.tensor([[8.0, 9.0], [6.0, 7.0]]).reshape(1, 2, 2, 1)
    _, (history,) = convolve(structure, weights, x, (past,), torch.tensor([[3, 1]]))
    assert history.reshape(2, 2).tolist() == [[2.0, 3.0], [7.0, 4.0]]


@pytest.mark.parametrize("k1", [1, 2, 5])
def test_a_convolution_carries_its_inputs_from_segment_to_segment(k1):
    data = regression_set(3, 7, mask=prefix_mask([7, 5, 6], 7), dtype=np.float64)
    network = Network.of(config(stem="conv", stem_kernel=4).structure(), data, 1)
    (full,) = network.walk(data)
    parts = torch.cat([p[1] for p in network.walk(data, tbptt_forward_steps=k1)])
    assert sorted(parts.flatten().tolist()) == pytest.approx(sorted(full[1].flatten().tolist()))


def test_an_embedding_is_a_dense_layer_over_one_hot_words():
    labels = classes_set(2, 4)
    data = replace(labels, inputs=IDS)
    shape = config(embedding_size=5, loss="cross_entropy").structure()
    network = Network.of(shape, data, 3, input_size=4)
    ((_, outputs, _, gradient),) = network.walk(data)
    table = network.named(network.flat[0])["embedding.weight"]
    assert table.shape == (4, 5)

    vectors = replace(labels, inputs=table[torch.from_numpy(IDS)].numpy())
    plain = Network.of(config(loss="cross_entropy").structure(), vectors, 3)
    for name, view in plain.named(plain.flat[0]).items():
        view.copy_(network.named(network.flat[0])[name])
    ((_, expected, _, theirs),) = plain.walk(vectors)
    torch.testing.assert_close(outputs, expected)
    for name, view in plain.named(theirs).items():
        torch.testing.assert_close(network.named(gradient)[name], view)
    assert network.named(gradient)["embedding.weight"].abs().sum(1).gt(0).all()


def test_embedding_dropout_drops_whole_words_wherever_they_stand():
    key = DropoutKey(config(embedding_size=3, embedding_dropout=0.5), 0)
    ids = torch.arange(40).repeat(2, 3).unsqueeze(0)
    seen = embed(ids, torch.ones(1, 40, 3), [key])
    words = seen.reshape(6, 40, 3)
    assert torch.equal(words, words[:1].expand(6, 40, 3))
    assert torch.equal(words, words[:, :, :1].expand(6, 40, 3))
    assert sorted(set(words.flatten().tolist())) == [0.0, 2.0]


def test_each_trial_of_a_pack_has_its_own_words():
    table = torch.arange(12.0).reshape(2, 3, 2)
    ids = torch.tensor([[[0, 2]], [[0, 2]]])
    assert embed(ids, table, None).tolist() == [[[[0, 1], [4, 5]]], [[[6, 7], [10, 11]]]]


def test_masked_ids_may_be_anything_for_an_embedding_too():
    mask = prefix_mask([4, 2], 4)
    labels = classes_set(2, 4, mask=mask)
    dirty = np.where(mask, IDS, -7)
    shape = config(embedding_size=5, loss="cross_entropy").structure()
    network = Network.of(shape, replace(labels, inputs=IDS), 3, input_size=4)
    clean, wild = (network.walk(replace(labels, inputs=ids))[0] for ids in (IDS, dirty))
    assert torch.equal(clean[1], wild[1])
    assert torch.equal(clean[3], wild[3])


def test_words_are_learned_through_an_embedding():
    """The class is the parity of the ids' sum so far: the words' vectors must differ."""
    random = np.random.default_rng(0)
    ids = random.integers(0, 6, size=(128, 5))
    data = replace(classes_set(128, 5, classes=2), inputs=ids, targets=ids % 2)
    wrapped = wrap(data, task="classification", classes=2, input_size=6)
    settings = TrainConfig(
        embedding_size=8, hidden_size=8, loss="cross_entropy", learning_rate=0.03, batch_size=16,
        readout="every", max_epochs=5, embedding_dropout=0.1,
    )  # fmt: skip
    pack = admitted(settings, wrapped, ACCURACY)
    reports = [pack.train(0) for _ in range(5)]
    assert reports[-1].validation["accuracy"] > 0.95


def test_an_embedding_of_features_is_refused():
    with pytest.raises(ConfigError, match="needs inputs that are token ids"):
        Pack(TrainConfig(embedding_size=4).structure(), regression_data(), RMSE)


@pytest.mark.parametrize("readout", ["every", "mean", "max", "all_states"])
@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_stepped_network_carries_what_stem_and_readout_remember(tmp_path, readout, chunk):
    data = replace(classes_set(8, 6), inputs=np.arange(48).reshape(8, 6) % 5)
    settings = TrainConfig(
        cell="lstm_layernorm", hidden_size=(4, 3), num_layers=2, embedding_size=3, stem="conv",
        stem_size=4, readout=readout, loss="cross_entropy",
    )  # fmt: skip
    pack = admitted(settings, wrap(data, task="classification", input_size=5), ACCURACY)
    pack.train(0)
    pack.save(0, tmp_path / "trial")
    ids = torch.from_numpy(data.inputs)
    whole, chunked, resumed = (StreamingModel.from_checkpoint(tmp_path / "trial") for _ in range(3))
    expected = whole.step(ids)
    first = chunked.step(ids[:, :chunk])
    chunked.save_state(tmp_path / "state")
    resumed.load_state(tmp_path / "state")
    rest = [resumed.step(ids[:, t : t + chunk]) for t in range(chunk, 6, chunk)]
    torch.testing.assert_close(torch.cat([first, *rest], dim=1), expected)


def test_numeric_targets_of_embedded_words_keep_their_fractions():
    data = ids_data("regression")
    config = TrainConfig(cell="gru", hidden_size=3, embedding_size=2, readout="every", seed=1)
    part = Part(data.train, config.structure())
    segment = cut(part.batch(np.arange(4)), Span(0, 12), config.structure(), 5)
    expected = np.swapaxes(data.train.targets[:4], 0, 1).reshape(-1)
    np.testing.assert_allclose(segment.targets.flatten().numpy(), expected, rtol=1e-6)
