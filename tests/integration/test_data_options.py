"""A sweep over options of the data on a real Ray: data put once, a model that knows its own."""

from __future__ import annotations

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
from trainers.data.choices import DataChoices

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SPEC = """
name: windows
data: {source: csv, path: load.csv, target: load}
space: {base: null, parameters: {data.input_steps: [4, 12], data.inputs: [[load], [load, temp]]}}
train: {cell: gru, hidden_size: 4, batch_size: 16, max_epochs: 2}
search: {sampler: grid}
run: {workers: 2}
finalists: {count: 2, ensemble: false}
"""
ROWS = 200


def test_data_are_put_once_and_each_model_keeps_its_own_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(ROWS, 2)), columns=["load", "temp"])
    frame.to_csv(tmp_path / "load.csv", index=False)
    (tmp_path / "windows.yaml").write_text(SPEC)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    put, real_put = [], ray.put
    monkeypatch.setattr(ray, "put", lambda value: (put.append(value), real_put(value))[1])

    sweeps = tmp_path / "sweeps"
    outcome = run_sweep(load_config(tmp_path / "windows.yaml"), sweeps)
    sync(sweeps, "windows")

    assert outcome.reason == "finished"
    (choices,) = put
    assert isinstance(choices, DataChoices)
    assert len(choices.by_key) == 4
    table = load_results("windows", sweeps)
    assert (table["state"] == "complete").all()
    assert set(table["params.data.inputs"]) == {"[load]", "[load, temp]"}

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("windows")
    assert experiment is not None
    models = client.search_logged_models([experiment.experiment_id])
    assert len(models) == 2
    for logged in models:
        row = table.set_index("number").loc[int(logged.tags["sweep.trial"])]
        model = open_model(f"models:/{logged.model_id}", sweeps)
        assert model.interface.reading.input_steps == row["params.data.input_steps"]
        assert model.interface.input_size == 1 + (row["params.data.inputs"] == "[load, temp]")
        assert logged.params["data.inputs"] == row["params.data.inputs"]
