"""Ctrl-C, a second coordinator, a cluster that does not answer: as a person meets them."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SPEC = """
name: slow
data: {source: adding, length: 30, train_sequences: 2000, validation_sequences: 100,
       test_sequences: 100}
space: {base: null, parameters: {learning_rate: {low: 0.001, high: 0.01}}}
train: {max_epochs: 40, hidden_size: 16}
budget: {trials: 1}
run: {workers: 1}
tracking: {enabled: false}
"""


@pytest.fixture
def spec(tmp_path) -> Path:
    path = tmp_path / "slow.yaml"
    path.write_text(SPEC)
    return path


def start(spec: Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "sweep", "run", str(spec), "--dir", str(spec.parent), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def epochs(spec: Path) -> int:
    try:
        with sqlite3.connect(spec.parent / "slow" / "sweep.db") as database:
            query = "select max(epoch) from events where kind = 'reported'"
            return database.execute(query).fetchone()[0] or 0
    except sqlite3.OperationalError:
        return 0


def wait_for_epochs(spec: Path, process: subprocess.Popen, count: int) -> None:
    deadline = time.monotonic() + 120
    while epochs(spec) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no training in time"
        time.sleep(0.05)


def kinds(spec: Path, kind: str) -> list[dict]:
    with sqlite3.connect(spec.parent / "slow" / "sweep.db") as database:
        query = "select payload from events where kind = ? order by seq"
        return [json.loads(payload) for (payload,) in database.execute(query, (kind,))]


def test_ctrl_c_leaves_a_sweep_that_the_same_command_finishes(spec):
    process = start(spec)
    wait_for_epochs(spec, process, 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in out + err
    assert "rnn-sweep run" in out + err
    before = epochs(spec)
    assert kinds(spec, "closed")[-1]["reason"] == "interrupted"
    again = start(spec)
    assert again.wait(timeout=120) == 0, again.communicate()
    started = kinds(spec, "started")
    assert started[1]["from_epoch"] == before
    assert len(kinds(spec, "reported")) == 40


def test_a_second_coordinator_gets_one_clear_line_and_changes_nothing(spec):
    first = start(spec)
    wait_for_epochs(spec, first, 1)
    second = start(spec)
    _, err = second.communicate(timeout=60)
    first.kill()
    first.communicate()
    assert second.returncode == 2
    assert err.startswith("error: one coordinator at a time")
    assert err.count("\n") == 1
    assert len(kinds(spec, "opened")) == 1


def test_a_cluster_that_does_not_answer_is_one_clear_line(spec):
    process = start(spec, "--set", "run.address=127.0.0.1:1")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert err.startswith("error: a Ray cluster must answer at --address 127.0.0.1:1")
    assert err.count("\n") == 1
    assert not (spec.parent / "slow" / "sweep.db").exists()
