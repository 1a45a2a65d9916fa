"""The metrics that a sweep file names: checked by name, and read from a user's own file."""

from __future__ import annotations

import textwrap

import pytest
import yaml

from sweep.config.identity import difference, identity
from sweep.config.metrics import own_metrics
from sweep.config.sweep_config import load_config, validate
from sweep.errors import ConfigProblem

SMALLEST = {"name": "s", "data": {"source": "digits"}}
OWN = """
    def worst(predictions, targets, mask):
        return 1.0

    worst.direction = "maximize"
    worst.unit = "target"

    def plain(predictions, targets, mask):
        return 1.0

    def sideways(predictions, targets, mask):
        return 1.0

    sideways.direction = "sideways"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.py").write_text(textwrap.dedent(OWN))
    return tmp_path


def refused(**sections):
    with pytest.raises(ConfigProblem) as caught:
        validate(SMALLEST | sections)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def objectives(*metrics):
    return {"objectives": [{"metric": metric} for metric in metrics]}


def test_parts_of_metrics_and_functions_may_be_objectives_and_constraints():
    config = validate(
        SMALLEST
        | {
            "metrics": ["mape", "own.py:worst"],
            "search": {
                **objectives("f1/red", "worst", "rmse/h3"),
                "constraints": [{"metric": "worst", "max": 3}],
            },
        }
    )
    directions = [objective.direction for objective in config.search.objectives]
    assert directions == ["maximize", None, "minimize"]  # the function says its own when it is read


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        (
            {"metrics": ["rmze"]},
            "metrics must name a metric, .* but got 'rmze'; near ones are rmse",
        ),
        ({"metrics": ["m.py:rmse"]}, "metrics must not take the name of a metric that there is"),
        ({"metrics": ["a.py:f", "b.py:f"]}, "must differ in name, but two functions are called f"),
        ({"search": objectives("worst")}, "search.objectives.0.metric must name a metric"),
        ({"search": objectives("rmse", "f7/red")}, "search.objectives.1.metric .* got 'f7/red'"),
        (
            {"metrics": ["m.py:worst"], "search": {"constraints": [{"metric": "wurst", "max": 1}]}},
            "search.constraints.0.metric .* got 'wurst'; near ones are worst",
        ),
    ],
)
def test_a_name_that_is_none_is_one_line(sections, says):
    import re

    found = refused(**sections)
    assert re.search(says, found)
    assert len(found) < 300


def test_a_function_carries_its_text_direction_and_unit(folder):
    worst, plain = own_metrics(("own.py:worst", "mape", "own.py:plain"), folder)
    assert (worst.name, worst.direction, worst.unit) == ("worst", "maximize", "target")
    assert (plain.direction, plain.unit) == ("minimize", "number")
    assert worst.path == str(folder / "own.py")
    assert worst.code == (folder / "own.py").read_text()


def test_a_function_that_is_none_or_says_nonsense_is_one_line(folder):
    for text, says in (
        ("own.py:nothing", "no function 'nothing'; it has: plain, sideways, worst"),
        ("other.py:worst", "no file"),
        ("own.py:sideways", "own.py:sideways.direction must be one of minimize, maximize, but is"),
    ):
        with pytest.raises(ConfigProblem, match=says):
            own_metrics((text,), folder)


def test_its_path_starts_in_the_files_folder_and_stays_there(folder):
    spec = folder / "s.yaml"
    spec.write_text(yaml.safe_dump({"data": {"source": "digits"}, "metrics": ["own.py:worst"]}))
    assert load_config(spec).metrics == (f"{folder}/own.py:worst",)
    spec.write_text(yaml.safe_dump({"data": {"source": "digits"}, "metrics": ["../own.py:worst"]}))
    with pytest.raises(ConfigProblem, match="must stay in the file's folder, but metrics"):
        load_config(spec)


def test_what_is_measured_is_part_of_a_sweeps_identity():
    one, other = (identity(validate(SMALLEST | {"metrics": m})) for m in ([], ["mape"]))
    assert difference(one, other) == ["metrics: [] → ['mape']"]
    assert identity(validate(SMALLEST)) == one
