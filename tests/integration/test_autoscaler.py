"""A sweep on a cluster of nothing but a head: Ray's own autoscaler brings nodes, and takes them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from sweep.log.kinds import Completed, Resized
from sweep.log.places import open_log
from tests.integration.node_provider import HEAD_ID, HEAD_TYPE
from tests.nodes import Cluster

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc"),
]
KINDS = {
    HEAD_TYPE: {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
    "spot": {
        "resources": {"CPU": 1},
        "labels": {"market": "spot"},
        "node_config": {},
        "min_workers": 0,
        "max_workers": 2,
    },
}
COMMANDS = (
    *("setup_commands", "head_setup_commands", "worker_setup_commands", "initialization_commands"),
    *("head_start_ray_commands", "worker_start_ray_commands", "cluster_synced_files"),
    *("rsync_exclude", "rsync_filter"),
)


class Autoscaled(Cluster):
    """A head of no cores whose autoscaler may start two nodes of one core."""

    def __init__(self, version: int) -> None:
        super().__init__()
        place = self.folder / "nodes"
        place.mkdir()
        module = "tests.integration.node_provider.LocalNodes"
        provider = {"type": "external", "module": module, "head_node_id": HEAD_ID}
        provider |= {"address": self.address, "folder": str(place), "launch_multiple": True}
        provider |= {"disable_node_updaters": True, "disable_launch_config_check": True}
        config = {
            "cluster_name": "tests",
            "max_workers": 2,
            "provider": provider,
            "available_node_types": KINDS,
            "head_node_type": HEAD_TYPE,
            "upscaling_speed": 1.0,
            "idle_timeout_minutes": 0.05,
            "auth": {},
            "file_mounts": {},
            "file_mounts_sync_continuously": False,
            **{name: [] for name in COMMANDS},
        }
        path = self.folder / "autoscaler.yaml"
        path.write_text(json.dumps(config))
        options = [word for word in self.head.options if word != "--no-monitor"]
        self.head.options = (*options, f"--autoscaling-config={path}")
        self.environment |= {
            "AUTOSCALER_UPDATE_INTERVAL_S": "1",
            "RAY_enable_autoscaler_v2": str(int(version == 2)),
            "RAY_CLOUD_INSTANCE_ID": HEAD_ID,
            "RAY_NODE_TYPE_NAME": HEAD_TYPE,
        }


@pytest.fixture(scope="module", params=[2, 1], ids=["v2", "v1"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Autoscaled]:
    with Autoscaled(request.param) as made:
        made.version = request.param
        yield made
    assert made.left() == []


def sweep_file(folder: Path, **sections: dict) -> Path:
    values = {
        "name": "grown",
        "data": {"source": "adding", "length": 30, "train_sequences": 4096}
        | {"validation_sequences": 64, "test_sequences": 64},
        "space": {"base": None, "parameters": {"learning_rate": {"low": 1e-3, "high": 1e-2}}},
        "train": {"cell": "lstm", "hidden_size": 24, "batch_size": 32, "max_epochs": 8},
        "search": {"sampler": "random"},
        "budget": {"trials": 12},
        "tracking": {"enabled": False},
        **sections,
    }
    path = folder / "grown.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def run(cluster: Cluster, spec: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sweep", "run", str(spec), "--dir", str(spec.parent)]
    return subprocess.Popen(
        [*command, "--address", cluster.address],
        env=cluster.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def nodes_alive(cluster: Cluster) -> int:
    """Return how many nodes the autoscaler's cloud runs now."""
    return sum(
        "raylet" in line and str(cluster.folder / "nodes") in line
        for line in subprocess.check_output(["ps", "-eo", "args"], text=True).splitlines()
    )


def wait(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


def test_what_no_kind_of_node_can_hold_is_refused(cluster, tmp_path):
    if cluster.version == 1:
        pytest.skip("it calls nothing infeasible")
    needs = {"cpus": 4, "labels": {"market": "spot"}}
    process = run(cluster, sweep_file(tmp_path, cluster=needs))
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2, said
    assert "a worker needs 4 CPU, label market=spot, which no node" in said
    assert "its autoscaler has none to add that could" in said
    assert not (tmp_path / "grown").exists()
    assert nodes_alive(cluster) == 0


def test_a_sweep_grows_its_cluster_and_gives_it_back(cluster, tmp_path):
    needs = {"max_workers": 2, "labels": {"market": "spot"}}
    process = run(cluster, sweep_file(tmp_path, cluster=needs))
    try:
        wait(lambda: nodes_alive(cluster) == 2 or process.poll() is not None)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, said
    log = open_log(tmp_path / "grown")
    events = list(log.read())
    log.close()
    assert sum(isinstance(e.what, Completed) for e in events) == 12
    assert max(e.what.workers for e in events if isinstance(e.what, Resized)) == 2
    wait(lambda: nodes_alive(cluster) == 0)
