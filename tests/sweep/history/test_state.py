from dataclasses import replace

import pytest

from sweep.history.state import Standing
from sweep.log.event import Event
from sweep.log.kinds import Closed, Lost, Opened, Resized
from tests.sweep.events_factory import asked, completed, folded, reported, run_of, some, started


def test_a_trial_passes_from_waiting_over_running_to_complete():
    assert folded(asked(0)).trials[0].state is Standing.WAITING
    assert folded(*run_of(0)).trials[0].state is Standing.RUNNING
    state = folded(*run_of(0, 0.5), completed(0, 0.5))
    assert state.trials[0].state is Standing.COMPLETE
    assert state.trials[0].values == (0.5,)
    assert state.active == {}


def test_a_new_attempt_takes_the_place_of_what_came_after_its_checkpoint():
    state = folded(
        *run_of(0, 0.9, 0.8, 0.7),
        Event(Lost("x", worker_died=True), 0, 1, 3),
        started(0, attempt=2, from_epoch=1),
        reported(0, 2, 0.81, attempt=2),
        keep_reports=True,
    )
    trial = state.trials[0]
    assert (trial.attempt, trial.epoch, trial.deaths) == (2, 2, 1)
    assert sorted(trial.reports) == [1, 2]
    assert trial.reports[2].validation == {"loss": 0.81}


def test_the_curve_keeps_epochs_whose_rungs_were_judged_before_a_crash():
    state = folded(
        *run_of(0, 0.9, 0.8, 0.7),
        Event(Lost("x"), 0, 1, 3),
        started(0, attempt=2),
        reported(0, 1, 0.9, attempt=2),
    )
    assert list(state.trials[0].curve) == [0.9, 0.8, 0.7]


def test_wall_time_adds_up_over_sessions_even_when_one_was_killed():
    opened = some(Opened, workers=1)
    state = folded(
        Event(opened, time=100.0),
        replace(asked(0), time=130.0),
        Event(some(Opened, workers=2), time=500.0),
        Event(some(Closed), time=520.0),
    )
    assert state.wall_seconds == pytest.approx(50.0)
    assert state.first_opened == opened
    assert not state.open


def test_ended_trials_are_small_where_reports_are_not_kept():
    state = folded(*run_of(0, 0.5), completed(0, 0.5))
    assert state.trials[0].config == {}
    assert state.trials[0].reports is None


def test_gpu_seconds_of_a_killed_session_follow_the_workers_that_there_were():
    def opened(time, **more):
        return Event(some(Opened, workers=64, gpus=0.5, **more), time=time)

    def resized(workers, time):
        return Event(Resized(workers), time=time)

    fixed = folded(opened(0.0), asked(0), opened(50.0))
    assert fixed.gpu_seconds == 0.0  # its last event was its first second
    elastic = [opened(0.0, elastic=True), resized(4, 10.0), resized(2, 20.0), resized(2, 40.0)]
    killed = folded(*elastic, opened(50.0))
    assert killed.gpu_seconds == (4 * 10 + 2 * 20) * 0.5
    closed = Event(some(Closed, gpu_seconds=7.0), time=45.0)
    assert folded(*elastic, closed).gpu_seconds == 7.0
