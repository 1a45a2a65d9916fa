"""Logged models for real: in MLflow's SQLite store, loaded by a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mlflow.tracking import MlflowClient
from safetensors.torch import load_file

from sweep.errors import TrackerUnavailable
from sweep.log.checkpoints import checkpoint_path
from sweep.models.champions import finalist_of
from sweep.models.package import package
from sweep.models.recorder import ModelRecorder
from sweep.models.registering import register_trial
from sweep.models.trained import load_streaming, open_model
from sweep.results.results import open_results
from sweep.tracking.sync import sync
from tests.integration.mlflow_store import points_told_twice
from tests.sweep import session_runs
from tests.trainers.factory import ACCURACY
from tests.trainers.panel_factory import panel, window_of
from tests.trainers.portable_factory import (
    LENGTHS,
    MASK,
    RAW,
    characters,
    named_classes,
    raw_records,
    regression,
    trained,
)
from trainers.learning.checkpoint import read_checkpoint
from trainers.use.export import named_weights

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LOAD = """
import json, sys

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("ray", "optuna", "openpyxl", "sweep", "search_spaces"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())  # what a model does not require
import mlflow, trainers
requests = json.load(sys.stdin)
answers = {}
for path, records in requests.items():
    try:
        answers[path] = mlflow.pyfunc.load_model(path).predict(records)
    except Exception as error:
        answers[path] = str(error)
json.dump({"answers": answers, "trainers": trainers.__file__}, sys.stdout)
"""


def loaded_elsewhere(requests: dict[Path, list[dict[str, Any]]], cwd: Path) -> dict[str, Any]:
    """Load models and ask them, in a process that may not unpickle and knows no project."""
    run = subprocess.run(
        [sys.executable, "-P", "-c", LOAD],
        input=json.dumps({str(path): records for path, records in requests.items()}),
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "PYTHONPATH": str(next(iter(requests)) / "code"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def kinds(tmp_path: Path) -> dict[str, tuple[Any, Any, list[dict[str, Any]]]]:
    """A pack, its model and a request, for every kind of network and data."""

    def folder(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    one, every = regression(one_target=True), regression()
    classes = named_classes()
    labels = {"readout": "every", "loss": "cross_entropy"}
    shown = [{"steps": classes.train.inputs[r, :n].tolist()} for r, n in enumerate(LENGTHS)]
    gaps = [{"steps": RAW[0].tolist(), "mask": MASK[1].tolist()}, *raw_records()]
    begun = [{**raw_records()[0], "state": ""}]
    text = characters(folder("text"))
    return {
        "one": (*trained(folder("one"), one, cell="gru"), raw_records()),
        "every": (*trained(folder("every"), every, readout="every", num_layers=2), gaps),
        "classes": (*trained(folder("classes"), classes, ACCURACY, **labels), shown),
        "text": (text[1], text[2], [{"text": "abaca"}, {"ids": [1, 2], "probabilities": True}]),
        "state": (*trained(folder("state"), every, readout="every"), begun),
        "series": series(folder("series")),
    }


def series(folder: Path) -> tuple[Any, Any, list[dict[str, Any]]]:
    """The same of series with times, names, holidays and gaps that are filled."""
    trained = panel(folder)
    steps, _ = window_of(trained, "B")
    lists = [list(step.values()) for step in steps]
    missing = [{**steps[0], "kind": "never seen"}, {**steps[1], "temp": None}, *steps[2:]]
    requests = [{"steps": steps, "series": "B"}, {"steps": lists, "series": "B"}]
    requests += [{"steps": missing, "series": "C"}, {"steps": steps, "series": "B", "state": ""}]
    return trained.test, trained.model, requests


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    tmp_path = tmp_path_factory.mktemp("kinds")
    made = kinds(tmp_path)
    for name, (_, model, _) in made.items():
        package(model, tmp_path / name / "model", {"sweep": "s", "trial": 0})
    return tmp_path, made


def test_every_kind_of_model_answers_in_a_process_that_may_not_unpickle(models, tmp_path: Path):
    folder, made = models
    other = tmp_path / "model"
    shutil.copytree(folder / "one" / "model", other)
    config = other / "artifacts" / "network" / "config.json"
    config.write_text(config.read_text().replace('"format": 1', '"format": 7'))

    requests = {folder / name / "model": records for name, (_, _, records) in made.items()}
    found = loaded_elsewhere({**requests, other: raw_records()}, tmp_path)
    answers = found["answers"]
    for name, (_, model, records) in made.items():
        assert answers[str(folder / name / "model")] == model.predict(records), name
    assert found["trainers"].startswith(str(folder))  # the model's own code, not the project's
    assert "model's format must be 1" in answers[str(other)]
    assert "has 7; load it with the version of rnn-sweep" in answers[str(other)]

    # These are the outputs that the trials were judged by.
    pack, _, _ = made["one"]
    predicted = [answer["load"] for answer in answers[str(folder / "one" / "model")]]
    own = (
        regression(one_target=True).train.targets[np.arange(4), np.array(LENGTHS) - 1, 0] * 100
        + 300
    )
    rmse = np.sqrt(np.mean((np.array(predicted) - own) ** 2))
    assert rmse == pytest.approx(pack.evaluate(0, "train")["rmse"], rel=1e-6)


def test_a_logged_model_of_series_is_stepped_by_times_and_names(models):
    folder, made = models
    _, model, (by_name, by_place, *_) = made["series"]
    stepped = load_streaming(folder / "series" / "model")
    assert stepped.inputs == tuple(by_name["steps"][0])
    one_by_one = [stepped.step([step], "B")[0, 0] for step in by_name["steps"]]
    stepped.clear_state()
    at_once = stepped.step([by_place["steps"]], "B")[0, :, 0]
    assert at_once == pytest.approx(one_by_one, rel=1e-6)
    assert one_by_one[-1] == pytest.approx(model.predict([by_name])[0]["load"], rel=1e-6)


def test_a_models_folder_holds_code_weights_and_config_only(models):
    folder, _ = models
    model = folder / "every" / "model"
    endings = {path.suffix for path in model.rglob("*") if path.is_file()}
    assert endings == {"", ".py", ".yaml", ".txt", ".json", ".safetensors"}
    best = named_weights(read_checkpoint(folder / "every" / "trial"))
    stored = load_file(model / "artifacts" / "network" / "weights.safetensors")
    assert all(torch.equal(stored[name], best[name]) for name in best)
    requirements = (model / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in requirements] == [
        "mlflow",
        "torch",
        "numpy",
        "pandas",
        "safetensors",
    ]
    assert all("==" in line and "+" not in line for line in requirements)
    of_series = (folder / "series" / "model" / "requirements.txt").read_text()
    assert {"pyarrow", "holidays"} <= {line.partition("==")[0] for line in of_series.split()}
    modules = {path.name for path in (model / "code" / "trainers").rglob("*.py")}
    assert {"portable.py", "streaming.py", "native.py"} <= modules
    assert not {"pack.py", "optim.py", "windows.py"} & modules


# -- in MLflow -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store whose tables exist: making them takes seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished sweep of three trials and two finalists."""
    folder = tmp_path_factory.mktemp("swept")
    finalists = {"count": 2, "ensemble": False}
    session_runs.run(folder, budget__trials=3, tracking__register_as="adding", finalists=finalists)
    return folder


