"""The fold from events to what MLflow shall hold of the sweep, its closings and its pauses."""

from __future__ import annotations

import pytest

from sweep.log.event import Event
from sweep.log.kinds import Completed, DataFacts, PartFacts
from sweep.tracking.run import Point, Status
from tests.sweep.events_factory import some
from tests.sweep.sink_record import START_MS, Record, fold_of, record
from tests.sweep.synthetic_log import (
    CONFIG,
    START,
    SWEEP_UID,
    asked,
    checkpointed,
    closed,
    completed,
    evaluated,
    numbered,
    opened,
    paused,
    promotion,
    pruned,
    repeating,
    reported,
    started,
    whole_trial,
)


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
    objectives = ({"metric": "accuracy", "direction": "maximize"},)
    ends = []
    for trial, accuracy in enumerate((0.8, 0.9, 0.7)):
        end = some(Completed, best={"accuracy": accuracy}, best_epoch=1, values=(accuracy,))
        ends += [asked(trial), started(trial), Event(end, trial, 1, 1, START)]
    result = record([opened(objectives=objectives), *ends], fold=fold)
    assert result.values("digits", "best/accuracy") == [(1, 0.8), (2, 0.9)]


def test_the_sweeps_run_names_sampler_data_and_rules():
    result = record([opened()])
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
        Event(completed(0, 1).what, 0, 2, 2, START + 2500),
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
    parts = {"train": PartFacts(90, 8), "test": PartFacts(10, 8)}
    data = DataFacts("digits", "regression", "d" * 64, parts)
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
