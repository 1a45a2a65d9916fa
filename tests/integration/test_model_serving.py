"""A model logged through a tracking server, then behind HTTP: what curl would send."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from sweep.log.checkpoints import checkpoint_path
from sweep.models.champions import Finalist
from sweep.models.package import package
from sweep.models.recorder import ModelRecorder
from sweep.models.trained import open_model
from tests.integration.mlflow_server import answers as is_up
from tests.integration.mlflow_server import free_port, mlflow_server, wait_for
from tests.trainers.panel_factory import panel, window_of
from tests.trainers.portable_factory import RAW, regression, trained
from trainers.config.objective import Objective
from trainers.data.contract import SequenceData
from trainers.data.interface import write_interface

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@contextmanager
def served(model: str, tracking_uri: str, port: int, cwd: Path) -> Iterator[None]:
    """The command of the README, killed with all its processes at the end."""
    environment = {"MLFLOW_TRACKING_URI": tracking_uri}
    environment["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it starts uvicorn
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", model]
    process = subprocess.Popen(
        [*command, "--env-manager", "local", "--port", str(port), "--workers", "1"],
        env=os.environ | environment | {"PATH": path},
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: is_up(port) or process.poll() is not None, 120)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def posted(port: int, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)["predictions"]


def log(data: SequenceData, folder: Path, tracking_uri: str) -> None:
    """Log and register the trial in a folder, as the sink does."""
    write_interface(data, folder)
    client = MlflowClient(tracking_uri, tracking_uri)
    client.create_run(client.create_experiment("e"), tags={"sweep.trial_uid": "u"})
    checkpoint = checkpoint_path(folder, "trial")
    checkpoint.parent.mkdir()
    shutil.copy(folder / "trial", checkpoint)
    finalist = Finalist("u", "s", 0, "checkpoints/trial", 2, data.digest, Objective("rmse"))
    recorder = ModelRecorder(tracking_uri, "e", folder)
    model_id = recorder.log(finalist)
    assert recorder.log(finalist) == model_id
    assert "its champion" in recorder.register(finalist, model_id, "load")


def test_two_sequences_of_different_lengths_are_answered_and_a_state_is_handed_back(
    tmp_path: Path,
):
    data = regression()
    _, model = trained(tmp_path, data, readout="every")
    (tmp_path / "server").mkdir()
    tracking_port, port = free_port(), free_port()
    uri = f"http://127.0.0.1:{tracking_port}"
    long, short = RAW[0].tolist(), [[51, 40]]  # whole numbers are numbers
    with mlflow_server(tmp_path / "server" / "mlflow.db", tracking_port):
        log(data, tmp_path, uri)
        found = open_model("models:/load@champion", tracking_uri=uri)
        assert found.predict([{"steps": long}]) == model.predict([{"steps": long}])
        with served("models:/load@champion", uri, port, tmp_path):
            answers = posted(port, {"inputs": [{"steps": long}, {"steps": short}]})
            assert [len(answer["load"]) for answer in answers] == [6, 1]
            assert answers == model.predict([{"steps": long}, {"steps": short}])

            (first,) = posted(port, {"inputs": [{"steps": long[:4], "state": ""}]})
            (second,) = posted(port, {"inputs": [{"steps": long[4:], "state": first["state"]}]})
            assert [*first["load"], *second["load"]] == pytest.approx(answers[0]["load"], rel=1e-6)

            for wrong, line in (
                ({"steps": [[1.0]]}, "sequence 0: steps must be a list"),
                ({"stps": [[1.0]]}, "sequence 0 has no field 'stps'"),
            ):
                with pytest.raises(urllib.error.HTTPError) as refused:
                    posted(port, {"inputs": [wrong]})
                assert refused.value.code == 400
                assert line in refused.value.read().decode()


def test_steps_of_times_and_names_are_answered_and_what_does_not_fit_is_one_sentence(
    tmp_path: Path,
):
    trained = panel(tmp_path)
    package(trained.model, tmp_path / "model", {})
    steps, expected = window_of(trained, "B")
    lists = [list(step.values()) for step in steps]
    other = [*steps[:4], {**steps[4], "kind": "never seen"}]
    gap = [*steps[:4], {**steps[4], "temp": None}]
    port = free_port()
    with served(str(tmp_path / "model"), "", port, tmp_path):
        (by_name, by_place) = posted(
            port, {"inputs": [{"steps": each, "series": "B"} for each in (steps, lists)]}
        )
        assert by_name == by_place
        assert by_name["load"] == pytest.approx(expected, rel=1e-6)
        requests = [
            {"steps": other, "series": "B"},
            {"steps": gap, "series": "B"},
            {"steps": steps, "series": "unheard of"},
            {"steps": steps},
            {"steps": steps, "series": 7},
            {"steps": steps, "series": "B", "forecast": 1},
        ]
        answers = posted(port, {"inputs": requests})
        assert answers == trained.model.predict(requests)
        for wrong, line in (
            ([lists[0][:2]], "sequence 0: a step must hold 6 values (time, load, temp, kind, "),
            ([{"lod": "secret"}], "sequence 0: step 0 has no input 'lod'; did you mean 'load'?"),
            ([[*lists[0][:1], "secret", *lists[0][2:]]], "step 0 must have a number or null as"),
            ([["secret", *lists[0][1:]]], "each step must have a time later than the step's"),
            ("secret", "sequence 0: steps must be a list of at least one step, each with time"),
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                posted(port, {"inputs": [{"steps": wrong}]})
            assert refused.value.code == 400
            message = json.loads(refused.value.read())["message"]
            assert line in message
            assert "secret" not in message
            assert len(message) < 200