@pytest.fixture
def directory(tmp_path: Path, store: Path, swept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copytree(swept, tmp_path / "sweeps")
    shutil.copy(store, tmp_path / "sweeps" / "mlflow.db")
    return tmp_path / "sweeps"


def client_of(directory: Path) -> MlflowClient:
    uri = f"sqlite:///{directory / 'mlflow.db'}"
    return MlflowClient(uri, uri)


def logged(directory: Path) -> list[Any]:
    client = client_of(directory)
    experiment = client.get_experiment_by_name("s")
    found = client.search_logged_models([experiment.experiment_id])
    return sorted(found, key=lambda model: model.name)


def forget_offset(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "s" / "sweep.db")) as log:
        log.execute("delete from offsets")
        log.commit()


def test_finalists_are_logged_once_whatever_is_replayed(directory: Path):
    lines: list[str] = []
    assert sync(directory, "s", notify=lines.append).behind == 0
    first = logged(directory)
    fold = session_runs.fold(directory)
    finalists = sorted(t.number for t in fold.trials.values() if t.test)
    assert [model.name for model in first] == [f"s-{number}" for number in finalists]
    assert len(lines) == 1
    assert "is version 1 of 'adding' and its champion: there was no champion" in lines[0]

    trial = fold.trials[finalists[0]]
    assert first[0].tags["sweep.trial_uid"] == trial.uid
    note = first[0].tags["mlflow.note.content"]
    assert "curl URL/invocations" in note
    assert client_of(directory).get_model_version("adding", "1").description == note
    run = client_of(directory).get_run(first[0].source_run_id)
    (output,) = run.outputs.model_outputs
    assert (output.model_id, output.step) == (first[0].model_id, trial.best_epoch)
    shown = {metric.key: metric.value for metric in first[0].metrics}
    assert shown["test/rmse"] == trial.test["rmse"]
    assert points_told_twice(directory / "mlflow.db") == []

    # A model that a killed sink left half-written is replaced, the others stay.
    client = client_of(directory)
    with closing(sqlite3.connect(directory / "mlflow.db")) as connection:
        connection.execute(
            "update logged_models set status = 1 where model_id = ?", (first[1].model_id,)
        )
        connection.commit()
    forget_offset(directory)
    assert sync(directory, "s").behind == 0
    second = logged(directory)
    assert [model.name for model in second] == [model.name for model in first]
    assert second[0].model_id == first[0].model_id
    assert second[1].model_id != first[1].model_id
    assert len(client.search_model_versions("name = 'adding'")) == 1


