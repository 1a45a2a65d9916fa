"""The sink against a real `mlflow server` that dies and comes back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextlib import closing as closing_resource
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sweep.running.follower import start_follower
from sweep.tracking.sync import sync
from sweep.tracking.ui import serve
from tests.integration.mlflow_server import free_port, mlflow_server, wait_for
from tests.integration.mlflow_store import points_told_twice, stored_runs
from tests.sweep.synthetic_log import (
    START,
    append,
    closed,
    create_log,
    opened,
    retried_trial,
    whole_trial,
)

pytestmark = pytest.mark.integration


def test_a_server_killed_and_started_again_holds_what_an_undisturbed_sync_would(tmp_path: Path):
    store, port = tmp_path / "server" / "mlflow.db", free_port()
    store.parent.mkdir()
    directory = tmp_path / "sweeps"
    log = create_log(directory)
    parts = [
        [opened(), *whole_trial(0, 4), *retried_trial(1, 30)[:9]],
        [*retried_trial(1, 30)[9:], *whole_trial(2, 8, 60)],
        [*whole_trial(3, 8, 90), closed(START + 200)],
    ]
    append(log, parts[0])
    follower = start_follower(directory, "digits", f"http://127.0.0.1:{port}")
    try:
        with mlflow_server(store, port):
            wait_for(lambda: store.exists() and len(stored_runs(store)) == 3, 60)
        append(log, parts[1])
        time.sleep(4)
        assert follower.poll() is None
        append(log, parts[2])
        with mlflow_server(store, port):
            assert follower.wait(60) == 0
            runs = stored_runs(store)
    finally:
        follower.kill()
        follower.wait()
    assert points_told_twice(store) == []
    notices = (directory / "digits" / "sink.log").read_text().splitlines()
    # Twice: before the first server was up, and between the two.
    assert sum("takes no writes" in line for line in notices) == 2
    assert sum("answers again" in line for line in notices) == 2

    direct = tmp_path / "direct.db"
    assert sync(directory, "digits", uri=f"sqlite:///{direct}").behind == 0
    assert stored_runs(direct) == runs


@contextmanager
def silent_server() -> Iterator[int]:
    """Accepts connections and never says a word."""
    with closing_resource(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        yield silent.getsockname()[1]


@contextmanager
def overloaded_server() -> Iterator[int]:
    """Answers 503 to everything."""

    class Overloaded(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Overloaded) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("broken_server", [silent_server, overloaded_server])
def test_a_server_that_takes_nothing_ends_a_sync_in_bounded_time_and_loses_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken_server: Callable[[], AbstractContextManager[int]],
):
    events = [opened(), *whole_trial(0, 1), closed()]
    append(create_log(tmp_path), events)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    lines: list[str] = []
    with broken_server() as port:
        uri = f"http://127.0.0.1:{port}"
        began = time.monotonic()
        result = sync(tmp_path, "digits", uri=uri, patience_seconds=4, notify=lines.append)
    assert time.monotonic() - began < 30
    assert result.behind == len(events)
    assert result.complaint is not None
    assert len(lines) == 2
    assert "takes no writes" in lines[0]
    assert "gave up for now" in lines[1]
    assert sync(tmp_path, "digits", uri=f"sqlite:///{tmp_path / 'mlflow.db'}").behind == 0


def test_the_ui_of_a_server_is_the_server_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@tracker:1")
    lines: list[str] = []
    serve(tmp_path, "127.0.0.1", 5000, lines.append)
    assert len(lines) == 1
    assert "tracker:1" in lines[0]
    assert "secret" not in lines[0]
