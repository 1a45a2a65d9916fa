"""Shrinking a sweep for `rnn-sweep smoke`: every preset, and what a file of one's own may hold."""

from __future__ import annotations

import pytest

from sweep.config.file import preset_names
from sweep.config.sweep_config import load_config, validate
from sweep.history.goal import Goal
from sweep.history.state import Standing, TrialState
from sweep.running.preparation import prepare
from sweep.smoke import shrinking
from sweep.smoke.shrinking import shrunk
from tests.sweep.preset_data import data_overrides

HARD = {
    "name": "hard",
    "data": {"source": "adding", "length": 12, "train_sequences": 500},
    "space": {
        "base": None,
        "parameters": {
            "batch_size": [32, 64],
            "max_epochs": {"low": 20, "high": 40},
            "hidden_size": {"low": 4, "high": 8},
        },
    },
    "search": {
        "sampler": "tpe",
        "objectives": [{"metric": "rmse"}, {"metric": "parameters"}],
        "constraints": [{"metric": "rmse", "max": 0.01}, {"metric": "r2", "min": 0.9}],
        "enqueue": [{"batch_size": 64, "hidden_size": 6}],
        "warm_start": ["earlier"],
    },
    "budget": {"trials": 100, "hours": 9.0, "gpu_hours": 2.0},
    "run": {"workers": 16, "pack": 8, "device": "cuda", "address": "10.0.0.1:6379", "threads": 4},
    "cluster": {"cpus": 8, "gpus": 1.0, "max_workers": 16},
    "finalists": {"count": 5, "replicates": 5},
    "tracking": {"enabled": False, "register_as": "hard"},
}


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_shrinks_to_a_sweep_that_fits_its_data(name, tmp_path):
    config = load_config(name, data_overrides(name, tmp_path))
    tiny = shrunk(config, tmp_path, stream=name == "shakespeare")
    prepared = prepare(tiny)
    assert tiny.name == f"{name}-smoke"
    assert tiny.budget.trials == 4
    for part in prepared.data.parts().values():
        most = shrinking.STREAM_STEPS if prepared.data.walk == "stream" else 64 * part.time_steps
        assert len(part) * part.time_steps <= most
    for number in range(10):
        train = prepared.train_config(number, prepared.space.sample(number))
        assert (train.max_epochs, train.batch_size) in {(6, 8), (3, 8)}
    assert tiny.finalists.count == 1
    assert tiny.search.pruning.rule == "none"


def test_what_only_takes_time_is_cut_and_what_can_not_hold_is_loosened(tmp_path):
    tiny = shrunk(validate(HARD), tmp_path)
    assert tiny.space.parameters["batch_size"] == [8]
    assert tiny.space.parameters["max_epochs"] == [6]
    assert tiny.search.enqueue == ({"batch_size": 8, "hidden_size": 6},)
    assert tiny.search.warm_start == ()
    assert len(tiny.search.objectives) == 2
    assert (tiny.budget.hours, tiny.budget.gpu_hours) == (None, None)
    assert (tiny.run.workers, tiny.run.pack, tiny.run.device) == (2, 2, "auto")
    assert (tiny.run.address, tiny.run.log, tiny.run.threads) == (None, None, 1)
    assert tiny.cluster == validate({"name": "x", "data": {"source": "digits"}}).cluster
    assert (tiny.finalists.count, tiny.finalists.replicates) == (1, 1)
    trial = TrialState(0, "u", {}, {}, 0, "sampler", 0.0, state=Standing.COMPLETE)
    trial.best = {"rmse": 7.0, "r2": -3.0}
    assert Goal.of_task(tiny, "regression").allows(trial)
    prepare(tiny)


def test_a_smoke_is_recorded_and_registers_nothing(tmp_path):
    tiny = shrunk(validate(HARD), tmp_path)
    assert tiny.tracking.enabled
    assert tiny.tracking.register_as is None
    assert tiny.tracking.uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert shrunk(validate(HARD), tmp_path, use_tracker=True).tracking.uri is None


def test_what_set_names_is_left_as_it_is(tmp_path):
    given = {
        "data.limit": 200,
        "train.max_epochs": 30,
        "budget.trials": 9,
        "run.workers": 3,
        "search.pruning.rule": "halving",
        "search.constraints": [{"metric": "parameters", "max": 10}],
    }
    overrides = [f"{key}={value}" for key, value in given.items()]
    tiny = shrunk(load_config("adding", overrides), tmp_path, given=given)
    assert tiny.data.limit == 200
    assert tiny.train == {"batch_size": 8, "max_epochs": 30}
    assert (tiny.budget.trials, tiny.run.workers) == (9, 3)
    assert (tiny.search.pruning.rule, tiny.search.pruning.min_epochs) == ("halving", 3)
    assert tiny.search.constraints[0].max == 10


def test_what_is_smaller_already_stays(tmp_path):
    small = validate(HARD | {"data": HARD["data"] | {"limit": 5}, "run": {"workers": 1}})
    tiny = shrunk(small, tmp_path)
    assert (tiny.data.limit, tiny.run.workers) == (5, 1)


def test_rows_that_are_not_read_stay_unread(tmp_path):
    rows = validate(HARD | {"data": {"source": "csv", "path": "x", "limit": {"last": 1000}}})
    for stream, sequences in ((False, 64), (True, 4096)):
        limit = shrunk(rows, tmp_path, stream=stream).data.limit
        assert (limit.first, limit.last, limit.sequences) == (None, 1000, sequences)
    few = {"source": "csv", "path": "x", "limit": {"last": 1000, "sequences": 5}}
    assert shrunk(validate(HARD | {"data": few}), tmp_path).data.limit.sequences == 5


def test_a_grid_keeps_its_dimensions(tmp_path):
    space = {"base": None, "parameters": {"batch_size": [16, 32]}}
    config = validate(HARD | {"space": space, "search": {"sampler": "grid"}})
    assert prepare(shrunk(config, tmp_path)).space.size() == 1


def test_nothing_that_lies_there_is_overwritten(tmp_path):
    for taken in ("hard-smoke", "hard-smoke-2"):
        (tmp_path / taken).mkdir()
    assert shrunk(validate(HARD), tmp_path).name == "hard-smoke-3"
