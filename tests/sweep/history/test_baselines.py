"""Trials beside naive forecasts: the best of them, and skill."""

import json

import pytest

from sweep.history.baselines import BestNaive, best_naive, skill, skill_of, values_of
from sweep.log.event import Event, row_of
from sweep.log.kinds import Baselined, Opened
from tests.sweep.events_factory import folded, some
from trainers.config.objective import Objective

RMSE, ACCURACY = Objective("rmse"), Objective("accuracy", "maximize")
NAIVE = Baselined(
    {
        "persistence": {"validation": {"rmse": 66.8, "r2": 0.2}, "test": {"rmse": 60.0}},
        "ridge": {"validation": {"rmse": 60.0}, "test": {"rmse": 61.0}},
    },
    seconds=1.5,
)


def test_the_best_is_by_the_objective_on_the_part():
    assert best_naive(NAIVE, RMSE) == BestNaive("ridge", 60.0)
    assert best_naive(NAIVE, RMSE, "test") == BestNaive("persistence", 60.0)
    assert best_naive(NAIVE, ACCURACY) is None
    assert best_naive(None, RMSE) is None
    assert values_of(NAIVE, "r2") == {"persistence": 0.2}


@pytest.mark.parametrize(
    ("objective", "value", "naive", "expected"),
    [
        (RMSE, 45.0, 60.0, 0.25),
        (RMSE, 90.0, 60.0, -0.5),
        (RMSE, 45.0, 0.0, None),  # nothing is better than no error
        (ACCURACY, 0.9, 0.8, 0.5),  # errors .1 and .2
        (Objective("r2", "maximize"), 0.6, 0.2, 0.5),
        (Objective("rmse/h3"), 30.0, 60.0, 0.5),
        (Objective("f1/yes", "maximize"), 0.75, 0.5, 0.5),
        (Objective("own", "maximize"), 0.75, 0.5, None),  # nobody knows its upper end
        (Objective("loss"), -1.0, 0.5, None),  # a likelihood's, which is no error
        (RMSE, None, 60.0, None),
    ],
)
def test_skill_is_what_is_saved_of_the_best_naive_error(objective, value, naive, expected):
    found = skill(objective, value, BestNaive("naive", naive))
    assert found == (None if expected is None else pytest.approx(expected))


def test_a_trial_without_the_metric_has_no_skill():
    assert skill_of(NAIVE, RMSE, {"rmse": 30.0}) == 0.5
    assert skill_of(NAIVE, RMSE, {"mae": 30.0}) is None
    assert skill_of(None, RMSE, {"rmse": 30.0}) is None


def test_the_fold_keeps_the_first():
    state = folded(Event(some(Opened)), Event(NAIVE), Event(Baselined({"mean": {}}, seconds=2.0)))
    assert state.baselines == NAIVE


def test_an_event_says_only_what_there_is():
    payload = json.loads(row_of("s", 1, Event(NAIVE))["payload"])
    assert payload == {"metrics": NAIVE.metrics, "seconds": 1.5}
