"""An installed package adds a cell with weights of its own, a loss and a metric: one file each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ENTRY_POINTS = """
[rnn_sweep.cells]
multiplicative = outside_cell:MULTIPLICATIVE
[rnn_sweep.losses]
gaussian_two = outside_loss:GAUSSIAN
[rnn_sweep.metrics]
outside_wape = outside_metric:WAPE
"""


def test_they_conform_and_are_trained_with(tmp_path):
    installed = tmp_path / "outside-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    paths = os.pathsep.join(map(str, (tmp_path, HERE / "outside", ROOT)))
    run = subprocess.run(
        [sys.executable, HERE / "trained_outside.py"],
        env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["wape by hand"] == 1.0
    assert found["wape"][1] < 0.7 * found["wape"][0]
    assert found["metrics"][:5] == ["loss", "mse", "rmse", "mae", "r2"]
    assert "outside_wape" in found["metrics"]
    assert found["by place"] > 0
