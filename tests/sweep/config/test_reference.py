"""What `rnn-sweep settings` knows is what the sweep file obeys."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_spaces import build_space
from sweep.config.reference import all_keys, details, find_keys
from sweep.config.sweep_config import validate
from sweep.errors import ConfigProblem
from trainers.config.laws import LAWS
from trainers.config.settings import settings

SMALLEST = {"name": "s", "data": {"source": "digits"}}


def test_every_key_says_what_it_means_and_is_listed_once_beside_its_group():
    keys = all_keys()
    assert [key.name for key in keys if not key.sentence] == []
    assert len({key.name for key in keys}) == len(keys)
    groups = [key.group for key in keys]
    assert sorted(groups, key=list(dict.fromkeys(groups)).index) == groups


@pytest.mark.parametrize(
    ("name", "values", "default"),
    [
        ("learning_rate", "a number >= 0", 0.001),
        ("train.momentum", "a number >= 0 and < 1", 0.0),
        ("head_sizes", "a list, each item a whole number >= 1", []),
        ("category_embeddings", "a list, each item a list, each item a whole number >= 0", []),
        ("run.workers", "a whole number >= 1 or auto", "auto"),
        ("search.pruning.min_epochs", "a whole number >= 1 or null", None),
        ("search.enqueue", "a list, each item a mapping", []),
        ("search.sampler", "one of tpe, gp, random, grid, qmc or a mapping", "tpe"),
        ("search.objectives.0.direction", "one of minimize, maximize or null", None),
        ("cluster.labels", "a mapping", {}),
    ],
)
def test_a_key_has_its_values_in_words_and_its_default(name, values, default):
    (key,) = find_keys(name)
    assert (key.values, key.default) == (values, default)


def test_a_section_stands_for_its_keys():
    assert {key.name for key in find_keys("finalists")} == {
        "finalists.count", "finalists.replicates", "finalists.interval", "finalists.ensemble",
    }  # fmt: skip


def test_only_what_a_file_must_have_is_needed():
    needed = [key.name for key in all_keys() if key.needed]
    lists = ["search.objectives.0.metric", "search.constraints.0.metric"]
    assert needed == ["data.source", "data.folds.count", *lists, "search.pruning.pruner"]


def test_a_key_of_some_pruning_rules_says_which():
    (key,) = find_keys("search.pruning.reduction_factor")
    assert "halving: " in key.sentence
    assert "hyperband: " in key.sentence
    assert "median" not in key.sentence


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("learning_rat", "train.learning_rate"),
        ("workers", "run.workers"),
        ("run.worker", "run.workers"),
        ("min_epoch", "search.pruning.min_epochs"),
    ],
)
def test_a_misspelt_key_names_the_nearest_in_one_line(name, nearest):
    with pytest.raises(ConfigProblem, match=f"did you mean {nearest}\\?") as caught:
        find_keys(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: "-".join(law.fields))
def test_a_law_is_shown_with_each_of_its_settings(law):
    for name in law.fields:
        (key,) = find_keys(name)
        assert law.text in details(key)["laws"]


@pytest.mark.parametrize("name", settings())
def test_both_examples_of_a_setting_can_be_written_so(name):
    (key,) = find_keys(name)
    fixed, drawn = details(key)["examples"].values()
    assert fixed[name] != key.default
    validate(SMALLEST | {"train": fixed})
    if drawn is None:
        # a choice of a space is no list
        assert name in ("head_sizes", "category_embeddings", "quantiles", "first_weights")
    else:
        validate(SMALLEST | {"space": {"parameters": drawn}})
        assert build_space(None, drawn, Path()).size() > 1
