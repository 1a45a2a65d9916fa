import pytest

from sweep.running.recording import events_of
from sweep.work.protocol import Crashed, Evaluated, Reply, Saved, Trained
from tests.sweep.events_factory import completed, folded, run_of
from trainers.config.objective import Objective
from trainers.learning.reports import EpochReport

LOSS = (Objective("loss"),)


def trained(epoch, outcome="training", attempt=1, best=0.5, final=None):
    report = EpochReport(0, epoch, outcome, {"loss": 1.0}, {"loss": best}, epoch, {"loss": best})
    return Trained(0, attempt, report, parameters=7, time=5.0, final=final)


def said(state, *items, objectives=LOSS):
    return [e.kind for e in events_of(Reply("w0", items), state, objectives)]


def test_a_reported_epoch_is_logged_once_however_often_it_arrives():
    state = folded(*run_of(0, 0.9))
    assert said(state, trained(1), trained(2), trained(2)) == ["reported"]


def test_an_attempt_that_no_longer_stands_is_not_heard():
    state = folded(*run_of(0, 0.9))
    assert said(state, trained(2, attempt=2), Crashed(0, 3, "boom", 1.0)) == []


def test_nothing_is_added_to_a_trial_that_has_ended():
    state = folded(*run_of(0, 0.9), completed(0, 0.9))
    assert said(state, trained(2), Saved(0, 1, 2, "p", 1, 1.0)) == []


def test_a_trial_ends_with_its_report_its_checkpoint_and_its_values():
    state = folded(*run_of(0))
    item = trained(1, "stopped_early", final=Saved(0, 1, 1, "/c/x", 10, 5.0))
    events = list(events_of(Reply("w0", (item,)), state, LOSS))
    assert [e.kind for e in events] == ["reported", "checkpointed", "completed"]
    assert events[2].what.values == (0.5,)
    assert events[2].what.reason == "patience"
    assert events[2].what.checkpoint == "checkpoints/x"
    assert {e.time for e in events} == {5.0}


def test_a_diverged_trial_has_failed():
    [report, end] = events_of(Reply("w0", (trained(1, "diverged"),)), folded(*run_of(0)), LOSS)
    assert (report.kind, end.kind, end.what.reason) == ("reported", "failed", "diverged")


def test_a_trial_without_the_metric_that_is_optimised_fails_with_a_clear_message():
    objectives = (Objective("r2", "maximize"),)
    end = list(events_of(Reply("w0", (trained(1, "completed"),)), folded(*run_of(0)), objectives))[
        -1
    ]
    assert end.kind == "failed"
    assert "no r2" in end.what.message


def test_the_parameter_count_can_be_an_objective():
    objectives = (*LOSS, Objective("parameters"))
    end = list(events_of(Reply("w0", (trained(1, "completed"),)), folded(*run_of(0)), objectives))[
        -1
    ]
    assert end.what.values == (0.5, 7.0)


@pytest.mark.parametrize("again", [False, True])
def test_the_test_part_is_recorded_once(again):
    state = folded(*run_of(0, 0.9), completed(0, 0.9))
    if again:
        state.trials[0].test = {"loss": 1.0}
    assert said(state, Evaluated(0, {"loss": 1.0}, 2.0)) == ([] if again else ["evaluated"])
