"""`status` and `stop` from another terminal."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sweep.__main__ import main
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.kinds import Opened
from tests.sweep.events_factory import some
from tests.sweep.sweep_factory import closed, complete, write_sweep

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def running(tmp_path, host=None):
    """The log of a sweep whose coordinator is this process, or one on another machine."""
    write_sweep(tmp_path / "sweeps", *complete(0, {"cell": "gru"}, 0.5))
    log = EventLog.open(tmp_path / "sweeps" / "demo" / "sweep.db", "demo")
    fence = log.take_fence("somebody:1")
    opened = some(Opened, host=host or socket.gethostname(), pid=os.getpid())
    log.append([Event(opened)], fence)
    return log, fence


def pulse(log):
    workers = [
        {"name": "worker-0", "node": "10.0.0.7", "state": "training", "trials": [3]},
        {"name": "worker-1", "node": "10.0.0.8", "state": "silent", "trials": [4]},
        {"name": "worker-2", "node": "", "state": "starting", "trials": []},
    ]
    log.write_pulse({"phase": "training", "workers": workers})


def test_status_shows_the_workers_that_do_not_simply_train(tmp_path, capsys):
    log, _ = running(tmp_path, host="elsewhere")
    pulse(log)
    assert main(["status", "demo"]) == 0
    out = capsys.readouterr().out
    assert "running (process" in out
    assert "training, 3 workers: 1 silent, 1 starting, 1 training (0 s ago)" in out
    assert "worker-1 on 10.0.0.8: silent, trials 4" in out
    assert "worker-0" not in out
    log.close()


def test_a_coordinator_elsewhere_that_has_given_no_sign_for_long_does_not_run(
    tmp_path, capsys, monkeypatch
):
    log, _ = running(tmp_path, host="elsewhere")
    assert main(["status", "demo"]) == 0
    assert "not running" in capsys.readouterr().out
    pulse(log)
    monkeypatch.setattr("sweep.results.results.SILENT_SECONDS", 0.0)
    assert main(["status", "demo"]) == 0
    assert "not running" in capsys.readouterr().out
    log.close()


def test_stop_waits_until_the_coordinator_has_ended(tmp_path, capsys):
    log, fence = running(tmp_path)
    other = EventLog.open(tmp_path / "sweeps" / "demo" / "sweep.db", "demo")

    def coordinate():
        while not other.stop_requested(fence):
            time.sleep(0.05)
        other.append([closed()], fence)

    thread = threading.Thread(target=coordinate)
    thread.start()
    assert main(["stop", "demo", "--wait", "20"]) == 0
    thread.join()
    assert "It has ended with 1 trial done" in capsys.readouterr().out
    for each in (log, other):
        each.close()


def test_a_coordinator_that_does_not_listen_is_told_of(tmp_path, capsys):
    log, _ = running(tmp_path)
    assert main(["stop", "demo", "--wait", "0.1"]) == 1
    assert "error: it has not ended within 0.1 seconds" in capsys.readouterr().err
    log.close()


def test_a_sweep_that_nobody_runs_needs_no_stop(tmp_path, capsys):
    write_sweep(tmp_path / "sweeps", *complete(0, {"cell": "gru"}, 0.5), closed())
    assert main(["stop", "demo"]) == 0
    assert "demo does not run" in capsys.readouterr().out
    assert main(["stop", "nobody"]) == 2
    assert "a sweep must be one of those in sweeps (demo)" in capsys.readouterr().err


def test_status_of_all_shows_the_others_where_one_log_is_away(tmp_path, capsys):
    write_sweep(tmp_path / "sweeps", *complete(0, {"cell": "gru"}, 0.5))
    (tmp_path / "sweeps" / "away").mkdir()
    (tmp_path / "sweeps" / "away" / "log.url").write_text("postgresql://me@127.0.0.1:9/x 4711\n")
    assert main(["status"]) == 2
    said = capsys.readouterr()
    assert said.out.startswith("demo: ")
    assert said.err.startswith("error: away: a log's database must answer at postgresql://me@")


WORDS = """
import os, signal
from sweep.cli.killed import printed_if_killed
with printed_if_killed("I am gone"):
    {end}
"""


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("pass", ""),
        ("raise SystemExit(1)", ""),
        ("os._exit(1)", "I am gone\n"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "I am gone\n"),
    ],
)
def test_a_line_is_printed_for_those_who_are_killed(end, said):
    script = [sys.executable, "-c", WORDS.format(end=end)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stderr == said
