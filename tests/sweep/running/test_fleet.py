"""Workers that leave, hang, come and go: their trials go on elsewhere, to the same numbers."""

from dataclasses import replace

import pytest

import sweep.running.fleet
from sweep.history.ledger import ledger_of
from sweep.history.state import Standing
from sweep.log.event_log import EventLog
from sweep.log.kinds import Checkpointed, Resized
from sweep.pruning.none import NoPruning
from sweep.running.fleet import Fleet
from sweep.work.executors import InProcessExecutor
from sweep.work.protocol import Lost, Reply, Trained
from sweep.work.shared_disk import check_shared_disk, mark_disk
from tests.sweep.session_runs import fold, numbers, run

RUN = {"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6}
SLOW = {"hidden_size": 64, "batch_size": 1}
CHANGES = {"run": RUN, "search": {"pruning": {"rule": "halving", "reduction_factor": 2}}}


@pytest.fixture(autouse=True)
def tended_at_every_round(monkeypatch):
    monkeypatch.setattr(sweep.running.fleet, "TEND_SECONDS", 0.0)
    monkeypatch.setattr(sweep.running.fleet, "RESIZE_SECONDS", 0.0)


class Draining(InProcessExecutor):
    """Every worker's node is told to leave some polls after the worker came."""

    def __init__(self, polls=6):
        super().__init__()
        self.polls, self.every = 0, polls
        self.retired = []

    def poll(self, timeout_seconds):
        self.polls += 1
        return super().poll(timeout_seconds)

    def leaving(self):
        return set(self.workers()[:1]) if self.polls % self.every == 0 else set()

    def retire(self, worker):
        self.retired.append(worker)
        super().retire(worker)


def lost_events(tmp_path):
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    try:
        return [event for event in log.read() if event.kind == "lost"]
    finally:
        log.close()


def test_trials_of_a_draining_node_are_saved_and_go_on_elsewhere(tmp_path):
    run(tmp_path / "calm", **CHANGES)
    executor = Draining()
    run(tmp_path / "spot", executor, **CHANGES)
    lost = lost_events(tmp_path / "spot")
    assert len(executor.retired) >= 2
    assert lost
    assert {e.what.worker_died for e in lost} == {False}
    assert {e.what.reason for e in lost} == {"its node is being drained"}
    assert numbers(tmp_path / "spot") == numbers(tmp_path / "calm")


class DrainedInMidTrial(InProcessExecutor):
    """Three times, the node of a worker that trains a trial's second epoch is told to leave."""

    def __init__(self):
        super().__init__()
        self.drained, self.in_mid_trial = set(), set()

    def start(self, data, settings, workers):
        super().start(data, replace(settings, slice_seconds=1e-6), workers)

    def poll(self, timeout_seconds):
        found = super().poll(timeout_seconds)
        for reply in found:
            epochs = [item.report.epoch for item in reply.items if isinstance(item, Trained)]
            if epochs:
                (self.in_mid_trial.add if epochs[-1] == 1 else self.in_mid_trial.discard)(
                    reply.worker
                )
        return found

    def leaving(self):
        there = self.in_mid_trial & set(self.workers())
        if len(self.drained) < 3:
            self.drained |= there
        return there & self.drained


def test_what_a_draining_node_has_trained_is_saved_first(tmp_path):
    executor = DrainedInMidTrial()
    run(tmp_path, executor, run={"workers": 2}, train={**SLOW, "max_epochs": 3})
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    events = list(log.read())
    log.close()
    saved = {(e.trial, e.epoch) for e in events if isinstance(e.what, Checkpointed)}
    lost = [e for e in events if e.kind == "lost" and e.epoch]
    assert len(lost) >= len(executor.drained) >= 3
    assert {(e.trial, e.epoch) for e in lost} <= saved


class Hanging(InProcessExecutor):
    """The first worker stops answering after some polls."""

    def __init__(self):
        super().__init__()
        self.polls, self.unanswered, self.killed = 0, 0, []

    def silent_seconds(self, worker):
        return 400.0 if worker == "local-0" and self.polls > 5 else 0.0

    def poll(self, timeout_seconds):
        self.polls += 1
        return super().poll(timeout_seconds)

    def send(self, worker, commands):
        if worker == "local-0" and self.polls > 5:
            self.unanswered += 1
        else:
            super().send(worker, commands)

    def in_flight(self, worker):
        return super().in_flight(worker) + (self.unanswered if worker == "local-0" else 0)

    def kill(self, worker, reason="killed"):
        self.killed.append((worker, reason))
        super().kill(worker, reason)


def test_a_worker_that_hangs_is_replaced(tmp_path):
    executor = Hanging()
    run(tmp_path, executor, run={"workers": 2, "hang_seconds": 30.0})
    assert executor.killed == [("local-0", "it hung: no answer for 400 seconds")]
    assert {t.state for t in fold(tmp_path).trials.values()} == {Standing.COMPLETE}


class Silent(InProcessExecutor):
    """One worker that has been silent for 400 seconds."""

    def __init__(self):
        super().__init__()
        self.killed = []

    def workers(self):
        return () if self.killed else ("local-0",)

    def silent_seconds(self, worker):
        return 400.0

    def kill(self, worker, reason="killed"):
        self.killed.append(worker)


@pytest.mark.parametrize(("epoch_seconds", "hangs"), [(60.0, False), (30.0, True)])
def test_a_worker_in_a_long_epoch_does_not_hang(tmp_path, epoch_seconds, hangs):
    run(tmp_path, run={"workers": 1}, budget={"trials": 1})
    state = fold(tmp_path)
    state.trials[0].train_seconds, state.trials[0].epoch = 3 * epoch_seconds, 3
    executor = Silent()
    fleet = Fleet(executor, state, NoPruning(), 30.0, lambda room: 0)
    fleet.note(Reply("local-0"))
    fleet.held["local-0"].append(0)
    fleet.tend()
    assert bool(executor.killed) == hangs


class Torn(InProcessExecutor):
    """A node dies every few polls, and takes the worker along."""

    def __init__(self):
        super().__init__()
        self.polls = 0

    def poll(self, timeout_seconds):
        self.polls += 1
        if self.polls % 4 == 0 and self.workers():
            worker = self.workers()[0]
            self.retire(worker)
            return [Lost(worker, "its node has died", own_death=False)]
        return super().poll(timeout_seconds)


def test_a_trial_is_not_blamed_for_the_death_of_a_node(tmp_path):
    run(tmp_path, Torn(), run={"workers": 2, "checkpoint_seconds": 1e-6})
    lost = lost_events(tmp_path)
    assert len(lost) >= 3
    assert not any(event.what.worker_died for event in lost)
    assert {t.state for t in fold(tmp_path).trials.values()} == {Standing.COMPLETE}


class Elastic(InProcessExecutor):
    """A cluster that first holds one worker, then three, then one again."""

    def __init__(self):
        super().__init__()
        self.polls, self.sizes = 0, []

    def room(self):
        return 3 if 10 < self.polls < 40 else 1

    def poll(self, timeout_seconds):
        self.polls += 1
        self.sizes.append(len(self.workers()))
        return super().poll(timeout_seconds)


def test_workers_come_and_go_with_the_clusters_nodes(tmp_path):
    executor = Elastic()
    run(tmp_path, executor, run={"workers": "auto"}, budget={"trials": 12})
    assert executor.sizes[0] == 1
    assert max(executor.sizes) == 3
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    events = list(log.read())
    log.close()
    sizes = [e.what.workers for e in events if isinstance(e.what, Resized)]
    assert sizes[0] == 1
    assert 3 in sizes
    opened, closed = events[0].time, events[-1].time
    assert closed - opened < ledger_of(events).available < 3 * (closed - opened)
    states = {t.state for t in fold(tmp_path).trials.values()}
    assert states == {Standing.COMPLETE}


class Courteous(InProcessExecutor):
    """Another sweep needs one worker's room for a while."""

    def __init__(self):
        super().__init__()
        self.polls, self.told, self.sizes = 0, [], []

    def to_give(self, holding, waiting):
        self.told.append((holding, waiting))
        return int(4 < self.polls < 8)

    def poll(self, timeout_seconds):
        self.polls += 1
        self.sizes.append(len(self.workers()))
        return super().poll(timeout_seconds)


def test_a_worker_is_given_up_for_a_sweep_of_higher_priority(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep.running.fleet, "GIVEN_SECONDS", 1.0)
    run(tmp_path / "calm", **CHANGES)
    executor = Courteous()
    run(tmp_path / "shared", executor, **CHANGES)
    assert {event.what.reason for event in lost_events(tmp_path / "shared")} <= {
        "a sweep of higher priority needs its room"
    }
    assert min(executor.sizes) == 1
    assert executor.sizes[0] == 2
    assert numbers(tmp_path / "shared") == numbers(tmp_path / "calm")


def test_a_worker_on_another_disk_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("sweep.work.shared_disk._PATIENCE_SECONDS", 0.3)
    mark_disk(tmp_path, "one")
    check_shared_disk(tmp_path, "one")
    with pytest.raises(FileNotFoundError, match="must lie on a disk that all nodes share"):
        check_shared_disk(tmp_path, "another")
