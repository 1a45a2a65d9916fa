"""A pack over its life: trials are admitted, dropped, saved, restored, and go on elsewhere."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from tests.trainers.factory import RMSE, slot_weights, without_time
from tests.trainers.fused_cases import (
    ALONE,
    BASE,
    RESIDENT,
    STACKED,
    apart,
    assert_reports_agree,
    data_of,
    different,
    solo,
)
from trainers.packs.pack import Pack

NOISY = replace(BASE, cell="lstm", recurrent_dropout=0.2, layer_dropout=0.3, max_epochs=2)


class Life:
    """Six trials that pass through a pack of three slots, and now and then through other packs."""

    def __init__(self, base, data, folder, seed, way):
        self.chance, self.data, self.folder = random.Random(seed), data, folder
        self.configs = different(base, 6)
        self.structure = base.structure()
        self.pack = Pack(self.structure, data, RMSE, slots=3, backend=way.backend)
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
        """Train some segments on native kernels; return whether the trial ended."""
        native = Pack(self.structure, self.data, RMSE)
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
    ("way", "pattern"),
    [(ALONE, "gaps"), (STACKED, "prefix"), (STACKED, "gaps"), (RESIDENT, "prefix")],
    ids=str,
)
def test_any_admitting_dropping_saving_and_restoring_leaves_every_trial_as_alone(
    tmp_path, seed, way, pattern
):
    kinds = {"readout": ("every", "mean")[seed % 2], "dropout_kind": ("step", "locked")[seed // 2]}
    data = data_of(pattern)
    life = Life(replace(NOISY, **kinds), data, tmp_path, seed, way)
    while len(life.weights) < 6:
        life.admit_some()
        life.train_some()
        life.move_one()
    for number, config in enumerate(life.configs):
        alone, expected = solo(config, data)
        assert apart(life.weights[number], slot_weights(alone)) <= way.tolerance
        assert_reports_agree(life.reports[number], expected, way.tolerance)
