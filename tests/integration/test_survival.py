"""Killed = never killed: the same command again, and the table is the undisturbed one's.

Real processes, real SIGKILL: the coordinator and Ray workers die at random moments of training,
with TPE, halving and `run.order: reproducible`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]

SPEC = """
name: survive
data: {source: adding, length: 20, train_sequences: 512, validation_sequences: 128,
       test_sequences: 128}
space:
  base: recurrent
  parameters:
    hidden_size: {low: 8, high: 24}
    num_layers: 1
    tbptt_forward_steps: [null, 5]
train: {max_epochs: 9, batch_size: 32}
search: {sampler: tpe, seed: 4, pruning: {rule: halving, min_epochs: 1, reduction_factor: 3}}
budget: {trials: 14}
run: {order: reproducible, workers: 2, checkpoint_seconds: 0.2}
"""


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "sweep", *arguments, "--dir", str(folder)]


def run_to_end(spec: Path, folder: Path) -> None:
    subprocess.run(command(folder, "run", str(spec)), check=True, capture_output=True, timeout=200)


def table(folder: Path) -> list[dict]:
    text = subprocess.run(
        command(folder, "results", "survive", "--format", "json"),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = sorted(json.loads(text), key=lambda trial: trial["number"])
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def events(folder: Path) -> int:
    try:
        with sqlite3.connect(folder / "survive" / "sweep.db") as database:
            query = "select count(*) from events where kind = 'reported'"
            return int(database.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def wait_for_training(process: subprocess.Popen, folder: Path, more: int) -> bool:
    """Wait until `more` epochs were reported; return whether the sweep still runs."""
    goal = events(folder) + more
    while process.poll() is None and events(folder) < goal:
        time.sleep(0.02)
    return process.poll() is None


def deaths_seen(folder: Path) -> int:
    """How many trials the log says a dead worker lost."""
    with sqlite3.connect(folder / "survive" / "sweep.db") as database:
        rows = database.execute("select payload from events where kind = 'lost'").fetchall()
    return sum(bool(json.loads(payload).get("worker_died")) for (payload,) in rows)


def kill_workers_and_wait(process: subprocess.Popen, folder: Path) -> int:
    """Kill every worker, so that a busy one is among them, until the coordinator saw it die."""
    seen, killed, patience = deaths_seen(folder), 0, time.monotonic() + 60
    while process.poll() is None and deaths_seen(folder) == seen and time.monotonic() < patience:
        for pid in worker_pids(process.pid):
            os.kill(pid, signal.SIGKILL)
            killed += 1
        time.sleep(0.5)
    return killed


def worker_pids(parent: int) -> list[int]:
    import psutil

    try:
        family = psutil.Process(parent).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    found = []
    for process in family:
        try:
            if "_Actor" in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory) -> tuple[list[dict], list[dict], Path]:
    """The tables of an undisturbed sweep and of one killed again and again, and its folder."""
    base = tmp_path_factory.mktemp("survival")
    spec = base / "survive.yaml"
    spec.write_text(SPEC)
    calm, wild = base / "calm", base / "wild"
    run_to_end(spec, calm)
    dice = random.Random(7)
    kills = {"worker": 0, "coordinator": 0}
    for strike in range(3):
        process = subprocess.Popen(
            command(wild, "run", str(spec)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if wait_for_training(process, wild, dice.randint(1, 3)):
            if strike == 0:
                kills["worker"] += kill_workers_and_wait(process, wild)
            for pid in worker_pids(process.pid)[: 1 if strike else 0]:
                os.kill(pid, signal.SIGKILL)
                kills["worker"] += 1
        if wait_for_training(process, wild, dice.randint(1, 4)):
            process.send_signal(signal.SIGKILL)
            kills["coordinator"] += 1
        process.wait()
    assert kills["worker"] >= 3, kills
    assert kills["coordinator"] == 3, kills
    run_to_end(spec, wild)
    return table(calm), table(wild), wild


def test_the_sweep_was_really_disturbed(disturbed):
    _, _, wild = disturbed
    with sqlite3.connect(wild / "survive" / "sweep.db") as database:
        opened = database.execute("select count(*) from events where kind = 'opened'").fetchone()
    assert opened[0] >= 3
    assert deaths_seen(wild) >= 1


def test_the_table_equals_that_of_an_undisturbed_run(disturbed):
    calm, wild, _ = disturbed
    assert [trial["number"] for trial in wild] == list(range(14))
    assert wild == calm


def test_no_trial_is_left_running_and_no_epoch_is_counted_twice(disturbed):
    calm, wild, folder = disturbed
    assert {trial["state"] for trial in wild} <= {"complete", "pruned", "failed"}
    with sqlite3.connect(folder / "survive" / "sweep.db") as database:
        twice = database.execute(
            "select trial, attempt, epoch, count(*) from events where kind = 'reported' "
            "group by trial, attempt, epoch having count(*) > 1"
        ).fetchall()
    assert twice == []
    assert [trial["epochs"] for trial in wild] == [trial["epochs"] for trial in calm]


def test_mlflow_has_one_run_per_trial_and_no_point_twice(disturbed):
    _, wild, folder = disturbed
    subprocess.run(command(folder, "sync", "survive"), check=True, capture_output=True)
    with sqlite3.connect(folder / "mlflow.db") as database:
        children = database.execute(
            "select count(distinct run_uuid), count(*) from tags where key = 'sweep.trial_uid'"
        ).fetchone()
        twice = database.execute(
            "select run_uuid, key, step, count(*) from metrics "
            "group by run_uuid, key, step having count(*) > 1"
        ).fetchall()
        running = database.execute("select count(*) from runs where status = 'RUNNING'").fetchone()
    assert children == (len(wild), len(wild))
    assert twice == []
    assert running == (0,)


def test_no_process_of_a_killed_sweep_stays(disturbed):
    import psutil

    _, _, folder = disturbed
    left = [
        p.info["cmdline"]
        for p in psutil.process_iter(["cmdline"])
        if str(folder) in " ".join(p.info["cmdline"] or [])
    ]
    assert left == []
