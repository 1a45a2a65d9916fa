"""What is best: one ranking, which everybody who names a best trial shares."""

import math
from dataclasses import replace

import pytest

from sweep.config.sweep_config import validate
from sweep.history.goal import Constraint, Goal, measured, pareto_front, ranked
from sweep.history.state import SweepState
from sweep.log.event import Event
from sweep.log.kinds import Completed, Failed, Opened, Pruned
from sweep.models.champions import finalists_of
from sweep.results.results import open_results
from sweep.running.retention import Retention
from sweep.tracking.sink import SinkFold, SweepFacts
from tests.sweep.events_factory import changed, some
from tests.sweep.sweep_factory import asked, closed, ended, trained, write_sweep
from trainers.config.objective import Objective

OBJECTIVES = [
    {"metric": "parameters", "direction": "minimize"},
    {"metric": "r2", "direction": "maximize"},
]
SEARCH = {"objectives": OBJECTIVES, "constraints": [{"metric": "parameters", "max": 80}]}
GOAL = Goal.read(OBJECTIVES, SEARCH["constraints"])


def complete(number, r2, parameters=50, source="sampler", of=None):
    begun = changed(asked(number), source=source, of=of)
    values = {"values": (parameters, r2), "checkpoint": f"c{number}", "parameters": parameters}
    end = ended(Completed, number, 2, {"r2": r2}, **values)
    return [begun, *trained(number, 2, {"r2": r2}), end]


EVENTS = [
    *complete(0, 0.5, parameters=40),
    *complete(1, 0.7),
    *complete(2, 0.9, parameters=81),  # breaks the constraint
    *complete(3, 0.95, source="replicate", of=1),
    *complete(4, 0.8, source="audit", of=5),
    asked(5),
    *trained(5, 1, {"r2": 0.99}),
    ended(Pruned, 5, 1, {"r2": 0.99}, values=(0.99,)),
    asked(6),
    *trained(6, 1, {"r2": 0.99}),
    ended(Failed, 6, 1, {"r2": 0.99}, reason="diverged"),
    *complete(7, 0.7),  # as good as 1, and later
    closed(),
]
ORDER = [4, 1, 7, 0]


@pytest.fixture
def results(tmp_path):
    return open_results(write_sweep(tmp_path, *EVENTS, objectives=OBJECTIVES, search=SEARCH))


def test_complete_feasible_trials_rank_by_the_first_measured_objective_then_by_number(results):
    assert results.goal == GOAL
    assert GOAL.leading == Objective("r2", "maximize")
    assert [t.number for t in ranked(results.trials, GOAL)] == ORDER


def test_whoever_names_a_best_trial_names_the_same_one(results, tmp_path):
    assert results.best().number == ORDER[0]
    searched = [number for number in ORDER if results.state.trials[number].of is None]
    assert [f.number for f in finalists_of(results.state, results.config)] == searched
    sink = SinkFold(SweepFacts("uid", "demo", results.config.model_dump(mode="json")))
    opened = Event(some(Opened, objectives=tuple(OBJECTIVES)))
    for seq, event in enumerate([opened, *EVENTS], start=1):
        sink.apply(replace(event, seq=seq))
    assert sink.parent.tags["best_trial"] == str(ORDER[0])


def test_the_checkpoints_kept_are_those_of_the_best(results, tmp_path):
    (tmp_path / "kept" / "checkpoints").mkdir(parents=True)
    state, retention = SweepState(), Retention(tmp_path / "kept", 3, GOAL.cost)
    for event in EVENTS:
        state.apply(event)
        if isinstance(event.what, Completed):
            retention.path(f"c{event.trial}").touch()
        if event.trial is not None:
            retention.follow(event, state.trials[event.trial])
    assert retention.kept() == set(ORDER[:3])


def test_the_front_of_several_objectives_holds_feasible_trials_that_nothing_beats(results):
    assert [t.number for t in pareto_front(results.trials, GOAL)] == [4, 0]


def test_a_failed_trial_has_no_value_and_a_missing_one_costs_infinitely_much(results):
    failed = results.state.trials[6]
    assert GOAL.values(failed) == (None, None)
    assert GOAL.costs(failed) == (math.inf, math.inf)
    assert measured("parameters", {}, 0) is None


@pytest.mark.parametrize(
    ("value", "violation"), [(0.1, 0.1), (0.2, 0.0), (0.7, -0.3), (1.5, 0.5), (None, math.inf)]
)
def test_a_constraint_says_how_far_a_value_lies_outside(value, violation):
    assert Constraint("loss", min=0.2, max=1.0).violation(value) == pytest.approx(violation)


def test_the_log_states_the_objectives_that_a_file_leaves_open():
    config = validate({"name": "s", "data": {"source": "digits"}})
    state = SweepState()
    assert Goal.of(config, state).leading == Objective("rmse")
    state.apply(Event(some(Opened, objectives=tuple(OBJECTIVES[1:]))))
    assert Goal.of(config, state).leading == Objective("r2", "maximize")
    assert Goal.of_task(config, "classification").leading == Objective("accuracy", "maximize")
