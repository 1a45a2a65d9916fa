"""The sink against a real MLflow store in a SQLite file."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing as closing_resource
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from sweep.config.tracking import TRACKERS
from sweep.errors import LogError
from sweep.log.event import Event
from sweep.running.follower import start_follower
from sweep.tracking.conformance import HeldRun, check_tracker
from sweep.tracking.run import Point
from sweep.tracking.sync import SyncResult, sync
from tests.integration.mlflow_store import StoredRun, points_told_twice, stored_runs
from tests.sweep.synthetic_log import (
    START,
    SWEEP_UID,
    append,
    asked,
    checkpointed,
    closed,
    create_log,
    evaluated,
    failed,
    opened,
    pruned,
    reported,
    retried_trial,
    started,
    whole_trial,
)

pytestmark = pytest.mark.integration
STORE = "mlflow.db"


@pytest.fixture(autouse=True)
def _no_tracking_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store whose tables exist: making them takes seconds."""
    path = tmp_path_factory.mktemp("store") / STORE
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def directory(tmp_path: Path, empty_store: Path) -> Path:
    folder = tmp_path / "sweeps"
    folder.mkdir()
    (folder / STORE).write_bytes(empty_store.read_bytes())
    return folder


def mixed_events(trials: int = 12) -> list[Event]:
    """Trials of every fate, several sessions, one trial still running at the first one's end."""
    events = [opened()]
    for trial in range(trials):
        seconds = 40.0 * trial
        if trial % 3 == 0:
            events += retried_trial(trial, seconds)
        elif trial % 3 == 1:
            events += whole_trial(trial, 8, seconds)
        else:
            events += [asked(trial), started(trial), reported(trial, 1), pruned(trial, 1)]
    events += [asked(90), started(90), reported(90, 1), checkpointed(90, 1), reported(90, 2)]
    events += [closed(START + 5_000, "interrupted"), opened(START + 6_000, resumed=True)]
    events += [started(90, 2, 1, START + 6_001), reported(90, 2, 2, time=START + 6_002)]
    events += [failed(90, 2, "diverged", 2), evaluated(0, 0.5), closed(START + 7_000)]
    return events


def synced_whole(directory: Path, events: list[Event], *, page: bool = False) -> dict[str, object]:
    """What MLflow holds after one undisturbed sync of the whole log."""
    append(create_log(directory), events)
    assert sync(directory, "digits", page=page).behind == 0
    return dict(stored_runs(directory / STORE))


def test_mlflow_keeps_the_contract_of_trackers(directory: Path):
    uri = f"sqlite:///{directory / STORE}"
    check_tracker(
        lambda: TRACKERS["sqlite"].open(uri, "mine", directory),
        lambda: [
            HeldRun(uid, run.status, dict(run.params), dict(run.tags), points_of(run))
            for uid, run in stored_runs(directory / STORE).items()
        ],
    )


def points_of(run: StoredRun) -> list[Point]:
    return [Point(key, value, moment, step) for key, value, moment, step in run.points]


@pytest.fixture
def other_directory(tmp_path: Path, empty_store: Path) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / STORE).write_bytes(empty_store.read_bytes())
    return folder


def test_a_sync_makes_one_run_for_the_sweep_and_flat_children(directory: Path):
    events = mixed_events()
    append(create_log(directory), events)
    result = sync(directory, "digits")
    assert result == SyncResult(f"sqlite:///{directory / STORE}", len(events), 0)
    runs = stored_runs(directory / STORE)
    assert len(runs) == 14
    assert runs[SWEEP_UID].parent is None
    assert runs[SWEEP_UID].status == "FINISHED"
    assert {run.parent for uid, run in runs.items() if uid != SWEEP_UID} == {SWEEP_UID}
    trial = runs[f"{1:032x}"]
    assert (trial.name, trial.status, trial.end_ms) == ("digits-1", "FINISHED", 1_700_000_048_500)
    rmse = [(step, value) for key, value, _, step in trial.points if key == "val/rmse"]
    assert rmse == [(epoch, 1 / epoch) for epoch in range(1, 9)]
    assert runs[f"{90:032x}"].status == "FAILED"
    assert points_told_twice(directory / STORE) == []


def test_syncing_again_changes_nothing(directory: Path):
    once = synced_whole(directory, mixed_events(), page=True)
    assert sync(directory, "digits").behind == 0
    assert dict(stored_runs(directory / STORE)) == once


