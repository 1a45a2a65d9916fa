"""Conditional spaces: a function of the user's own."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

import optuna
import pytest

from search_spaces import SpaceError, UnknownSpaceError, build_space, get_space
from search_spaces.errors import UnenumerableSpaceError

OWN = """
    def conditional(trial):
        params = {"cell": trial.suggest_categorical("cell", ["lstm", "gru"])}
        if params["cell"] == "lstm":
            params["forget_bias"] = trial.suggest_float("forget_bias", 0.0, 2.0)
        return params

    def fails(trial):
        return {"cell": 1 / 0}

    def answers_nothing(trial):
        trial.suggest_int("x", 1, 2)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(textwrap.dedent(OWN))
    return tmp_path


def test_parameters_depend_on_each_other(folder: Path) -> None:
    own = get_space("own.py:conditional", folder)
    seen = [own.sample(seed) for seed in range(20)]
    assert {p["cell"] for p in seen} == {"lstm", "gru"}
    assert all(("forget_bias" in p) == (p["cell"] == "lstm") for p in seen)


def test_an_override_answers_the_function_and_its_branches_follow(folder: Path) -> None:
    own = build_space("own.py:conditional", {"cell": "lstm", "hidden_size": [8, 16]}, folder)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    params = own.suggest(trial)
    assert params["cell"] == "lstm"
    assert params["hidden_size"] in (8, 16)
    assert set(trial.params) == {"forget_bias", "hidden_size"}


def test_a_narrowed_range_is_what_the_trial_is_asked(folder: Path) -> None:
    narrow = {"cell": "lstm", "forget_bias": {"low": 1.5, "high": 1.6}}
    own = build_space("own.py:conditional", narrow, folder)
    assert all(1.5 <= own.sample(seed)["forget_bias"] <= 1.6 for seed in range(10))


def test_nothing_is_known_of_it_beforehand(folder: Path) -> None:
    own = get_space("own.py:conditional", folder)
    assert own.size() == math.inf
    assert own.distributions() == {}
    assert own.validate_point({"cell": "gru"}) == {"cell": "gru"}
    with pytest.raises(UnenumerableSpaceError, match="is a function; choose another sampler"):
        own.grid()


def test_loading_leaves_nothing_behind(folder: Path) -> None:
    get_space("own.py:conditional", folder)
    assert [path.name for path in folder.iterdir()] == ["own.py"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("fails", r"failed: ZeroDivisionError: division by zero \(own\.py:9\)"),
        ("answers_nothing", "must return a dict of parameters, but got None"),
    ],
)
def test_a_failing_function_is_named_with_its_line(
    folder: Path, function: str, message: str
) -> None:
    with pytest.raises(SpaceError, match=message):
        get_space(f"own.py:{function}", folder).sample(0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no.py:f", r"there is no file .*no\.py"),
        ("own.py:f", "no function 'f'; it has: answers_nothing, conditional, fails"),
    ],
)
def test_a_missing_file_or_function_is_named(folder: Path, name: str, message: str) -> None:
    with pytest.raises(UnknownSpaceError, match=message):
        get_space(name, folder)


def test_a_file_that_fails_on_import_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("x = 1\ny = x / 0\n")
    with pytest.raises(SpaceError, match=r"own\.py:2 fails on import: ZeroDivisionError"):
        get_space("own.py:f", tmp_path)
