"""What MLflow shall hold of naive forecasts and skill, whatever the order and the pages."""

import pytest

from sweep.log.event import Event
from sweep.log.kinds import Baselined
from tests.sweep.sink_record import record
from tests.sweep.synthetic_log import START, closed, evaluated, opened, whole_trial

NAIVE = Event(
    Baselined(
        {
            "ridge": {"validation": {"rmse": 0.8, "mae": 0.4}, "test": {"rmse": 1.0}},
            "mean": {"validation": {"rmse": 2.0}, "test": {"rmse": 0.9}},
        },
        seconds=1.0,
    ),
    time=START + 2,
)
# The best rmse of a trial of so many epochs: 1.0, 0.5, …, 0.25 after four.
TRIALS = [*whole_trial(0, 2), *whole_trial(1, 4)]
ORDERS = {
    "first": [NAIVE, *TRIALS, evaluated(1, 0.6)],
    "between": [*TRIALS, NAIVE, evaluated(1, 0.6)],
    "last": [*TRIALS, evaluated(1, 0.6), NAIVE],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("page", [1, 3, None])
def test_the_sweeps_run_and_its_finalists_tell_of_them_once(order, page):
    result = record([opened(), *ORDERS[order], closed(START + 9)], page)
    told = {name: result.values("digits", f"baseline/{name}") for name in (
        "ridge/rmse", "ridge/mae", "mean/rmse", "test/ridge/rmse", "test/mean/rmse",
    )}  # fmt: skip
    assert told == {
        "ridge/rmse": [(0, 0.8)], "ridge/mae": [(0, 0.4)], "mean/rmse": [(0, 2.0)],
        "test/ridge/rmse": [(0, 1.0)], "test/mean/rmse": [(0, 0.9)],
    }  # fmt: skip
    skills = [value for _, value in result.values("digits", "skill")]
    assert skills[-1] == pytest.approx(1 - 0.25 / 0.8)
    assert len(skills) == (2 if order == "first" else 1)
    assert [v for _, v in result.values("digits-1", "skill")] == [pytest.approx(1 - 0.25 / 0.8)]
    assert [v for _, v in result.values("digits-1", "test/skill")] == [pytest.approx(1 - 0.6 / 0.9)]
    assert result.values("digits-0", "skill") == []


def test_a_second_telling_changes_nothing():
    once = record([opened(), *TRIALS, NAIVE, closed(START + 9)])
    twice = record([opened(), *TRIALS, NAIVE, NAIVE, closed(START + 9)])
    assert once.values("digits", "baseline/ridge/rmse") == [(0, 0.8)]
    assert twice.values("digits", "skill") == once.values("digits", "skill")
