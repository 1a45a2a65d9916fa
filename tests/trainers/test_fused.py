"""A fused pack (one program over the trial axis) against the same trials alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trainers.batches
from tests.trainers.factory import ACCURACY, RMSE, admitted, finish, regression_data, slot_weights
from tests.trainers.fused_cases import (
    BASE,
    apart,
    assert_equal_to_solo,
    classes_data,
    data_of,
    different,
    elements_data,
    finish_all,
    ids_data,
    labels_data,
    masked,
    packed,
    sparse_data,
    stream_data,
    with_resets,
)
from trainers.config import TrainConfig

CELLS = ("rnn_tanh", "rnn_relu", "gru", "lstm", "lstm_layernorm")
DROPOUTS = [
    {"input_dropout": 0.4, "layer_dropout": 0.3},
    {"output_dropout": 0.3, "head_dropout": 0.2},
    {"recurrent_dropout": 0.3, "weight_drop": 0.2},
    {"zoneout_hidden": 0.3, "zoneout_cell": 0.2},
]
REGULARISED = [{"activation_regularisation": 0.1, "head_l2": 0.1}, {}]
REGULARISED[1] = {"temporal_activation_regularisation": 0.3, "weight_decay_kind": "l2"}
STEP, ONE = {"dropout_kind": "step"}, {"readout": "last"}
WORDS = {"loss": "cross_entropy"}
STREAM = {"batch_size": 4, **STEP}

# Name: settings of all trials, settings of each (repeated for those after), data.
CASES = {
    "locked dropout": ({}, DROPOUTS, lambda: data_of("gaps")),
    "step dropout": (STEP, DROPOUTS, lambda: data_of("gaps")),
    "k2 < k1": (STEP | {"tbptt_backward_steps": 3}, DROPOUTS[:2], lambda: data_of("prefix")),
    "k2 > k1": ({"tbptt_backward_steps": 8}, DROPOUTS[2:], lambda: data_of("gaps")),
    "k2 > k1, mean": ({"tbptt_backward_steps": 8, "readout": "mean"}, [{}], data_of),
    "no truncation": ({"tbptt_forward_steps": None}, [{}], lambda: data_of("prefix")),
    "targets here and there": ({}, [{}], sparse_data),
    "adam": ({}, [{"weight_decay_kind": "l2"}, {}, {"lr_decay": "cosine"}], data_of),
    "adamw": ({"optimizer": "adamw"}, [{}], data_of),
    "sgd": ({"optimizer": "sgd"}, [{}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}],
            data_of),
    "rmsprop": ({"optimizer": "rmsprop"}, [{}, {"momentum": 0.9}, {"rmsprop_smoothing": 0.9}],
                data_of),
    "adagrad": ({"optimizer": "adagrad"}, [{"clip_value": 0.01}, {"lr_decay": "plateau"}], data_of),
    "sequence_sum": ({"loss_reduction": "sequence_sum"}, [{}], lambda: data_of("gaps")),
    "sequence_mean": ({"loss_reduction": "sequence_mean"}, [{}], lambda: data_of("gaps")),
    "sequence_mean, last": (ONE | {"loss_reduction": "sequence_mean"}, [{}], data_of),
    "last": (ONE | STEP, [{}, {"output_dropout": 0.3}], lambda: data_of("gaps")),
    "mean": ({"readout": "mean"}, [{}], lambda: data_of("prefix")),
    "max": ({"readout": "max"}, [{}], lambda: data_of("gaps")),
    "all_states": ({"readout": "all_states", "hidden_size": (4, 3)}, [{}], lambda: data_of("gaps")),
    "bidirectional": ({"bidirectional": True, "tbptt_forward_steps": None}, DROPOUTS[:3],
                      lambda: data_of("gaps")),
    "summed directions, last": (
        ONE | {"bidirectional": True, "tbptt_forward_steps": None, "bidirectional_merge": "sum"},
        [{}], lambda: data_of("prefix")),
    "dense stem": ({"stem": "dense", "stem_size": 3}, [{}], lambda: data_of("prefix")),
    "convolution": ({"stem": "conv", "stem_size": 3, "readout": "mean"}, [{}],
                    lambda: data_of("gaps")),
    "regularisation": ({}, REGULARISED, lambda: data_of("gaps")),
    "classes": (WORDS, [{}], classes_data),
    "class weights": (WORDS, [{}], lambda: classes_data(class_weights=np.array([1.0, 2.0, 0.5]))),
    "labels": ({"loss": "binary_cross_entropy"}, [{}], labels_data),
    "masked elements": ({"loss": "huber", "loss_reduction": "sequence_mean"}, [{}], elements_data),
    "masked elements, last": (ONE | {"loss": "mae"}, [{}], elements_data),
    "one-hot words": (WORDS, [{}], ids_data),
    "embedded words": (WORDS | {"embedding_size": 3}, [{"embedding_dropout": 0.3}, {}], ids_data),
    "numbers of embedded words": ({"embedding_size": 3}, [{}], lambda: ids_data("regression")),
    "resets": ({}, DROPOUTS[2:], lambda: with_resets(data_of("gaps"))),
    "stream": (STREAM, DROPOUTS[1:], stream_data),
    "stream with gaps": (STREAM | {"stem": "conv"}, DROPOUTS, lambda: stream_data(gaps=True)),
    "stream, k2 > k1": (STREAM | {"tbptt_backward_steps": 9}, DROPOUTS[2:], stream_data),
    "stream, random lengths": (
        STREAM | {"tbptt_random_lengths": True, "tbptt_forward_steps": 12}, [{}], stream_data),
}  # fmt: skip


def trials(common, each, base=BASE):
    count = max(len(each), 2)
    settings = {"cell": "lstm", "head_sizes": (3,), "max_epochs": 2} | common
    configs = different(replace(base, **settings), count)
    return [replace(c, **each[i % len(each)]) for i, c in enumerate(configs)]


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
    order = trainers.batches.epoch_order

    def reversed_rows(*key):
        return order(*key).reshape(-1, 8)[:, ::-1].reshape(-1)

    monkeypatch.setattr(trainers.batches, "epoch_order", reversed_rows)
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