def test_syncing_piece_by_piece_equals_syncing_once(directory: Path, other_directory: Path):
    events = mixed_events()
    log = create_log(directory)
    for first in range(0, len(events), 23):
        append(log, events[first : first + 23])
        assert sync(directory, "digits", page=False).behind == 0
    assert dict(stored_runs(directory / STORE)) == synced_whole(other_directory, events)
    assert points_told_twice(directory / STORE) == []


def test_a_lost_offset_writes_everything_once_more_and_changes_nothing(directory: Path):
    once = synced_whole(directory, mixed_events())
    with closing_resource(sqlite3.connect(directory / "digits" / "sweep.db")) as log:
        log.execute("delete from offsets")
        log.commit()
    assert sync(directory, "digits", page=False).behind == 0
    assert dict(stored_runs(directory / STORE)) == once
    assert points_told_twice(directory / STORE) == []


def test_a_deleted_store_is_written_again_from_the_beginning(directory: Path, empty_store: Path):
    once = synced_whole(directory, mixed_events(3))
    for leftover in directory.glob("mlflow.db*"):
        leftover.unlink()
    (directory / STORE).write_bytes(empty_store.read_bytes())
    # In a process of its own: mlflow keeps a store's file open as long as a process lives.
    assert start_sync(directory, "digits").wait(60) == 0
    assert dict(stored_runs(directory / STORE)) == once


def test_each_store_gets_the_whole_sweep_however_often_they_change(
    directory: Path, other_directory: Path
):
    log = create_log(directory)
    events = mixed_events(3)
    append(log, events[:10])
    assert sync(directory, "digits", page=False).behind == 0
    append(log, events[10:])
    uri = f"sqlite:///{other_directory / STORE}"
    assert sync(directory, "digits", uri=uri, page=False).behind == 0
    assert sync(directory, "digits", page=False).behind == 0
    assert stored_runs(other_directory / STORE) == stored_runs(directory / STORE)


def test_the_tracking_variable_is_honoured(
    directory: Path, other_directory: Path, monkeypatch: pytest.MonkeyPatch
):
    append(create_log(directory), [opened(), *whole_trial(0, 1), closed()])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{other_directory / STORE}")
    assert sync(directory, "digits", page=False).behind == 0
    assert len(stored_runs(other_directory / STORE)) == 2
    assert stored_runs(directory / STORE) == {}


def test_two_sweeps_share_one_store(directory: Path):
    for name in ("one", "two"):
        append(create_log(directory, name), [opened(), *whole_trial(0, 8), closed()])
    followers = [start_sync(directory, name) for name in ("one", "two")]
    assert [process.wait(60) for process in followers] == [0, 0]
    with closing_resource(sqlite3.connect(directory / STORE)) as store:
        names = store.execute("select name from runs order by name").fetchall()
    assert names == [("one",), ("one-0",), ("two",), ("two-0",)]


def test_a_locked_store_is_waited_for(directory: Path):
    append(create_log(directory), [opened(), *whole_trial(0, 8), closed()])
    with closing_resource(sqlite3.connect(directory / STORE)) as blocker:
        blocker.execute("begin exclusive")
        process = start_sync(directory, "digits")
        time.sleep(4)
        assert process.poll() is None
        blocker.rollback()
    assert process.wait(60) == 0
    assert len(stored_runs(directory / STORE)) == 2


def test_a_run_that_a_person_deleted_is_left_alone_and_the_rest_goes_on(directory: Path):
    log = create_log(directory)
    append(log, [opened(), *[asked(0), started(0), reported(0, 1), checkpointed(0, 1)]])
    assert sync(directory, "digits", page=False).behind == 0
    client = MlflowClient(tracking_uri=f"sqlite:///{directory / STORE}")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    child = client.search_runs([experiment.experiment_id], "tags.`sweep.trial` = '0'")[0]
    client.delete_run(child.info.run_id)
    append(log, [reported(0, 2), checkpointed(0, 2), *whole_trial(1, 2), closed()])
    lines: list[str] = []
    assert sync(directory, "digits", notify=lines.append, page=False).behind == 0
    assert len(lines) == 1
    assert "'digits-0' can't be written any more" in lines[0]
    assert set(stored_runs(directory / STORE)) == {SWEEP_UID, f"{1:032x}"}


def test_an_unknown_sweep_is_one_clear_line(directory: Path):
    with pytest.raises(LogError, match="must exist"):
        sync(directory, "nobody")


def start_sync(directory: Path, name: str, *, follow: bool = False) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from pathlib import Path; from sweep.tracking.sync import sync;"
        f"r = sync(Path({str(directory)!r}), {name!r}, follow={follow}, page=False);"
        "sys.exit(r.behind > 0)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen([sys.executable, "-c", code], env=environment)


