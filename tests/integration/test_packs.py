"""Packed = solo, for whole sweeps: the same table whatever the pack, and replays that agree."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest

from sweep.config.sweep_config import load_config
from sweep.log.event_log import LOG_FILE, EventLog
from sweep.results.rows import load_results
from sweep.running.replay import replay
from sweep.running.session import run_sweep
from sweep.work.executors import InProcessExecutor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

# Free settings differ from trial to trial; patience ends some early, so that places are refilled.
SPEC = """
name: packs
data: {source: adding, min_length: 6, max_length: 12, train_sequences: 64,
       validation_sequences: 32, test_sequences: 16}
space:
  base: null
  parameters:
    learning_rate: [0.001, 0.003, 0.01, 0.03]
    output_dropout: [0.0, 0.2]
    clip_norm: [0.5, 5.0]
train: {cell: gru, num_layers: 2, hidden_size: 8, batch_size: 16, max_epochs: 6, patience: 2}
search: {sampler: grid, objectives: [{metric: mse}]}
budget: {trials: 12}
run: {workers: 1}
finalists: {count: 3}
tracking: {enabled: false}
"""
IN_FLOAT64 = "train.dtype=float64"
ROUNDING = 1e-9  # weights after some epochs in float64, relative


@pytest.fixture
def spec(tmp_path) -> Path:
    path = tmp_path / "packs.yaml"
    path.write_text(SPEC)
    return path


class Brisk(InProcessExecutor):
    """Answers after every optimizer step, so that a pack is full before its first trial ends."""

    def start(self, data, settings, workers):
        super().start(data, replace(settings, slice_seconds=1e-6), workers)


def table(spec: Path, name: str, *overrides: str, by_command: bool = False):
    """Run the sweep in a folder of its own; return what it found, trial by trial."""
    directory = spec.parent / name
    if by_command:
        sets = [word for override in overrides for word in ("--set", override)]
        command = [sys.executable, "-m", "sweep", "run", str(spec), "--dir", str(directory), *sets]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (done.stdout, done.stderr)
    else:
        run_sweep(load_config(spec, overrides), directory, None, Brisk())
    return load_results("packs", directory).drop(columns=["seconds"])


def most_at_once(folder: Path) -> int:
    """Return the most trials that were in training at the same time."""
    log = EventLog.open(folder / "packs" / LOG_FILE, "packs")
    steps = {"started": 1, "completed": -1}
    counts = list(accumulate(steps.get(event.kind, 0) for event in log.read()))
    log.close()
    return max(counts)


def test_a_sweep_in_packs_ends_with_the_table_of_its_trials_alone(spec):
    alone = table(spec, "alone", "run.pack=1")
    packed = table(spec, "packed", "run.pack=8")
    assert list(alone["state"]) == ["complete"] * 12
    assert alone["epochs"].nunique() > 1
    assert packed.equals(alone)
    assert most_at_once(spec.parent / "packed") == 8
    for trial in (0, 7, 11):
        certificate = replay(spec.parent / "packed", "packs", trial)
        assert certificate.bit_equal, certificate.worst


def test_fused_packs_on_ray_end_with_the_same_table_to_rounding(spec):
    alone = table(spec, "alone", "run.pack=1", IN_FLOAT64)
    fused = table(spec, "fused", "run.pack=8", "run.backend=stepwise", IN_FLOAT64, by_command=True)
    assert most_at_once(spec.parent / "fused") > 1
    numbers = alone.select_dtypes("number").columns
    assert fused.drop(columns=numbers).equals(alone.drop(columns=numbers))
    for name in numbers:
        assert list(fused[name]) == pytest.approx(list(alone[name]), rel=ROUNDING, nan_ok=True)
    certificate = replay(spec.parent / "fused", "packs", 7)
    assert certificate.worst.distance <= ROUNDING, certificate.worst
