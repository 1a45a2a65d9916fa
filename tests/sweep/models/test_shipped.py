"""The code that travels with a model is enough for every cell and loss, away from this package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import sweep.models
from sweep.models.shipped import ship_code

LOADS_ALL = """
import trainers
from trainers.config.cells import CELLS
from trainers.config.losses import LOSSES
from trainers.registry import load_object
from trainers.use.ensemble import read_model

assert trainers.__file__.startswith(FOLDER), trainers.__file__
places = [cell.code for cell in CELLS.values()]
for loss in LOSSES.values():
    places += [place for place in (loss.point, loss.distribution) if place]
for place in places:
    load_object(place)
print(len(places))
"""


def test_every_cell_and_loss_can_be_loaded_from_what_is_shipped(tmp_path: Path):
    served = Path(sweep.models.__file__).with_name("served.py")
    ship_code(served, tmp_path)
    run = subprocess.run(
        [sys.executable, "-c", f"FOLDER = {str(tmp_path)!r}\n{LOADS_ALL}"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 15
