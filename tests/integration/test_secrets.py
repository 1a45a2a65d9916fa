"""No secret is written: planted in the environment of user and cluster, and searched everywhere."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from ray.core.generated import gcs_service_pb2 as gcs

from tests.integration.secret_search import CommandLines, files, leaks, pages, stored
from tests.integration.token_head import Head, token_head

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
PLANTED = (
    *("RAY_AUTH_TOKEN", "MLFLOW_TRACKING_PASSWORD", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY"),
    *("AWS_SESSION_TOKEN", "DATABRICKS_TOKEN"),
)
SEARCHED = (
    *("console", "command lines", "the sweeps' folder", "Ray's session", "the dashboard"),
    "the head's store",
)


@dataclass(frozen=True)
class Traces:
    """Two sweeps that are over, and what they left."""

    head: Head
    secrets: dict[str, str]
    folder: Path
    said: dict[str, bytes]
    commands: CommandLines

    def places(self):
        token = self.secrets["RAY_AUTH_TOKEN"]
        found = (
            self.said.items(),
            self.commands.found(),
            files(self.folder),
            files(self.head.folder),
            pages(self.head.url, token),
            stored(self.head.address, token),
        )
        return dict(zip(SEARCHED, found, strict=True))


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    planted = {name: f"planted-{secrets.token_hex(12)}" for name in PLANTED}
    folder = tmp_path_factory.mktemp("sweeps")
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, **planted, "HOME": str(home), "MLFLOW_TRACKING_USERNAME": "me"}
    for name in ("MLFLOW_TRACKING_URI", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"):
        environment.pop(name, None)
    with token_head(planted["RAY_AUTH_TOKEN"], environment=environment) as head:
        run = ["run", "smoke", "--name", "joined", "--dir", str(folder)]
        run += ["--set", f"run.address={head.address}", "--set", "tracking.enabled=false"]
        submit = ["submit", "smoke", "--name", "submitted", "--follow", "--address", head.url]
        submit += ["--set", f"cluster.directory={folder}", "--set", "tracking.models=false"]
        more = ["--set", "run.workers=1", "--set", "finalists.count=1", "--trials", "2"]
        with CommandLines() as lines:
            running = {
                words[0]: subprocess.Popen(
                    [sys.executable, "-m", "sweep", *words, *more],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
                for words in (run, submit)
            }
            said = {name: process.communicate(timeout=200)[0] for name, process in running.items()}
        for name, process in running.items():
            assert process.returncode == 0, said[name].decode()
        yield Traces(head, planted, folder, said, lines)


def test_no_secret_is_written_anywhere(traces):
    found, searched = leaks(traces.secrets, traces.places())
    print("\nsearched for", ", ".join(traces.secrets), "in", *searched, sep="\n  ")  # noqa: T201
    assert found == []
    for name in ("joined/sweep.db", "submitted/sweep.db", "mlflow.db"):
        assert (traces.folder / name).stat().st_size > 0
    assert any(path.is_dir() for path in (traces.folder / "mlartifacts").iterdir())
    for words in (b"cluster.place", b"sweep run", b"sweep sync", b"raylet"):
        assert any(words in line for line in traces.commands.seen)


def test_the_search_finds_what_is_leaked(traces):
    head, token = traces.head, traces.secrets["RAY_AUTH_TOKEN"]
    (traces.folder / "joined" / "note.txt").write_text(f"key={traces.secrets['PGPASSWORD']}")
    with closing(sqlite3.connect(traces.folder / "joined" / "sweep.db")) as database, database:
        database.execute("create table leak (text)")
        secret = traces.secrets["AWS_SECRET_ACCESS_KEY"]
        database.execute("insert into leak values (?)", ("x" * 3990 + secret,))  # over two pages
    job = {"entrypoint": "true", "metadata": {"password": traces.secrets["AWS_SESSION_TOKEN"]}}
    request = urllib.request.Request(
        f"{head.url}/api/jobs/",
        json.dumps(job).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    put = gcs.InternalKVPutRequest(
        key=b"leak", namespace=b"fun", value=traces.secrets["DATABRICKS_TOKEN"].encode()
    )
    with grpc.insecure_channel(head.address) as channel:
        channel.unary_unary("/ray.rpc.InternalKVGcsService/InternalKVPut")(
            put.SerializeToString(), metadata=[("authorization", f"Bearer {token}")], timeout=10
        )
    (head.folder / "session_latest" / "logs" / "leak.log").write_text(token)
    with CommandLines() as lines:
        words = ["sleep", "0.5", "0", traces.secrets["MLFLOW_TRACKING_PASSWORD"]]
        subprocess.run(words, check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["sh", "-c", f": {words[-1]}; sleep 0.5"], check=True)
    places = {**traces.places(), "command lines": lines.found()}
    places["console"] = [("run", f"token {token}".encode())]
    found, _ = leaks(traces.secrets, places)
    for leak in (
        "PGPASSWORD in the sweeps' folder: joined/note.txt",
        "AWS_SECRET_ACCESS_KEY in the sweeps' folder: sweep.db, as SQL",
        "AWS_SESSION_TOKEN in the dashboard: /api/jobs/",
        "AWS_SESSION_TOKEN in the head's store: ",
        "DATABRICKS_TOKEN in the head's store: leak",
        "RAY_AUTH_TOKEN in Ray's session: ",
        "MLFLOW_TRACKING_PASSWORD in command lines: sh -c ",
        "RAY_AUTH_TOKEN in console: run",
    ):
        assert any(line.startswith(leak) for line in found), (leak, found)
