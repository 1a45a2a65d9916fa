"""Flat spaces: what a trial is asked, what overrides do, what is refused."""

from __future__ import annotations

import math
import warnings
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import SpaceError, UnknownSpaceError, build_space, get_space, space_names
from search_spaces.dimensions import Categorical, Fixed, Float, Int
from search_spaces.errors import DimensionError, UnenumerableSpaceError
from search_spaces.space import SearchSpace

optuna.logging.set_verbosity(optuna.logging.WARNING)


def space(**dimensions: Any) -> SearchSpace:
    return SearchSpace("own", dimensions)


MIXED = space(
    rate=Float(1e-4, 1e-1, log=True),
    size=Int(16, 128, log=True),
    steps=Categorical((None, 16, 64)),
    cell=Fixed("lstm"),
)


def test_a_trial_is_asked_for_the_free_dimensions_and_told_nothing_of_pinned_ones() -> None:
    trial = optuna.create_study().ask()
    params = MIXED.suggest(trial)
    assert list(params) == ["rate", "size", "steps", "cell"]
    assert params["cell"] == "lstm"
    assert trial.distributions == MIXED.distributions()
    assert "cell" not in trial.params


def test_distributions_rebuild_a_finished_trial() -> None:
    params = {"rate": 0.01, "size": 32, "steps": None}
    trial = optuna.create_trial(params=params, distributions=MIXED.distributions(), value=1.0)
    study = optuna.create_study()
    study.add_trial(trial)
    assert study.best_params == params


def test_a_scalar_pins_a_list_chooses_a_mapping_gives_a_range() -> None:
    narrow = MIXED.narrowed({"rate": 0.01, "size": [8, 16], "steps": {"low": 4, "high": 8}})
    assert dict(narrow.dimensions) == {
        "rate": Fixed(0.01),
        "size": Categorical((8, 16)),
        "steps": Int(4, 8),
        "cell": Fixed("lstm"),
    }


def test_null_pins_to_nothing_and_new_names_are_added() -> None:
    narrow = MIXED.narrowed({"steps": None, "dropout": {"low": 0, "high": 0.5}})
    assert narrow.dimensions["steps"] == Fixed(None)
    assert narrow.dimensions["dropout"] == Float(0, 0.5)
    assert "dropout" not in MIXED.dimensions


def test_a_mapping_keeps_what_it_leaves_out_from_the_range_it_narrows() -> None:
    narrow = MIXED.narrowed({"rate": {"high": 1e-2}, "size": {"low": 32}})
    assert narrow.dimensions["rate"] == Float(1e-4, 1e-2, log=True)
    assert narrow.dimensions["size"] == Int(32, 128, log=True)


def test_a_step_ends_a_logarithmic_scale_and_the_other_way_round() -> None:
    stepped = MIXED.narrowed({"size": {"step": 16}})
    assert stepped.dimensions["size"] == Int(16, 128, step=16)
    assert stepped.narrowed({"size": {"log": True}}).dimensions["size"] == Int(16, 128, log=True)


def test_whole_bounds_make_a_whole_number_only_where_no_real_number_stood() -> None:
    narrow = MIXED.narrowed(
        {"rate": {"low": 1, "high": 2, "log": False}, "n": {"low": 1, "high": 2}}
    )
    assert narrow.dimensions["rate"] == Float(1, 2)
    assert narrow.dimensions["n"] == Int(1, 2)
    halves = MIXED.narrowed({"n": {"low": 1, "high": 2, "step": 0.5}})
    assert halves.dimensions["n"] == Float(1, 2, step=0.5)


def test_yamls_text_1e_3_is_read_as_a_number() -> None:
    narrow = MIXED.narrowed({"rate": {"low": "1e-3", "high": "1e-2"}})
    assert narrow.dimensions["rate"] == Float(1e-3, 1e-2, log=True)
    assert MIXED.narrowed({"rate": "1e-3"}).dimensions["rate"] == Fixed(1e-3)
    assert MIXED.narrowed({"cell": "1e-3"}).dimensions["cell"] == Fixed("1e-3")


def test_size_counts_configurations() -> None:
    finite = space(
        a=Int(1, 7, step=2), b=Float(0, 1, step=0.25), c=Categorical((None, 1)), d=Fixed(3)
    )
    assert finite.size() == 4 * 5 * 2
    assert MIXED.size() == math.inf
    assert space(a=Fixed(1)).size() == 1


def test_a_grid_holds_every_value_and_satisfies_optunas_sampler() -> None:
    finite = space(
        a=Int(1, 6, step=2), b=Float(0, 1, step=0.5), c=Categorical((None, "x")), d=Fixed(3)
    )
    grid = finite.grid()
    assert grid == {"a": [1, 3, 5], "b": [0.0, 0.5, 1.0], "c": [None, "x"]}
    study = optuna.create_study(sampler=optuna.samplers.GridSampler(grid, seed=0))
    study.optimize(lambda trial: len(finite.suggest(trial)))
    seen = {tuple(trial.params.values()) for trial in study.trials}
    assert len(seen) == finite.size() == 18


