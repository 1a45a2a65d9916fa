"""A sweep under halving on real Ray: its finalists are complete, combined, logged and served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from sweep.api import run_sweep
from sweep.cli.app import app
from sweep.errors import UserError
from sweep.models.onnx_file import export_onnx
from sweep.models.registering import register_trial
from sweep.models.trained import load_streaming, open_model
from sweep.results.export import best_json
from sweep.results.results import open_results
from sweep.tracking.sync import sync
from trainers.data import load_data

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

DATA = {
    "length": 8,
    "train_sequences": 64,
    "validation_sequences": 64,
    "test_sequences": 64,
}
SWEEP = {
    "name": "adding8",
    "data": {"source": "adding", **DATA},
    "space": {
        "base": None,
        "parameters": {"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}},
    },
    "train": {"hidden_size": 4, "batch_size": 16, "max_epochs": 18},
    "search": {"pruning": {"rule": "halving"}, "seed": 1},
    "budget": {"trials": 8},
    "run": {"workers": 2, "order": "reproducible"},
    "finalists": {"count": 3},
}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("finals") / "sweeps"
    run_sweep(SWEEP, directory=directory)
    sync(directory, "adding8")
    return directory


def asked() -> tuple[list[dict[str, Any]], np.ndarray]:
    """The test part as requests, and what is true."""
    test = load_data("adding", DATA, base_dir=Path()).test
    assert test is not None
    records = [{"steps": row.tolist()} for row in np.asarray(test.inputs, dtype=np.float64)]
    return records, np.asarray(test.targets)[:, -1, 0]


def rmse(answers: list[dict[str, Any]], truth: np.ndarray) -> float:
    said = np.array([next(iter(answer.values())) for answer in answers])
    return float(np.sqrt(np.mean((said - truth) ** 2)))


def test_eight_trials_leave_three_finalists_and_one_ensemble(swept: Path):
    results = open_results("adding8", swept)
    assert sum(bool(trial.test) for trial in results.trials) == 3
    found = results.state.ensembled
    assert found is not None
    assert found.better
    told = json.loads(best_json(results))["ensemble"]
    assert told["members"] == {str(number): count for number, count in found.taken.items()}
    shown = CliRunner().invoke(app, ["best", "adding8", "--dir", str(swept)])
    assert "Ensemble of trials" in shown.output


def test_mlflow_serves_the_ensemble_and_its_error_is_the_recorded_one(swept: Path):
    uri = f"sqlite:///{swept}/mlflow.db"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("adding8")
    assert experiment is not None
    logged = {m.name: m for m in client.search_logged_models([experiment.experiment_id])}
    assert len(logged) == 4
    model = logged["adding8-ensemble"]
    records, truth = asked()
    answers = mlflow.pyfunc.load_model(model.artifact_location).predict(records)
    found = open_results("adding8", swept).state.ensembled
    assert found is not None
    assert rmse(answers, truth) == pytest.approx(found.test["rmse"], rel=1e-5)
    parent = client.get_run(model.source_run_id)
    assert parent.data.tags["sweep.kind"] == "sweep"
    assert parent.data.metrics["ensemble/test/rmse"] == found.test["rmse"]
    assert {metric.key for metric in model.metrics} >= {"ensemble/val/rmse", "ensemble/test/rmse"}


def test_it_is_found_by_name_registered_and_stepped(swept: Path):
    records, truth = asked()
    ours = open_model("adding8/ensemble", swept).predict(records)
    found = open_results("adding8", swept).state.ensembled
    assert found is not None
    assert rmse(ours, truth) == pytest.approx(found.test["rmse"], rel=1e-5)
    stepped = load_streaming("adding8/ensemble", swept)
    last = [stepped.step([step]) for step in records[0]["steps"]][-1]
    assert last[0, 0] == pytest.approx(next(iter(ours[0].values())), rel=1e-5)
    with pytest.raises(UserError, match="an ONNX file needs one network, but adding8/ensemble is"):
        export_onnx("adding8/ensemble", swept / "model.onnx", swept)
    line = register_trial("adding8", None, "adding", swept)
    assert line.startswith("adding8-ensemble is version 1 of 'adding' and its champion")
    assert open_model("models:/adding@champion", swept).predict(records) == ours
    single = register_trial("adding8", found.single, "adding", swept)
    assert "version 2 of 'adding'" in single


def test_a_refitted_finalist_is_logged_compared_and_registered(swept: Path):
    command = ["refit", "adding8", "--as", "refitted", "--dir", str(swept)]
    first, again = (CliRunner().invoke(app, command) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert "version 1 of 'refitted' and its champion: there was no champion" in first.output
    assert "it is the champion already" in again.output
    results = open_results("adding8", swept)
    best = results.best()
    assert best is not None
    client = MlflowClient(f"sqlite:///{swept}/mlflow.db")
    version = client.get_model_version_by_alias("refitted", "champion")
    assert version.tags["refit_of"] == f"adding8/{best.number}"
    assert version.tags["refit_of.uid"] == best.uid
    records, truth = asked()
    model = mlflow.pyfunc.load_model(version.source)
    told = float(version.tags["sweep.test.rmse"])
    assert rmse(model.predict(records), truth) == pytest.approx(told, rel=1e-5)
    compared = register_trial("adding8", best.number, "refitted", swept)
    assert "against the champion's" in compared
