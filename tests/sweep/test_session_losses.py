"""Workers lost at the worst moment, devices and files that fail: no trial is lost."""

import time
from collections import Counter
from dataclasses import replace

import pytest

import sweep.fleet
from sweep.executors import InProcessExecutor
from sweep.log.events import EventLog, Kind
from sweep.protocol import Evaluate, Reply, Trained
from sweep.state import Standing
from tests.sweep.session_runs import Interrupted, fold, numbers, run
from trainers.pack import Pack

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
        assert not (event.kind is Kind.LOST and event.trial in ended)
        if event.kind is Kind.COMPLETED:
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
    lost = [event for event in events(tmp_path) if event.kind is Kind.LOST]
    assert len(lost) >= 2
    assert all(event.payload["worker_died"] for event in lost if event.payload["suspects"])


class Silent(InProcessExecutor):
    """Knows as Ray's does since when an answer is missing: since the last that was collected."""

    def __init__(self):
        super().__init__()
        self.since, self.killed = {}, []

    def send(self, worker, commands):
        if not self.in_flight(worker):
            self.since[worker] = time.monotonic()
        super().send(worker, commands)

    def poll(self, timeout_seconds):
        found = super().poll(timeout_seconds)
        for reply in found:
            self.since[reply.worker] = time.monotonic()
        return found

    def silent_seconds(self, worker):
        return time.monotonic() - self.since[worker] if self.in_flight(worker) else 0.0

    def kill(self, worker, reason="killed"):
        self.killed.append(worker)
        super().kill(worker, reason)


def test_workers_that_waited_for_the_coordinator_do_not_hang(tmp_path, monkeypatch):
    """The log was away for longer than a worker may be silent; its answer lies ready."""
    monkeypatch.setattr(sweep.fleet, "TEND_SECONDS", 0.0)
    monkeypatch.setattr(sweep.fleet, "STALL_SECONDS", 0.5)
    append, count = EventLog.append, Counter()

    def slow(log, *arguments):
        count["all"] += 1
        if count["all"] == 12:
            time.sleep(1.2)
        append(log, *arguments)

    monkeypatch.setattr(EventLog, "append", slow)
    executor = Silent()
    run(tmp_path, executor, run={"workers": 2, "hang_seconds": 1.0}, budget__trials=20)
    assert count["all"] > 12
    assert executor.killed == []


class Hung(InProcessExecutor):
    """The second worker stops answering after some polls."""

    def __init__(self):
        super().__init__()
        self.polls, self.killed = 0, []

    def poll(self, timeout_seconds):
        self.polls += 1
        assert self.polls < 10_000, "nobody replaces the worker that hangs"
        hung = [call for call in self._calls if self.polls > 12 and call[0] == "local-1"]
        for call in hung:
            self._calls.remove(call)
        found = super().poll(timeout_seconds)
        self._calls.extend(call for call in hung if call[0] in self._workers)
        return found

    def silent_seconds(self, worker):
        return 400.0 if worker == "local-1" and self.polls > 30 else 0.0

    def kill(self, worker, reason="killed"):
        self.killed.append(worker)
        super().kill(worker, reason)


def test_a_worker_that_hangs_does_not_hold_up_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep.fleet, "TEND_SECONDS", 0.0)
    executor = Hung()
    stopped = run(
        tmp_path, executor, run={"workers": 2}, budget={"trials": 500, "hours": 0.3 / 3600}
    )
    assert stopped.reason == "budget"
    assert executor.killed in ([], ["local-1"])  # [] on a machine too slow to get so far
    assert not any(t.state is Standing.RUNNING for t in fold(tmp_path).trials.values())


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
    assert run(tmp_path).reason == "finished"
    tested = {t.number for t in fold(tmp_path).trials.values() if t.test}
    assert len(tested) == 1
    assert best.number not in tested


@pytest.mark.parametrize("rule", ["median", "halving"])
@pytest.mark.parametrize("order", ["free", "reproducible"])
def test_no_more_trials_train_at_once_than_may_also_after_a_rung(tmp_path, rule, order):
    training = []

    class Watched(InProcessExecutor):
        def start(self, data, settings, workers):
            super().start(data, replace(settings, slice_seconds=1e-6), workers)

        def poll(self, timeout_seconds):
            found = super().poll(timeout_seconds)
            resident = [r for w in self._workers.values() for r in w._residents.values()]
            training.append(sum(r.seat is not None and not r.waits_at_rung for r in resident))
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