def test_a_step_that_does_not_reach_the_end_warns_nobody() -> None:
    uneven = space(a=Int(1, 6, step=2), b=Float(0.0, 1.0, step=0.3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        uneven.sample(0)
        uneven.distributions()
    assert uneven.grid()["a"][-1] == 5
    assert uneven.grid()["b"][-1] == 0.9


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    assert MIXED.sample(3) == MIXED.sample(3)
    assert len({MIXED.sample(seed)["rate"] for seed in range(5)}) == 5


def test_sampling_leaves_optunas_verbosity_alone() -> None:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.DEBUG)
    try:
        MIXED.sample(0)
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    finally:
        optuna.logging.set_verbosity(before)


@given(seed=st.integers(0, 10_000))
def test_whatever_is_sampled_is_a_valid_point(seed: int) -> None:
    params = MIXED.sample(seed)
    free = {name: value for name, value in params.items() if name != "cell"}
    assert MIXED.validate_point(params) == free


def test_a_point_may_leave_parameters_out_and_is_returned_in_their_own_type() -> None:
    assert MIXED.validate_point({"size": 32.0, "steps": None}) == {"size": 32, "steps": None}
    wide = space(rate=Float(0, 2))
    assert isinstance(wide.validate_point({"rate": 1})["rate"], float)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rat": 0.1}, "no parameter 'rat'; did you mean 'rate'"),
        ({"rate": 1.0}, r"'rate' must be a number in \[0.0001, 0.1\], log, but got 1.0"),
        ({"rate": "x"}, "'rate' must be a number"),
        ({"size": 32.5}, r"'size' must be a whole number in \[16, 128\], log, but got 32.5"),
        ({"size": True}, "'size' must be a whole number"),
        ({"steps": 17}, r"'steps' must be one of \[None, 16, 64\], but got 17"),
        ({"cell": "gru"}, r"'cell' must be 'lstm' \(pinned\), but got 'gru'"),
    ],
)
def test_a_point_outside_the_space_is_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        MIXED.validate_point(params)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"low": 3, "high": 1}, r"parameter 'x': `low <= high` must hold, .*\(low=3, high=1\)"),
        ({"low": 0, "high": 1.0, "log": True}, "`low > 0` must hold with log=true, but got low=0"),
        ({"low": 1, "hihg": 2}, "no key 'hihg'; did you mean 'high'"),
        ({"low": 1}, "a range needs low and high"),
        ({"low": "a", "high": 2}, "a number is needed, but got the text 'a'"),
        ({"low": True, "high": 2.0}, "finite numbers"),
        ({"low": 0.0, "high": float("inf")}, "finite numbers"),
        ({"low": 1, "high": 9, "step": 0}, "`step > 0` must hold"),
        ({"low": 1, "high": 9, "log": True, "step": 2}, "exclude each other"),
        ({"low": 1, "high": 9, "log": "yes"}, "`log` must be true or false"),
        ({"choices": 3}, "choices is a list"),
        ([], r"at least one value, but got \[\]"),
        ([[1, 2]], r"must be a number, a text, true, false or null, but got \[1, 2\]"),
        ([1, 1], "choices must differ"),
    ],
)
def test_a_dimension_that_breaks_a_law_is_refused_by_name(written: Any, message: str) -> None:
    with pytest.raises(DimensionError, match=message) as caught:
        build_space(None, {"x": written})
    assert "'x'" in str(caught.value)


def test_a_whole_range_stays_whole() -> None:
    with pytest.raises(DimensionError, match=r"'size'.*needs whole numbers, but got high=20.5"):
        MIXED.narrowed({"size": {"high": 20.5}})


def test_an_empty_space_is_refused() -> None:
    with pytest.raises(SpaceError, match="is empty: it needs at least one parameter"):
        build_space(None, {})


def test_a_grid_over_a_continuous_dimension_is_refused() -> None:
    with pytest.raises(UnenumerableSpaceError, match="parameter 'rate' is continuous"):
        MIXED.grid()


def test_true_and_one_are_different_choices() -> None:
    assert not Categorical((True,)).contains(1)
    assert not Categorical((1,)).contains(True)
    assert space(a=Categorical((True, 1))).validate_point({"a": 1}) == {"a": 1}


@pytest.mark.parametrize("name", space_names())
def test_every_ready_space_can_be_sampled_and_narrowed(name: str) -> None:
    ready = get_space(name)
    assert ready.name == name
    assert set(ready.distributions()) == set(ready.sample(0))
    assert ready.narrowed({"hidden_size": 32}).sample(0)["hidden_size"] == 32


def test_the_ready_spaces_are_named() -> None:
    ready = ("classification", "forecasting", "language", "recurrent", "sentences", "smoke")
    assert space_names() == ready
    assert get_space("smoke").size() == math.inf


def test_an_unknown_space_names_the_nearest() -> None:
    with pytest.raises(UnknownSpaceError, match="'recurent' is unknown; did you mean 'recurrent'"):
        get_space("recurent")
