"""Workers lost at the worst moment, devices and files that fail: no trial is lost."""

import time
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

import sweep.running.fleet
import sweep.running.stop_flag
from cluster.errors import HeadLost
from sweep.history.state import Standing
from sweep.log.event_log import EventLog
from sweep.log.kinds import Completed, Lost
from sweep.work.executors import InProcessExecutor
from sweep.work.held import HeldTrial
from sweep.work.protocol import Evaluate, Reply, Trained
from tests.sweep.session_runs import Interrupted, fold, numbers, run
from trainers.errors import OutOfMemory
from trainers.packs.pack import Pack

TORN = {
    "run": {"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6},
    "search": {"pruning": {"rule": "halving", "reduction_factor": 2}},
}


def states(tmp_path):
    return Counter(t.state for t in fold(tmp_path).trials.values())


def events(tmp_path):
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    try:
        return list(log.read())
    finally:
        log.close()


class Late(InProcessExecutor):
    """The coordinator was busy: a trial's end and its worker's death come in one round."""

    struck = False

    def poll(self, timeout_seconds):
        found = super().poll(timeout_seconds)
        for reply in found:
            ended = isinstance(reply, Reply) and any(
                isinstance(item, Trained) and item.report.ended for item in reply.items
            )
            if ended and not self.struck:
                self.struck = True
                self.kill(reply.worker)
                return [*found, *super().poll(timeout_seconds)]
        return found


def test_a_trial_that_ended_just_before_its_worker_died_has_ended(tmp_path):
    executor = Late()
    assert run(tmp_path, executor).reason == "finished"
    assert executor.struck
    assert states(tmp_path) == {Standing.COMPLETE: 5}
    ended = set()
    for event in events(tmp_path):
        assert not (isinstance(event.what, Lost) and event.trial in ended)
        if isinstance(event.what, Completed):
            ended.add(event.trial)


@pytest.fixture
def poisoned(monkeypatch):
    """After some calls a worker's device answers with errors only, whatever the worker does."""
    broken, calls = set(), Counter()
    advance, build = Pack.advance, Pack.__init__

    def guarded(method):
        def call(pack, *arguments, **more):
            if broken:
                raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore")
            return method(pack, *arguments, **more)

        return call

    def failing(pack, *arguments):
        calls["all"] += 1
        if calls["all"] in (3, 7):
            broken.add("this process")
        return advance(pack, *arguments)

    monkeypatch.setattr(Pack, "__init__", guarded(build))
    monkeypatch.setattr(Pack, "advance", guarded(failing))
    return broken


def test_a_worker_whose_device_has_failed_is_replaced_and_its_trials_go_on(tmp_path, poisoned):
    class Repaired(InProcessExecutor):
        """A new process has a new context."""

        def kill(self, worker, reason="killed"):
            assert reason == (
                "its device has failed: CUDA error: an illegal memory access was encountered"
            )
            poisoned.clear()
            super().kill(worker, reason)

    run(tmp_path, Repaired(), run={"workers": 1}, budget__trials=6)
    assert states(tmp_path) == {Standing.COMPLETE: 6}
    lost = [event for event in events(tmp_path) if isinstance(event.what, Lost)]
    blamed = [event for event in lost if event.what.worker_died]
    assert len(blamed) == 2  # the device failed twice, each time under one trial
    assert {event.what.suspects for event in blamed} == {1}
    assert {event.what.suspects for event in lost if event not in blamed} <= {0}


def test_a_device_whose_failure_shows_while_saving_is_a_lost_worker_too(tmp_path, monkeypatch):
    save, count = HeldTrial.save, Counter()

    def late(held, path):
        count["all"] += 1
        if count["all"] == 2:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        save(held, path)

    monkeypatch.setattr(HeldTrial, "save", late)
    run(tmp_path, run={"workers": 1, "checkpoint_seconds": 1e-6})
    assert states(tmp_path) == {Standing.COMPLETE: 5}
    lost = [event for event in events(tmp_path) if isinstance(event.what, Lost)]
    assert any("its device has failed" in event.what.reason for event in lost)


class Silent(InProcessExecutor):
    """Knows as Ray's does since when an answer is missing: since the last that was collected."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.since, self.killed = clock, {}, []

    def send(self, worker, commands):
        if not self.in_flight(worker):
            self.since[worker] = self.clock()
        super().send(worker, commands)

    def poll(self, timeout_seconds):
        found = super().poll(timeout_seconds)
        for reply in found:
            self.since[reply.worker] = self.clock()
        return found

    def silent_seconds(self, worker):
        return self.clock() - self.since[worker] if self.in_flight(worker) else 0.0

    def kill(self, worker, reason="killed"):
        self.killed.append(worker)
        super().kill(worker, reason)


def test_workers_that_waited_for_the_coordinator_do_not_hang(tmp_path, monkeypatch):
    """The log was away for longer than a worker may be silent; its answer lies ready."""
    append, count, passed = EventLog.append, Counter(), [0.0]

    def clock():
        return time.monotonic() + passed[0]

    def slow(log, *arguments):
        count["all"] += 1
        if count["all"] == 12:
            passed[0] = 400.0
        append(log, *arguments)

    monkeypatch.setattr(EventLog, "append", slow)
    monkeypatch.setattr(sweep.running.fleet, "TEND_SECONDS", 0.0)
    monkeypatch.setattr(sweep.running.fleet, "time", SimpleNamespace(monotonic=clock))
    executor = Silent(clock)
    run(tmp_path, executor, budget__trials=20)
    assert passed == [400.0]
    assert executor.killed == []


class Hung(InProcessExecutor):
    """The second worker stops answering; then somebody asks for an end; then it has hung."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.polls, self.unanswered, self.killed = folder, 0, 0, []

    def poll(self, timeout_seconds):
        self.polls += 1
        assert self.polls < 10_000, "nobody replaces the worker that hangs"
        if self.polls == 20:
            log = EventLog.open(self.folder / "s" / "sweep.db", "s")
            log.request_stop()
            log.close()
        return super().poll(timeout_seconds)

    def send(self, worker, commands):
        if worker == "local-1" and self.polls > 12:
            self.unanswered += 1
        else:
            super().send(worker, commands)

    def in_flight(self, worker):
        return super().in_flight(worker) + (self.unanswered if worker == "local-1" else 0)

    def silent_seconds(self, worker):
        return 400.0 if worker == "local-1" and self.polls > 40 else 0.0

    def kill(self, worker, reason="killed"):
        self.killed.append(worker)
        super().kill(worker, reason)


def test_a_worker_that_hangs_does_not_hold_up_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep.running.fleet, "TEND_SECONDS", 0.0)
    monkeypatch.setattr(sweep.running.stop_flag, "ASK_SECONDS", 0.0)
    executor = Hung(tmp_path)
    assert run(tmp_path, executor, budget__trials=500).reason == "stopped"
    assert executor.killed == ["local-1"]
    assert not any(t.state is Standing.RUNNING for t in fold(tmp_path).trials.values())


