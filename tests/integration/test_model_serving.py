"""A logged model behind HTTP: `mlflow models serve`, and what curl would send."""

from __future__ import annotations

import json
import os
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

from sweep.models.package import package
from tests.integration.mlflow_server import answers as is_up
from tests.integration.mlflow_server import free_port, wait_for
from tests.trainers.portable_factory import RAW, regression, trained

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@contextmanager
def served(model: Path, port: int) -> Iterator[None]:
    """The command of the README, killed with all its processes at the end."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it starts uvicorn
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model)]
    process = subprocess.Popen(
        [*command, "--env-manager", "local", "--port", str(port), "--workers", "1"],
        env=os.environ | {"PATH": path, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        cwd=model.parent,
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


def test_two_sequences_of_different_lengths_are_answered_and_a_state_is_handed_back(
    tmp_path: Path,
):
    _, model = trained(tmp_path, regression(), readout="every")
    package(model, tmp_path / "model", {"sweep": "s"})
    port = free_port()
    long, short = RAW[0].tolist(), [[51, 40]]  # whole numbers are numbers
    with served(tmp_path / "model", port):
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
