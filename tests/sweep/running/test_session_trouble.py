"""Sweeps in trouble: what is missing, full, stuck or killed costs nothing but time."""

import dataclasses
import os
import signal
from pathlib import Path

import pytest

from sweep.errors import ConfigProblem, ExecutorError, LeaseLost
from sweep.history.state import Standing
from sweep.log.event_log import EventLog
from sweep.work.executors import InProcessExecutor
from sweep.work.protocol import Evaluate, Evaluated
from tests.sweep.session_runs import Interrupted, fold, numbers, run


class Crowded(InProcessExecutor):
    """A cluster with room for one worker: calls to the second are never answered."""

    def poll(self, timeout_seconds):
        self.polls = getattr(self, "polls", 0) + 1
        assert self.polls < 1_000, "the sweep waits for a worker that never starts"
        for _ in range(len(self._calls)):
            if self._calls[0][0] != "local-1":
                break
            self._calls.rotate(-1)
        else:
            return []
        return super().poll(timeout_seconds)


def test_a_worker_that_never_starts_holds_up_neither_finalists_nor_the_end(tmp_path):
    outcome = run(tmp_path, Crowded())
    assert outcome.reason == "finished"
    assert len(outcome.finalists) == 2


def test_a_worker_that_never_starts_does_not_hold_up_a_time_budget(tmp_path):
    outcome = run(tmp_path, Crowded(), budget={"trials": 500, "hours": 0.5 / 3600})
    assert outcome.reason == "budget"


class Fatal(InProcessExecutor):
    """Evaluating a finalist kills the worker."""

    def poll(self, timeout_seconds):
        if self._calls and any(isinstance(c, Evaluate) for c in self._calls[0][1]):
            self.kill(self._calls[0][0])
        return super().poll(timeout_seconds)


def test_finalists_that_kill_every_worker_end_the_session_with_a_clear_line(tmp_path):
    with pytest.raises(ExecutorError, match="finalists must be evaluated, but 7 workers died"):
        run(tmp_path, Fatal())
    assert len(run(tmp_path).finalists) == 2


def test_a_worker_that_fails_because_the_sweep_was_taken_over_is_no_failure_of_the_disk(tmp_path):
    class TakenOver(InProcessExecutor):
        def poll(self, timeout_seconds):
            log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
            log.take_fence("elsewhere:1")
            log.close()
            raise ExecutorError("workers must be able to save, but local-0 could not")

    with pytest.raises(LeaseLost, match="another coordinator holds sweep 's'"):
        run(tmp_path, TakenOver())


def test_a_trial_whose_checkpoint_is_gone_begins_anew_and_ends_the_same(tmp_path):
    changes = {
        "run": {"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6},
        "search": {"pruning": {"rule": "halving", "reduction_factor": 2}},
    }
    run(tmp_path / "calm", **changes)
    with pytest.raises(MemoryError):
        run(tmp_path / "torn", Interrupted(polls=4), **changes)
    assert any(t.checkpoint for t in fold(tmp_path / "torn").active.values())
    for path in (tmp_path / "torn" / "s" / "checkpoints").iterdir():
        path.unlink()
    run(tmp_path / "torn", **changes)
    assert numbers(tmp_path / "torn") == numbers(tmp_path / "calm")


def test_a_sweep_killed_while_its_log_was_made_begins_anew(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "sweep.db").touch()
    assert run(tmp_path, budget__trials=1).reason == "finished"


def test_a_sweep_that_another_one_made_during_start_up_is_gone_on_with(tmp_path):
    class Slow(InProcessExecutor):
        def connect(self, workers, data_bytes):
            run(tmp_path, budget__trials=2)

    assert run(tmp_path, Slow(), budget__trials=3).reason == "finished"
    assert sorted(fold(tmp_path).trials) == [0, 1, 2]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cell": "lstm"}, "at least one dimension that is not pinned"),
        ({"hidden_size": {"low": 1, "high": 2_000_000}}, "points, but this one has 2,000,000;"),
    ],
)
def test_an_empty_or_endless_grid_is_refused_before_anything_is_written(
    tmp_path, parameters, message
):
    space = {"base": None, "parameters": parameters}
    train = {"batch_size": 16, "max_epochs": 2}
    with pytest.raises(ConfigProblem, match=message):
        run(tmp_path, space=space, train=train, search={"sampler": "grid"})
    assert not any(tmp_path.iterdir())


