"""Naive forecasts of a session: once, beside the workers, never in a trial's way."""

import logging

import pytest

from sweep.errors import UserError
from sweep.log.event_log import EventLog
from sweep.log.kinds import Baselined, Closed, Reported
from sweep.running import baselines as module
from sweep.work.executors import InProcessExecutor
from tests.sweep.session_runs import ADDING, Interrupted, fold, numbers, run


def events(tmp_path, name="s"):
    log = EventLog.open(tmp_path / name / "sweep.db", name)
    try:
        return [event.what for event in log.read()]
    finally:
        log.close()


class Broken(InProcessExecutor):
    """Does nothing aside but fail."""

    def aside(self, work):
        def fail(data):
            raise UserError("no room\nfor it")

        return super().aside(fail)


class Slow(InProcessExecutor):
    """Never gets done with what is aside."""

    cancelled = 0

    def aside(self, work):
        return self

    def done(self):
        return False

    def cancel(self):
        self.cancelled += 1


def test_they_are_in_the_log_once_after_the_first_epoch_and_before_the_end(tmp_path):
    run(tmp_path)
    kinds = [type(what) for what in events(tmp_path)]
    assert kinds.count(Baselined) == 1
    assert kinds.index(Reported) < kinds.index(Baselined) < kinds.index(Closed)
    found = fold(tmp_path).baselines
    assert set(found.metrics) == {"mean", "ridge"}
    # The sum of two numbers of [0, 1) has the variance 1/6.
    assert found.metrics["mean"]["test"]["mse"] == pytest.approx(1 / 6, rel=0.5)
    assert "rmse" in found.metrics["ridge"]["validation"]
    assert set(found.left_out) == {"persistence", "seasonal"}


def test_going_on_computes_them_no_second_time(tmp_path):
    run(tmp_path)
    run(tmp_path, budget__trials=7)
    assert sum(isinstance(what, Baselined) for what in events(tmp_path)) == 1


def test_a_coordinator_that_died_before_leaves_them_to_the_next(tmp_path):
    with pytest.raises(MemoryError):
        run(tmp_path, Interrupted(2))
    assert not any(isinstance(what, Baselined) for what in events(tmp_path))
    run(tmp_path)
    assert sum(isinstance(what, Baselined) for what in events(tmp_path)) == 1


def test_what_fails_is_said_in_a_line_and_trials_are_the_same(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        outcome = run(tmp_path / "one", Broken())
    assert outcome.reason == "finished"
    said = [record.getMessage() for record in caplog.records if "naive" in record.getMessage()]
    assert said == ["naive forecasts are left out: UserError: no room for it"]
    assert fold(tmp_path / "one").baselines is None
    run(tmp_path / "two")
    assert numbers(tmp_path / "one") == numbers(tmp_path / "two")


def test_a_session_waits_for_them_with_patience_only(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    executor = Slow()
    with caplog.at_level(logging.WARNING):
        assert run(tmp_path, executor).reason == "finished"
    assert executor.cancelled == 1
    assert "took more than 0 seconds beyond the trials" in caplog.text
    assert fold(tmp_path).baselines is None


def test_a_loss_that_trials_draw_is_no_metric_of_theirs(tmp_path):
    space = {"base": None, "parameters": {"loss": ["mse", "mae"]}}
    run(tmp_path, space=space, budget__trials=2)
    metrics = fold(tmp_path).baselines.metrics["mean"]["validation"]
    assert "loss" not in metrics
    run(tmp_path, name="t", data=ADDING, budget__trials=2)
    assert "loss" in fold(tmp_path, "t").baselines.metrics["mean"]["validation"]
