"""Configurations that earlier releases recorded (`recorded.jsonl`, one a line) are read as ever."""

import json
from pathlib import Path

import pytest
import yaml

from sweep.config.identity import difference, identity
from sweep.config.sweep_config import SweepConfig, load_config, validate

RECORDED = [
    json.loads(line) for line in Path(__file__).with_name("recorded.jsonl").read_text().splitlines()
]
FOREIGN = {
    "min_epochs": None,
    "reduction_factor": 3,
    "startup_trials": 5,
    "interval_epochs": 1,
    "pruner": None,
    "options": {},
}


def as_written(recorded: dict) -> dict:
    """The file that made it, as it must be written now: keys of other rules left out."""
    pruning = recorded["search"]["pruning"]
    changed = {k: v for k, v in pruning.items() if FOREIGN.get(k, pruning) != v}
    return {**recorded, "search": {**recorded["search"], "pruning": changed}}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["name"])
def test_a_recorded_sweep_can_be_resumed_by_its_file(recorded):
    old = identity(recorded)
    assert difference(old, identity(validate(as_written(recorded)))) == []
    again = SweepConfig.model_validate(recorded).model_dump(mode="json")
    assert difference(old, identity(again)) == []
    assert again["search"]["sampler"] == recorded["search"]["sampler"]


def test_a_key_that_said_something_is_still_part_of_the_sweep():
    halving = next(r for r in RECORDED if r["search"]["pruning"]["rule"] == "halving")
    pruning = {**as_written(halving)["search"]["pruning"], "reduction_factor": 4}
    changed = {**halving, "search": {**halving["search"], "pruning": pruning}}
    assert difference(identity(halving), identity(validate(changed))) == [
        "search.pruning.reduction_factor: 2 → 4"
    ]


def test_the_file_on_a_sweeps_page_in_mlflow_runs_again(tmp_path):
    recorded = next(r for r in RECORDED if r["search"]["pruning"]["rule"] == "optuna")
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(recorded))
    assert difference(identity(recorded), identity(load_config(path))) == []
