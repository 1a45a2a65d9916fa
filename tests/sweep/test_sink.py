"""The fold from events to what MLflow shall hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.events import Event, Kind
from sweep.sink import SinkFold, SweepFacts
from sweep.sink_run import Point, RunWrite, Status
from tests.sweep.synthetic_log import (
    CONFIG,
    START,
    SWEEP_UID,
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

START_MS = 1_700_000_000_000


def fold_of(config: dict[str, Any] | None = None) -> SinkFold:
    return SinkFold(SweepFacts(SWEEP_UID, "digits", config or CONFIG))


class Record:
    """What MLflow would hold: the writes of every `take`, one after the other."""

    def __init__(self) -> None:
        self.points: list[tuple[str, Point]] = []
        self.params: dict[str, dict[str, str]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.status: dict[str, tuple[Status, int | None]] = {}
        self.began: dict[str, int] = {}

    def write(self, writes: list[RunWrite]) -> None:
        for write in writes:
            self.points += [(write.name, point) for point in write.points]
            self.params.setdefault(write.name, {}).update(write.params)
            self.tags.setdefault(write.name, {}).update(write.tags)
            self.began.setdefault(write.name, write.start_ms)
            self.status.setdefault(write.name, (Status.RUNNING, None))
            if write.status is not None:
                self.status[write.name] = (write.status, write.end_ms)

    def values(self, name: str, key: str) -> list[tuple[int, float]]:
        return [(p.step, p.value) for run, p in self.points if run == name and p.key == key]

    def keys(self, name: str) -> set[str]:
        return {point.key for run, point in self.points if run == name}


def record(events: list[Event], page: int | None = None, fold: SinkFold | None = None) -> Record:
    fold, result = fold or fold_of(), Record()
    sequence = numbered(events)
    page = page or len(sequence)
    for first in range(0, len(sequence), page):
        for event in sequence[first : first + page]:
            fold.apply(event)
        result.write(fold.take())
    return result


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
    broken = reported(0, 2)
    nan, infinity = float("nan"), float("inf")
    payload = broken.payload | {
        "train": {"loss": nan, "rmse": infinity, "mae": None},
        "validation": {"loss": -infinity, "mse": 3.0},
        "best": reported(0, 1).payload["best"],
        "best_epoch": 1,
    }
    broken = Event(Kind.REPORTED, 0, 1, 2, payload, broken.time)
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


def test_a_finalist_gets_its_test_metrics_once():
    events = [opened(), *whole_trial(0, 2), evaluated(0, 0.7), evaluated(0, 0.8), closed()]
    for page in (1, 100):
        result = record(events, page)
        assert result.values("digits-0", "test/rmse") == [(2, 0.7)]
        assert result.tags["digits-0"]["finalist"] == "true"
        assert result.status["digits-0"][0] is Status.FINISHED


def test_the_sweeps_run_follows_the_best_trial_within_the_constraints():
    config = CONFIG | {
        "search": CONFIG["search"] | {"constraints": [{"metric": "mae", "min": 0.2, "max": None}]}
    }
    events = [opened(), *whole_trial(0, 2), *whole_trial(1, 4), *whole_trial(2, 1)]
    # Best rmse by trial: 0.5 (mae 0.25), 0.25 (mae 0.125: not allowed), 1.0 (worse).
    result = record([*events, closed()], fold=fold_of(config))
    assert result.values("digits", "objective") == [(1, 0.5)]
    assert result.tags["digits"]["best_trial"] == "0"
    free = record([*events, closed()])
    assert free.values("digits", "best/rmse") == [(1, 0.5), (2, 0.25)]


def test_the_best_of_a_maximised_objective_is_the_highest():
    fold = fold_of(CONFIG | {"search": {"objectives": None}})
    objectives = [{"metric": "accuracy", "direction": "maximize"}]
    ends = []
    for trial, accuracy in enumerate((0.8, 0.9, 0.7)):
        payload = {"best": {"accuracy": accuracy}, "best_epoch": 1, "values": [accuracy]}
        end = Event(Kind.COMPLETED, trial, 1, 1, payload, START)
        ends += [asked(trial), started(trial), end]
    result = record([opened(objectives=objectives), *ends], fold=fold)
    assert result.values("digits", "best/accuracy") == [(1, 0.8), (2, 0.9)]


def test_the_sweeps_run_names_sampler_data_and_rules():
    result = record([opened(data={"name": "digits", "digest": "abc"})])
    assert result.params["digits"]["search.sampler"] == "tpe"
    assert result.params["digits"]["search.objectives"] == "minimize rmse"
    assert result.params["digits"]["data.digest"] == "abc"
    assert result.tags["digits"]["sweep.uid"] == SWEEP_UID
    assert result.status["digits"][0] is Status.RUNNING


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("finished", Status.FINISHED),
        ("budget", Status.FINISHED),
        ("interrupted", Status.KILLED),
        ("error", Status.FAILED),
    ],
)
def test_closing_ends_the_sweeps_run(reason: str, status: Status):
    result = record([opened(), *whole_trial(0, 1), closed(START + 5, reason)])
    assert result.status["digits"] == (status, START_MS + 5_000)
    assert result.tags["digits"]["state"] == reason
    assert result.tags["digits"]["trials.complete"] == "1"


def test_an_interrupted_trial_is_killed_and_runs_again_on_resume():
    events = [opened(), asked(0), started(0), reported(0, 1), closed(START + 2, "interrupted")]
    result = record(events)
    assert result.status["digits-0"] == (Status.KILLED, START_MS + 2_000)
    assert result.values("digits-0", "val/rmse") == []
    resumed = [*events, opened(START + 9), started(0, 2, 0), reported(0, 1, 2)]
    for page in (1, 3, 100):
        again = record(resumed, page)
        assert again.status["digits"][0] is Status.RUNNING
        assert again.status["digits-0"][0] is Status.RUNNING
    done = record([*resumed, completed(0, 1, 2), closed()], 3)
    assert done.values("digits-0", "val/rmse") == [(1, 1.0)]
    assert done.status["digits-0"][0] is Status.FINISHED


def test_a_trial_left_paused_by_a_finished_sweep_shows_its_best_once_even_when_promoted_later():
    rung = [opened(), asked(0), started(0), reported(0, 1), checkpointed(0, 1), closed()]
    result = record(rung)
    assert result.tags["digits-0"]["state"] == "paused"
    assert result.values("digits-0", "objective") == [(1, 1.0)]
    promoted = [
        *[*rung, opened(START + 2000), started(0, 2, 1), reported(0, 2, 2, rmse=3.0)],
        Event(Kind.COMPLETED, 0, 2, 2, {**completed(0, 1).payload}, START + 2500),
    ]
    told = [p for run, p in record(promoted).points if run == "digits-0" and p.key == "objective"]
    assert len(told) == 1


def test_a_paused_trial_says_so_and_runs_again_once_promoted():
    rung = [opened(), asked(0), started(0), reported(0, 1), paused(0, 1)]
    result = record(rung)
    assert result.tags["digits-0"]["state"] == "paused"
    assert result.status["digits-0"] == (Status.FINISHED, START_MS + 1_500)
    assert result.values("digits-0", "objective") == [(1, 1.0)]
    promoted = [*rung, promotion(0, 1), started(0, 2, 1), reported(0, 2, 2)]
    again = record(promoted, page=1)
    assert again.tags["digits-0"]["state"] == "running"
    assert again.status["digits-0"][0] is Status.RUNNING
    done = record([*promoted, completed(0, 2, 2)], page=1)
    assert done.tags["digits-0"]["state"] == "complete"
    assert done.values("digits-0", "objective") == [(1, 1.0), (2, 0.5)]


def test_a_paused_trial_that_is_never_promoted_ends_pruned_with_the_points_it_had():
    rung = [opened(), asked(0), started(0), reported(0, 1), paused(0, 1)]
    result = record([*rung, pruned(0, 1), closed()])
    assert result.tags["digits-0"]["state"] == "pruned"
    assert result.tags["digits"]["trials.pruned"] == "1"
    assert len(set(result.points)) == len(set(record([*rung, closed()]).points))


def test_a_paused_trial_stays_paused_when_the_sweep_is_interrupted():
    rung = [opened(), asked(0), started(0), reported(0, 1), paused(0, 1)]
    result = record([*rung, closed(reason="interrupted")])
    assert result.tags["digits-0"]["state"] == "paused"
    assert result.status["digits-0"][0] is Status.FINISHED


def test_repetitions_are_tagged_and_a_replicate_is_never_the_best():
    first = [opened(), *whole_trial(0, 2)]
    audit = [repeating(1, 0, "audit"), *whole_trial(1, 2)[1:]]
    replicate = [repeating(2, 0, "replicate"), *whole_trial(2, 4)[1:], evaluated(2, 0.2)]
    result = record([*first, *audit, *replicate, evaluated(0, 0.4), closed()])
    assert result.tags["digits-0"]["sweep.source"] == "sampler"
    assert "sweep.of" not in result.tags["digits-0"]
    assert result.tags["digits-1"]["sweep.source"] == "audit"
    assert result.tags["digits-2"]["sweep.of"] == "0"
    assert result.values("digits-2", "test/rmse") == [(4, 0.2)]
    assert "finalist" not in result.tags["digits-2"]
    assert result.tags["digits"]["best_trial"] == "0"


def test_the_ledger_is_told_when_a_session_closes():
    result = record([opened(), *whole_trial(0, 2), closed(START + 10)], page=2)
    # Two workers for 10 s, two epochs of 0.1 s, 9.5 s busy by the workers' clocks.
    assert result.values("digits", "ledger/available_seconds") == [(1, 20.0)]
    assert result.values("digits", "ledger/complete_seconds") == [(1, pytest.approx(0.2))]
    assert result.values("digits", "ledger/busy_seconds") == [(1, pytest.approx(9.5))]
    assert result.values("digits", "ledger/pruned_seconds") == [(1, 0.0)]


def test_data_are_linked_to_the_sweep_and_its_finalists_and_again_by_a_new_sink():
    parts = {"train": {"sequences": 90}, "test": {"sequences": 10}}
    data = {"name": "digits", "digest": "d" * 64, "parts": parts}
    events = [opened(data=data), *whole_trial(0, 1), asked(1), started(1), evaluated(0, 0.5)]
    fold = fold_of()
    for event in numbered(events):
        fold.apply(event)
    linked = {write.name: [part.name for part in write.inputs] for write in fold.take()}
    assert linked == {
        "digits": ["digits/train", "digits/test", "digits"],
        "digits-0": ["digits"],
        "digits-1": [],
    }
    assert len(fold.parent.inputs[0].digest) == 36
    fold.apply(numbered([closed()])[0])
    assert [write.inputs for write in fold.take()] == [(), ()]
    fold.settle()
    assert len(fold.take()[0].inputs) == 3


def test_what_a_killed_coordinator_left_running_is_ended_and_opened_again_by_a_resume():
    events = [opened(), *whole_trial(0, 1), asked(1), started(1, time=START + 20)]
    left = [*events, asked(2), started(2), reported(2, 1), paused(2, 1)]
    fold = fold_of()
    for event in numbered(left):
        fold.apply(event)
    held = Record()
    held.write(fold.take())
    held.write(fold.abandoned())
    assert held.status["digits"] == (Status.KILLED, START_MS + 1_500)
    assert held.status["digits-1"][0] is Status.KILLED
    assert held.tags["digits-1"]["state"] == held.tags["digits"]["state"] == "interrupted"
    assert held.tags["digits-0"]["state"] == "complete"
    assert held.tags["digits-2"]["state"] == "paused"
    resumed = fold_of()
    for event in numbered([*left, opened(START + 99)]):
        resumed.apply(event)
    resumed.settle()
    told = {write.name: write for write in resumed.take()}
    assert told["digits-1"].tags["state"] == "running"
    assert told["digits"].end_ms is None


def test_the_machines_load_goes_to_the_sweeps_run_and_changes_nothing_else():
    fold = fold_of()
    assert fold.load({"system/cpu_utilization_percentage": 50.0}, START_MS) == []  # no run yet
    for event in numbered([opened(), *whole_trial(0, 1)]):
        fold.apply(event)
    fold.take()
    (write,) = fold.load({"system/a": 50.0, "system/b": float("nan")}, START_MS + 12_500)
    assert (write.name, write.tags, write.status) == ("digits", {}, None)
    assert write.points == [Point("system/a", 50.0, START_MS + 12_500, 12)]
    assert fold.load({}, START_MS) == []
    assert fold.take() == []


def test_a_closed_sweep_leaves_nothing_to_abandon():
    fold = fold_of()
    for event in numbered([opened(), asked(0), started(0), closed(reason="interrupted")]):
        fold.apply(event)
    assert fold.abandoned() == []


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
