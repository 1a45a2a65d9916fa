"""`rnn-sweep smoke` for real: Ray, Optuna, MLflow, a SIGKILL, a champion; and a broken sweep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from junitparser import JUnitXml
from mlflow.tracking import MlflowClient

from sweep.config.sweep_config import validate
from sweep.log.event_log import EventLog
from sweep.running.preparation import prepare
from sweep.running.session import run_sweep
from sweep.smoke.checks import FALLS, NAMES
from sweep.smoke.gate import parse_gate
from sweep.smoke.gate_names import champion_values
from sweep.smoke.gate_syntax import GateError
from sweep.smoke.readback import read_back
from sweep.smoke.run import Ran
from sweep.smoke.shrinking import shrunk
from sweep.tracking.sync import sync
from sweep.work.executors import InProcessExecutor
from tests.sweep.session_runs import Interrupted

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SPEC = """
name: load
data: {source: adding, length: 10, train_sequences: 4000}
space:
  base: null
  parameters: {learning_rate: {low: 3e-3, high: 1e-2, log: true}, cell: [lstm, gru]}
train: {hidden_size: 16, max_epochs: 100, batch_size: 64}
search:
  objectives: [{metric: rmse}]
  constraints: [{metric: rmse, max: 0.01}]
  pruning: {rule: halving}
  warm_start: [nowhere]
budget: {trials: 100}
run: {pack: 4}
tracking: {register_as: load}
"""
FIRES = "best/val_rmse > 1.5 * champion"
PASSES = "trials/failed > 0 or best/test_rmse > 1000 * champion and seconds > 0"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tracker whose registry has a champion with a validation RMSE that nobody beats."""
    folder = tmp_path_factory.mktemp("champions")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.create_registered_model("load")
    tags = {"sweep.best.rmse": "0.001", "sweep.test.rmse": "0.002"}
    made = client.create_model_version("load", str(folder), tags=tags)
    client.set_registered_model_alias("load", "champion", made.version)
    return uri


def command(folder: Path, *arguments: str) -> list[str]:
    spec = folder / "load.yaml"
    spec.write_text(SPEC)
    return [sys.executable, "-m", "sweep", "smoke", str(spec), *arguments]


