"""Categorical inputs as vectors: against torch.nn, under masks, in pieces, from files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainers.factory import (
    RMSE,
    Network,
    admitted,
    finish,
    prefix_mask,
    regression_data,
    regression_set,
    slot_weights,
    wrap,
)
from trainers.config.fitting import with_decoder
from trainers.config.train_config import TrainConfig
from trainers.data.contract import Category, SequenceSet
from trainers.errors import ConfigError
from trainers.learning.checkpoint import read_checkpoint
from trainers.network.initialisation import initialise
from trainers.network.parameters import Layout
from trainers.network.stem import embed_categories
from trainers.packs.memory import pack_bytes
from trainers.packs.pack import Pack
from trainers.use.export import export_checkpoint
from trainers.use.streaming import StreamingModel

TABLES = ((0, 5, 3), (2, 3, 2))  # a category, a number, a category, a number
SETTINGS = {"category_embeddings": TABLES, "readout": "every", "dtype": "float64"}


def config(cell="gru", **fields):
    return TrainConfig(cell=cell, hidden_size=4, **(SETTINGS | fields))


def with_ids(data):
    """Put ids into the places of the categories; targets stay those of the numbers."""
    random = np.random.default_rng(1)
    inputs = data.inputs.copy()
    for feature, rows, _ in TABLES:
        inputs[..., feature] = random.integers(0, rows, inputs.shape[:2])
    return replace(data, inputs=inputs)


def part(rows=5, time_steps=7, mask=None):
    return with_ids(regression_set(rows, time_steps, features=4, mask=mask, dtype=np.float64))


class Handwritten(torch.nn.Module):
    """What a person writes: two embeddings beside two numbers, a recurrent layer, a line."""

    def __init__(self, kind, named):
        super().__init__()
        self.first, self.second = torch.nn.Embedding(5, 3), torch.nn.Embedding(3, 2)
        self.recurrent, self.line = kind(7, 4, batch_first=True), torch.nn.Linear(4, 1)
        self.double()
        ours = {
            "first.weight": "category_embedding.0.weight",
            "second.weight": "category_embedding.1.weight",
            "line.weight": "head.weight",
            "line.bias": "head.bias",
        }
        self.names = {n: ours.get(n, n.removeprefix("recurrent.")) for n in self.state_dict()}
        self.load_state_dict({own: named[name] for own, name in self.names.items()})

    def forward(self, x):
        first, second = self.first(x[..., 0].long()), self.second(x[..., 2].long())
        outputs, _ = self.recurrent(torch.cat([x[..., [1, 3]], first, second], -1))
        return self.line(outputs)


@pytest.mark.parametrize("backend", ["auto", "native", "stepwise", "eager"])
@pytest.mark.parametrize(("cell", "kind"), [("gru", torch.nn.GRU), ("lstm", torch.nn.LSTM)])
def test_values_and_gradients_are_those_of_torch_nn(cell, kind, backend):
    data = part()
    network = Network.of(config(cell).structure(), data, 1, backend=backend, seed=3)
    theirs = Handwritten(kind, network.named(network.flat[0]))
    ((_, outputs, _, gradient),) = network.walk(data)
    expected = theirs(torch.from_numpy(data.inputs))
    (expected - torch.from_numpy(data.targets)).square().mean().backward()
    torch.testing.assert_close(outputs.reshape(5, 7, 1), expected.detach(), rtol=1e-9, atol=1e-11)
    for name, parameter in theirs.named_parameters():
        mine = network.named(gradient)[theirs.names[name]]
        torch.testing.assert_close(mine, parameter.grad, rtol=1e-9, atol=1e-11)


def test_numbers_keep_their_order_and_vectors_follow_one_category_after_the_other():
    x = torch.tensor([1.0, 10.0, 2.0, 20.0]).reshape(1, 1, 1, 4)
    first, second = torch.tensor([[[0.0], [7.0]]]), torch.tensor([[[0.0, 0], [0, 0], [8, 9]]])
    assert embed_categories(x, [first, second], [0, 2]).flatten().tolist() == [10, 20, 7, 8, 9]
    only = embed_categories(x[..., :1], [first], [0])
    assert only.flatten().tolist() == [7.0]


def test_each_trial_of_a_pack_has_its_own_vectors():
    x = torch.tensor([[0.5, 2.0]]).expand(2, 1, 1, 2)
    table = torch.arange(6.0).reshape(2, 3, 1)
    assert embed_categories(x, [table], [1]).flatten().tolist() == [0.5, 2.0, 0.5, 5.0]


@pytest.mark.parametrize("odd", [-1.0, 3.0, 1e30, np.nan, np.inf, -np.inf])
def test_what_a_table_does_not_have_is_the_unknown(odd):
    x = torch.tensor([[[[odd], [2.0]]]])
    table = torch.tensor([[[5.0], [6.0], [7.0]]])
    assert embed_categories(x, [table], [0]).flatten().tolist() == [5.0, 7.0]


@pytest.mark.parametrize("filling", [np.nan, 1e9, -3.0])
@pytest.mark.parametrize("kind", ["prefix", "gaps"])
def test_masked_ids_may_be_anything(filling, kind):
    mask = prefix_mask([7, 4, 2, 6], 7)
    if kind == "gaps":
        mask[0, 2] = mask[1, 0] = mask[3, 0] = False
    clean = part(4, 7, mask=mask)
    dirty = replace(clean, inputs=np.where(mask[..., None], clean.inputs, filling))

    def learned(data):
        pack = admitted(config(tbptt_forward_steps=3, batch_size=3, stem="conv"), wrap(data))
        report = pack.train(0)
        return slot_weights(pack), report.train, report.validation

    one, other = learned(clean), learned(dirty)
    assert torch.equal(one[0], other[0])
    assert one[1:] == other[1:]
    assert np.isfinite(one[1]["rmse"])


@pytest.mark.parametrize("stem", ["none", "dense", "conv"])
@pytest.mark.parametrize("k1", [1, 2, 5])
def test_segments_give_what_one_pass_gives(k1, stem):
    data = part(3, 7, mask=prefix_mask([7, 5, 6], 7))
    network = Network.of(config(stem=stem, stem_size=3).structure(), data, 1)
    (full,) = network.walk(data)
    parts = torch.cat([p[1] for p in network.walk(data, tbptt_forward_steps=k1)])
    assert sorted(parts.flatten().tolist()) == pytest.approx(sorted(full[1].flatten().tolist()))


def test_a_masked_row_read_in_both_directions_is_what_it_is_alone():
    mask = prefix_mask([7, 3], 7)
    mask[0, 4] = False
    data = part(2, 7, mask=mask)
    network = Network.of(config(bidirectional=True, num_layers=2).structure(), data, 1)
    ((_, outputs, _, _),) = network.walk(data)
    alone = [
        network.walk(replace(data, inputs=data.inputs[r : r + 1, mask[r]],
                             targets=data.targets[r : r + 1, mask[r]],
                             input_mask=None, target_mask=None))[0][1]
        for r in range(2)
    ]  # fmt: skip
    torch.testing.assert_close(outputs, torch.cat(alone), rtol=1e-9, atol=1e-11)


def test_vectors_are_standard_normal_at_first_and_the_unknown_is_their_mean():
    structure = TrainConfig(category_embeddings=((1, 200, 30),)).structure()
    layout = Layout.of(structure, 3, 1)
    flat = torch.zeros(1, layout.size)
    initialise(layout, flat[0], TrainConfig(category_embeddings=((1, 200, 30),)))
    table = layout.views(flat)["category_embedding.0.weight"][0]
    assert table.shape == (200, 30)
    assert table[1:].std().item() == pytest.approx(1.0, abs=0.05)
    assert not table[0].any()
    assert layout.views(flat)["weight_ih_l0"].shape == (1, 128, 2 + 30)


def test_input_dropout_drops_vectors_as_it_drops_numbers():
    """A rate near 1 leaves no input at all in these few draws."""
    data = part()
    dropped = admitted(config(input_dropout=0.999, max_epochs=1), wrap(data))
    dropped.train(0)
    gradient = dropped._model.layout.views(dropped._buffers.gradient)
    assert not gradient["category_embedding.0.weight"].any()
    assert not gradient["weight_ih_l0"].any()
    assert gradient["head.weight"].any()


def test_weight_decay_pulls_on_the_tables_too():
    data = wrap(part())
    settings = config(learning_rate=0.0, weight_decay=0.5, weight_decay_kind="l2", max_epochs=1)
    pack = admitted(replace(settings, learning_rate=0.01, optimizer="sgd"), data)
    plain = admitted(replace(settings, learning_rate=0.01, optimizer="sgd", weight_decay=0.0), data)
    one, other = (pack._model.layout.views(p._buffers.weights) for p in (pack, plain))
    for each in (pack, plain):
        each.train(0)
    name = "category_embedding.0.weight"
    assert one[name].norm() < other[name].norm()


@pytest.mark.parametrize("fields", [{}, {"stem": "conv", "stem_kernel": 2, "readout": "mean"}])
@pytest.mark.parametrize("chunk", [0, 1, 2, 3])
def test_a_stepped_network_gives_what_one_pass_gives(tmp_path, chunk, fields):
    pack, data = saved(tmp_path / "trial", **fields)
    x = torch.from_numpy(data.train.inputs)
    expected = StreamingModel.from_checkpoint(tmp_path / "trial").step(x)
    model = StreamingModel.from_checkpoint(tmp_path / "trial")
    if chunk:
        steps = [model.step(piece) for piece in x.split(chunk, dim=1)]
        outputs = torch.cat(steps, dim=1)
    else:
        outputs = torch.stack([model.step(x[:, t]) for t in range(7)], dim=1)
    torch.testing.assert_close(outputs, expected, rtol=1e-10, atol=1e-12)
    if not fields:
        mse = (expected - torch.from_numpy(data.train.targets)).square().mean().item()
        assert mse == pytest.approx(pack.evaluate(0, "train")["mse"], rel=1e-9)


def saved(path, **fields):
    data = wrap(part())
    pack = admitted(config("lstm", **({"max_epochs": 2, "learning_rate": 0.05} | fields)), data)
    pack.train(0)
    pack.save(0, path)
    return pack, data


@pytest.mark.parametrize("stem", ["none", "dense", "conv"])
def test_an_exported_trial_is_torch_nn_and_gives_the_same(tmp_path, stem):
    pack, data = saved(tmp_path / "trial", stem=stem, stem_size=3)
    network = export_checkpoint(tmp_path / "trial")
    assert [tuple(t.weight.shape) for t in network.category_embedding] == [(5, 3), (3, 2)]
    outputs = network(torch.from_numpy(data.train.inputs)).detach().numpy()
    mse = np.square(outputs - data.train.targets).mean()
    assert mse == pytest.approx(pack.evaluate(0, "train")["mse"], rel=1e-9)


def test_a_trial_goes_on_from_its_file_to_the_same_bits(tmp_path):
    settings = config(tbptt_forward_steps=3, batch_size=2, max_epochs=3)
    data = wrap(part())
    whole, first, rest = (admitted(settings, data) for _ in range(3))
    first.train(0)
    first.train(0, 0.0)
    first.save(0, tmp_path / "trial")
    rest.drop(0)
    rest.admit(0, settings, tmp_path / "trial")
    for _ in range(2):
        whole.train(0)
    rest.train(0)
    assert torch.equal(slot_weights(rest), slot_weights(whole))
    assert read_checkpoint(tmp_path / "trial").config == settings


def test_a_file_from_before_the_setting_still_loads(tmp_path, monkeypatch):
    pack = admitted(TrainConfig(readout="every"), regression_data())
    before = TrainConfig.to_dict

    def older(self):
        return {n: v for n, v in before(self).items() if n != "category_embeddings"}

    monkeypatch.setattr(TrainConfig, "to_dict", older)
    pack.save(0, tmp_path / "trial")
    monkeypatch.undo()
    assert b"category_embeddings" not in (tmp_path / "trial").read_bytes()
    assert read_checkpoint(tmp_path / "trial").config == TrainConfig(readout="every")


def test_an_encoder_reads_categories_and_its_decoder_its_own_answers():
    random = np.random.default_rng(0)
    ids = random.integers(1, 5, (256, 3)).astype(np.float32)
    sources = np.stack([ids, random.normal(size=ids.shape).astype(np.float32)], axis=-1)
    answers = np.repeat(np.sin(ids[:, -1:])[..., None], 3, axis=1)
    asked = np.broadcast_to(np.arange(3) < 2, ids.shape)
    data = wrap(SequenceSet(sources, answers, target_mask=asked), pairs=True)
    settings = {
        "cell": "gru", "hidden_size": 16, "readout": "every", "learning_rate": 0.02,
        "batch_size": 32, "max_epochs": 25, "category_embeddings": ((0, 5, 3),),
        "architecture": "encoder_decoder",
    }  # fmt: skip
    pack = admitted(TrainConfig(**with_decoder(settings, data)), data)
    shapes = {entry.name: entry.shape for entry in pack._model.layout.entries}
    assert shapes["category_embedding.0.weight"] == (5, 3)
    assert shapes["decoder.weight_ih_l0"] == (48, 1)
    assert finish(pack)[-1].validation["r2"] > 0.95


def test_memory_counts_the_vectors():
    data, narrow = wrap(part()), config(category_embeddings=((0, 5, 3), (2, 3, 2)))
    wide = config(category_embeddings=((0, 5, 103), (2, 3, 2)))
    more = pack_bytes(wide.structure(), data, 2, 0) - pack_bytes(narrow.structure(), data, 2, 0)
    assert more == 2 * 64 * 7 * 100 * 8


CATEGORIES = (Category(0, "shop", tuple("abcd"), 3), Category(2, "day", ("x", "y"), 2))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), r"so \[0, 5, 3\], but got no more of them"),
        (((0, 5, 3),), r"so \[2, 3, 2\], but got no more of them"),
        (((0, 6, 3), (2, 3, 2)), r"so \[0, 5, 3\], but got \[0, 6, 3\] there"),
        (((0, 5, 3), (1, 3, 2)), r"so \[2, 3, 2\], but got \[1, 3, 2\] there"),
        ((*TABLES, (3, 2, 1)), r"so no more of them, but got \[3, 2, 1\]"),
    ],
)
def test_tables_that_do_not_fit_the_datas_categories_are_refused(given, says):
    data = replace(wrap(part()), categories=CATEGORIES)
    assert data.category_embeddings == TABLES
    with pytest.raises(ConfigError, match=says):
        Pack(config(category_embeddings=given).structure(), data, RMSE)
    sizes_of_ones_own = ((0, 5, 1), (2, 3, 9))
    Pack(config(category_embeddings=sizes_of_ones_own).structure(), data, RMSE)


def test_tables_of_features_that_are_not_there_are_refused():
    with pytest.raises(ConfigError, match=r"\[\[4, 2, 2\]\] for 4 features"):
        Pack(config(category_embeddings=((4, 2, 2),)).structure(), wrap(part()), RMSE)
