"""What names in a gate stand for, before the sweep and after it."""

import pytest

from sweep.history.state import SweepState
from sweep.log.event import Event
from sweep.log.kinds import Baselined
from sweep.running.preparation import prepare
from sweep.smoke.gate import Unknown, check_names, parse_gate, result_of
from sweep.smoke.gate_names import finished_values, gate_names
from sweep.smoke.gate_syntax import GateError
from tests.sweep.events_factory import folded
from tests.sweep.session_runs import config
from tests.sweep.sweep_factory import complete

NAIVE = Event(
    Baselined(
        {
            "mean": {"validation": {"rmse": 0.6, "r2": 0.1}, "test": {"rmse": 0.5}},
            "ridge": {"validation": {"rmse": 0.4, "r2": 0.4}, "test": {"rmse": 0.7}},
        },
        seconds=1.0,
        left_out={"seasonal": "the data have no season"},
    )
)


@pytest.fixture(scope="module")
def names():
    return gate_names(prepare(config()))


def judged(names, text: str, *more: Event):
    state = folded(*complete(0, {}, 0.5), *more)
    gate = parse_gate(text)
    check_names(gate, names)
    return result_of(gate, finished_values(names, state.trials[0], state, 1.0))


@pytest.mark.parametrize(
    ("text", "outcome", "sides"),
    [
        ("best/val_rmse > baseline", "fires", "0.5 > 0.4"),
        ("best/val_rmse > baseline/mean", "passes", "0.5 > 0.6"),
        ("baseline/test_rmse > 0", "fires", "0.5 > 0"),
        ("baseline/ridge/test_rmse > 0", "fires", "0.7 > 0"),
        ("baseline/val_r2 > 0", "fires", "0.4 > 0"),  # the highest
        ("best/val_rmse > baseline/seasonal", "unknown",
         "no baseline/seasonal: the data have no season"),
        ("baseline/val_mae > 0", "unknown", "no naive forecast has val_mae"),
        ("baseline/mean/val_mae > 0", "unknown", "no baseline/mean: it has no val_mae"),
    ],
)  # fmt: skip
def test_naive_forecasts_stand_for_their_figures(names, text, outcome, sides):
    found = judged(names, text, NAIVE)
    assert (found.outcome, found.sides) == (outcome, sides)
    assert found.failed == (outcome != "passes")


def test_without_them_a_gate_on_one_fails(names):
    found = judged(names, "best/val_rmse > baseline")
    assert (found.outcome, found.sides) == ("unknown", "the sweep has no naive forecasts")
    values = finished_values(names, None, SweepState(), 1.0)
    assert values["baseline/val_rmse"] == Unknown("the sweep has no naive forecasts")


@pytest.mark.parametrize("text", ["best/val_rmse > baseline/majority", "baseline/val_crps > 1"])
def test_what_these_data_never_have_is_refused_before_anything_is_trained(names, text):
    with pytest.raises(GateError, match="which this sweep does not have"):
        check_names(parse_gate(text), names)
