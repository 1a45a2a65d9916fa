"""The sink's loop: what is committed when, with a tracker made of lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import sweep.tracking.loop
from sweep.config.tracking import TrackerKind
from sweep.errors import RunGone, TrackerUnavailable
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.tracking.lock import only_sink
from sweep.tracking.loop import Sink, SinkOptions
from sweep.tracking.run import RunWrite
from sweep.tracking.sync import sync
from tests.sweep.synthetic_log import SWEEP_UID, append, closed, create_log, opened, whole_trial

EVENTS: list[Event] = [opened(), *whole_trial(0, 2), *whole_trial(1, 2), closed()]


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


class FakeTracker:
    """Keeps what is written; may be killed at, or refuse, the writes of one name."""

    def __init__(self, existed: bool = False) -> None:
        self.existed = existed
        self.written: list[str] = []
        self.killed_at = ""
        self.gone = ""
        self.refuses = ""
        self.away = False
        self.pages: list[tuple[str, set[str], str]] = []
        self.views: dict[str, str] = {}
        self.stores_files = True

    def connect(self, _uid: str, _last_seq: int) -> bool:
        if self.away:
            raise TrackerUnavailable("MLflow is away")
        return self.existed

    def write(self, write: RunWrite) -> None:
        if write.name == self.killed_at:
            raise Killed
        if write.name == self.refuses:
            raise TrackerUnavailable("MLflow takes no writes")
        if write.name == self.gone:
            raise RunGone(f"run {write.name} was deleted;")
        self.written.append(write.name)
        self.existed = True

    def save_view(self, key: str, value: str) -> None:
        self.views[key] = value

    def finish(self, uid: str, files: Mapping[str, bytes], note: str) -> None:
        if not self.stores_files:
            raise TrackerUnavailable("MLflow at there takes no files")
        self.pages.append((uid, set(files), note))


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> FakeTracker:
    made = FakeTracker()
    kind = TrackerKind(lambda uri, experiment, directory: made, models=True)
    monkeypatch.setattr(sweep.tracking.loop, "TRACKERS", {"sqlite": kind})
    return made


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    made = create_log(tmp_path)
    append(made, EVENTS)
    return made


def sink(
    tmp_path: Path, log: EventLog, lines: list[str] | None = None, *, page: bool = False
) -> Sink:
    notify = (lines if lines is not None else []).append
    return Sink(tmp_path, log, SinkOptions(notify, patience_seconds=0.0, page=page))


def test_the_offset_is_committed_only_after_everything_is_written(
    tmp_path: Path, log: EventLog, tracker: FakeTracker
):
    tracker.killed_at = "digits-1"
    with pytest.raises(Killed):
        sink(tmp_path, log).run(follow=False)
    assert tracker.written == ["digits", "digits-0"]
    assert sink(tmp_path, log).result().written == 0
    tracker.killed_at = ""
    assert sink(tmp_path, log).run(follow=False).behind == 0
    assert tracker.written[2:] == ["digits", "digits-0", "digits-1"]


def test_nothing_is_written_twice_once_it_is_committed(
    tmp_path: Path, log: EventLog, tracker: FakeTracker
):
    assert sink(tmp_path, log).run(follow=False).written == len(EVENTS)
    tracker.written.clear()
    sink(tmp_path, log).run(follow=False)
    assert tracker.written == ["digits"]  # its names, told again in case it was half-written


def test_a_store_that_was_deleted_is_written_anew_even_if_the_sink_dies_in_between(
    tmp_path: Path, log: EventLog, tracker: FakeTracker
):
    sink(tmp_path, log).run(follow=False)
    tracker.existed = False
    tracker.killed_at = "digits-1"
    with pytest.raises(Killed):
        sink(tmp_path, log).run(follow=False)
    tracker.killed_at = ""
    tracker.written.clear()
    sink(tmp_path, log).run(follow=False)
    assert tracker.written == ["digits", "digits-0", "digits-1"]


def test_a_deleted_run_does_not_stop_the_others(
    tmp_path: Path, log: EventLog, tracker: FakeTracker
):
    tracker.gone = "digits-0"
    lines: list[str] = []
    assert sink(tmp_path, log, lines).run(follow=False).behind == 0
    assert tracker.written == ["digits", "digits-1"]
    assert len(lines) == 1
    assert "digits-0 was deleted" in lines[0]


def test_a_tracker_that_stays_away_leaves_everything_in_the_log(
    tmp_path: Path, log: EventLog, tracker: FakeTracker
):
    tracker.away = True
    result = sink(tmp_path, log).run(follow=False)
    assert (result.written, result.behind) == (0, len(EVENTS))
    assert result.complaint == "MLflow is away"


def test_while_the_tracker_is_away_the_log_is_not_read_on(
    tmp_path: Path, tracker: FakeTracker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweep.tracking.loop, "_PAGE_EVENTS", 10)
    log = create_log(tmp_path)
    append(log, [opened(), *(event for n in range(20) for event in whole_trial(n, 2)), closed()])
    tracker.refuses = "digits"
    mine = sink(tmp_path, log)
    assert mine.run(follow=False).behind == log.last_seq()
    assert mine._fold.seq == 10  # memory holds one page, however long the outage


def test_a_follower_ends_after_closed(tmp_path: Path, log: EventLog, tracker: FakeTracker):
    assert sink(tmp_path, log).run(follow=True).behind == 0
    assert tracker.written == ["digits", "digits-0", "digits-1"]


@pytest.mark.usefixtures("tracker")
def test_a_sync_beside_a_sink_that_stands_still_says_so(tmp_path: Path, log: EventLog):
    with only_sink(tmp_path / "digits", lambda: False) as ours:
        assert ours
        result = sync(tmp_path, "digits", patience_seconds=0.5, page=False)
    assert result.behind == len(EVENTS)
    assert "another process writes sweep 'digits'" in str(result.complaint)
    assert sync(tmp_path, "digits", page=False).behind == 0
    assert log.last_seq() == len(EVENTS)


def test_the_lock_is_free_again_when_its_holder_ends(tmp_path: Path):
    for _ in range(2):
        with only_sink(tmp_path, lambda: False) as ours:
            assert ours


def test_the_page_is_made_once_the_record_is_whole(
    tmp_path: Path, log: EventLog, tracker: FakeTracker
):
    for _ in range(2):
        assert sink(tmp_path, log, page=True).run(follow=False).behind == 0
    assert len(tracker.pages) == 1
    uid, files, note = tracker.pages[0]
    assert uid == SWEEP_UID
    assert {"sweep.yaml", "top.json", "top.csv", "top.html", "ledger.json", "report.html"} <= files
    assert {"plots/history.html", "plots/history.png", "plots/parallel.html"} <= files
    assert "plots/parallel.png" not in files  # a single trial leaves nothing to draw
    assert "Best: **trial 0**" in note
    assert list(tracker.views) == [f"mlflow.sharedViewState.sweep-{SWEEP_UID}"]


def test_a_page_that_can_not_be_stored_is_one_line_and_made_by_the_next_sync(
    tmp_path: Path, log: EventLog, tracker: FakeTracker
):
    tracker.stores_files = False
    lines: list[str] = []
    result = sink(tmp_path, log, lines, page=True).run(follow=False)
    assert (result.behind, result.complaint) == (0, None)
    assert lines == ["tracking: plots and tables are not stored: MLflow at there takes no files."]
    tracker.stores_files = True
    sink(tmp_path, log, page=True).run(follow=False)
    assert len(tracker.pages) == 1


def test_more_trials_make_the_page_anew(tmp_path: Path, log: EventLog, tracker: FakeTracker):
    sink(tmp_path, log, page=True).run(follow=False)
    append(log, [opened(resumed=True), *whole_trial(2, 4), closed()])
    tracker.existed = True
    sink(tmp_path, log, page=True).run(follow=False)
    assert "Best: **trial 2**" in tracker.pages[-1][2]
