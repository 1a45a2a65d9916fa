"""A package adds a tracker for a scheme of its own; the sink's loop writes to it like to MLflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sweep.config.sweep_config import validate
from sweep.config.tracking import TRACKERS
from sweep.errors import ConfigProblem
from sweep.tracking.conformance import HeldRun, check_tracker
from sweep.tracking.run import Point
from sweep.tracking.sync import sync
from tests.installed_package import install
from tests.sweep.synthetic_log import SWEEP_UID, append, closed, create_log, opened, whole_trial

JSONL = '''
import json
from pathlib import Path

from sweep.config.tracking import TrackerKind


class JsonLines:
    """One line a write; who reads them takes what was said last, and each value once."""

    def __init__(self, path):
        self.path, self.known = path, set()

    def connect(self, sweep_uid, last_seq):
        self.known = {line["uid"] for line in self.lines()}
        return sweep_uid in self.known

    def lines(self):
        return map(json.loads, self.path.read_text().splitlines()) if self.path.exists() else []

    def write(self, write):
        status = write.status or (None if write.end_ms else "RUNNING")
        self.say(uid=write.uid, status=status, params=write.params, tags=write.tags,
                 points=write.points)

    def say(self, **line):
        self.known.add(line["uid"])
        with self.path.open("a") as file:
            file.write(json.dumps(line) + chr(10))

    def find(self, uid):
        return uid if uid in self.known else None

    def finish(self, uid, files, note):
        self.say(uid=uid, files=sorted(files), note=note)

    def save_view(self, key, value):
        pass


JSONL = TrackerKind(lambda uri, experiment, folder: JsonLines(Path(uri.partition(":")[2])))
'''


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    points = {"trackers.jsonl": "JSONL", "trackers.broken": "NOTHING"}
    install(monkeypatch, tmp_path / "site", "json_lines", JSONL, points)


def held(path: Path) -> list[HeldRun]:
    runs: dict[str, HeldRun] = {}
    for line in map(json.loads, path.read_text().splitlines()):
        run = runs.get(line["uid"]) or HeldRun(line["uid"], "", {}, {}, ())
        points = {*run.points, *(Point(*point) for point in line.get("points", ()))}
        runs[run.uid] = HeldRun(
            run.uid,
            line.get("status") or run.status,
            run.params | line.get("params", {}),
            run.tags | line.get("tags", {}),
            sorted(points),
        )
    return list(runs.values())


def test_it_keeps_the_contract(tmp_path: Path):
    path = tmp_path / "runs.jsonl"
    kind = TRACKERS["jsonl"]
    check_tracker(lambda: kind.open(f"jsonl:{path}", "mine", tmp_path), lambda: held(path))


def test_the_contract_is_broken_by_what_keeps_values_twice(tmp_path: Path):
    path = tmp_path / "runs.jsonl"
    kind = TRACKERS["jsonl"]

    def doubled() -> list[HeldRun]:
        lines = map(json.loads, path.read_text().splitlines())
        points = [Point(*point) for line in lines for point in line.get("points", ())]
        return [HeldRun(r.uid, r.status, r.params, r.tags, points) for r in held(path)]

    with pytest.raises(AssertionError, match="written once: each value must be there"):
        check_tracker(lambda: kind.open(f"jsonl:{path}", "mine", tmp_path), doubled)


def test_the_sink_writes_a_sweep_to_it_with_its_page(tmp_path: Path):
    path = tmp_path / "runs.jsonl"
    append(create_log(tmp_path), [opened(), *whole_trial(0, 2), *whole_trial(1, 2), closed()])
    lines: list[str] = []
    for _ in range(2):
        result = sync(tmp_path, "digits", uri=f"jsonl:{path}", notify=lines.append)
        assert (result.behind, result.complaint, lines) == (0, None, [])
    runs = {run.uid: run for run in held(path)}
    assert len(runs) == 3
    assert {run.status for run in runs.values()} == {"FINISHED"}
    assert runs[SWEEP_UID].params["search.sampler"] == "tpe"
    pages = [line for line in map(json.loads, path.read_text().splitlines()) if "files" in line]
    assert [page["uid"] for page in pages] == [SWEEP_UID]
    assert "report.html" in pages[0]["files"]


def test_a_file_may_name_its_scheme_and_no_other(tmp_path: Path):
    values = {"name": "s", "data": {"source": "digits"}}
    config = validate(values | {"tracking": {"uri": "jsonl:/there/runs.jsonl"}})
    assert config.tracking.uri == "jsonl:/there/runs.jsonl"
    with pytest.raises(ConfigProblem, match=r"must begin with http:, .*jsonl:, .*'jsonlines:x'"):
        validate(values | {"tracking": {"uri": "jsonlines:x"}})


def test_a_package_that_does_not_load_is_one_line(tmp_path: Path):
    with pytest.raises(ConfigProblem, match="json_lines:NOTHING can't be loaded") as caught:
        validate({"name": "s", "data": {"source": "digits"}, "tracking": {"uri": "broken:x"}})
    assert "\n" not in str(caught.value)
