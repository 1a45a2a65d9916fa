import sqlite3

import pytest

from sweep.errors import LeaseHeld, LeaseLost, LogError
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.filesystem import filesystem_type
from sweep.log.kinds import Closed, Lost, Opened
from sweep.log.lease import Lease
from tests.sweep.events_factory import some

OPENED, CLOSED = Event(some(Opened)), Event(some(Closed))


@pytest.fixture
def log(tmp_path):
    log = EventLog.open(tmp_path / "sweep.db", "s", create=True)
    log.register("uid", {"name": "s"})
    yield log
    log.close()


def test_events_come_back_in_order_numbered_without_gaps(log):
    fence = log.take_fence("me")
    log.append([OPENED], fence)
    log.append([Event(Lost("x"), 3, 1, 2, 5.5), CLOSED], fence)
    read = list(log.read())
    assert [e.seq for e in read] == [1, 2, 3]
    assert read[1] == Event(Lost("x"), 3, 1, 2, 5.5, 2)
    assert [e.seq for e in log.read(after_seq=2)] == [3]


def test_reading_pages_through_more_events_than_one_batch(log, monkeypatch):
    monkeypatch.setattr("sweep.log.event_log._READ_BATCH", 2)
    log.append([OPENED] * 5, log.take_fence("me"))
    assert [e.seq for e in log.read()] == [1, 2, 3, 4, 5]


def test_a_coordinator_whose_fence_is_old_appends_nothing(log):
    old = log.take_fence("old")
    log.append([OPENED], old)
    log.take_fence("new")
    with pytest.raises(LeaseLost, match="another coordinator"):
        log.append([CLOSED], old)
    assert log.last_seq() == 1


def test_an_append_that_fails_half_way_writes_nothing(log):
    fence = log.take_fence("me")
    with pytest.raises(ValueError, match="Out of range float"):
        log.append([OPENED, Event(some(Closed, busy_seconds=float("nan")))], fence)
    assert log.last_seq() == 0


def test_a_full_disk_is_one_clear_line_and_nothing_is_written(log):
    fence = log.take_fence("me")
    with log.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    large = [Event(Lost("y" * 4096), 0, 1)] * 20
    with pytest.raises(LogError, match="must be writable, but: database or disk is full"):
        log.append(large, fence)
    assert log.last_seq() == 0


def test_a_second_coordinator_is_refused_while_the_first_holds_the_lease(log, tmp_path):
    with Lease.acquire(log, tmp_path), pytest.raises(LeaseHeld, match="one coordinator at a time"):
        Lease.acquire(log, tmp_path)
    with Lease.acquire(log, tmp_path) as again:
        assert again.fence == 2


def test_offsets_are_kept_per_sink(log):
    log.set_offset("mlflow", 4)
    log.set_offset("mlflow", 7)
    log.set_offset("optuna", 1)
    assert (log.offset("mlflow"), log.offset("optuna"), log.offset("none")) == (7, 1, 0)


def test_a_missing_log_is_one_clear_line(tmp_path):
    with pytest.raises(LogError, match="there is no such file"):
        EventLog.open(tmp_path / "absent.db", "s")


def test_a_file_that_is_no_log_is_one_clear_line(tmp_path):
    text = tmp_path / "text.db"
    text.write_text("hello, this is no database at all" * 100)
    with pytest.raises(LogError, match="can't be read as an event log"):
        EventLog.open(text, "s")
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("create table t (a)").connection.commit()
    with pytest.raises(LogError, match="must have a table `events`"):
        EventLog.open(other, "s")


def test_the_log_is_in_wal_mode_so_that_readers_never_block_the_writer(log, tmp_path):
    assert sqlite3.connect(tmp_path / "sweep.db").execute("pragma journal_mode").fetchone() == (
        "wal",
    )


def test_a_network_file_system_is_recognised_by_its_deepest_mount(tmp_path):
    mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/x /mnt/share nfs4 rw 0 0\n"
    assert filesystem_type(tmp_path, mounts) == "ext4"
    from pathlib import Path

    assert filesystem_type(Path("/mnt/share/sweeps"), mounts) == "nfs4"


def test_a_log_on_a_network_file_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("sweep.log.filesystem.filesystem_type", lambda path, mounts: "nfs4")
    with pytest.raises(LogError, match=r"must lie on a local disk, but .* is on nfs4"):
        EventLog.open(tmp_path / "sweep.db", "s", create=True)


def test_a_stop_is_for_the_coordinator_that_holds_the_lease_now(log):
    first = log.take_fence("here:1")
    assert not log.stop_requested(first)
    log.request_stop()
    assert log.stop_requested(first)
    assert not log.stop_requested(log.take_fence("there:2"))


def test_the_last_pulse_is_what_counts(log):
    assert log.pulse() is None
    log.write_pulse({"phase": "starting"})
    log.write_pulse({"phase": "training", "workers": []})
    age, facts = log.pulse()
    assert 0 <= age < 60
    assert facts == {"phase": "training", "workers": []}
