"""Conditional spaces: a function of the user's own."""

from __future__ import annotations

import math
from typing import Any

import optuna
import pytest

from search_spaces import SpaceError, build_space
from search_spaces.errors import UnenumerableSpaceError
from search_spaces.space import Space


def conditional(trial: optuna.Trial) -> dict[str, Any]:
    params: dict[str, Any] = {"cell": trial.suggest_categorical("cell", ["lstm", "gru"])}
    if params["cell"] == "lstm":
        params["forget_bias"] = trial.suggest_float("forget_bias", 0.0, 2.0)
    return params


def own_space(parameters: dict[str, Any]) -> Space:
    return build_space("own.py:conditional", parameters, conditional)


def test_parameters_depend_on_each_other() -> None:
    seen = [own_space({}).sample(seed) for seed in range(20)]
    assert {p["cell"] for p in seen} == {"lstm", "gru"}
    assert all(("forget_bias" in p) == (p["cell"] == "lstm") for p in seen)


def test_an_override_answers_the_function_and_its_branches_follow() -> None:
    own = own_space({"cell": "lstm", "hidden_size": [8, 16]})
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    params = own.suggest(trial)
    assert params["cell"] == "lstm"
    assert params["hidden_size"] in (8, 16)
    assert set(trial.params) == {"forget_bias", "hidden_size"}


def test_a_narrowed_range_is_what_the_trial_is_asked() -> None:
    own = own_space({"cell": "lstm", "forget_bias": {"low": 1.5, "high": 1.6}})
    assert all(1.5 <= own.sample(seed)["forget_bias"] <= 1.6 for seed in range(10))


def test_nothing_is_known_of_it_beforehand() -> None:
    own = own_space({})
    assert own.size() == math.inf
    assert own.distributions() == {}
    assert own.validate_point({"cell": "gru"}) == {"cell": "gru"}
    with pytest.raises(UnenumerableSpaceError, match="is a function; choose another sampler"):
        own.grid()


def test_an_answer_without_names_is_refused() -> None:
    own = build_space("own.py:nothing", {}, lambda trial: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(SpaceError, match="must return a dict of parameters, but got None"):
        own.sample(0)
