"""What is lost, doubled or unequal is found; recoveries are counted by hand-made logs."""

from dataclasses import replace

import pytest

from sweep.log.event import Event
from sweep.log.kinds import Asked, Completed, Failed, Lost, Reported, Started
from tests.chaos import verdict
from tests.chaos.supervisor import Struck
from tests.sweep.events_factory import some


def numbered(*events):
    return [replace(event, seq=seq) for seq, event in enumerate(events, start=1)]


def event(kind, trial=None, attempt=None, epoch=None, time=0.0, **fields):
    return Event(some(kind, **fields), trial, attempt, epoch, time)


def report(trial, attempt, epoch, time):
    return event(Reported, trial, attempt, epoch, time, train_seconds=0.5)


WHOLE = (
    event(Asked, 0),
    event(Started, 0, 1, from_epoch=0),
    report(0, 1, 1, 10.0),
    report(0, 1, 2, 11.0),
    event(Lost, 0, 1, 2, 14.0, worker_died=True),
    event(Started, 0, 2, time=15.0, from_epoch=1),
    report(0, 2, 2, 17.0),
    event(Completed, 0, 2, 2),
)


def test_a_whole_log_loses_and_doubles_nothing():
    assert verdict.lost_trials(numbered(*WHOLE), 1) == []
    assert verdict.doubled_events(numbered(*WHOLE)) == []


def test_trials_never_asked_never_ended_or_given_up_are_lost():
    given_up = event(Failed, 0, 3, reason="worker_died", message="its worker died")
    assert len(verdict.lost_trials(numbered(*WHOLE), 2)) == 1
    assert len(verdict.lost_trials(numbered(*WHOLE[:-1]), 1)) == 1
    assert len(verdict.lost_trials(numbered(*WHOLE[:-1], given_up), 1)) == 1
    late = event(Lost, 0, 2, 2, worker_died=True)
    assert len(verdict.lost_trials(numbered(*WHOLE, late), 1)) == 1


@pytest.mark.parametrize("twice", [0, 2, 7], ids=["asked", "reported", "ended"])
def test_what_the_log_says_twice_is_found(twice):
    assert len(verdict.doubled_events(numbered(*WHOLE, WHOLE[twice]))) == 1


def test_a_gap_in_the_log_is_found():
    assert verdict.doubled_events(numbered(*WHOLE)[1:]) == ["the log's numbers have gaps"]


def test_tables_are_compared_to_the_last_bit():
    calm = [{"number": 0, "rmse": 0.1}]
    assert verdict.differences(calm, [{"number": 0, "rmse": 0.1}]) == []
    assert len(verdict.differences(calm, [{"number": 0, "rmse": 0.10000000000000002}])) == 1
    assert verdict.differences(calm, []) == ["1 trials, then 0"]


def test_a_worker_has_recovered_when_its_trial_reports_again():
    struck = [Struck("worker", 13.0, "77 on node-0")]
    (recovery,) = verdict.worker_recoveries(numbered(*WHOLE), struck)
    assert (recovery.seconds, recovery.alone) == (4.0, True)
    both = [*struck, Struck("raylet", 16.0, "node-1")]
    assert not verdict.worker_recoveries(numbered(*WHOLE), both)[0].alone


def test_epochs_after_the_checkpoint_are_trained_again():
    assert verdict.trained_again(numbered(*WHOLE)) == [(1, 0.5)]
