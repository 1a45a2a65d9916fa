"""A sweep over folds on a real Ray: the data put once, the numbers those of one process."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import ray
from mlflow.tracking import MlflowClient

from sweep.config.sweep_config import load_config
from sweep.models.trained import open_model
from sweep.results.rows import load_results
from sweep.running.session import run_sweep
from sweep.tracking.sync import sync
from sweep.work.executors import InProcessExecutor
from trainers.data.choices import DataChoices

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SPEC = """
name: folded
data: {source: csv, path: load.csv, target: load, input_steps: 6, folds: 3}
space:
  base: null
  parameters: {learning_rate: {low: 0.001, high: 0.1, log: true}, cell: [gru, rnn_tanh]}
train: {hidden_size: 4, batch_size: 16, max_epochs: 4}
search: {pruning: {rule: halving, reduction_factor: 2}}
budget: {trials: 6}
run: {workers: 2, order: reproducible}
finalists: {count: 1}
"""


def test_folds_on_ray_are_those_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    load = 20 + 10 * np.sin(np.arange(200) / 5) + rng.normal(size=200)
    pd.DataFrame({"load": load}).to_csv(tmp_path / "load.csv", index=False)
    (tmp_path / "folded.yaml").write_text(SPEC)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    put, real_put = [], ray.put
    monkeypatch.setattr(ray, "put", lambda value: (put.append(value), real_put(value))[1])

    config = load_config(tmp_path / "folded.yaml")
    outcome = run_sweep(config, tmp_path / "sweeps")
    sync(tmp_path / "sweeps", "folded")
    untracked = load_config(tmp_path / "folded.yaml", ["tracking.enabled=false"])
    run_sweep(untracked, tmp_path / "here", executor=InProcessExecutor())

    assert outcome.reason == "finished"
    (choices,) = [value for value in put if isinstance(value, DataChoices)]
    assert choices.folds == 3
    table, same = (load_results("folded", tmp_path / name) for name in ("sweeps", "here"))
    assert set(table["state"]) == {"complete", "pruned"}
    compared = [
        "state",
        "epochs",
        "objective",
        "best_epoch",
        *(f"best.fold/{n}/rmse" for n in range(3)),
    ]
    pd.testing.assert_frame_equal(table[compared], same[compared], check_exact=True)

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("folded")
    assert experiment is not None
    for run in client.search_runs([experiment.experiment_id], "tags.state = 'complete'"):
        metrics = run.data.metrics
        own = [metrics[f"fold/{number}/rmse"] for number in range(3)]
        assert metrics["best/rmse"] == pytest.approx(statistics.fmean(own), rel=1e-12)
    (logged,) = client.search_logged_models([experiment.experiment_id])
    model = open_model(f"models:/{logged.model_id}", tmp_path / "sweeps")
    assert model.interface.digest == choices.default.digest
