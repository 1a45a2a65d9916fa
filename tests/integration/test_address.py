"""A sweep on a Ray cluster that somebody else started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def head():
    """The address of a Ray head of its own, on loopback; its folder is short for its sockets."""
    folder = tempfile.mkdtemp(prefix="head")
    port = free_port()
    command = [str(Path(sys.executable).parent / "ray"), "start", "--head", "--block"]
    command += [f"--port={port}", "--node-ip-address=127.0.0.1", "--num-cpus=2"]
    command += ["--include-dashboard=false", "--object-store-memory=150000000"]
    command += [f"--temp-dir={folder}"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "the head ended"
        assert time.monotonic() < deadline, "the head does not listen"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.2)
    yield f"127.0.0.1:{port}"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_sweep_runs_on_a_cluster_by_its_address(head, tmp_path):
    command = [sys.executable, "-m", "sweep", "run", "smoke", "--dir", str(tmp_path)]
    command += ["--set", f"run.address={head}", "--set", "tracking.enabled=false"]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=180)
    show = [sys.executable, "-m", "sweep", "results", "smoke", "--dir", str(tmp_path)]
    table = subprocess.run([*show, "--format", "json"], check=True, capture_output=True, text=True)
    states = [trial["state"] for trial in json.loads(table.stdout)]
    assert states == ["complete"] * 4
