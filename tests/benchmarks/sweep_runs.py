"""Sweeps of the product that several benchmarks read their figures from; each is run once."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.benchmarks import process_tree
from tests.benchmarks.process_tree import Measured
from tests.benchmarks.training_clock import training_seconds
from tests.benchmarks.workload import epochs_of_half_a_second, sweep_file


@dataclass(frozen=True)
class SweepRun:
    """One sweep that was run and accounted for.

    Attributes:
        steady: Processor seconds per trial by role, once the first third of the trials had ended:
            start-up is not in it. `training` is what the workers spent inside `Pack.train`.
    """

    measured: Measured
    trials: int
    workers: int
    epochs: int
    steady: dict[str, float]
    steady_wall_seconds: float

    @property
    def answer(self) -> dict[str, Any]:
        return self.measured.answer

    @property
    def overhead(self) -> dict[str, float]:
        """Processor seconds per trial of everything but training, by role."""
        rest = {role: seconds for role, seconds in self.steady.items() if role != "training"}
        return {**rest, "worker": rest["worker"] - self.steady["training"]}


@lru_cache
def sweep_run(trials: int, workers: int) -> SweepRun:
    """Run `trials` half-second trials with TPE and MLflow on."""
    epochs = epochs_of_half_a_second()
    with tempfile.TemporaryDirectory() as folder:
        values = sweep_file("bench", trials, workers, epochs)
        log = Path(folder) / "bench" / "sweep.db"
        measured = process_tree.run(
            "tests.benchmarks.drive_sweep",
            {"directory": folder, "sweep": values},
            probe=lambda: _sink_offset(log),
        )
        return _account(measured, Path(folder) / "bench", trials, workers, epochs)


def _account(measured: Measured, folder: Path, trials: int, workers: int, epochs: int) -> SweepRun:
    usage, answer = measured.usage, measured.answer
    first = trials // 3
    count = trials - first
    start, stop = answer["ended"][first - 1], answer["ended"][-1]
    roles = usage.between(start, stop)
    # The sink lags behind: its share begins and ends when it has written what the others' has.
    sink_start = usage.first_time(answer["end_seqs"][first - 1])
    sink_stop = usage.first_time(answer["end_seqs"][-1])
    roles["sink"] = usage.between(sink_start, sink_stop).get("sink", 0.0)
    roles["training"] = training_seconds(folder, start, stop)
    roles["coordinator"] = roles.pop("main")
    steady = {role: seconds / count for role, seconds in roles.items()}
    return SweepRun(measured, trials, workers, epochs, steady, (stop - start) / count)


def _sink_offset(log: Path) -> float:
    if not log.exists():
        return 0.0
    try:
        with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT max(seq) FROM offsets").fetchone()
    except sqlite3.Error:
        return 0.0
    return float(row[0] or 0)