def test_a_checkpoint_that_is_gone_costs_one_line_and_nothing_else(directory: Path):
    lost = next(t for t in session_runs.fold(directory).trials.values() if t.test)
    checkpoint_path(directory / "s", lost.checkpoint).unlink()
    lines: list[str] = []
    assert sync(directory, "s", notify=lines.append).behind == 0
    assert len(logged(directory)) == 1
    (line,) = (line for line in lines if "is not logged" in line)
    assert f"the model of s-{lost.number} is not logged: a checkpoint must be" in line


def test_artifacts_that_find_no_room_cost_one_line_a_model(
    directory: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sweep.models.recorder._PAUSE_SECONDS", 0.0)
    (directory / "mlartifacts").write_text("a file where a folder must be")
    lines: list[str] = []
    assert sync(directory, "s", notify=lines.append).behind == 0
    refused = [line for line in lines if "is not logged" in line]
    assert len(refused) == 2
    assert logged(directory) == []
    (directory / "mlartifacts").unlink()
    assert register_trial("s", None, "late", directory).endswith("there was no champion")


def test_a_tracker_that_is_away_is_waited_for_and_models_come_when_it_is_back(
    directory: Path, monkeypatch: pytest.MonkeyPatch
):
    answer, refusals, lines = ModelRecorder._log, [True, True], []

    def away_at_first(recorder: ModelRecorder, finalist: Any, model: Any) -> str:
        if refusals:
            refusals.pop()
            raise TrackerUnavailable("MLflow is away")
        return answer(recorder, finalist, model)

    monkeypatch.setattr(ModelRecorder, "_log", away_at_first)
    assert sync(directory, "s", notify=lines.append).behind == 0
    assert len(logged(directory)) == 2
    assert not any("is not logged" in line for line in lines)
    monkeypatch.undo()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    found = open_results("s", directory)
    finalist = finalist_of(found.best(), found.state, found.config)
    with pytest.raises(TrackerUnavailable, match=r"at http://\*\*\*@127.0.0.1:9 takes no models"):
        ModelRecorder("http://me:secret@127.0.0.1:9", "s", directory / "s").log(finalist)


def test_the_registry_keeps_the_better_model_on_the_same_data(directory: Path):
    sync(directory, "s", notify=[].append)
    found = open_results("s", directory)
    recorder = ModelRecorder(f"sqlite:///{directory / 'mlflow.db'}", "s", directory / "s")
    tested = [trial for trial in found.trials if trial.test]
    first, second = (finalist_of(trial, found.state, found.config) for trial in tested)
    ids = [recorder.log(first), recorder.log(second)]

    def champion() -> str:
        version = client_of(directory).get_model_version_by_alias("load", "champion")
        return version.tags["sweep.trial_uid"]

    worse, better = replace(first, test={"rmse": 0.9}), replace(second, test={"rmse": 0.8})
    recorder.register(worse, ids[0], "load")
    assert champion() == first.uid
    strange = replace(better, digest="other")
    assert "different data, so the champion stays" in recorder.register(strange, ids[1], "load")
    assert champion() == first.uid
    for _ in range(2):
        recorder.register(better, ids[1], "load")
        assert champion() == second.uid
    assert "not its champion" in recorder.register(worse, ids[0], "load")
    assert champion() == second.uid
    assert len(client_of(directory).search_model_versions("name = 'load'")) == 2


def test_models_are_found_again_by_every_name(directory: Path):
    sync(directory, "s", notify=[].append)
    complete = session_runs.fold(directory).trials.values()
    best = min((t for t in complete if t.values), key=lambda t: t.values[0]).number
    model = next(m for m in logged(directory) if m.name == f"s-{best}")
    steps = [[0.5, 1.0], [0.1, 0.0], [0.2, 1.0]]
    expected = open_model("s", directory).predict([{"steps": steps}])
    names = (
        "models:/adding@champion",
        "models:/adding/1",
        "models:/adding/latest",
        f"models:/{model.model_id}",
        f"runs:/{model.source_run_id}/{model.name}",
        f"s/{best}",
        model.artifact_location.removeprefix("file://"),
    )
    for name in names:
        assert open_model(name, directory).predict([{"steps": steps}]) == expected, name
    stepped = load_streaming("models:/adding@champion", directory)
    outputs = [stepped.step(np.array([step])) for step in steps]
    (name,) = expected[0]
    assert outputs[-1][0, 0] == pytest.approx(expected[0][name], rel=1e-6)
