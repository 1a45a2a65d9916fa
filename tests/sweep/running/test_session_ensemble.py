"""Whole sweeps whose finalists are combined."""

import numpy as np
import pytest

from sweep.log.event_log import EventLog
from sweep.log.kinds import Ensembled
from tests.sweep.session_runs import Clumsy, Interrupted, fold, run

THREE = {"finalists": {"count": 3}, "train__max_epochs": 6}


def told(tmp_path):
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    try:
        return [e.what for e in log.read() if isinstance(e.what, Ensembled)]
    finally:
        log.close()


def test_finalists_are_combined_once(tmp_path):
    outcome = run(tmp_path, **THREE)
    (found,) = told(tmp_path)
    assert [int(number) for number in found.members] == list(outcome.finalists)
    best = fold(tmp_path).trials[outcome.best]
    assert found.single == outcome.best
    assert found.validation["rmse"] <= best.best["rmse"] + 1e-9
    if not found.better:
        assert found.taken == {outcome.best: 1}
        assert found.test["rmse"] == pytest.approx(best.test["rmse"], rel=1e-6)
    again = run(tmp_path, **THREE)
    assert again.nothing_left
    assert len(told(tmp_path)) == 1
    assert fold(tmp_path).ensembled == found


def test_members_that_are_better_together_say_how_much_on_test(tmp_path):
    run(tmp_path, **{**THREE, "finalists": {"count": 5}})
    (found,) = told(tmp_path)
    assert found.better
    assert len(found.taken) > 1
    low, high = found.difference
    single = fold(tmp_path).trials[found.single]
    assert low <= found.test["rmse"] - single.test["rmse"] <= high


def test_they_are_the_same_whoever_dies_meanwhile(tmp_path):
    run(tmp_path / "calm", **THREE)
    for polls in (9, 14, 18):
        try:
            run(tmp_path / "wild", Interrupted(polls), **THREE)
        except MemoryError:
            continue
    run(tmp_path / "wild", Clumsy(every=5), **THREE)
    assert sorted(told(tmp_path / "wild")[-1].members) == sorted(told(tmp_path / "calm")[0].members)


def test_a_sweep_that_wants_none_has_none(tmp_path):
    run(tmp_path, finalists={"count": 3, "ensemble": False})
    assert told(tmp_path) == []
    run(tmp_path, finalists={"count": 3})
    assert len(told(tmp_path)) == 1


def test_an_objective_that_means_do_not_have_is_said(tmp_path):
    run(tmp_path, **THREE, search={"objectives": [{"metric": "loss"}]})
    (found,) = told(tmp_path)
    assert found.reason == "loss is not defined for the mean of several trials."
    assert (found.taken, found.validation) == ({}, {})


def test_with_more_trials_other_finalists_are_combined_anew(tmp_path):
    run(tmp_path, **THREE)
    run(tmp_path, **{**THREE, "budget__trials": 15})
    first, *_, last = told(tmp_path)
    assert list(last.members) != list(first.members)


def test_trials_of_other_windows_and_scales_are_combined(tmp_path):
    rows = np.arange(400)
    values = np.sin(rows / 9) * 10 + 50
    lines = "\n".join(f"{value:.5f}" for value in values)
    (tmp_path / "wave.csv").write_text(f"y\n{lines}\n")
    data = {"source": "csv", "path": str(tmp_path / "wave.csv"), "target": "y"}
    parameters = {
        "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
        "data.input_steps": [4, 8],
        "data.scaling": ["standard", "none"],
    }
    run(
        tmp_path,
        data={**data, "inputs": ["y"], "input_steps": 8},
        space={"base": None, "parameters": parameters},
        finalists={"count": 5},
    )
    (found,) = told(tmp_path)
    state = fold(tmp_path)
    choices = {state.trials[int(number)].config["data_choice"] for number in found.members}
    assert len(choices) > 1
    assert found.reason == ""
    assert found.validation["rmse"] <= state.trials[found.single].best["rmse"] + 1e-6
