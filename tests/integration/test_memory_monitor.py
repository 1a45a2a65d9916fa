"""A trial that takes its node's memory is ended by Ray's own monitor, and fails alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from sweep.log.kinds import Completed, Failed, Lost
from sweep.log.places import open_log
from tests.nodes import Cluster

GIB = 2**30
ALLOWED_BYTES = 4 * GIB
NEEDED_BYTES = 12 * GIB

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc"),
    pytest.mark.skipif(
        psutil.virtual_memory().available < NEEDED_BYTES, reason="needs 12 GiB of free memory"
    ),
]


@pytest.fixture
def cluster():
    memory = psutil.virtual_memory()
    threshold = (memory.total - memory.available + ALLOWED_BYTES) / memory.total
    system = {"memory_usage_threshold": round(threshold, 3), "memory_monitor_refresh_ms": 100}
    with Cluster(system=system) as made:
        made.add_node()
        yield made
    assert made.left() == []


def test_a_trial_that_takes_all_memory_fails_alone(cluster, tmp_path):
    values = {
        "name": "greedy",
        "data": {"source": "adding", "length": 10, "train_sequences": 256}
        | {"validation_sequences": 32, "test_sequences": 32},
        "space": {"base": None, "parameters": {"hidden_size": {"low": 4, "high": 12_000}}},
        "train": {"cell": "lstm", "batch_size": 32, "max_epochs": 2},
        "search": {
            "sampler": "random",
            "enqueue": [{"hidden_size": 12_000}, {"hidden_size": 8}, {"hidden_size": 4}],
        },
        "budget": {"trials": 3},
        "run": {"workers": 1, "address": cluster.address},
        "finalists": {"count": 1},
        "tracking": {"enabled": False},
    }
    spec = tmp_path / "greedy.yaml"
    spec.write_text(yaml.safe_dump(values))
    command = [sys.executable, "-m", "sweep", "run", str(spec), "--dir", str(tmp_path)]
    done = subprocess.run(
        command, env=cluster.environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    log = open_log(tmp_path / "greedy")
    events = list(log.read())
    log.close()
    ends = {e.trial: e for e in events if isinstance(e.what, Completed | Failed)}
    assert [ends[n].kind for n in range(3)] == ["failed", "completed", "completed"]
    assert ends[0].what.reason == "worker_died"
    assert "memory" in ends[0].what.message
    lost = [e for e in events if isinstance(e.what, Lost)]
    assert [e.trial for e in lost if e.what.worker_died] == [0, 0, 0]
