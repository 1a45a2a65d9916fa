"""Whole sweeps that are judged by metrics that not every epoch has, or by a user's own."""

from __future__ import annotations

import textwrap

import pytest

from sweep.cli.printing_plan import show_plan
from sweep.errors import ConfigProblem
from sweep.history.state import Standing
from sweep.results.columns import columns_of, shown_in
from sweep.results.results import open_results
from sweep.running.plan import plan_sweep
from sweep.running.preparation import prepare
from sweep.running.replay import replay
from sweep.words.console import console
from tests.sweep.session_runs import Clumsy, Interrupted, config, fold, numbers, run

OWN = """
    import numpy as np

    def nearness(predictions, targets, mask):
        return float(-np.abs(predictions - targets)[mask].mean())

    nearness.direction = "maximize"
    nearness.unit = "m"

    def undecided(predictions, targets, mask):
        return float("nan")

    def broken_late(predictions, targets, mask):
        if np.array_equal(predictions, targets):
            return 0.0
        return "far off"
"""


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(textwrap.dedent(OWN))


def judged(*metrics, **search):
    return {"objectives": [{"metric": metric} for metric in metrics], **search}


NEAREST = {"metrics": ["own.py:nearness"], "search": judged("nearness")}


def test_a_function_of_ones_own_is_the_objective(tmp_path):
    assert run(tmp_path, **NEAREST).reason == "finished"
    state = fold(tmp_path)
    assert state.first_opened.objectives == ({"metric": "nearness", "direction": "maximize"},)
    for trial in state.trials.values():
        assert trial.values == (trial.best["nearness"],)
        assert trial.best["nearness"] == pytest.approx(-trial.best["mae"])
        assert {"mape", "smape", "wape"} <= trial.best.keys()
    results = open_results("s", tmp_path)
    best = max(state.trials.values(), key=lambda trial: trial.best["nearness"])
    assert results.best().number == best.number
    assert results.unit("nearness") == "m"
    assert {"nearness", "mape"} <= best.test.keys()
    assert replay(tmp_path, "s", best.number).bit_equal


def test_deaths_change_none_of_its_numbers(tmp_path):
    torn = NEAREST | {"run": {"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6}}
    run(tmp_path / "whole", **torn)
    run(tmp_path / "clumsy", Clumsy(every=7), **torn)
    assert numbers(tmp_path / "clumsy") == numbers(tmp_path / "whole")
    with pytest.raises(MemoryError):
        run(tmp_path / "killed", Interrupted(polls=6), **torn)
    run(tmp_path / "killed", **torn)
    assert numbers(tmp_path / "killed") == numbers(tmp_path / "whole")


def test_late_metrics_are_in_files_and_the_record_not_in_the_plain_table(tmp_path):
    run(tmp_path, metrics=["smape"], budget={"trials": 1})
    results = open_results("s", tmp_path)
    shown = {column.name for column in shown_in("table", results)}
    assert {"best.mae", "best.smape", "test.smape"} <= shown
    assert not {"best.mape", "test.wape"} & shown
    assert {"best.mape", "test.wape"} <= {column.name for column in columns_of(results)}


def test_a_metric_that_is_nan_is_absent(tmp_path, capfd):
    run(tmp_path, metrics=["own.py:undecided"], budget={"trials": 1})
    [trial] = fold(tmp_path).trials.values()
    assert trial.state is Standing.COMPLETE
    assert "undecided" not in trial.best


def test_a_function_that_fails_in_training_fails_the_trial_in_one_line(tmp_path):
    run(tmp_path, metrics=["own.py:broken_late"], budget={"trials": 1})
    [trial] = fold(tmp_path).trials.values()
    assert trial.state is Standing.FAILED
    assert "own.py:broken_late returned 'far off' (str)" in trial.message


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metrics": ["auc"]}, "metrics 'auc' can't be measured here: .* classes or labels"),
        ({"metrics": ["rmse/h2"]}, "metrics 'rmse/h2' .* horizon is 1"),
        ({"search": judged("crps")}, "search.objectives metric 'crps' .* quantiles"),
        (
            {"search": {"constraints": [{"metric": "f1/yes", "min": 0.5}]}},
            "search.constraints metric 'f1/yes' .* classes or labels",
        ),
        ({"metrics": ["own.py:undecided", "own.py:missing"]}, "no function 'missing'"),
        ({"search": judged("parameters")}, "at least one validation metric"),
    ],
)
def test_what_cant_be_measured_is_refused_before_anything_is_trained(changes, says):
    with pytest.raises(ConfigProblem, match=says):
        prepare(config(**changes))


def test_plan_says_what_is_measured_and_when(tmp_path, capsys):
    show_plan(console(), plan_sweep(config(metrics=["smape"]), tmp_path))
    said = " ".join(capsys.readouterr().out.split())
    assert "Metrics: at each epoch loss, mse, rmse, mae, r2, smape" in said
    assert "at a trial's end mape, mape_left_out, wape" in said
