"""What the sink says when MLflow can't take what it is given, and that nothing is lost by it."""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from mlflow.tracking import MlflowClient

from sweep.log.event_log import EventLog
from sweep.tracking.sync import sync
from tests.integration.mlflow_server import free_port, mlflow_server
from tests.integration.mlflow_store import points_told_twice, stored_runs
from tests.sweep.synthetic_log import (
    SWEEP_UID,
    append,
    asked,
    checkpointed,
    closed,
    create_log,
    opened,
    reported,
    started,
    whole_trial,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
_ROOM_BYTES = 100_000
EVENTS = [opened(), *whole_trial(0, 2), *whole_trial(1, 2, 40.0), closed()]


@pytest.fixture(autouse=True)
def _no_tracking_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return create_log(tmp_path)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("ftp://there/x", "tracking.uri must begin with http:"),
        ("mlruns", "tracking.uri must begin with http:"),
        ("http://127.0.0.1:1", "connection refused"),
        ("http://nowhere.invalid:5000", "its host name is unknown"),
        ("mysql://me:secret@127.0.0.1:1/x", "takes no writes|needs a driver"),
        ("sqlite:////proc/nowhere/x.db", "takes no writes"),
    ],
)
def test_a_wrong_uri_is_one_line_and_the_right_one_gets_everything(
    tmp_path: Path, log: EventLog, uri: str, said: str
):
    append(log, EVENTS)
    lines: list[str] = []
    result = sync(tmp_path, "digits", uri=uri, notify=lines.append, patience_seconds=0.5)
    assert result.behind == len(EVENTS)
    assert len(lines) == 1
    assert any(words in lines[0] for words in said.split("|"))
    assert "\n" not in lines[0]
    assert "secret" not in lines[0]
    assert result.complaint is not None


@pytest.mark.skipif(
    importlib.util.find_spec("flask_wtf") is None, reason="mlflow's users need Flask-WTF"
)
def test_a_server_with_passwords_refuses_a_wrong_one_and_takes_everything_with_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store, port = tmp_path / "server" / "mlflow.db", free_port()
    store.parent.mkdir()
    directory = tmp_path / "sweeps"
    append(create_log(directory), EVENTS)
    users = store.parent / "auth.ini"
    users.write_text(
        "[mlflow]\ndefault_permission = READ\nadmin_username = me\n"
        f"admin_password = a-long-password\ndatabase_uri = sqlite:///{store.parent}/users.db\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    secrets = {"MLFLOW_AUTH_CONFIG_PATH": str(users), "MLFLOW_FLASK_SERVER_SECRET_KEY": "key"}
    uri, lines = f"http://127.0.0.1:{port}", list[str]()
    with mlflow_server(store, port, ["--app-name", "basic-auth"], secrets):
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong-password")
        result = sync(directory, "digits", uri=uri, notify=lines.append, patience_seconds=0.5)
        assert result.behind == len(EVENTS)
        assert len(lines) == 1
        assert "refuses user or password; set MLFLOW_TRACKING_USERNAME" in lines[0]
        assert "wrong-password" not in lines[0]
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-long-password")
        assert sync(directory, "digits", uri=uri, notify=lines.append).behind == 0
        client = MlflowClient(tracking_uri=uri)
        parent = _parent_id(client)
        paths = {file.path for file in client.list_artifacts(parent)}
        note = client.get_run(parent).data.tags["mlflow.note.content"]
    assert len(lines) == 1
    assert {"sweep.yaml", "top.html", "plots"} <= paths
    assert "Best: **trial 0**" in note
    runs = stored_runs(store)
    assert {run.status for run in runs.values()} == {"FINISHED"}
    assert len(runs) == 3


def test_a_full_disk_is_one_line_and_room_gets_everything(tmp_path: Path, log: EventLog):
    append(log, [opened(), *whole_trial(0, 100), closed()])
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    client.search_experiments()  # the tables
    code = (
        "from pathlib import Path; from sweep.tracking.sync import sync; import sys;"
        f"r = sync(Path({str(tmp_path)!r}), 'digits', patience_seconds=0.5, page=False);"
        "sys.exit(3 if r.behind else 0)"
    )

    def little_room() -> None:  # less than the store's journal grows to
        resource.setrlimit(resource.RLIMIT_FSIZE, (_ROOM_BYTES, _ROOM_BYTES))

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        preexec_fn=little_room,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    said = [line for line in done.stderr.splitlines() if "tracking:" in line]
    assert len(said) == 1
    assert "takes no writes" in said[0]
    assert sync(tmp_path, "digits", page=False).behind == 0
    points = stored_runs(tmp_path / "mlflow.db")[f"{0:032x}"].points
    assert [step for key, _, _, step in points if key == "val/rmse"] == list(range(1, 101))
    assert points_told_twice(tmp_path / "mlflow.db") == []


def test_an_experiment_deleted_in_mid_sweep_loses_nothing_once_it_is_restored(
    tmp_path: Path, log: EventLog
):
    append(log, [opened(), *[asked(0), started(0), reported(0, 1), checkpointed(0, 1)]])
    assert sync(tmp_path, "digits").behind == 0
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    rest = [reported(0, 2), checkpointed(0, 2), *whole_trial(1, 2, 40.0), closed()]
    append(log, rest)
    lines: list[str] = []
    result = sync(tmp_path, "digits", notify=lines.append, patience_seconds=0.5)
    assert result.behind == len(rest)
    assert len(lines) == 1
    assert "experiment 'digits' must be active in MLflow, but was deleted; restore it" in lines[0]
    client.restore_experiment(experiment.experiment_id)
    assert sync(tmp_path, "digits", notify=lines.append).behind == 0
    runs = stored_runs(tmp_path / "mlflow.db")
    assert set(runs) == {SWEEP_UID, f"{0:032x}", f"{1:032x}"}
    told = [step for key, _, _, step in runs[f"{0:032x}"].points if key == "val/rmse"]
    assert told == [1, 2]
    assert len(lines) == 1


def test_a_sweep_whose_own_run_was_deleted_goes_on_with_its_trials(tmp_path: Path, log: EventLog):
    append(log, [opened(), *whole_trial(0, 2)])
    assert sync(tmp_path, "digits", page=False).behind == 0
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    client.delete_run(_parent_id(client))
    append(log, [*whole_trial(1, 2, 40.0), closed()])
    lines: list[str] = []
    assert sync(tmp_path, "digits", notify=lines.append).behind == 0
    assert len(lines) == 1
    assert "run 'digits' can't be written any more" in lines[0]
    assert _trial_uids(tmp_path / "mlflow.db") == {f"{0:032x}", f"{1:032x}"}


def _parent_id(client: MlflowClient) -> str:
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.`sweep.kind` = 'sweep'")
    return str(runs[0].info.run_id)


def _trial_uids(store: Path) -> set[str]:
    engine = sa.create_engine(f"sqlite:///{store}")
    query = "select value from tags where key = 'sweep.trial_uid'"
    with engine.connect() as connection:
        found = set(connection.execute(sa.text(query)).scalars())
    engine.dispose()
    return found