def test_a_cluster_that_goes_while_all_is_saved_does_not_take_the_end_back(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep.running.fleet, "TEND_SECONDS", 0.0)
    monkeypatch.setattr(sweep.running.stop_flag, "ASK_SECONDS", 0.0)

    class Headless(Hung):
        def leaving(self):
            if self.polls > 25:
                raise HeadLost("127.0.0.1:6379")
            return set()

    assert run(tmp_path, Headless(tmp_path), budget__trials=500).reason == "stopped"
    assert not any(t.state is Standing.RUNNING for t in fold(tmp_path).trials.values())


@pytest.mark.parametrize("order", ["free", "reproducible"])
@pytest.mark.parametrize("rule", ["median", "halving"])
def test_with_memory_for_one_trial_those_that_wait_at_a_rung_make_room(
    tmp_path, monkeypatch, order, rule
):
    taken = set()
    admit, drop, advance = Pack.admit, Pack.drop, Pack.advance

    def admitted(pack, slot, *arguments, **options):
        taken.add((id(pack), slot))
        admit(pack, slot, *arguments, **options)

    def dropped(pack, slot):
        taken.discard((id(pack), slot))
        drop(pack, slot)

    def cramped(pack, slots, seconds=None):
        if len(taken) > 1:
            raise OutOfMemory("a pack must fit into memory, but this one does not.")
        return advance(pack, slots, seconds)

    pruning = {"rule": rule, "min_epochs": 1}
    pruning |= {"startup_trials": 2} if rule == "median" else {"reduction_factor": 2}
    changes = {"search": {"pruning": pruning}, "budget__trials": 6}
    changes["run"] = {"workers": 1, "pack": 4, "order": order}
    run(tmp_path / "ample", **changes)
    monkeypatch.setattr(Pack, "admit", admitted)
    monkeypatch.setattr(Pack, "drop", dropped)
    monkeypatch.setattr(Pack, "advance", cramped)
    assert run(tmp_path / "short", **changes).reason == "finished"
    ended = states(tmp_path / "short")
    assert set(ended) <= {Standing.COMPLETE, Standing.PRUNED}
    if order == "reproducible":
        assert numbers(tmp_path / "short") == numbers(tmp_path / "ample")


