from __future__ import annotations

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    admitted,
    classes_set,
    finish,
    prefix_mask,
    regression_data,
    regression_set,
    slot_weights,
    without_time,
    wrap,
)
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError, DataError
from trainers.packs.pack import Pack

BASE = TrainConfig(
    cell="gru", hidden_size=4, num_layers=2, batch_size=6, max_epochs=3, readout="every",
    tbptt_forward_steps=5, learning_rate=0.02,
)  # fmt: skip
FREE = [
    replace(BASE, seed=1),
    replace(BASE, seed=2, learning_rate=0.3, weight_decay=0.1),
    replace(BASE, seed=3, input_dropout=0.4, layer_dropout=0.3, output_dropout=0.2),
    replace(BASE, seed=4, clip_norm=0.01, lr_decay_rate=0.5, lr_decay_steps=3),
    replace(BASE, seed=5, recurrent_init="orthogonal"),
    replace(BASE, seed=1, max_epochs=1),
    replace(BASE, seed=6, patience=1),
    replace(BASE, seed=7, recurrent_dropout=0.4, weight_drop=0.3),
    replace(BASE, seed=8, zoneout_hidden=0.3),
]


def mixed_data():
    return regression_data(20, 12, mask=prefix_mask(np.arange(20) % 9 + 4, 12))


@pytest.mark.parametrize("slots", [1, 2, 9])
@pytest.mark.parametrize("cell", ["rnn_relu", "gru", "lstm"])
def test_a_trial_in_a_pack_is_bit_equal_to_the_trial_alone(slots, cell):
    data = mixed_data()
    configs = [replace(c, cell=cell) for c in FREE[-slots:]]
    pack = Pack(configs[0].structure(), data, RMSE, slots=slots)
    for slot, config in enumerate(configs):
        pack.admit(slot, config)
    together: dict[int, list] = {slot: [] for slot in range(slots)}
    while reports := pack.train_epoch():
        for report in reports:
            together[report.slot].append(without_time(report))
    for slot, config in enumerate(configs):
        alone = admitted(config, data)
        assert together[slot] == [without_time(r) for r in finish(alone)]
        assert torch.equal(slot_weights(pack, slot), slot_weights(alone))


@pytest.mark.parametrize("cell", ["rnn_tanh", "gru", "lstm"])
def test_best_and_newest_weights_are_evaluated_to_the_same_bits(cell):
    pack = admitted(replace(BASE, cell=cell), mixed_data())
    report = pack.train(0)
    assert report.best_epoch == 1
    assert pack.evaluate(0, "validation") == report.validation


def test_every_parameter_of_every_slot_begins_at_64_bytes():
    """Unaligned rows make last bits depend on the slot."""
    config = replace(BASE, hidden_size=5)
    pack = Pack(config.structure(), mixed_data(), RMSE, slots=3)
    for rows in (pack._buffers.weights, pack._buffers.gradient, pack._buffers.best):
        for entry in pack._model.layout.entries:
            assert all(row[entry.start :].data_ptr() % 64 == 0 for row in rows)


@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu", "gru", "lstm"])
def test_reference_backend_learns_what_the_fastest_one_does(cell):
    data = mixed_data()
    config = replace(FREE[2], dtype="float64", cell=cell, weight_drop=0.3)
    fastest, reference = admitted(config, data), admitted(config, data, backend="stepwise")
    finish(fastest), finish(reference)
    torch.testing.assert_close(slot_weights(fastest), slot_weights(reference), rtol=1e-9, atol=1e-9)


def test_a_trial_whose_validation_is_not_finite_has_diverged():
    """One row trains; a validation input of 1e38 overflows only there."""
    train, validation = regression_set(4, 5), regression_set(4, 5, seed=1)
    validation.targets[0] = 3e38
    config = replace(BASE, tbptt_forward_steps=None)
    report = admitted(config, wrap(train, validation)).train(0)
    assert report.outcome == "diverged"
    assert "loss" in report.train
    assert all(math.isfinite(v) for v in report.validation.values())


def test_best_weights_are_kept_and_patience_ends_the_trial():
    """A rate that explodes after some epochs: the best epoch lies before the last."""
    data = regression_data(24, 8)
    config = replace(
        BASE, tbptt_forward_steps=None, max_epochs=60, patience=4, learning_rate=0.2, batch_size=4
    )
    pack = admitted(config, data)
    reports = finish(pack)
    last = reports[-1]
    values = [r.validation["rmse"] for r in reports]
    assert last.outcome == "stopped_early"
    assert last.best_epoch == int(np.argmin(values)) + 1 == last.epoch - 4
    assert last.best_validation == reports[last.best_epoch - 1].validation
    assert pack.evaluate(0, "validation") == last.best_validation
    assert values[-1] > min(values)


