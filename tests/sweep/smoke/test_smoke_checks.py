"""What a smoke holds a tiny sweep against: each law, and a sweep that breaks it."""

from __future__ import annotations

import dataclasses
import math

import pytest

from sweep.history.goal import Goal
from sweep.history.state import SweepState
from sweep.log.event import Event
from sweep.log.kinds import Completed, Evaluated, Failed, Reported, Started
from sweep.smoke.checks import (
    check_count,
    check_falls,
    check_finite,
    check_record,
    check_resumed,
    check_trials,
)
from sweep.tracking.reading import Record, RecordedRun
from tests.sweep.events_factory import some
from tests.sweep.sweep_factory import asked, ended
from trainers.config.objective import Objective

GOAL = Goal((Objective("rmse"),))
CURVES = ("train/loss", "val/loss")


def started(trial, attempt=1, from_epoch=0):
    return Event(Started("w", from_epoch, None), trial, attempt)


def reported(trial, epoch, loss, rmse=0.5, attempt=1):
    best, validation = {"loss": 0.25, "rmse": 0.5}, {"loss": 0.25, "rmse": rmse}
    what = some(Reported, train={"loss": loss}, validation=validation, best=best, best_epoch=1)
    return Event(what, trial, attempt, epoch)


def completed(trial, rmse=0.5):
    best = {"loss": 0.25, "rmse": rmse}
    return ended(Completed, trial, 3, best, values=(rmse,), checkpoint="c")


def whole(trial, losses=(1.0, 0.8, 0.6), rmse=0.5):
    reports = [reported(trial, epoch, loss) for epoch, loss in enumerate(losses, start=1)]
    return [asked(trial), started(trial), *reports, completed(trial, rmse)]


def fold(*events):
    state = SweepState(keep_reports=True)
    for seq, event in enumerate(events, start=1):
        state.apply(dataclasses.replace(event, seq=seq))
    return state


def test_as_many_trials_as_the_budget_says():
    state = fold(*whole(0), *whole(1))
    assert check_count(state, 2).outcome == "passed"
    assert "3 trials were asked for, but the log has 2: [0, 1]" in check_count(state, 3).message
    assert check_count(fold(*whole(1)), 1).failed


def test_a_trial_that_failed_or_was_left_is_named():
    failed = ended(Failed, 1, 0, {}, reason="error", message="ValueError: odd")
    state = fold(*whole(0), asked(1), started(1), failed, asked(2), started(2))
    assert check_trials(fold(*whole(0))).outcome == "passed"
    message = check_trials(state).message
    assert message == "trial 1 failed (error): ValueError: odd; trial 2 is running"


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (reported(0, 2, math.nan), "trial 0, epoch 2: train/loss is nan"),
        (reported(0, 2, math.inf), "trial 0, epoch 2: train/loss is inf"),
        (reported(0, 2, 1.0, rmse=math.nan), "trial 0, epoch 2: val/rmse is nan"),
        (reported(0, 2, None), "trial 0, epoch 2: train/loss is None"),
    ],
)
def test_what_is_not_finite_is_named_with_its_epoch(report, message):
    state = fold(asked(0), started(0), reported(0, 1, 1.0), report, completed(0))
    assert check_finite(fold(*whole(0)), GOAL).outcome == "passed"
    assert check_finite(state, GOAL).message == message
    assert check_finite(fold(asked(0)), GOAL).failed


@pytest.mark.parametrize(
    ("losses", "outcome"),
    [
        ((1.0, 0.8, 0.6), "passed"),
        ((1.0, 0.7, 1.1), "passed"),  # 0.9 on average: one noisy epoch decides nothing
        ((1.0, 0.5, 1.1, 1.1), "failed"),
        ((1.0, 1.0, 1.0), "failed"),
        ((1.0, 1.0, 1.0 - 1e-6), "failed"),  # rounding is no learning
        ((1.0, 0.9), "passed"),
        ((1.0,), "skipped"),
        ((1.0, math.nan), "failed"),
    ],
)
def test_the_loss_falls_if_its_end_is_lower_than_its_first_epoch(losses, outcome):
    assert check_falls(fold(*whole(0, losses)), GOAL).outcome == outcome


