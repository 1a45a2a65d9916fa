"""Trains with what `outside/` adds as an installed package; see `test_entries_from_outside.py`."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from trainers.config.cells import CELLS
from trainers.config.losses import LOSSES
from trainers.config.measured import epoch_metrics
from trainers.config.metrics import METRICS
from trainers.config.train_config import TrainConfig
from trainers.conformance import cells, losses, metrics
from trainers.conformance.examples import CONFIG, assert_packed_is_solo, data_of, pack_of
from trainers.learning.metrics import Tally
from trainers.use.export import export_checkpoint

assert {"multiplicative", "lstm"} <= set(CELLS)
assert {"gaussian_two", "mse"} <= set(LOSSES)
assert {"outside_wape", "rmse"} <= set(METRICS)

for check in cells.CHECKS:
    check("multiplicative")
for check in losses.CHECKS:
    check("gaussian_two")
for check in metrics.CHECKS:
    check("outside_wape")

# Outputs 1 and −1 of scale 10 and shift 5 are 15 and −5; the targets, 0 and −1, are 5 and −5.
wape = metrics.value_of(
    "outside_wape", "mse", torch.tensor([[1.0], [-1.0]]), torch.tensor([[0.0], [-1.0]]),
    target_scale=np.array([10.0]), target_shift=np.array([5.0]),
)  # fmt: skip

config = replace(CONFIG, cell="multiplicative", loss="gaussian_two", max_epochs=30)
data = data_of(pattern="gaps")
assert_packed_is_solo([replace(config, max_epochs=2, seed=s) for s in (0, 1)], data)
pack = pack_of([config], data)
reports = [pack.train(0) for _ in range(30)]
by_place = TrainConfig(cell="outside_cell:MULTIPLICATIVE", loss="outside_loss:GAUSSIAN")

# A file that was written before the metric was installed: it is unknown until the next epoch.
tally = Tally(data, config.structure())
tally.add(torch.ones(1, 3, 4), torch.zeros(1, 3, 2))
tally.loss_count = 1.0
tally.restore({"sums": tally.sums[:3].clone()}, tally.numbers())
assert tally.result()["mse"] == 1.0
assert math.isnan(tally.result()["outside_wape"])
tally.clear()
tally.add(torch.ones(1, 3, 4), torch.ones(1, 3, 2))
tally.loss_count = 1.0
assert tally.result()["outside_wape"] == 0.0

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "trial.safetensors"
    pack_of([replace(config, cell="lstm")], data).save(0, path)
    assert export_checkpoint(path)(torch.zeros(1, 5, 3).double()).shape == (1, 5, 4)

sys.stdout.write(json.dumps({
    "wape by hand": wape,
    "wape": [reports[0].validation["outside_wape"], reports[-1].validation["outside_wape"]],
    "metrics": list(epoch_metrics(data, "gaussian_two")),
    "by place": pack_of([replace(by_place, readout="every")], data).parameter_count,
}))  # fmt: skip
