"""A fused pack over its life: admitted, dropped, saved, restored, diverged."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
import torch

from tests.trainers.factory import RMSE, admitted, finish, slot_weights, without_time
from tests.trainers.fused_cases import (
    BASE,
    apart,
    assert_reports_agree,
    data_of,
    different,
    finish_all,
    packed,
)
from trainers.errors import ConfigError
from trainers.learning.checkpoint import read_checkpoint
from trainers.packs.pack import Pack

NOISY = replace(BASE, cell="lstm", recurrent_dropout=0.2, layer_dropout=0.3, max_epochs=2)


def alone_of(config, data):
    pack = admitted(config, data)
    return pack, [without_time(report) for report in finish(pack)]


class Life:
    """Six trials that pass through a pack of three slots, and now and then through other packs."""

    def __init__(self, base, data, folder, seed, backend):
        self.chance, self.data, self.folder = random.Random(seed), data, folder
        self.configs = different(base, 6)
        self.pack = Pack(base.structure(), data, RMSE, slots=3, backend=backend)
        self.waiting = [(number, None) for number in range(6)]
        self.sitting: dict[int, int] = {}
        self.reports: dict[int, list] = {number: [] for number in range(6)}
        self.weights: dict[int, torch.Tensor] = {}

    def admit_some(self):
        for slot in set(range(3)) - set(self.sitting):
            if self.waiting and self.chance.random() < 0.8:
                at = self.chance.randrange(len(self.waiting))
                number, checkpoint = self.waiting.pop(at)
                self.pack.admit(slot, self.configs[number], checkpoint)
                self.sitting[slot] = number

    def train_some(self):
        chosen = [slot for slot in self.sitting if self.chance.random() < 0.8]
        seconds = self.chance.choice([0.0, 0.0, None])
        for report in self.pack.advance(chosen, seconds) if chosen else ():
            if self.note(self.sitting[report.slot], self.pack, report):
                self.pack.drop(report.slot)
                del self.sitting[report.slot]

    def move_one(self):
        if not self.sitting or self.chance.random() > 0.3:
            return
        slot = self.chance.choice(sorted(self.sitting))
        number = self.sitting.pop(slot)
        path = self.folder / f"{number}.safetensors"
        self.pack.save(slot, path)
        self.pack.drop(slot)
        if self.chance.random() < 0.5 and self.goes_on_alone(number, path):
            return
        self.waiting.append((number, path))

    def goes_on_alone(self, number, path):
        """Train some segments slot by slot; say whether the trial ended."""
        native = Pack(self.pack._structure, self.data, RMSE)
        native.admit(0, self.configs[number], path)
        for _ in range(self.chance.randrange(8)):
            report = native.train(0, 0.0)
            if report is not None and self.note(number, native, report):
                return True
        native.save(0, path)
        return False

    def note(self, number, pack, report):
        self.reports[number].append(without_time(report))
        if report.ended:
            self.weights[number] = slot_weights(pack, report.slot)
        return report.ended


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("backend", "pattern"), [("stepwise", "prefix"), ("stepwise", "gaps"), ("eager", "prefix")]
)
def test_any_admitting_dropping_saving_and_restoring_leaves_every_trial_as_alone(
    tmp_path, seed, backend, pattern
):
    kinds = {"readout": ("every", "mean")[seed % 2], "dropout_kind": ("step", "locked")[seed // 2]}
    data = data_of(pattern)
    life = Life(replace(NOISY, **kinds), data, tmp_path, seed, backend)
    while len(life.weights) < 6:
        life.admit_some()
        life.train_some()
        life.move_one()
    for number, config in enumerate(life.configs):
        solo, expected = alone_of(config, data)
        assert apart(life.weights[number], slot_weights(solo)) <= 1e-9
        assert_reports_agree(life.reports[number], expected)


def test_refilling_a_slot_touches_no_survivor(tmp_path):
    configs, data = different(NOISY, 4), data_of("prefix")
    pack = packed(configs[:3], data)
    pack.advance([0, 1, 2], 0.0)

    def saved(slot):
        path = tmp_path / f"{slot}.safetensors"
        pack.save(slot, path)
        return read_checkpoint(path)

    before = [saved(slot) for slot in (0, 2)]
    pack.drop(1)
    pack.admit(1, configs[3])
    for old, slot in zip(before, (0, 2), strict=True):
        new = saved(slot)
        assert new.progress == old.progress
        assert new.tensors.keys() == old.tensors.keys()
        assert all(torch.equal(new.tensors[name], old.tensors[name]) for name in new.tensors)


@pytest.mark.parametrize("wild_slot", [0, 1, 2])
def test_a_diverging_trial_changes_no_neighbour(wild_slot):
    base = replace(BASE, cell="rnn_relu", optimizer="sgd", learning_rate=0.01)
    data, wild = data_of("prefix"), replace(base, learning_rate=1e200, seed=8)
    configs = [replace(base, seed=seed) for seed in range(3)]
    configs[wild_slot] = wild
    pack = packed(configs, data)
    reports = finish_all(pack)
    assert [r.outcome for r in reports[wild_slot]] == ["diverged"]
    assert all(math.isfinite(v) for v in reports[wild_slot][0].train.values())
    for slot, config in enumerate(configs):
        solo, expected = alone_of(config, data)
        assert [r.outcome for r in reports[slot]] == [r.outcome for r in expected]
        if slot != wild_slot:
            assert apart(slot_weights(pack, slot), slot_weights(solo)) <= 1e-9
            assert_reports_agree(reports[slot], expected)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights_that_are_not_finite_stay_in_their_slot(bad):
    configs, data = different(BASE, 3), data_of("gaps")
    pack = packed(configs, data)
    pack._buffers.weights[1] = bad
    ended = pack.advance([0, 1, 2], 0.0)
    assert [(r.slot, r.outcome) for r in ended] == [(1, "diverged")]
    pack.drop(1)
    finish_all(pack)
    for slot in (0, 2):
        solo, _ = alone_of(configs[slot], data)
        assert apart(slot_weights(pack, slot), slot_weights(solo)) <= 1e-9


def test_trials_that_end_their_epoch_together_are_reported_together():
    pack = packed(different(BASE, 3), data_of())
    reports = pack.advance([2, 0, 1])
    assert [(r.slot, r.epoch) for r in reports] == [(0, 1), (1, 1), (2, 1)]
    assert pack.epoch(1) == 1


def test_one_trial_of_a_fused_pack_can_be_trained_by_itself():
    configs, data = different(BASE, 2), data_of("prefix")
    pack = packed(configs, data)
    while not pack.train(0).ended:
        pass
    assert pack.epoch(1) == 0
    solo, _ = alone_of(configs[0], data)
    assert apart(slot_weights(pack, 0), slot_weights(solo)) <= 1e-9
    with pytest.raises(ConfigError, match="slot 0 is completed"):
        pack.advance([0, 1])