def test_the_best_trial_is_the_one_whose_loss_must_fall():
    falls, rises = (2.0, 1.0), (1.0, 2.0)
    state = fold(*whole(0, rises, rmse=0.9), *whole(1, falls, rmse=0.1))
    assert check_falls(state, GOAL).message == "trial 1: 2 in epoch 1, 1 at epoch 2"
    assert check_falls(fold(*whole(0, rises, 0.1), *whole(1, falls, 0.9)), GOAL).failed
    assert check_falls(fold(asked(0)), GOAL).message == "no trial is complete"


BEFORE = [asked(0), started(0), reported(0, 1, 1.0)]


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ([*BEFORE, asked(0)], "trial 0 was asked 2 times"),
        ([*BEFORE, reported(0, 1, 1.0)], "trial 0, epoch 1 was reported 2 times"),
        (BEFORE[:2], "events from before the kill are missing or changed"),
        ([BEFORE[0], BEFORE[2]], "events from before the kill are missing or changed"),
    ],
)
def test_what_a_resume_lost_or_doubled_is_named(after, message):
    good = [*BEFORE, started(0, attempt=2), reported(0, 1, 1.0, attempt=2), completed(0)]
    assert check_resumed(BEFORE, good).outcome == "passed"
    assert check_resumed(BEFORE, after).message == message


def test_a_trial_that_had_ended_is_not_trained_again():
    assert check_resumed(whole(0), [*whole(0), started(0, attempt=2)]).failed


def test_a_sweep_that_was_never_killed_shows_nothing():
    check = check_resumed((), whole(0))
    assert check.failed
    assert "ended before it could be killed" in check.message


def run(**changes):
    told = dict.fromkeys(CURVES, (1, 2, 3))
    metrics = {"best/rmse": 0.5, "best/loss": 0.25}
    return dataclasses.replace(
        RecordedRun("FINISHED", {"state": "complete"}, metrics, told), **changes
    )


PARENT = RecordedRun("FINISHED", {}, {}, {})
TWICE = {"train/loss": (1, 2, 2, 3), "val/loss": (1, 2, 3)}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record((PARENT, PARENT), {"u0": (run(),)}), "the sweep has 2 runs, not one"),
        (Record((run(status="RUNNING"),), {"u0": (run(),)}), "the sweep's run is RUNNING"),
        (Record((PARENT,), {}), "trial 0 has 0 runs, not one"),
        (Record((PARENT,), {"u0": (run(), run())}), "trial 0 has 2 runs, not one"),
        (Record((PARENT,), {"u0": (run(),), "ghost": (run(),)}), "a run of no trial: ghost"),
        (
            Record((PARENT,), {"u0": (run(status="KILLED"),)}),
            "trial 0: its run is KILLED, complete",
        ),
        (
            Record((PARENT,), {"u0": (run(steps=TWICE),)}),
            "trial 0: train/loss has steps [1, 2, 2, 3], not [1, 2, 3]",
        ),
        (
            Record((PARENT,), {"u0": (run(metrics={"best/loss": 0.25}),)}),
            "trial 0: best/rmse is missing",
        ),
    ],
)  # fmt: skip
def test_what_mlflow_lacks_or_has_twice_is_named(record, message):
    state = fold(*whole(0))
    good = Record((PARENT,), {"u0": (run(),)})
    assert check_record(state, good, CURVES).outcome == "passed"
    assert check_record(state, record, CURVES).message == message


def test_a_finalist_without_its_test_metrics_is_named():
    evaluated = Event(Evaluated({"rmse": 0.7}), 0)
    state = fold(*whole(0), evaluated)
    check = check_record(state, Record((PARENT,), {"u0": (run(),)}), CURVES)
    assert check.message == "trial 0: test/rmse is missing"


def test_what_diverged_is_not_missed_in_mlflow():
    failed = ended(Failed, 0, 2, {}, reason="diverged")
    state = fold(asked(0), started(0), reported(0, 1, 1.0), reported(0, 2, math.inf), failed)
    told = {"train/loss": (1,), "val/loss": (1, 2)}
    diverged = run(status="FAILED", tags={"state": "failed"}, steps=told)
    assert check_record(state, Record((PARENT,), {"u0": (diverged,)}), CURVES).message == (
        "2 runs, 2 curves a trial"
    )