def test_a_sink_killed_at_random_moments_leaves_the_same_record(
    directory: Path, other_directory: Path, warm: ForkServerContext
):
    events = mixed_events(60)
    log = create_log(directory)
    chance = random.Random(0)
    lives, half_written = 6, 0
    per_life = len(events) // lives + 1
    for first in range(0, len(events), per_life):
        append(log, events[first : first + per_life])
        runs_before = count_runs(directory)
        process = warm.Process(
            target=sync, args=(directory, "digits"), kwargs={"follow": True, "page": False}
        )
        process.start()
        wait_until(lambda before=runs_before: count_runs(directory) > before, 15)
        time.sleep(chance.uniform(0.0, 0.3))
        process.kill()
        process.join()
        half_written += sync_offset(directory) < log.last_seq()
    assert half_written > 0, "every life was long enough: the test shows nothing"
    assert sync(directory, "digits", page=False).behind == 0
    assert dict(stored_runs(directory / STORE)) == synced_whole(other_directory, events)
    assert points_told_twice(directory / STORE) == []


@pytest.fixture(scope="session")
def warm() -> ForkServerContext:
    """Processes that begin with mlflow imported, so that a short life gets something written."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["sweep.tracking.client", "mlflow.store.tracking.sqlalchemy_store"]
    )
    first = context.Process(target=time.time)  # wait for the imports
    first.start()
    first.join()
    return context


def sync_offset(directory: Path) -> int:
    with closing_resource(sqlite3.connect(directory / "digits" / "sweep.db")) as log:
        row = log.execute("select seq from offsets").fetchone()
    return int(row[0]) if row else 0


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def count_runs(directory: Path) -> int:
    with closing_resource(sqlite3.connect(directory / STORE)) as store:
        return int(store.execute("select count(*) from runs").fetchone()[0])


def test_the_follower_writes_along_and_ends_after_closed(directory: Path):
    log = create_log(directory)
    append(log, [opened(), *whole_trial(0, 2)])
    process = start_follower(directory, "digits")
    try:
        wait_until(lambda: count_runs(directory) >= 2, 60)
        assert process.poll() is None
        append(log, [*whole_trial(1, 2), closed()])
        assert process.wait(60) == 0
    finally:
        process.kill()
    runs = stored_runs(directory / STORE)
    assert len(runs) == 3
    assert runs[SWEEP_UID].status == "FINISHED"


def test_the_follower_of_a_resumed_sweep_is_not_ended_by_the_old_closed(directory: Path):
    log = create_log(directory)
    append(log, [opened(), *whole_trial(0, 1), closed()])
    process = start_follower(directory, "digits")
    try:
        wait_until(lambda: count_runs(directory) >= 2, 60)
        time.sleep(2.0)
        assert process.poll() is None
        append(log, [opened(START + 2_000), *whole_trial(1, 1), closed(START + 2_100)])
        assert process.wait(60) == 0
    finally:
        process.kill()
    assert len(stored_runs(directory / STORE)) == 3


def test_a_follower_that_starts_after_the_sweep_closed_writes_it_and_ends(directory: Path):
    log = create_log(directory)
    append(log, [opened()])
    since = log.last_seq()
    append(log, [*whole_trial(0, 1), closed()])
    process = start_follower(directory, "digits", since_seq=since)
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
    assert len(stored_runs(directory / STORE)) == 2


def test_a_follower_whose_coordinator_died_writes_what_there_is_and_ends(directory: Path):
    append(create_log(directory), [opened(), *whole_trial(0, 2), asked(1), started(1)])
    code = (
        "import os; from pathlib import Path; from sweep.running.follower import start_follower;"
        f"print(start_follower(Path({str(directory)!r}), 'digits').pid, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    coordinator = subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=False
    )
    follower = int(coordinator.stdout)
    wait_until(lambda: not is_running(follower), 60)
    assert not is_running(follower)
    runs = stored_runs(directory / STORE)
    fates = {run.name: (run.status, dict(run.tags)["state"]) for run in runs.values()}
    assert fates == {
        "digits": ("KILLED", "interrupted"),
        "digits-0": ("FINISHED", "complete"),
        "digits-1": ("KILLED", "interrupted"),
    }


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_only_one_sink_writes_a_sweep_at_a_time(directory: Path):
    log = create_log(directory)
    append(log, [opened(), *whole_trial(0, 2)])
    process = start_follower(directory, "digits")
    try:
        wait_until(lambda: count_runs(directory) >= 2, 60)
        time.sleep(1.0)  # the follower has committed its offset by now
        assert sync(directory, "digits", patience_seconds=5, page=False).behind == 0
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    assert len(stored_runs(directory / STORE)) == 2
