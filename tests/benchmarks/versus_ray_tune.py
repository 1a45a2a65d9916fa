"""The same trials on Ray Tune and on no platform: `python -m tests.benchmarks.versus_ray_tune`.

Time per trial on the same cores, start-up of each run left out: wall time, which is trials per
hour, and the processor time of all processes, which a busy machine distorts less. Tune with
OptunaSearch and its MLflow callback, with default actors and with `reuse_actors=True`; plain
processes that train the very configurations the product's sweep tried.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any, Literal

from tests.benchmarks import figures, process_tree
from tests.benchmarks.figures import ROOT, Figure
from tests.benchmarks.sweep_runs import SweepRun, sweep_run
from tests.benchmarks.workload import epochs_of_half_a_second

_START_SECONDS = 12.0  # of the plain processes, before all begin at once


def measure(quick: bool) -> Sequence[Figure]:
    workers = min(figures.cores(), 2 if quick else 8)
    ours = sweep_run((12 if quick else 36) * workers, workers)
    runs = {
        "ours": {
            "processor": sum(ours.overhead.values()) + ours.steady["training"],
            "wall": ours.steady_wall_seconds,
        },
        "plain": _plain(ours, workers),
        "tune_default": _tune((6 if quick else 10) * workers, workers, reuse_actors=False),
        "tune_reused": _tune((8 if quick else 20) * workers, workers, reuse_actors=True),
    }
    wall = {name: round(run["wall"], 3) for name, run in runs.items()}
    processor = {name: round(run["processor"], 3) for name, run in runs.items()}
    walls = {"workers": workers, "wall_seconds_a_trial": wall}
    return [
        _ratio("Ray Tune, default actors, against ours", "tune_default", "ours", wall, 12, walls),
        _ratio("Ray Tune, reused actors, against ours", "tune_reused", "ours", wall, 3),
        _ratio("ours against no platform at all", "ours", "plain", wall),
        _ratio(
            "processor time: Ray Tune, default actors, against ours",
            "tune_default",
            "ours",
            processor,
            details={"processor_seconds_a_trial": processor},
        ),
        _ratio("processor time: reused actors, against ours", "tune_reused", "ours", processor),
        _ratio("processor time: ours against no platform at all", "ours", "plain", processor),
    ]


def _ratio(
    what: str,
    above: str,
    below: str,
    seconds: dict[str, float],
    target: float | None = None,
    details: dict[str, Any] | None = None,
) -> Figure:
    value = round(seconds[above] / seconds[below], 3)
    better: Literal["more", "less"] = "less" if above == "ours" else "more"
    return Figure(what, value, "x", target, better, details or {})


def _tune(trials: int, workers: int, *, reuse_actors: bool) -> dict[str, float]:
    """Return processor and wall seconds per trial, start-up and end left out."""
    with tempfile.TemporaryDirectory() as folder:
        measured = process_tree.run(
            "tests.benchmarks.drive_tune",
            {
                "directory": folder,
                "trials": trials,
                "workers": workers,
                "epochs": epochs_of_half_a_second(),
                "reuse_actors": reuse_actors,
            },
        )
    ended = measured.answer["ended"]
    if len(ended) != trials or measured.answer["errors"]:
        raise RuntimeError(f"Ray Tune ended {len(ended)} of {trials} trials.")
    # From a moment at which trials are being started to another such moment: with default actors
    # starting is most of the cost.
    first, last = 2 * workers, trials - 2 * workers
    start, stop = ended[first - 1], ended[last - 1]
    used = sum(measured.usage.between(start, stop).values())
    count = last - first
    return {"processor": used / count, "wall": (stop - start) / count}


def _plain(ours: SweepRun, workers: int) -> dict[str, float]:
    """Train the sweep's configurations in plain processes, all at the same time."""
    configs = ours.answer["configs"]
    shares = [configs[index::workers] for index in range(workers)]
    begin_at = time.time() + _START_SECONDS
    processes = []
    for share in shares:
        given = json.dumps({"configs": share, "begin_at": begin_at})
        command = [sys.executable, "-m", "tests.benchmarks.drive_plain", given]
        environment = process_tree.environment()
        processes.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        )
    answers = [json.loads(p.communicate()[0].strip().splitlines()[-1]) for p in processes]
    return {
        "processor": sum(a["processor_seconds"] for a in answers) / len(configs),
        "wall": max(a["wall_seconds"] for a in answers) / len(configs),
    }


if __name__ == "__main__":
    figures.main({"versus_ray_tune": measure}, __doc__ or "")
