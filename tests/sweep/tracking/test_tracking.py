"""What the writer asks of MLflow when answers are late, lost or unwelcome."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList
from requests.exceptions import ConnectionError as NoAnswer

import sweep.tracking.client
from sweep.errors import RunGone, TrackerUnavailable
from sweep.tracking.client import MlflowWriter
from sweep.tracking.run import DataPart, Point, RunWrite, Status


class FakeMlflow:
    """MLflow's runs in a dictionary; `late` requests are carried out, but never answered."""

    def __init__(self) -> None:
        self.runs: dict[str, SimpleNamespace] = {}
        self.calls: list[str] = []
        self.linked: dict[str, list[Any]] = {}
        self.late: set[str] = set()
        self.down: set[str] = set()
        self.lifecycle = "active"

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.down:
            raise NoAnswer("connection refused")

    def _answer(self, name: str) -> None:
        if name in self.late:
            raise NoAnswer("read timed out")

    def get_experiment_by_name(self, name: str) -> SimpleNamespace:
        self._called("get_experiment_by_name")
        return SimpleNamespace(experiment_id="1", lifecycle_stage=self.lifecycle)

    def get_experiment(self, experiment: str) -> SimpleNamespace:
        self._called("get_experiment")
        return SimpleNamespace(experiment_id=experiment, lifecycle_stage=self.lifecycle)

    def create_run(self, experiment: str, start: int, tags: dict[str, str], run_name: str) -> Any:
        self._called("create_run")
        info = SimpleNamespace(
            run_id=f"run{len(self.runs)}", status="RUNNING", lifecycle_stage="active"
        )
        data = SimpleNamespace(tags=dict(tags), params={}, metrics={})
        run = self.runs[info.run_id] = SimpleNamespace(info=info, data=data)
        self._answer("create_run")
        return run

    def log_batch(
        self, run_id: str, metrics: Any, params: Any, tags: Any, synchronous: bool
    ) -> None:
        self._called("log_batch")
        run = self.runs[run_id]
        if run.info.lifecycle_stage != "active":
            raise MlflowException("must be in the 'active' state", error_code=1000)
        run.data.metrics |= {metric.key: metric.value for metric in metrics}
        run.data.params |= {param.key: param.value for param in params}
        run.data.tags |= {tag.key: tag.value for tag in tags}
        self._answer("log_batch")

    def log_inputs(self, run_id: str, datasets: list[Any]) -> None:
        self._called("log_inputs")
        self.linked[run_id] = datasets

    def set_terminated(self, run_id: str, status: str, end: int) -> None:
        self._called("set_terminated")
        self.runs[run_id].info.status = status

    def update_run(self, run_id: str, status: str) -> None:
        self._called("update_run")
        self.runs[run_id].info.status = status

    def delete_run(self, run_id: str) -> None:
        self.runs[run_id].info.lifecycle_stage = "deleted"

    def search_runs(self, experiments: Any, filter_string: str, *_: Any, **__: Any) -> PagedList:
        self._called("search_runs")
        wanted = re.findall(r"tags\.`([^`]+)` = '([^']*)'", filter_string)
        found = [r for r in self.runs.values() if all(r.data.tags.get(k) == v for k, v in wanted)]
        return PagedList(found, None)

    def active(self) -> list[SimpleNamespace]:
        return [run for run in self.runs.values() if run.info.lifecycle_stage == "active"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeMlflow:
    fake = FakeMlflow()
    monkeypatch.setattr(sweep.tracking.client, "MlflowClient", lambda tracking_uri: fake)
    return fake


def writer(last_seq: int = 0) -> MlflowWriter:
    made = MlflowWriter("http://me:secret@tracker:1", "digits", Path("a"), own_store=False)
    made.connect("sweep", last_seq)
    return made


def write(
    uid: str = "trial", seq: int = 2, status: Status | None = None, **changes: Any
) -> RunWrite:
    parent = uid == "sweep"
    kind = {"sweep.kind": "sweep", "sweep.uid": uid} if parent else {"sweep.trial_uid": uid}
    values: dict[str, Any] = {
        "uid": uid,
        "name": f"name of {uid}",
        "is_parent": parent,
        "asked_seq": 0 if parent else seq,
        "start_ms": 1,
        "params": {"cell": "lstm"},
        "tags": kind,
        "points": [Point("val/loss", 0.5, 2, 1)],
        "status": status,
        "end_ms": 9 if status in {Status.FINISHED, Status.FAILED} else None,
    }
    return RunWrite(**(values | changes))


def test_a_new_trial_costs_three_calls_and_no_search(server: FakeMlflow):
    mine = writer()
    mine.write(write("sweep"))
    server.calls.clear()
    mine.write(write(status=Status.FINISHED))
    assert server.calls == ["create_run", "log_batch", "set_terminated"]
    child = server.runs["run1"]
    assert child.data.tags["mlflow.parentRunId"] == "run0"
    assert child.info.status == "FINISHED"


def test_a_run_whose_making_was_never_answered_is_found_again(server: FakeMlflow):
    mine = writer()
    mine.write(write("sweep"))
    server.late = {"create_run"}
    with pytest.raises(TrackerUnavailable):
        mine.write(write())
    server.late = set()
    mine.write(write(status=Status.FINISHED))
    assert len(server.runs) == 2
    assert server.runs["run1"].data.metrics == {"val/loss": 0.5}


def test_a_ghost_that_appears_after_all_is_deleted_when_the_trial_ends(server: FakeMlflow):
    mine = writer()
    mine.write(write("sweep"))
    server.down = {"create_run"}
    with pytest.raises(TrackerUnavailable):
        mine.write(write())
    server.down = set()
    mine.write(write())
    # The server carries out the first request only now.
    server.create_run("1", 1, {"sweep.trial_uid": "trial"}, "ghost")
    mine.write(write(status=Status.FINISHED))
    assert [run.info.run_id for run in server.active()] == ["run0", "run1"]


def test_a_new_sink_finds_the_runs_of_the_one_before(server: FakeMlflow):
    first = writer()
    first.write(write("sweep"))
    first.write(write())
    second = writer(last_seq=5)
    second.write(write("sweep"))
    second.write(write(points=[Point("val/loss", 0.25, 3, 2)]))
    second.write(write("other", seq=6))
    assert len(server.runs) == 3
    assert server.runs["run1"].data.metrics == {"val/loss": 0.25}


def test_many_unknown_runs_are_searched_for_all_at_once(server: FakeMlflow):
    first = writer()
    first.write(write("sweep"))
    for trial in range(100):
        first.write(write(f"t{trial}"))
    second = writer(last_seq=500)
    server.calls.clear()
    for trial in range(100):
        second.write(write(f"t{trial}"))
    assert server.calls.count("search_runs") < 25
    assert len(server.runs) == 101


def test_a_run_ended_by_a_sink_that_got_further_runs_again(server: FakeMlflow):
    first = writer()
    first.write(write("sweep"))
    first.write(write(status=Status.FINISHED))
    second = writer(last_seq=5)
    second.write(write())
    assert server.runs["run1"].info.status == "RUNNING"
    second.write(write(status=Status.FINISHED))
    assert server.runs["run1"].info.status == "FINISHED"


def test_a_deleted_run_is_told_once_and_left_alone(server: FakeMlflow):
    mine = writer()
    mine.write(write("sweep"))
    mine.write(write())
    server.delete_run("run1")
    with pytest.raises(RunGone, match="'name of trial' can't be written"):
        mine.write(write())
    mine.write(write())
    again = writer(last_seq=5)
    with pytest.raises(RunGone):
        again.write(write())
    assert len(server.runs) == 2


def test_runs_of_a_deleted_experiment_are_not_gone_they_come_back_with_it(server: FakeMlflow):
    mine = writer()
    mine.write(write("sweep"))
    mine.write(write())
    server.delete_run("run1")  # as MLflow does with all runs of the experiment
    server.lifecycle = "deleted"
    with pytest.raises(TrackerUnavailable, match=r"'digits' must be active .* restore"):
        mine.write(write())
    server.lifecycle = "active"
    server.runs["run1"].info.lifecycle_stage = "active"
    mine.write(write(points=[Point("val/loss", 0.25, 3, 2)]))
    assert server.runs["run1"].data.metrics == {"val/loss": 0.25}


def test_data_are_linked_in_one_call(server: FakeMlflow):
    mine = writer()
    parts = (
        DataPart("digits/train", "abc", "{}", "train", "{}"),
        DataPart("digits/test", "abc", "{}", "test", "{}"),
    )
    mine.write(write("sweep", inputs=parts))
    assert server.calls.count("log_inputs") == 1
    linked = [(d.dataset.name, d.dataset.digest, d.tags[0].value) for d in server.linked["run0"]]
    assert linked == [("digits/train", "abc", "train"), ("digits/test", "abc", "test")]


def test_a_deleted_experiment_is_one_clear_line(server: FakeMlflow):
    server.lifecycle = "deleted"
    with pytest.raises(TrackerUnavailable, match=r"'digits' must be active .* restore"):
        writer()


def test_no_message_shows_a_password(server: FakeMlflow):
    server.down = {"get_experiment_by_name"}
    with pytest.raises(TrackerUnavailable) as caught:
        writer()
    assert "***@tracker" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
