"""What every stepper must do: trials in a pack are the same trials alone.

One by one to the bit, as one program to rounding. The program that a CUDA graph captures runs
eagerly here; a capture replays these very operations.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

import trainers.learning.batches
from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    admitted,
    finish,
    regression_data,
    slot_weights,
    without_time,
)
from tests.trainers.fused_cases import (
    ALONE,
    BASE,
    CASES,
    DROPOUTS,
    ON_THE_DEVICE,
    RESIDENT,
    STACKED,
    apart,
    assert_as_solo,
    assert_reports_agree,
    data_of,
    different,
    every_way,
    finish_all,
    masked,
    packed,
    trials,
    without_gaps,
)
from trainers.config.cells import CELLS
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError, OutOfMemory
from trainers.learning.checkpoint import read_checkpoint
from trainers.network.model import Model
from trainers.packs.pack import Pack

TOGETHER = [(STACKED, pattern) for pattern in ("none", "prefix", "gaps")]
TOGETHER += [(RESIDENT, "none"), (RESIDENT, "prefix")]
NOISY = replace(BASE, cell="lstm", recurrent_dropout=0.2, layer_dropout=0.3, max_epochs=2)


def name_of(parameter):
    return str(parameter)


@pytest.mark.parametrize("way", [ALONE, STACKED], ids=name_of)
@pytest.mark.parametrize("name", CASES)
def test_every_feature_equals_the_trial_alone(name, way):
    common, each, data = CASES[name]
    made = data()
    objective = ACCURACY if made.task == "classification" else RMSE
    way.assert_equal_to_solo(trials(common, each), made, objective)


@pytest.mark.parametrize("name", ON_THE_DEVICE)
def test_every_feature_on_the_device_equals_the_trial_alone(name):
    common, each, _ = CASES[name]
    RESIDENT.assert_equal_to_solo(trials(common, each), *without_gaps(name))


@every_way
@pytest.mark.parametrize("count", [2, 7, 32])
def test_the_number_of_trials_changes_nothing(count, way):
    base = replace(BASE, max_epochs=2 if count > 7 else 3, num_layers=1, hidden_size=3)
    way.assert_equal_to_solo(different(base, count), data_of("prefix"))


@pytest.mark.parametrize("backend", ["stepwise", "eager"])
def test_a_pack_of_one_equals_the_trial_alone_on_native_kernels(backend):
    config, data = replace(BASE, weight_drop=0.3), data_of("prefix")
    pack = packed([config], data, backend=backend)
    assert_as_solo(pack, 0, finish_all(pack)[0], config, data)


@pytest.mark.parametrize(("way", "pattern"), TOGETHER, ids=name_of)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_one_segment_in_single_precision(cell, way, pattern):
    base = replace(BASE, cell=cell, dtype="float32", zoneout_hidden=0.3, input_dropout=0.3)
    if not CELLS[cell].linear:
        base = replace(base, zoneout_hidden=0.0, recurrent_dropout=0.3)
    configs = [replace(base, seed=seed) for seed in range(3)]
    data = regression_data(20, 12, mask=masked(pattern))
    pack = way.packed(configs, data)
    assert pack.advance([0, 1, 2], 0.0) == []
    for slot, config in enumerate(configs):
        alone = admitted(config, data)
        alone.train(0, 0.0)
        mine, reference = pack._buffers.gradient[slot], alone._buffers.gradient[0]
        for entry in alone._model.layout.entries:
            own = slice(entry.start, entry.stop)
            assert apart(mine[own], reference[own]) <= 1e-5, entry.name


@pytest.mark.parametrize("way", [STACKED, RESIDENT], ids=name_of)
def test_single_precision_drifts_no_more_than_ten_times_what_reversed_rows_do(way, monkeypatch):
    base = TrainConfig(cell="lstm", hidden_size=8, batch_size=8, readout="every", max_epochs=3,
                       learning_rate=0.03)  # fmt: skip
    configs = [replace(base, seed=seed) for seed in range(4)]
    data = regression_data(40, 12)
    pack = way.packed(configs, data)
    finish_all(pack)
    alone = [admitted(config, data) for config in configs]
    for one in alone:
        finish(one)
    order = trainers.learning.batches.epoch_order

    def reversed_rows(*key):
        return order(*key).reshape(-1, 8)[:, ::-1].reshape(-1)

    monkeypatch.setattr(trainers.learning.batches, "epoch_order", reversed_rows)
    turned = [admitted(config, data) for config in configs]
    for one in turned:
        finish(one)
    drift = max(apart(slot_weights(a), slot_weights(b)) for a, b in zip(turned, alone, strict=True))
    for slot, one in enumerate(alone):
        assert apart(slot_weights(pack, slot), slot_weights(one)) <= 10 * drift


@every_way
def test_permuting_slots_changes_no_trial(way):
    configs, data = trials({}, DROPOUTS[:3]), data_of("prefix")
    one, other = way.packed(configs, data), way.packed(configs, data, order=[2, 0, 1])
    finish_all(one)
    finish_all(other)
    for slot, at in enumerate([2, 0, 1]):
        assert apart(slot_weights(other, at), slot_weights(one, slot)) <= way.tolerance * 1e-3


@every_way
@pytest.mark.parametrize("wild_slot", [0, 1, 2])
def test_a_diverging_trial_changes_no_neighbour(wild_slot, way):
    """Where sums lie on the device it is found at the next reading only."""
    base = replace(BASE, cell="rnn_relu", optimizer="sgd", learning_rate=0.01)
    data, wild = data_of("prefix"), replace(base, learning_rate=1e200, seed=8)
    configs = [replace(base, seed=seed) for seed in range(3)]
    configs[wild_slot] = wild
    pack = way.packed(configs, data)
    reports = finish_all(pack)
    [last], [expected] = reports.pop(wild_slot), finish(admitted(wild, data))
    assert (last.outcome, last.epoch, last.best_epoch) == ("diverged", 1, 0)
    assert last.optimizer_steps == expected.optimizer_steps
    assert all(math.isfinite(v) for v in [*last.train.values(), last.gradient_norm])
    for slot, own in reports.items():
        assert_as_solo(pack, slot, own, configs[slot], data, tolerance=way.tolerance)


@every_way
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights_that_are_not_finite_stay_in_their_slot(bad, way):
    configs, data = different(BASE, 3), data_of("prefix")
    pack = way.packed(configs, data)
    pack._buffers.weights[1] = bad
    reports = finish_all(pack)
    assert [r.outcome for r in reports.pop(1)] == ["diverged"]
    for slot, own in reports.items():
        assert_as_solo(pack, slot, own, configs[slot], data, tolerance=way.tolerance)


@every_way
def test_slices_of_time_end_where_a_whole_epoch_ends(way):
    configs, data = different(NOISY, 3), data_of("prefix")
    whole, sliced = way.packed(configs, data), way.packed(configs, data)
    expected = finish_all(whole)
    reports: dict[int, list] = {0: [], 1: [], 2: []}
    going, calls = {0, 1, 2}, 0
    while going:
        calls += 1
        for report in sliced.advance(sorted(going), seconds=0.0):
            reports[report.slot].append(without_time(report))
            going -= {report.slot} if report.ended else set()
    assert calls > 2 * NOISY.max_epochs
    for slot in range(3):
        assert torch.equal(slot_weights(sliced, slot), slot_weights(whole, slot))
        assert_reports_agree(reports[slot], expected[slot], way.tolerance)


@every_way
def test_a_pack_saved_within_an_epoch_goes_on_to_the_same_bits(way, tmp_path):
    configs, data = different(NOISY, 3), data_of("prefix")
    pack, restored = way.packed(configs, data), way.packed(configs, data)
    for _ in range(5):
        pack.advance([0, 1, 2], 0.0)
    assert pack.epoch(0) < NOISY.max_epochs
    for slot, config in enumerate(configs):
        pack.save(slot, tmp_path / f"{slot}")
        restored.drop(slot)
        restored.admit(slot, config, tmp_path / f"{slot}")
    assert finish_all(restored) == finish_all(pack)
    for slot in range(3):
        assert torch.equal(slot_weights(restored, slot), slot_weights(pack, slot))


@every_way
@pytest.mark.parametrize("at_call", [1, 4, 13])
def test_trials_stand_before_the_segment_that_did_not_fit_and_go_on_elsewhere(
    way, at_call, tmp_path, monkeypatch
):
    """Also when it was the validation that did not fit."""
    configs, data = different(replace(NOISY, layer_dropout=0.0), 3), data_of("prefix")
    pack = way.packed(configs, data)
    reports: dict[int, list] = {slot: [] for slot in range(3)}
    original, calls = Model.forward, []

    def tight(self, *arguments):
        calls.append(len(calls))
        if len(calls) == at_call:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return original(self, *arguments)

    monkeypatch.setattr(Model, "forward", tight)

    def until_it_does_not_fit():
        while True:
            for report in pack.advance([0, 1, 2], 0.0):
                reports[report.slot].append(without_time(report))

    with pytest.raises(OutOfMemory):
        until_it_does_not_fit()
    monkeypatch.undo()
    smaller = Pack(NOISY.structure(), data, RMSE, slots=2, backend="stepwise")
    for slot, config in enumerate(configs):
        pack.save(slot, tmp_path / "trial")
        smaller.admit(1, config, tmp_path / "trial")
        reports[slot] += [without_time(report) for report in finish(smaller, slot=1)]
        assert_as_solo(smaller, 1, reports[slot], config, data)


@every_way
def test_refilling_a_slot_touches_no_survivor(way, tmp_path):
    configs, data = different(NOISY, 4), data_of("prefix")
    pack = way.packed(configs[:3], data)
    pack.advance([0, 1, 2], 0.0)

    def saved(slot):
        pack.save(slot, tmp_path / "trial")
        return read_checkpoint(tmp_path / "trial")

    before = [saved(slot) for slot in (0, 2)]
    pack.drop(1)
    pack.admit(1, configs[3])
    for old, slot in zip(before, (0, 2), strict=True):
        new = saved(slot)
        assert new.progress == old.progress
        assert new.tensors.keys() == old.tensors.keys()
        assert all(torch.equal(new.tensors[name], old.tensors[name]) for name in new.tensors)


@every_way
def test_one_trial_of_a_pack_can_be_trained_by_itself(way):
    configs, data = different(BASE, 2), data_of("prefix")
    pack = way.packed(configs, data)
    reports = [without_time(report) for report in finish(pack)]
    assert pack.epoch(1) == 0
    assert_as_solo(pack, 0, reports, configs[0], data, tolerance=way.tolerance)
    with pytest.raises(ConfigError, match="slot 0 is completed"):
        pack.advance([0, 1])


@pytest.mark.parametrize("way", [STACKED, RESIDENT], ids=name_of)
def test_trials_that_end_their_epoch_together_are_reported_together(way):
    pack = way.packed(different(BASE, 3), data_of())
    reports = pack.advance([2, 0, 1])
    assert [(r.slot, r.epoch) for r in reports] == [(0, 1), (1, 1), (2, 1)]
    assert pack.epoch(1) == 1


def test_one_by_one_the_trial_that_is_farthest_behind_comes_first():
    pack = ALONE.packed(different(BASE, 3), data_of())
    assert [pack.advance([0, 1, 2])[0].slot for _ in range(4)] == [0, 1, 2, 0]
