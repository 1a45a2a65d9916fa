"""What ends a session before its work is done: a request, GPU hours; and what it says meanwhile."""

import json
import logging
import os
import signal

import pytest

import sweep.running.fleet
import sweep.running.stop_flag
from sweep.history.state import Standing
from sweep.log.event_log import EventLog
from sweep.running.progress import BestTrial, Progress, TrialEnd
from sweep.running.structured_log import NOTICES, json_progress, notices_to
from sweep.work.executors import InProcessExecutor
from sweep.work.protocol import Evaluate
from tests.sweep.session_runs import fold, numbers, run


@pytest.fixture(autouse=True)
def asked_at_every_round(monkeypatch):
    monkeypatch.setattr(sweep.running.stop_flag, "ASK_SECONDS", 0.0)
    monkeypatch.setattr(sweep.running.fleet, "TEND_SECONDS", 0.0)


class Stopped(InProcessExecutor):
    """Somebody elsewhere asks for a stop after some polls."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.polls = folder, 0

    def poll(self, timeout_seconds):
        self.polls += 1
        if self.polls == 6:
            log = EventLog.open(self.folder / "s" / "sweep.db", "s")
            log.request_stop()
            log.close()
        return super().poll(timeout_seconds)


def test_a_stop_from_elsewhere_saves_and_ends_and_the_same_command_goes_on(tmp_path):
    changes = {"run": {"workers": 2, "order": "reproducible"}}
    run(tmp_path / "calm", **changes)
    outcome = run(tmp_path / "stopped", Stopped(tmp_path / "stopped"), **changes)
    assert outcome.reason == "stopped"
    assert outcome.finalists == ()
    state = fold(tmp_path / "stopped")
    assert state.closed.reason == "stopped"
    assert sum(t.ended for t in state.trials.values()) < 5
    assert run(tmp_path / "stopped", **changes).reason == "finished"
    assert numbers(tmp_path / "stopped") == numbers(tmp_path / "calm")


class InterruptedLate(InProcessExecutor):
    """Ctrl-C while finalists are evaluated, which nobody answers."""

    def poll(self, timeout_seconds):
        if self._calls and any(isinstance(c, Evaluate) for c in self._calls[0][1]):
            os.kill(os.getpid(), signal.SIGINT)
            return []
        return super().poll(timeout_seconds)


def test_ctrl_c_while_finalists_are_evaluated_closes_the_session(tmp_path):
    assert run(tmp_path, InterruptedLate()).reason == "interrupted"
    state = fold(tmp_path)
    assert state.closed.reason == "interrupted"
    assert not any(t.test for t in state.trials.values())
    assert len(run(tmp_path).finalists) == 2
    assert sum(bool(t.test) for t in fold(tmp_path).trials.values()) == 2


class WithGpus(InProcessExecutor):
    """Says that every worker holds two GPUs."""

    def gpus(self):
        return 2.0


def test_a_gpu_budget_counts_what_workers_hold_over_all_sessions(tmp_path):
    changes = {"budget": {"trials": 500, "gpu_hours": 1.0 / 3600}}
    outcome = run(tmp_path, WithGpus(), **changes)
    assert outcome.reason == "budget"
    spent = fold(tmp_path).gpu_seconds
    assert 1.0 <= spent < 60.0
    before = len(fold(tmp_path).trials)
    assert run(tmp_path, WithGpus(), **changes).reason == "budget"
    ended = [t for t in fold(tmp_path).trials.values() if t.state is Standing.COMPLETE]
    assert len(fold(tmp_path).trials) <= before + 4  # the budget was used up: at most a round more
    assert ended


def test_the_coordinator_leaves_a_pulse(tmp_path):
    run(tmp_path)
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    _, facts = log.pulse()
    log.close()
    assert facts["phase"] == "closing"
    assert {worker["node"] for worker in facts["workers"]} == {"here"}


def test_notices_are_json_lines_in_the_sweeps_folder(tmp_path):
    with notices_to(tmp_path):
        logging.getLogger("sweep.running.coordinator").warning("%s died", "worker-1")
        logging.getLogger("elsewhere").warning("not ours")
    (line,) = (tmp_path / NOTICES).read_text().splitlines()
    told = json.loads(line)
    assert (told["level"], told["source"], told["message"]) == (
        "warning", "sweep.running.coordinator", "worker-1 died"
    )  # fmt: skip


def test_progress_as_json_lines_has_no_nan(capsys):
    best = BestTrial(3, "rmse", 0.5, {"cell": "gru"})
    end = TrialEnd(3, "complete", "rmse", float("nan"), 9)
    with json_progress() as write:
        write(Progress({"running": 1}, 4, best, (end,), workers={"training": 1}))
        write(Progress({"running": 1}, 4))  # nothing ended, and it is early
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["best"] == {"number": 3, "metric": "rmse", "value": 0.5, "params": {"cell": "gru"}}
    assert told["ended"][0]["value"] is None
    assert told["workers"] == {"training": 1}


def test_a_request_to_stop_outweighs_a_budget_that_is_used_up():
    asked = iter([None, "stopped", None])
    flag = sweep.running.stop_flag.StopFlag(0.0, lambda: next(asked))
    assert [flag(), flag(), flag()] == ["budget", "stopped", "stopped"]
