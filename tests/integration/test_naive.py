"""Naive forecasts of a sweep on a real Ray, from its table to MLflow, and once in its life."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweep.__main__ import main
from sweep.config.sweep_config import load_config
from sweep.log.kinds import Baselined, Reported
from sweep.log.places import open_log
from sweep.running.session import run_sweep
from sweep.tracking.sync import sync
from tests.integration.mlflow_store import points_told_twice, stored_runs

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SPEC = """
name: load
data: {source: csv, path: load.csv, target: load, time_column: day, input_steps: 8,
       calendar: [], units: kWh}
space: {base: null, parameters: {hidden_size: [4, 8]}}
train: {cell: gru, batch_size: 32, max_epochs: 3, learning_rate: 0.01}
search: {sampler: grid}
run: {workers: 1}
finalists: {count: 1}
"""
WEEK = np.array([100.0, 120, 80, 90, 140, 20, 10])
DAYS = 280


def load() -> pd.DataFrame:
    """A week that repeats itself but for a little noise: a season ago is hard to beat."""
    noise = np.random.default_rng(0).normal(0, 3, DAYS)
    day = pd.date_range("2023-01-02", periods=DAYS).strftime("%Y-%m-%d")
    return pd.DataFrame({"day": day, "load": np.tile(WEEK, DAYS // 7) + noise})


def test_they_are_in_log_json_and_mlflow_once_and_are_what_anybody_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
    frame = load()
    frame.to_csv(tmp_path / "load.csv", index=False)
    (tmp_path / "load.yaml").write_text(SPEC)
    for trials in (1, 2):  # the second goes on
        config = load_config(tmp_path / "load.yaml", options={"budget.trials": trials})
        assert run_sweep(config, tmp_path / "sweeps").reason == "finished"
    sync(tmp_path / "sweeps", "load", page=False)

    log = open_log(tmp_path / "sweeps" / "load")
    told = [event.what for event in log.read()]
    log.close()
    (found,) = [what for what in told if isinstance(what, Baselined)]
    assert isinstance(next(w for w in told if isinstance(w, Baselined | Reported)), Reported)
    assert set(found.metrics) == {"persistence", "seasonal", "mean", "ridge"}

    capsys.readouterr()
    arguments = ["best", "load", "--format", "json", "--dir", str(tmp_path / "sweeps")]
    assert main(arguments) == 0
    best = json.loads(capsys.readouterr().out)
    values = frame["load"].to_numpy()
    tests = slice(round(DAYS * 0.85), DAYS)
    for name, lag in (("persistence", 1), ("seasonal", 7)):
        error = values[tests] - values[tests.start - lag : tests.stop - lag]
        expected = np.sqrt(np.square(error).mean())
        assert best["baselines"][name]["test"]["rmse"] == pytest.approx(expected, rel=1e-5)
    naive = min(own["validation"]["rmse"] for own in best["baselines"].values())
    assert best["skill"] == pytest.approx(1 - best["best"]["rmse"] / naive)

    runs = stored_runs(store)
    parent = next(run for run in runs.values() if run.parent is None)
    points = {key: value for key, value, _, _ in parent.points}
    for name, parts in best["baselines"].items():
        assert points[f"baseline/{name}/rmse"] == parts["validation"]["rmse"]
        assert points[f"baseline/test/{name}/rmse"] == parts["test"]["rmse"]
    assert points["skill"] == pytest.approx(best["skill"])
    finalist = next(r for r in runs.values() if r.name == f"load-{best['number']}")
    own = {key: value for key, value, _, _ in finalist.points}
    assert own["skill"] == pytest.approx(best["skill"])
    assert own["test/skill"] == pytest.approx(best["test_skill"])
    assert points_told_twice(store) == []

    # Three epochs don't learn a week by heart.
    assert main(["results", "load", "--dir", str(tmp_path / "sweeps")]) == 0
    assert "No trial beats " in " ".join(capsys.readouterr().out.split())