def test_a_trial_completes_at_max_epochs_and_its_slot_takes_the_next():
    pack = admitted(replace(BASE, max_epochs=2), regression_data())
    assert [r.outcome for r in finish(pack)] == ["training", "completed"]
    assert pack.train_epoch() == []
    with pytest.raises(ConfigError, match="completed"):
        pack.train(0)
    pack.drop(0)
    with pytest.raises(ConfigError, match="slot 0 is empty"):
        pack.epoch(0)
    second = replace(BASE, seed=77)
    pack.admit(0, second)
    fresh = admitted(second, regression_data())
    finish(pack), finish(fresh)
    assert torch.equal(slot_weights(pack), slot_weights(fresh))


def test_denormals_are_flushed_in_the_thread_that_trains():
    pack = admitted(BASE, regression_data())
    seen = []

    def smallest(work):
        torch.set_flush_denormal(False)
        work()
        # Asked in the thread itself: one that flushes takes 1e-310 for 0 in comparisons too.
        seen.append(
            "kept" if (torch.tensor([1e-310], dtype=torch.float64) * 1.0 > 0) else "flushed"
        )

    works = (lambda: None, lambda: pack.train(0, 0.0), lambda: pack.evaluate(0, "validation"))
    for work in works:
        thread = threading.Thread(target=smallest, args=(work,))
        thread.start()
        thread.join()
    assert seen == ["kept", "flushed", "flushed"]


@pytest.mark.parametrize("readout", ["last", "every"])
@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu", "gru", "lstm"])
def test_every_cell_learns_to_classify(cell, readout):
    data = wrap(classes_set(96, 6), classes_set(48, 6, seed=1), task="classification")
    config = TrainConfig(
        cell=cell, readout=readout, hidden_size=12, batch_size=16, max_epochs=12,
        learning_rate=0.03, loss="cross_entropy",
    )  # fmt: skip
    last = finish(admitted(config, data, ACCURACY))[-1]
    assert set(last.validation) == {"loss", "accuracy", "macro_f1", "cross_entropy"}
    assert last.best_validation["accuracy"] > 0.75  # a constant answer gives about 0.33


def test_labels_that_do_not_exclude_each_other_are_learned():
    def labelled(rows, seed):
        numbers = regression_set(rows, 5, seed=seed)
        return replace(numbers, targets=(numbers.inputs[:, :, :2] > 0).astype(np.float32))

    data = wrap(labelled(64, 0), labelled(32, 1), task="classification", classes=2)
    config = replace(
        BASE, loss="binary_cross_entropy", tbptt_forward_steps=None, max_epochs=12, batch_size=8
    )
    last = finish(admitted(config, data, ACCURACY))[-1]
    assert set(last.validation) == {"loss", "accuracy", "macro_f1"}
    assert last.best_validation["accuracy"] > 0.9


@pytest.mark.parametrize("reduction", ["valid_step", "sequence_sum", "sequence_mean"])
def test_epoch_means_weigh_by_counts(reduction):
    """With learning rate 0 the last, shorter batch must not weigh more than its rows."""
    mask = prefix_mask(np.arange(10) % 5 + 4, 8)
    train = regression_set(10, 8, mask=mask, dtype=np.float64)
    config = TrainConfig(
        readout="every", hidden_size=3, batch_size=4, learning_rate=0.0, dtype="float64",
        tbptt_forward_steps=3, loss_reduction=reduction,
    )  # fmt: skip
    report = admitted(config, wrap(train)).train(0)
    assert report.train == pytest.approx(report.validation, rel=1e-9)


def test_parameters_are_counted():
    config = TrainConfig(cell="lstm", hidden_size=5, num_layers=2, bidirectional=True)
    pack = Pack(config.structure(), regression_data(), RMSE)
    module = torch.nn.LSTM(3, 5, 2, bidirectional=True)
    assert pack.parameter_count == sum(p.numel() for p in module.parameters()) + 11


def test_what_does_not_fit_is_refused():
    data = regression_data()
    pack = Pack(BASE.structure(), data, RMSE)
    with pytest.raises(ConfigError, match="must share"):
        pack.admit(0, replace(BASE, hidden_size=5))
    pack.admit(0, BASE)
    with pytest.raises(DataError, match="no test part"):
        pack.evaluate(0, "test")


def test_a_classifier_that_diverges_in_its_first_segment_is_reported():
    data = wrap(classes_set(12, 6), task="classification")
    config = replace(BASE, loss="cross_entropy", tbptt_forward_steps=None)
    pack = admitted(config, data, ACCURACY)
    pack._buffers.weights[0] = math.nan
    report = pack.train(0)
    assert (report.outcome, report.train, report.validation) == ("diverged", {}, {})
