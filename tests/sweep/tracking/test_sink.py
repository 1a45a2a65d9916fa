"""The fold from events to what MLflow shall hold of a trial, whatever restarts and pages do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.tracking.run import Point, Status
from tests.sweep.events_factory import changed
from tests.sweep.sink_record import START_MS, Record, fold_of, record
from tests.sweep.synthetic_log import (
    CONFIG,
    START,
    asked,
    checkpointed,
    closed,
    completed,
    evaluated,
    failed,
    lost,
    numbered,
    opened,
    paused,
    promotion,
    pruned,
    repeating,
    reported,
    retried_trial,
    started,
    whole_trial,
)


def test_a_whole_trial_has_its_epochs_its_best_and_its_end():
    result = record([opened(), *whole_trial(0, 2)])
    name = "digits-0"
    assert result.values(name, "val/rmse") == [(1, 1.0), (2, 0.5)]
    assert result.values(name, "train/rmse") == [(1, 0.5), (2, 0.25)]
    assert result.values(name, "learning_rate") == [(1, 0.001), (2, 0.001)]
    assert result.values(name, "gradient_norm") == [(1, 0.5), (2, 0.5)]
    assert result.values(name, "best/rmse") == [(2, 0.5)]
    assert result.values(name, "objective") == [(2, 0.5)]
    assert result.values(name, "epochs") == [(2, 2.0)]
    assert result.status[name] == (Status.FINISHED, START_MS + 2_500)
    assert result.began[name] == START_MS
    assert result.tags[name]["state"] == "complete"
    assert result.tags[name]["seed"] == "7"
    assert result.tags[name]["cell"] == "lstm"
    assert result.tags[name]["worker"] == "w1"
    assert result.tags[name]["attempt"] == "1"
    assert result.tags[name]["diverged"] == "false"


def test_points_bear_the_producers_time():
    result = record([opened(), *whole_trial(0, 1)])
    times = {p.time_ms for run, p in result.points if p.key == "val/loss" and run == "digits-0"}
    assert times == {START_MS + 1_000}


def test_an_epoch_counts_only_once_a_checkpoint_covers_it():
    begun = [opened(), asked(0), started(0), reported(0, 1), reported(0, 2), reported(0, 3)]
    assert record(begun).values("digits-0", "val/rmse") == []
    covered = record([*begun, checkpointed(0, 2)])
    assert [step for step, _ in covered.values("digits-0", "val/rmse")] == [1, 2]


def test_what_a_dead_attempt_reported_after_its_checkpoint_never_shows():
    result = record([opened(), *retried_trial(0), closed()])
    assert [step for step, _ in result.values("digits-0", "val/rmse")] == [1, 2, 3, 4, 5, 6]
    third = dict(result.values("digits-0", "val/rmse"))[3]
    assert third == pytest.approx(1 / 3)  # the dead attempt had said 0.9
    assert result.tags["digits-0"]["attempt"] == "3"


def test_an_epoch_trained_again_after_a_lost_checkpoint_is_not_told_twice():
    events = [
        *[opened(), asked(0), started(0), reported(0, 1), checkpointed(0, 1), lost(0)],
        *[started(0, 2, from_epoch=0), reported(0, 1, 2, time=START + 50), reported(0, 2, 2)],
        completed(0, 2, 2),
    ]
    assert record(events).values("digits-0", "val/rmse") == [(1, 1.0), (2, 0.5)]


def test_reports_of_an_attempt_that_was_given_up_are_ignored():
    events = [opened(), asked(0), started(0, 1), started(0, 2), reported(0, 1, 1, rmse=9.0)]
    result = record([*events, reported(0, 1, 2), completed(0, 1, 2)])
    assert result.values("digits-0", "val/rmse") == [(1, 1.0)]


def test_a_report_told_twice_counts_once():
    again = reported(0, 1, time=START + 7)
    events = [opened(), asked(0), started(0), reported(0, 1), again, completed(0, 1)]
    told = [p for run, p in record(events).points if run == "digits-0" and p.key == "val/rmse"]
    assert told == [Point("val/rmse", 1.0, START_MS + 1_000, 1)]


def test_a_pruned_trial_is_finished_and_keeps_its_best():
    events = [opened(), asked(0), started(0), reported(0, 1), pruned(0, 1)]
    result = record(events)
    assert result.tags["digits-0"]["state"] == "pruned"
    assert result.status["digits-0"] == (Status.FINISHED, START_MS + 1_500)
    assert result.values("digits-0", "objective") == [(1, 1.0)]
    assert result.values("digits-0", "val/rmse") == [(1, 1.0)]


def test_a_diverged_trial_failed_and_sends_no_value_that_is_not_finite():
    nan, infinity = float("nan"), float("inf")
    broken = changed(
        reported(0, 2),
        train={"loss": nan, "rmse": infinity},
        validation={"loss": -infinity, "mse": 3.0},
        best=reported(0, 1).what.best,
        best_epoch=1,
    )
    events = [opened(), asked(0), started(0), reported(0, 1), broken, failed(0, 2, "diverged")]
    result = record(events)
    assert result.tags["digits-0"]["state"] == "failed"
    assert result.tags["digits-0"]["diverged"] == "true"
    assert result.status["digits-0"][0] is Status.FAILED
    assert [s for s, _ in result.values("digits-0", "train/loss")] == [1]
    assert result.values("digits-0", "val/mse") == [(1, 1.0), (2, 3.0)]
    assert result.values("digits-0", "objective") == []
    assert result.values("digits-0", "best/rmse") == [(1, 1.0)]


def test_a_trial_that_failed_by_an_error_says_why():
    result = record([opened(), asked(0), started(0), failed(0, 0, "error")])
    assert result.tags["digits-0"]["failure"] == "it error"
    assert result.tags["digits-0"]["diverged"] == "false"


def test_what_arrives_after_a_trials_end_changes_nothing():
    whole = [opened(), *whole_trial(0, 2)]
    late = [reported(0, 3), checkpointed(0, 3), completed(0, 3), started(0, 2)]
    assert record([*whole, *late]).points == record(whole).points


def test_params_are_what_was_sampled_and_fixed_with_equal_keys_in_every_run():
    other = asked(1, params={"tbptt_forward_steps": 16, "learning_rate": 1e-05})
    result = record([opened(), asked(0), started(0), other, started(1)])
    assert result.params["digits-0"] == {
        "cell": "lstm",
        "hidden_size": "32",
        "learning_rate": "0.001",
        "max_epochs": "8",
        "tbptt_forward_steps": "full",
    }
    assert result.params["digits-1"].keys() == result.params["digits-0"].keys()
    assert result.params["digits-1"]["tbptt_forward_steps"] == "16"
    assert float(result.params["digits-1"]["learning_rate"]) == 1e-05


def test_a_conditional_space_tells_every_setting_so_that_keys_stay_equal():
    config = CONFIG | {"space": {"base": "mine.py:space", "parameters": {}}}
    events = [opened(), asked(0), started(0), asked(1, params={"momentum": 0.9}), started(1)]
    result = record(events, fold=fold_of(config))
    assert result.params["digits-0"].keys() == result.params["digits-1"].keys()
    assert result.params["digits-0"]["momentum"] == "0.0"
    assert result.params["digits-0"]["clip_norm"] == "none"
    assert "seed" not in result.params["digits-0"]
    assert "data_choice" not in result.params["digits-0"]


def test_a_finalist_gets_its_test_metrics_once():
    events = [opened(), *whole_trial(0, 2), evaluated(0, 0.7), evaluated(0, 0.8), closed()]
    for page in (1, 100):
        result = record(events, page)
        assert result.values("digits-0", "test/rmse") == [(2, 0.7)]
        assert result.tags["digits-0"]["finalist"] == "true"
        assert result.status["digits-0"][0] is Status.FINISHED


def test_a_trial_that_never_started_makes_no_run():
    assert set(record([opened(), asked(0), closed()]).status) == {"digits"}


def test_young_runs_without_a_metric_are_held_back_and_not_forgotten():
    fold = fold_of()
    for event in numbered([opened(), asked(0), started(0, time=START + 10)]):
        fold.apply(event)
    assert [w.name for w in fold.take(created_before_ms=START_MS + 9_000)] == ["digits"]
    assert [w.name for w in fold.take(created_before_ms=START_MS + 11_000)] == ["digits-0"]
    assert fold.take() == []


def test_a_run_held_back_when_the_sink_dies_is_told_by_the_next_one():
    events = numbered([opened(), asked(0), started(0, time=START + 10)])
    first, second = fold_of(), fold_of()
    for event in events:
        first.apply(event)
        second.apply(event)
    assert [w.name for w in first.take(created_before_ms=START_MS + 9_000)] == ["digits"]
    second.settle()  # the offset was committed
    writes = {write.name: write for write in second.take()}
    assert writes["digits-0"].params["cell"] == "lstm"
    assert writes["digits-0"].tags["state"] == "running"


def test_every_point_is_handed_out_once():
    points = record(_LOG, page=1).points
    assert len(points) == len(set(points))


def test_ended_runs_leave_nothing_to_write():
    fold = fold_of()
    for event in numbered([opened(), *whole_trial(0, 8), closed()]):
        fold.apply(event)
    assert len(fold.take()) == 2
    assert fold.take() == []


_LOG = numbered(
    [
        opened(),
        *whole_trial(0, 3),
        *retried_trial(1, seconds=30),
        *[asked(2), started(2), reported(2, 1), checkpointed(2, 1), reported(2, 2)],
        closed(START + 60, "interrupted"),
        opened(START + 70),
        *[started(2, 2, 1, START + 71), reported(2, 2, 2), pruned(2, 2, 2)],
        *[asked(3), started(3), reported(3, 1), failed(3, 1, "diverged")],
        *[asked(4), started(4), reported(4, 1), paused(4, 1), promotion(4, 1)],
        *[started(4, 2, 1), reported(4, 2, 2), paused(4, 2, 2), pruned(4, 2, 2)],
        *[repeating(5, 2, "audit"), started(5), reported(5, 1), completed(5, 1)],
        evaluated(0, 0.4),
        closed(),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, len(_LOG)), max_size=6), st.data())
def test_restarts_and_pages_do_not_change_what_mlflow_holds(cuts: list[int], data: st.DataObject):
    """Each life writes up to a cut, may lose the commit, and the next one refolds silently."""
    whole = Record()
    fold = fold_of()
    for event in _LOG:
        fold.apply(event)
    whole.write(fold.take())

    pieces, offset = Record(), 0
    for cut in [*sorted(cuts), len(_LOG)]:
        fold = fold_of()
        for event in _LOG[:offset]:
            fold.apply(event)
        fold.settle()
        for event in _LOG[offset : max(cut, offset)]:
            fold.apply(event)
        pieces.write(fold.take())
        committed = data.draw(st.booleans())
        offset = max(cut, offset) if committed or cut == len(_LOG) else offset

    assert set(pieces.points) == set(whole.points)
    assert pieces.params == whole.params
    assert pieces.tags == whole.tags
    assert pieces.status == whole.status
    by_identity = {(run, p.key, p.step) for run, p in pieces.points}
    assert len(by_identity) == len(set(pieces.points))