@pytest.fixture(scope="module")
def smoked(
    tmp_path_factory: pytest.TempPathFactory, store: str
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A smoke with a gate that passes and one that fires, its folder and what it said."""
    folder = tmp_path_factory.mktemp("smoke")
    gates = [f"--fail-if={PASSES}", f"--fail-if={FIRES}"]
    files = ["--junit", str(folder / "smoke.xml"), "--dir", str(folder / "tiny")]
    environment = {"MLFLOW_TRACKING_URI": store, "GITHUB_STEP_SUMMARY": str(folder / "page.md")}
    ran = subprocess.run(
        command(folder, *gates, *files),
        env=os.environ | environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    return folder, ran


def test_a_smoke_fails_by_the_gate_that_fires_and_by_nothing_else(smoked):
    folder, ran = smoked
    assert ran.returncode == 3, (ran.stdout, ran.stderr)
    (suite,) = JUnitXml.fromfile(str(folder / "smoke.xml"))
    outcomes = {case.name: case.is_passed for case in suite}
    assert outcomes == {
        **dict.fromkeys(NAMES, True), f"fails if {PASSES}": True, f"fails if {FIRES}": False,
    }  # fmt: skip
    (line,) = [line for line in ran.stdout.splitlines() if "FAILED  " in line]
    assert f"fails if {FIRES}: " in line
    assert line.endswith(" > 0.0015")


def test_the_coordinator_was_really_killed_and_the_sweep_lies_where_it_was_told_to(smoked):
    folder, ran = smoked
    log = EventLog.open(folder / "tiny" / "load-smoke" / "sweep.db", "load-smoke")
    events = list(log.read())
    log.close()
    kinds = [event.kind for event in events]
    assert kinds.count("opened") == 2
    assert kinds.count("closed") == 1
    assert kinds.index("reported") < len(kinds) - 1 - kinds[::-1].index("opened")
    assert "killed the coordinator after" in ran.stdout
    assert (folder / "tiny" / "mlflow.db").is_file()


def test_the_page_goes_where_github_wants_it(smoked):
    folder, _ = smoked
    page = (folder / "page.md").read_text()
    assert page.startswith("### Smoke of `load-smoke`: ❌ failed")
    assert f"| `{FIRES}` | ❌ fires |" in page
    assert f"| `{PASSES}` | ✅ passes |" in page


def test_nothing_is_written_to_the_tracker_that_knows_the_champion(smoked, store):
    assert smoked[1].returncode == 3
    client = MlflowClient(tracking_uri=store, registry_uri=store)
    assert [e.name for e in client.search_experiments()] == ["Default"]
    assert len(client.search_model_versions("name = 'load'")) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-if", "best/val_rsme > 1"], "did you mean best/val_rmse?"),
        (["--set", "data.limit=0"], "data.limit must be >= 1, but got 0"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_trained(tmp_path, arguments, message):
    tiny = ["--dir", str(tmp_path / "tiny")]
    ran = subprocess.run(command(tmp_path, *arguments, *tiny), capture_output=True, text=True)
    assert ran.returncode == 2
    assert message in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "tiny").exists()


def test_a_champion_without_the_metric_is_a_mistake(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    config = validate({"name": "load", "data": {"source": "adding"}})
    gates = [parse_gate("champion/val_r2 > 1")]
    with pytest.raises(GateError, match="must have val_r2 on record, but it has val_rmse"):
        champion_values(gates, config, "load")
    with pytest.raises(GateError, match="give --champion NAME"):
        champion_values(gates, config, None)


def test_without_a_champion_its_gates_are_unknown_and_no_store_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    config = validate({"name": "load", "data": {"source": "adding"}})
    values = champion_values([parse_gate(FIRES)], config, "load")
    assert values["champion/val_rmse"].passes
    assert not any(tmp_path.iterdir())


def test_ctrl_c_leaves_nothing_running(tmp_path):
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        command(tmp_path, "--dir", str(tmp_path / "tiny")),
        env=os.environ | {"SMOKE_TEST_MARK": mark},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: any("raylet" in line for line in marked(mark)))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "interrupted; all that was started has been ended\n"
    assert marked(mark) == []


def marked(mark: str) -> list[str]:
    """Command lines of living processes that inherited the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            if mark.encode() in environment:
                found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def wait_until(holds) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_sweep_that_learns_nothing_fails_in_the_case_of_that_name(tmp_path):
    values = {
        "name": "stuck",
        "data": {"source": "adding", "length": 10},
        "space": {"base": None, "parameters": {"learning_rate": [1e-9, 1e-8]}},
        "train": {"hidden_size": 8},
    }
    tiny = shrunk(validate(values), tmp_path)
    synced_here = tiny.tracking.model_copy(update={"enabled": False})
    tiny = tiny.model_copy(update={"tracking": synced_here})
    with pytest.raises(MemoryError):
        run_sweep(tiny, tmp_path, executor=Interrupted(polls=3))
    folder = tmp_path / tiny.name
    log = EventLog.open(folder / "sweep.db", tiny.name)
    before = tuple(log.read())
    log.close()
    run_sweep(tiny, tmp_path, executor=InProcessExecutor())
    assert sync(tmp_path, tiny.name, page=False).behind == 0
    ran = Ran(folder, 4, 0, "", before, (), 1.0, 1.0)
    found = read_back(prepare(tiny), ran, tmp_path, None)
    assert [check.name for check in found.checks if check.failed] == [FALLS]
    assert "it must fall" in next(c.message for c in found.checks if c.name == FALLS)
