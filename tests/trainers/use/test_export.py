from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainers.factory import (
    ACCURACY,
    admitted,
    classes_set,
    prefix_mask,
    regression_set,
    wrap,
)
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceSet
from trainers.errors import ConfigError
from trainers.learning.checkpoint import read_checkpoint
from trainers.network.initialisation import initialise
from trainers.use.export import export_checkpoint, named_weights
from trainers.use.streaming import StreamingModel

MODULES = {
    "rnn_tanh": torch.nn.RNN,
    "rnn_relu": torch.nn.RNN,
    "gru": torch.nn.GRU,
    "lstm": torch.nn.LSTM,
}
LENGTHS = [8, 3, 5, 1]


def saved(path, **fields):
    mask = prefix_mask(LENGTHS, 8)
    data = wrap(regression_set(4, 8, mask=mask, outputs=2, dtype=np.float64))
    config = TrainConfig(
        batch_size=4, dtype="float64", learning_rate=0.03, max_epochs=2,
        layer_dropout=0.3, **({"hidden_size": 5} | fields),
    )  # fmt: skip
    pack = admitted(config, data)
    pack.train(0)
    pack.save(0, path)
    return pack, data


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("readout", ["every", "last"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", MODULES)
def test_an_exported_trial_gives_the_errors_that_the_trial_gives(
    tmp_path, cell, layers, readout, bidirectional
):
    pack, data = saved(
        tmp_path / "trial", cell=cell, num_layers=layers, readout=readout,
        bidirectional=bidirectional,
    )  # fmt: skip
    network = export_checkpoint(tmp_path / "trial")
    assert [type(module) for module in network.recurrent] == [MODULES[cell]]
    assert type(network.head) is torch.nn.Linear
    assert not network.training
    outputs = network(torch.from_numpy(data.train.inputs), torch.tensor(LENGTHS)).detach().numpy()
    targets, mask = data.train.targets, data.train.target_mask
    if readout == "last":
        targets, mask = targets[np.arange(4), np.array(LENGTHS) - 1], np.ones(4, dtype=bool)
    mse = np.square(outputs - targets)[mask].mean()
    assert mse == pytest.approx(pack.evaluate(0, "train")["mse"], rel=1e-9)


def test_export_is_weight_for_weight(tmp_path):
    saved(tmp_path / "trial", cell="gru", num_layers=2)
    network = export_checkpoint(tmp_path / "trial")
    named = named_weights(read_checkpoint(tmp_path / "trial"))
    own = {n.removeprefix("recurrent.0."): w for n, w in network.state_dict().items()}
    assert list(own) == list(named)
    assert all(torch.equal(own[name], named[name]) for name in named)


def test_without_lengths_every_step_exists_and_equals_stepping(tmp_path):
    saved(tmp_path / "trial", cell="lstm", num_layers=2, readout="every")
    x = torch.randn(3, 6, 3, dtype=torch.float64)
    stepped = StreamingModel.from_checkpoint(tmp_path / "trial").step(x)
    torch.testing.assert_close(export_checkpoint(tmp_path / "trial")(x), stepped)


def test_before_the_first_epoch_the_first_weights_are_exported(tmp_path):
    config = TrainConfig(hidden_size=3, seed=7)
    pack = admitted(config, wrap(regression_set(4, 5)))
    pack.save(0, tmp_path / "trial")
    flat = torch.zeros(pack._model.layout.size)
    initialise(pack._model.layout, flat, replace(config))
    expected = pack._model.layout.views(flat.unsqueeze(0))["weight_hh_l0"][0]
    network = export_checkpoint(tmp_path / "trial")
    assert torch.equal(network.recurrent[0].weight_hh_l0, expected)


RICH = [
    {"stem": "dense", "stem_size": 4, "stem_activation": "relu", "head_sizes": (6, 3)},
    {"stem": "conv", "stem_size": 4, "stem_kernel": 3, "hidden_size": (5, 2, 3), "num_layers": 3},
    {"bidirectional": True, "bidirectional_merge": "sum", "num_layers": 2, "cell": "gru"},
    {"bidirectional": True, "num_layers": 2, "hidden_size": (3, 4), "head_sizes": (4,)},
]


@pytest.mark.parametrize("readout", ["every", "last", "mean", "max", "all_states"])
@pytest.mark.parametrize("fields", RICH, ids=["dense", "conv", "summed", "sizes"])
def test_stems_heads_sizes_and_readouts_are_exported_too(tmp_path, fields, readout):
    pack, data = saved(tmp_path / "trial", readout=readout, **fields)
    network = export_checkpoint(tmp_path / "trial")
    outputs = network(torch.from_numpy(data.train.inputs), torch.tensor(LENGTHS)).detach().numpy()
    targets, mask = data.train.targets, data.train.target_mask
    if readout != "every":
        targets, mask = targets[np.arange(4), np.array(LENGTHS) - 1], np.ones(4, dtype=bool)
    mse = np.square(outputs - targets)[mask].mean()
    assert mse == pytest.approx(pack.evaluate(0, "train")["mse"], rel=1e-9)


@pytest.mark.parametrize("embedding_size", [None, 3])
def test_a_network_of_ids_is_exported_with_its_embedding(tmp_path, embedding_size):
    labels = classes_set(4, 6)
    ids = SequenceSet(np.arange(24).reshape(4, 6) % 3, labels.targets)
    data = wrap(ids, task="classification", input_size=3)
    config = TrainConfig(
        readout="every", hidden_size=3, loss="cross_entropy", embedding_size=embedding_size
    )
    pack = admitted(config, data, ACCURACY)
    pack.train(0)
    pack.save(0, tmp_path / "trial")
    outputs = export_checkpoint(tmp_path / "trial")(torch.from_numpy(ids.inputs))
    entropy = torch.nn.functional.cross_entropy(outputs.mT, torch.from_numpy(labels.targets))
    assert entropy.item() == pytest.approx(pack.evaluate(0, "train")["cross_entropy"], rel=1e-5)


def test_a_cell_that_torch_does_not_have_is_refused(tmp_path):
    saved(tmp_path / "trial", cell="lstm_layernorm")
    with pytest.raises(ConfigError, match="cell=lstm_layernorm"):
        export_checkpoint(tmp_path / "trial")
