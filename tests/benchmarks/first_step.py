"""From the command to the first training step: `python -m tests.benchmarks.first_step`.

`rnn-sweep run` as a person types it (MLflow on), against a script that starts Ray with one actor
that imports torch and makes one step; turn about, medians.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from sweep.log.event_log import EventLog
from sweep.log.kinds import Reported
from tests.benchmarks import figures
from tests.benchmarks.figures import ROOT, Figure
from tests.benchmarks.process_tree import environment
from tests.benchmarks.workload import sweep_file

_BARE = """
import json, os, sys, time
import ray

if sys.argv[1:]:
    ray.init(address=sys.argv[1], logging_level="error", log_to_driver=False)
else:
    ray.init(num_cpus=1, include_dashboard=False, logging_level="error", log_to_driver=False)

@ray.remote(num_cpus=1)
class Actor:
    def step(self):
        import torch
        net, x = torch.nn.LSTM(2, 32, batch_first=True), torch.randn(64, 60, 2)
        began = time.time()
        net(x)[0].sum().backward()
        return began

print(json.dumps(ray.get(Actor.remote().step.remote())))
ray.shutdown()
"""


def measure(quick: bool) -> Sequence[Figure]:
    rounds = 1 if quick else 3
    bare, ours = [], []
    for _ in range(rounds):
        bare.append(bare_seconds(environment()))
        ours.append(our_seconds(environment()))
    extra = statistics.median(ours) - statistics.median(bare)
    details = {
        "ours_seconds": [round(seconds, 2) for seconds in ours],
        "bare_seconds": [round(seconds, 2) for seconds in bare],
    }
    what = "command to first training step, beyond bare ray.init + one actor with torch"
    return [Figure(what, round(extra, 2), "s", 2, "less", details)]


def bare_seconds(variables: dict[str, str], *address: str) -> float:
    """Return the seconds from a bare script's start to its step, here or on a cluster."""
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-c", _BARE, *address],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout.strip().splitlines()[-1])) - began


def our_seconds(variables: dict[str, str], *address: str) -> float:
    """Return the seconds from our command's start to its first step, here or on a cluster.

    The first epoch's report, minus the seconds that the epoch took, is its first step.
    """
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        spec = directory / "first.yaml"
        values = sweep_file("first", trials=1, workers=1, epochs=1)
        spec.write_text(yaml.safe_dump(json.loads(json.dumps(values))), encoding="utf-8")
        command = [sys.executable, "-m", "sweep", "run", str(spec), "--dir", str(directory)]
        command += [word for given in address for word in ("--address", given)]
        began = time.time()
        subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, check=True)
        log = EventLog.open(directory / "first" / "sweep.db", "first")
        report = next(event for event in log.read() if isinstance(event.what, Reported))
        log.close()
        return report.time - float(report.what.train_seconds) - began


if __name__ == "__main__":
    figures.main({"first_step": measure}, __doc__ or "")
