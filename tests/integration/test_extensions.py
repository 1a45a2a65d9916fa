"""A package of somebody else adds one of everything; the command runs a sweep of nothing else.

Each entry is one file and one line of entry points; nothing of the four packages is changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installed_package import install
from tests.sweep.config.test_sources import LEVELS
from tests.sweep.pruning.test_rules import STRICT
from tests.sweep.search.test_samplers import CORNERS
from tests.sweep.tracking.test_trackers import JSONL

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ROOT / "tests" / "trainers" / "conformance" / "outside"
COLUMN = """
from sweep.results.column import Column

SPEED = Column("speed", "epochs a second", lambda results, trial: 7 * trial.epoch, "1/s")
"""
MODULES = {
    "strict_rules": (STRICT, {"pruning_rules.strict": "STRICT"}),
    "corner_samplers": (CORNERS, {"samplers.corners": "CORNERS"}),
    "level_data": (LEVELS, {"sources.levels": "LEVELS"}),
    "json_lines": (JSONL, {"trackers.jsonl": "JSONL"}),
    "speed_columns": (COLUMN, {"columns.speed": "SPEED"}),
}
FILES = {
    "outside_cell": {"cells.multiplicative": "MULTIPLICATIVE"},
    "outside_loss": {"losses.gaussian_two": "GAUSSIAN"},
    "outside_metric": {"metrics.outside_wape": "WAPE"},
}
SWEEP = """
name: outside
data: {source: levels, table: in.txt}
space: {base: null, parameters: {hidden_size: [2, 3, 4], learning_rate: [0.01, 0.1]}}
train: {cell: multiplicative, loss: gaussian_two, readout: every, max_epochs: 3, batch_size: 4}
search:
  sampler: corners
  objectives: [{metric: outside_wape}]
  pruning: {rule: strict, at: 2}
run: {workers: 2, order: reproducible}
budget: {trials: 9}
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    site = tmp_path / "site"
    for module, (text, points) in MODULES.items():
        install(monkeypatch, site, module, text, points)
    for module, points in FILES.items():
        install(monkeypatch, site, module, (OUTSIDE / f"{module}.py").read_text(), points)
    (tmp_path / "in.txt").write_text("\n".join(str(1 + n % 5) for n in range(64)))
    (tmp_path / "outside.yaml").write_text(SWEEP + f"tracking: {{uri: 'jsonl:{tmp_path}/runs'}}\n")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}


def test_one_of_each_from_outside_is_swept_with(tmp_path: Path, environment: dict[str, str]):
    def sweep(*words: str) -> str:
        command = [sys.executable, "-m", "sweep", *words, "--dir", str(tmp_path / "sweeps")]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    sweep("run", "outside.yaml")
    trials = json.loads(sweep("results", "outside", "--format", "json"))
    assert len(trials) == 4  # the corners of the space, once each
    assert {trial["state"] for trial in trials} == {"complete", "pruned"}
    assert {trial["epochs"] for trial in trials if trial["state"] == "pruned"} == {2}
    assert all(trial["speed"] == 7 * trial["epochs"] for trial in trials)
    assert all(trial["objective"] == trial["best"]["outside_wape"] for trial in trials)
    assert "speed" in sweep("results", "outside")
    written = [json.loads(line) for line in (tmp_path / "runs").read_text().splitlines()]
    assert len({line["uid"] for line in written}) == 5  # the sweep's and each trial's
    assert "speed" in sweep("compare", "outside/0", "outside/1")