def test_the_best_so_far_keeps_every_constraint(tmp_path):
    space = {"base": None, "parameters": {"hidden_size": [2, 12], "num_layers": [1, 2]}}
    seen = []
    outcome = run(
        tmp_path,
        progress=seen.append,
        space=space,
        train={"batch_size": 16, "max_epochs": 4, "learning_rate": 0.03},
        search={"sampler": "grid", "constraints": [{"metric": "parameters", "max": 60}]},
    )
    by_loss = sorted(fold(tmp_path).trials.values(), key=lambda t: t.values[0])
    assert by_loss[0].number != outcome.best
    assert seen[-1].best.number == outcome.best


def test_finalists_without_a_finite_test_metric_are_evaluated_once(tmp_path):
    class Blank(InProcessExecutor):
        def poll(self, timeout_seconds):
            def blanked(item):
                return dataclasses.replace(item, test={}) if isinstance(item, Evaluated) else item

            replies = super().poll(timeout_seconds)
            return [
                dataclasses.replace(r, items=tuple(blanked(i) for i in r.items)) for r in replies
            ]

    run(tmp_path, Blank())
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    assert sum(event.kind == "evaluated" for event in log.read()) == 2
    log.close()


@pytest.mark.parametrize(
    "search",
    [
        {"objectives": [{"metric": "parameters"}, {"metric": "rmse"}]},
        {"constraints": [{"metric": "parameters", "max": 150}]},
    ],
    ids=["parameters first", "a constraint"],
)
def test_finalists_have_their_checkpoints_whatever_ranks_them(tmp_path, search):
    space = {"base": None, "parameters": {"hidden_size": {"low": 2, "high": 8}}}
    train = {"batch_size": 16, "max_epochs": 2}
    keep = {"checkpoints": 2}
    outcome = run(
        tmp_path, search=search, space=space, train=train, retention=keep, budget__trials=8
    )
    assert len(outcome.finalists) == 2
    assert all(fold(tmp_path).trials[number].test for number in outcome.finalists)


def test_a_relative_folder_keeps_its_checkpoints_when_the_sweep_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(Path("sweeps"), budget__trials=3)
    before = {path.name for path in Path("sweeps/s/checkpoints").iterdir()}
    run(Path("sweeps"), budget__trials=4)
    after = {path.name for path in Path("sweeps/s/checkpoints").iterdir()}
    assert len(before) == 3
    assert before < after


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_is_a_clean_interruption(tmp_path, number):
    class Signalled(InProcessExecutor):
        def poll(self, timeout_seconds):
            os.kill(os.getpid(), number)
            return super().poll(timeout_seconds)

    assert run(tmp_path, Signalled(), budget__trials=50).reason == "interrupted"
    state = fold(tmp_path)
    assert state.closed.reason == "interrupted"
    assert not any(t.state is Standing.RUNNING for t in state.trials.values())


def test_what_is_suspicious_about_the_data_is_said_before_anything_is_trained(tmp_path, caplog):
    rows = "".join(f"{number % 7},{number % 3},1\n" for number in range(80))
    (tmp_path / "a.csv").write_text("y,x,same\n" + rows)
    data = {"source": "csv", "path": str(tmp_path / "a.csv"), "target": "y", "input_steps": 3}
    run(tmp_path, data={**data, "task": "regression"}, budget__trials=1, train__max_epochs=1)
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "data, doubtful: inputs that say nothing: 'same' is always 1; leave them out" in said[0]
