from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.trainers.factory import Network, admitted, regression_data, regression_set
from trainers.config.train_config import TrainConfig
from trainers.learning.batches import Part
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut
from trainers.network.dropout import DropoutKey, locked_mask
from trainers.network.parameters import weights_of
from trainers.network.sites import INPUT, OUTPUT, between


def key(seed=0, segment=0, rate=0.5):
    config = TrainConfig(
        seed=seed, num_layers=3, input_dropout=rate, layer_dropout=rate, output_dropout=rate
    )
    return DropoutKey(config, segment)


def draw(keys, site=INPUT, batch=64, features=100, dtype=torch.float32):
    return locked_mask(keys, site, batch, torch.zeros(1, features, dtype=dtype))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_units_are_dropped_at_the_rate_and_kept_ones_are_scaled(rate):
    mask = draw([key(rate=rate)])
    assert sorted(set(mask.flatten().tolist())) == pytest.approx([0.0, 1 / (1 - rate)])
    assert (mask == 0).float().mean().item() == pytest.approx(rate, abs=0.02)  # 6400 draws
    assert mask.mean().item() == pytest.approx(1.0, abs=0.15)


def test_a_trials_mask_does_not_depend_on_the_pack_or_its_slot():
    alone = draw([key(seed=7, rate=0.3)])
    packed = draw([key(seed=1, rate=0.9), key(seed=2, rate=0.0), key(seed=7, rate=0.3)])
    assert torch.equal(packed[2], alone[0])
    assert torch.equal(packed[1], torch.ones(64, 100))


def test_nothing_is_drawn_when_nothing_is_dropped():
    assert draw([key(rate=0.0), key(seed=1, rate=0.0)]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (draw([key(seed=1)]), draw([key(seed=2)])),
        (draw([key(segment=1)]), draw([key(segment=2)])),
        (draw([key()], site=INPUT), draw([key()], site=OUTPUT)),
        (draw([key()], site=between(0)), draw([key()], site=between(1))),
    ],
    ids=["seed", "segment", "site", "layer"],
)
def test_draws_of_different_seeds_segments_and_sites_are_unrelated(one, other):
    assert (one == other).float().mean().item() == pytest.approx(0.5, abs=0.04)


def test_rows_and_features_are_unrelated():
    mask = draw([key()], batch=200, features=200)[0] - 1
    assert (mask[0] * mask[1]).mean().abs() < 0.25
    assert (mask.T @ mask / 200).fill_diagonal_(0).abs().mean() < 0.1  # 0.056 when independent


def test_the_mask_is_the_same_on_every_machine():
    """A changed generator would break restarts of older checkpoints: bump their format then."""
    pinned = [1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0]
    assert (draw([key()], batch=1, features=16)[0, 0] > 0).int().tolist() == pinned


def test_input_dropout_is_locked_over_the_steps_of_a_segment():
    """Inputs of 1 at every step, no recurrence: only the mask could tell steps apart."""
    data = regression_set(6, 5)
    data.inputs[:] = 1.0
    config = TrainConfig(cell="rnn_tanh", hidden_size=4, readout="every")
    network = Network.of(config.structure(), data, 1)
    network.model.layout.views(network.flat)["weight_hh_l0"].zero_()
    part = Part(data, config.structure())
    segment = cut(part.batch(np.arange(6)), Span(0, 5), config.structure(), 3)
    weights = weights_of(network.model.layout, network.flat)
    outputs, _ = network.model.forward(weights, segment, None, [key()])
    per_row = outputs.reshape(5, 6).T  # time-major
    # To rounding: a product's last bits depend on where a row stands in it.
    torch.testing.assert_close(per_row, per_row[:, :1].expand(6, 5))
    assert len(set(per_row[:, 0].tolist())) > 1


@pytest.mark.parametrize("field", ["input_dropout", "layer_dropout", "output_dropout"])
def test_each_rate_changes_training_and_never_evaluation(field):
    data = regression_data()
    base = {"hidden_size": 4, "num_layers": 2, "learning_rate": 0.0, "readout": "every"}
    plain = admitted(TrainConfig(**base), data).train(0)
    dropped = admitted(TrainConfig(**base, **{field: 0.5}), data).train(0)
    assert dropped.train["loss"] != plain.train["loss"]
    assert dropped.validation == plain.validation


def test_every_segment_draws_anew():
    """One batch of equal rows, learning rate 0: only fresh masks tell two epochs apart."""
    data = regression_data(rows=6)
    data.train.inputs[:] = data.train.inputs[:1]
    data.train.targets[:] = data.train.targets[:1]
    config = TrainConfig(hidden_size=4, learning_rate=0.0, readout="every", input_dropout=0.5)
    pack = admitted(config, data)
    first, second = pack.train(0).train["loss"], pack.train(0).train["loss"]
    assert abs(first - second) > 1e-4 * first


def test_layer_dropout_is_nothing_with_one_layer():
    assert TrainConfig(layer_dropout=0.5, num_layers=1).layer_dropout == 0.0


def test_each_gap_between_layers_can_have_its_own_rate():
    config = TrainConfig(num_layers=3, hidden_size=(4, 3, 2), layer_dropout=(0.0, 0.5))
    keys = [DropoutKey(config, 0)]
    assert draw(keys, site=between(0)) is None
    assert (draw(keys, site=between(1)) == 0).float().mean().item() == pytest.approx(0.5, abs=0.02)