def test_a_trial_whose_checkpoint_is_damaged_begins_anew_and_ends_the_same(tmp_path, caplog):
    run(tmp_path / "calm", **TORN)
    with pytest.raises(MemoryError):
        run(tmp_path / "torn", Interrupted(polls=4), **TORN)
    assert any(t.checkpoint for t in fold(tmp_path / "torn").active.values())
    for path in (tmp_path / "torn" / "s" / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:-8])
    run(tmp_path / "torn", **TORN)
    assert numbers(tmp_path / "torn") == numbers(tmp_path / "calm")
    assert any("must be a whole safetensors file" in line for line in caplog.messages)


class Untested(InProcessExecutor):
    """Dies before the first finalist is evaluated."""

    def poll(self, timeout_seconds):
        if self._calls and any(isinstance(c, Evaluate) for c in self._calls[0][1]):
            raise MemoryError("the coordinator dies here")
        return super().poll(timeout_seconds)


@pytest.mark.parametrize("damage", ["gone", "torn"])
def test_a_finalist_whose_weights_are_lost_is_left_out(tmp_path, damage):
    with pytest.raises(MemoryError):
        run(tmp_path, Untested())
    best = min(fold(tmp_path).trials.values(), key=lambda t: t.values[0])
    path = tmp_path / "s" / best.checkpoint
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-8])
    outcome = run(tmp_path)
    assert outcome.reason == "finished"
    tested = {t.number for t in fold(tmp_path).trials.values() if t.test}
    assert len(tested) == 1
    assert best.number not in tested
    assert set(outcome.finalists) == tested


@pytest.mark.parametrize("rule", ["median", "halving"])
@pytest.mark.parametrize("order", ["free", "reproducible"])
def test_no_more_trials_train_at_once_than_may_also_after_a_rung(tmp_path, rule, order):
    training = []

    class Watched(InProcessExecutor):
        def start(self, data, settings, workers):
            super().start(data, replace(settings, slice_seconds=1e-6), workers)

        def poll(self, timeout_seconds):
            found = super().poll(timeout_seconds)
            held = [t for w in self._workers.values() for t in w._trials.values()]
            training.append(sum(t.has_slots and not t.waits_at_rung for t in held))
            return found

    pruning = {"rule": rule, "min_epochs": 2}
    pruning |= {"startup_trials": 4} if rule == "median" else {"reduction_factor": 2}
    changes = {
        "train": {"hidden_size": 4, "batch_size": 2, "max_epochs": 9},
        "search": {"pruning": pruning},
        "run": {"workers": 4, "order": order},
        "budget__trials": 12,
    }
    run(tmp_path, Watched(), **changes, cluster={"max_concurrent_trials": 1})
    assert max(training) == 1
    assert sum(states(tmp_path).values()) == 12
    if order == "reproducible":
        run(tmp_path / "free", **changes)
        assert numbers(tmp_path) == numbers(tmp_path / "free")
