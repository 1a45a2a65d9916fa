"""Four raylets of one core against one of four, on loopback: `python -m tests.benchmarks.raylets`.

The same half-second trials on both, four workers, turn about; the coordinator sits on a head
without cores. Throughput is trials per second once the first third has ended.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from sweep.log.event_log import EventLog
from sweep.log.kinds import Completed
from tests.benchmarks import figures
from tests.benchmarks.figures import ROOT, Figure
from tests.benchmarks.workload import epochs_of_half_a_second, sweep_file
from tests.nodes import Cluster

WORKERS = 4


def measure(quick: bool) -> Sequence[Figure]:
    trials, rounds = (24, 1) if quick else (72, 3)
    epochs = epochs_of_half_a_second()
    rates: dict[int, list[float]] = {1: [], WORKERS: []}
    for turn in range(rounds):
        for nodes in (1, WORKERS) if turn % 2 == 0 else (WORKERS, 1):
            with Cluster() as cluster:
                each = WORKERS // nodes
                cluster.wait(*(cluster.add_node(each, wait=False) for _ in range(nodes)))
                rates[nodes].append(_trials_per_second(cluster, trials, epochs))
    one, several = statistics.median(rates[1]), statistics.median(rates[WORKERS])
    details = {
        "trials": trials,
        "one_raylet": [round(rate, 3) for rate in rates[1]],
        "four_raylets": [round(rate, 3) for rate in rates[WORKERS]],
    }
    what = "4 raylets of 1 CPU on loopback, throughput against 1 raylet of 4 CPUs"
    return [Figure(what, round(several / one, 3), "x", 0.95, "more", details)]


def _trials_per_second(cluster: Cluster, trials: int, epochs: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "raylets.yaml"
        off = {"tracking": {"enabled": False}}
        values = sweep_file("raylets", trials, WORKERS, epochs, **off)
        spec.write_text(yaml.safe_dump(json.loads(json.dumps(values))), encoding="utf-8")
        command = [sys.executable, "-m", "sweep", "run", str(spec), "--dir", folder]
        command += ["--address", cluster.address]
        subprocess.run(command, cwd=ROOT, env=cluster.environment, capture_output=True, check=True)
        log = EventLog.open(Path(folder) / "raylets" / "sweep.db", "raylets")
        ended = [event.time for event in log.read() if isinstance(event.what, Completed)]
        log.close()
    first = len(ended) // 3
    return (len(ended) - first) / (ended[-1] - ended[first - 1])


if __name__ == "__main__":
    figures.main({"raylets": measure}, __doc__ or "")
