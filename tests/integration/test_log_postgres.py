"""A sweep whose log lives in a real PostgreSQL, which is killed and comes back."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

import sweep.log.engine
import sweep.log.silence
from sweep.__main__ import main
from sweep.config.sweep_config import SweepConfig
from sweep.errors import LeaseHeld, LeaseLost, LogError
from sweep.history.state import load_state
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.kinds import Closed, Lost, Opened
from sweep.log.lease import Lease, is_held
from sweep.log.places import open_log, probe
from sweep.results.results import open_results, sweep_names
from sweep.running.session import run_sweep
from sweep.work.executors import InProcessExecutor
from tests.integration.mlflow_server import wait_for
from tests.integration.postgres import Server, binaries, running
from tests.sweep import session_runs
from tests.sweep.events_factory import some
from tests.sweep.session_runs import Interrupted, config

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL's server is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("psycopg") is None, reason="psycopg is not installed"
    ),
]

OPENED, CLOSED = Event(some(Opened)), Event(some(Closed))
TORN = {"run": {"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6}}
TORN |= {"search": {"pruning": {"rule": "halving", "reduction_factor": 2}}}
PASSWORD = "hush-4711"
CUT = """select pg_terminate_backend(pid) from pg_stat_activity
where pid <> pg_backend_pid() and backend_type = 'client backend'"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def here(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sweeps whose logs go to an empty database."""
    monkeypatch.setenv("RNN_SWEEP_LOG", server.url.replace("secret", PASSWORD))
    engine = sa.create_engine(server.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(CUT)
        connection.execute(sa.text("drop schema public cascade; create schema public"))
    engine.dispose()
    return tmp_path


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[int, object]:
    """What the sweep comes to when nothing disturbs it."""
    folder = tmp_path_factory.mktemp("calm")
    session_runs.run(folder, **TORN)
    return session_runs.numbers(folder)


def numbers(directory: Path, name: str = "s") -> dict[int, object]:
    log = open_log(directory / name)
    state = load_state(log)
    log.close()
    return session_runs.numbers_of(state)


class Cut(InProcessExecutor):
    """Kills the server at some polls; it is back a little later."""

    def __init__(self, server: Server, *polls: int) -> None:
        super().__init__()
        self.server, self.at, self.polls = server, polls, 0
        self.repairs: list[threading.Thread] = []

    def poll(self, timeout_seconds):
        self.polls += 1
        if self.polls in self.at:
            self.server.kill()
            repair = threading.Timer(1.5, self.server.start)
            repair.start()
            self.repairs.append(repair)
        return super().poll(timeout_seconds)

    def close(self) -> None:
        super().close()
        for repair in self.repairs:
            repair.join()


def test_a_killed_database_changes_nothing(here: Path, server: Server, calm, caplog):
    run_sweep(config(**TORN), here, None, Cut(server, 3, 8))
    assert numbers(here) == calm
    lines = [line for line in caplog.messages if "the log of s is" in line]
    assert [line.split()[5].strip(";") for line in lines] == ["away", "back", "away", "back"]
    log = open_log(here / "s")
    events = list(log.read())
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    log.close()


class Frozen(Cut):
    """Stops the server at some polls; it goes on a little later."""

    def poll(self, timeout_seconds):
        self.polls += 1
        if self.polls in self.at:
            self.server.freeze()
            repair = threading.Timer(4.0, self.server.thaw)
            repair.start()
            self.repairs.append(repair)
        return InProcessExecutor.poll(self, timeout_seconds)


def test_a_database_that_hangs_is_given_up_and_changes_nothing(
    here: Path, server: Server, calm, caplog, monkeypatch
):
    monkeypatch.setattr(sweep.log.silence, "SILENT_SECONDS", 1.0)
    monkeypatch.setitem(sweep.log.engine._KEEPALIVE, "connect_timeout", 2)
    run_sweep(config(**TORN), here, None, Frozen(server, 3, 8))
    assert numbers(here) == calm
    said = [line for line in caplog.messages if "has said nothing for 1 seconds" in line]
    assert len(said) >= 2
    log = open_log(here / "s")
    assert [e.seq for e in log.read()] == list(range(1, log.last_seq() + 1))
    log.close()


def test_a_sweep_goes_on_in_a_folder_that_was_moved(here: Path, calm):
    with pytest.raises(MemoryError):
        run_sweep(config(**TORN), here / "old", None, Interrupted(polls=4))
    assert not (here / "old" / "s" / "sweep.db").exists()
    shutil.move(here / "old", here / "new")
    run_sweep(config(**TORN), here / "new", None, InProcessExecutor())
    assert numbers(here / "new") == calm
    assert sweep_names(here / "new") == ["s"]
    assert open_results("s", here / "new").best() is not None


def test_the_password_is_written_nowhere(here: Path, server: Server, monkeypatch, capsys):
    run_sweep(config(budget__trials=1), here, None, InProcessExecutor())
    log = open_log(here / "s")
    place = server.url.replace(":secret", "")
    assert log.where == place
    said = [log.config(), *(e.what for e in log.read())]
    log.close()
    written = [p.read_bytes() for p in here.rglob("*") if p.is_file()]
    assert (here / "s" / "log.url").read_text().split()[0] == place
    assert [text for text in [*written, repr(said).encode()] if PASSWORD.encode() in text] == []
    elsewhere = os.environ["RNN_SWEEP_LOG"].replace("/postgres", "/absent")
    monkeypatch.setenv("RNN_SWEEP_LOG", elsewhere)
    assert main(["status", "s", "--dir", str(here)]) == 0, "log.url is asked as well"
    monkeypatch.delenv("RNN_SWEEP_LOG")
    assert main(["status", "s", "--dir", str(here)]) == 0
    (here / "s" / "log.url").write_text(f"{place.replace('/postgres', '/absent')} 1\n")
    assert main(["status", "s", "--dir", str(here)]) == 2
    out = capsys.readouterr()
    assert 'database "absent" does not exist' in out.err
    assert PASSWORD not in out.out + out.err


FROZEN = """
import sys, time
from pathlib import Path
from sweep.running.session import run_sweep
from tests.integration.test_log_postgres import TORN
from tests.sweep.session_runs import InProcessExecutor, config

class Slow(InProcessExecutor):
    def poll(self, timeout_seconds):
        time.sleep(0.05)
        return super().poll(timeout_seconds)

run_sweep(config(**TORN), Path(sys.argv[1]), None, Slow())
"""


def test_a_coordinator_that_was_frozen_and_replaced_stops_without_writing(here: Path, calm):
    old = subprocess.Popen([sys.executable, "-c", FROZEN, str(here)], stderr=subprocess.PIPE)
    wait_for(lambda: begun(here), 60)
    old.send_signal(signal.SIGSTOP)
    outside = open_log(here / "s")
    with pytest.raises(LeaseHeld):
        run_sweep(config(**TORN), here, None, InProcessExecutor())
    cut(outside)  # as PostgreSQL does with a machine that no longer answers
    run_sweep(config(**TORN), here, None, InProcessExecutor())
    events = list(outside.read())
    assert sum(isinstance(e.what, Lost) for e in events) > 0
    old.send_signal(signal.SIGCONT)
    _, said = old.communicate(timeout=60)
    assert b"LeaseLost" in said
    assert list(outside.read()) == events
    assert numbers(here) == calm
    outside.close()


def begun(directory: Path) -> bool:
    if not (directory / "s" / "log.url").exists():
        return False
    with suppress(LogError):  # not registered yet
        log = open_log(directory / "s")
        kinds = [e.kind for e in log.read()]
        log.close()
        return "reported" in kinds
    return False


def test_two_folders_sweeps_of_one_name_are_not_mixed_up(here: Path):
    run_sweep(config(budget__trials=1), here / "one", None, InProcessExecutor())
    with pytest.raises(LogError, match="holds a sweep 's' already, whose folder is not"):
        run_sweep(config(budget__trials=2), here / "other", None, InProcessExecutor())
    assert sweep_names(here / "other") == []
    (here / "other" / "s" / "log.url").write_text(
        (here / "one" / "s" / "log.url").read_text().split()[0] + "\nanother\n"
    )
    with pytest.raises(LogError, match="holds another of this name"):
        open_log(here / "other" / "s")
    assert len(numbers(here / "one")) == 1


def test_a_sweep_whose_log_is_not_there_does_not_begin_anew(here: Path, server: Server):
    run_sweep(config(budget__trials=1), here, None, InProcessExecutor())
    kept = list((here / "s" / "checkpoints").iterdir())
    other = server.url.replace(":secret", "").replace("/postgres", "/template1")
    elsewhere = config(budget__trials=2, run={"workers": 2, "log": other})
    with pytest.raises(LogError, match=r"has begun with its log in .*, but .* holds none of it"):
        run_sweep(elsewhere, here, None, InProcessExecutor())
    assert list((here / "s" / "checkpoints").iterdir()) == kept
    assert run_sweep(config(budget__trials=2), here, None, InProcessExecutor()).best is not None


def test_a_new_sweep_needs_its_database_before_anything_else(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("RNN_SWEEP_LOG", "postgresql://me:secret@127.0.0.1:9/postgres")
    with pytest.raises(LogError, match=r"must answer at postgresql://me@127.0.0.1:9/") as e:
        run_sweep(config(), tmp_path, None, InProcessExecutor())
    assert "secret" not in str(e.value)
    assert list(tmp_path.iterdir()) == []


def claimed(folder: Path) -> tuple[EventLog, Lease]:
    """A log and its lease, as a coordinator holds them."""
    log = EventLog.open(os.environ["RNN_SWEEP_LOG"], "s", create=True)
    return log, Lease.acquire(log, folder)


def cut(log: EventLog) -> None:
    """End every other connection to the database, as a network that fails does."""
    with log.engine.connect() as connection:
        connection.exec_driver_sql(CUT)


def test_a_lost_lock_is_taken_anew(here: Path):
    (log, lease), other = claimed(here), EventLog.open(os.environ["RNN_SWEEP_LOG"], "s")
    cut(other)
    wait_for(lambda: not is_held(other, here), 10)
    assert not log.stop_requested(lease.fence)
    assert is_held(other, here)
    other.request_stop()
    assert log.stop_requested(lease.fence)
    with pytest.raises(LeaseHeld, match="one coordinator at a time"):
        Lease.acquire(other, here)
    with lease:
        log.append([OPENED, CLOSED], lease.fence)
    wait_for(lambda: not is_held(other, here), 10)
    assert other.last_seq() == 2
    log.close()
    other.close()


def test_who_lost_the_sweep_while_it_was_cut_off_writes_nothing_more(here: Path):
    log, lease = claimed(here)
    log.append([OPENED], lease.fence)
    outside = EventLog.open(os.environ["RNN_SWEEP_LOG"], "s")
    cut(outside)
    wait_for(lambda: not is_held(outside, here), 10)
    log_of_next, lease_of_next = claimed(here)
    with pytest.raises(LeaseLost, match="took sweep 's' over"):
        log.stop_requested(lease.fence)
    with pytest.raises(LeaseLost, match="another coordinator holds"):
        log.append([CLOSED], lease.fence)
    log_of_next.append([CLOSED], lease_of_next.fence)
    assert [e.kind for e in outside.read()] == ["opened", "closed"]
    for each in (log, log_of_next, outside):
        each.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_that_was_cut_off_is_written_once(here: Path, when: str):
    log, lease = claimed(here)
    outside = EventLog.open(os.environ["RNN_SWEEP_LOG"], "s")
    cuts = [1, 1]

    @sa.event.listens_for(log.engine, "commit")
    def break_it(connection: sa.Connection) -> None:
        if cuts and cuts.pop():
            if when == "after":
                driver = connection.connection.driver_connection
                driver.commit()
                driver.execute("select 1")  # a transaction that can't end: the answer is lost
            cut(outside)

    log.append([OPENED, CLOSED], lease.fence)
    assert not cuts
    sa.event.remove(log.engine, "commit", break_it)
    log.append([OPENED], lease.fence)
    assert [e.kind for e in outside.read()] == ["opened", "closed", "opened"]
    log.close()
    outside.close()


def test_the_pulse_is_as_old_as_the_database_says(here: Path):
    log, _ = claimed(here)
    log.write_pulse({"phase": "training", "workers": []})
    time.sleep(0.2)
    age, facts = log.pulse() or (0.0, {})
    assert 0.2 <= age < 5
    assert facts == {"phase": "training", "workers": []}
    log.close()


def test_a_probe_leaves_nothing(here: Path):
    asked: SweepConfig = config()
    probe(here / "s", asked)
    assert not (here / "s").exists()
