"""A fused pack (one program over the trial axis) against the same trials alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

import trainers.learning.batches
from tests.trainers.factory import ACCURACY, RMSE, admitted, finish, regression_data, slot_weights
from tests.trainers.fused_cases import (
    BASE,
    CASES,
    DROPOUTS,
    apart,
    assert_equal_to_solo,
    data_of,
    different,
    finish_all,
    masked,
    packed,
    trials,
)
from trainers.config.train_config import TrainConfig

CELLS = ("rnn_tanh", "rnn_relu", "gru", "lstm", "lstm_layernorm")


@pytest.mark.parametrize("pattern", ["none", "prefix", "gaps"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_under_every_mask_equals_the_trial_alone(cell, pattern):
    assert_equal_to_solo(different(replace(BASE, cell=cell), 3), data_of(pattern))


@pytest.mark.parametrize("name", CASES)
def test_every_feature_equals_the_trial_alone(name):
    common, each, data = CASES[name]
    made = data()
    objective = ACCURACY if made.task == "classification" else RMSE
    assert_equal_to_solo(trials(common, each), made, objective)


@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_the_number_of_trials_changes_nothing(count):
    base = replace(BASE, max_epochs=2 if count > 7 else 3, num_layers=1, hidden_size=3)
    assert_equal_to_solo(different(base, count), data_of("prefix"))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pattern", ["none", "prefix", "gaps"])
def test_gradients_of_one_segment_in_single_precision(cell, pattern):
    base = replace(BASE, cell=cell, dtype="float32", recurrent_dropout=0.3, input_dropout=0.3)
    configs = [replace(base, seed=seed) for seed in range(3)]
    data = regression_data(20, 12, mask=masked(pattern))
    pack = packed(configs, data)
    assert pack.advance([0, 1, 2], 0.0) == []
    for slot, config in enumerate(configs):
        alone = admitted(config, data)
        alone.train(0, 0.0)
        mine, reference = pack._buffers.gradient[slot], alone._buffers.gradient[0]
        for entry in alone._model.layout.entries:
            own = slice(entry.start, entry.stop)
            assert apart(mine[own], reference[own]) <= 1e-5, entry.name


def test_single_precision_drifts_no_more_than_ten_times_what_reversed_rows_do(monkeypatch):
    base = TrainConfig(cell="lstm", hidden_size=8, batch_size=8, readout="every", max_epochs=3,
                       learning_rate=0.03)  # fmt: skip
    configs = [replace(base, seed=seed) for seed in range(4)]
    data = regression_data(40, 12)
    pack = packed(configs, data)
    finish_all(pack)
    alone = [admitted(config, data) for config in configs]
    for solo in alone:
        finish(solo)
    order = trainers.learning.batches.epoch_order

    def reversed_rows(*key):
        return order(*key).reshape(-1, 8)[:, ::-1].reshape(-1)

    monkeypatch.setattr(trainers.learning.batches, "epoch_order", reversed_rows)
    turned = [admitted(config, data) for config in configs]
    for solo in turned:
        finish(solo)
    drift = max(apart(slot_weights(a), slot_weights(b)) for a, b in zip(turned, alone, strict=True))
    for slot, solo in enumerate(alone):
        assert apart(slot_weights(pack, slot), slot_weights(solo)) <= 10 * drift


def test_permuting_slots_changes_no_trial():
    configs, data = trials({}, DROPOUTS[:3]), data_of("gaps")
    one, other = packed(configs, data), packed(configs, data, order=[2, 0, 1])
    finish_all(one)
    finish_all(other)
    for slot, place in enumerate([2, 0, 1]):
        assert apart(slot_weights(other, place), slot_weights(one, slot)) <= 1e-12
