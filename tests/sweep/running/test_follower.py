"""The coordinator's hold on its sink: one that dies is started again, ever more seldom."""

import subprocess

import pytest

import sweep.running.follower
from sweep.log.places import open_log
from sweep.running.follower import Follower
from tests.sweep.session_runs import config
from tests.sweep.sweep_factory import asked, write_sweep


@pytest.fixture
def sinks(monkeypatch):
    """The sinks that were started; they do nothing."""
    started = []

    def start(*arguments, **more):
        started.append(subprocess.Popen(["sleep", "60"]))
        return started[-1]

    monkeypatch.setattr(sweep.running.follower, "start_follower", start)
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def follower(tmp_path):
    log = open_log(write_sweep(tmp_path, asked(0), name="s"))
    yield Follower(config(tracking={"enabled": True}), tmp_path, log)
    log.close()


def die(process):
    process.kill()
    process.wait()


def test_a_sink_that_dies_is_started_again_ever_more_seldom(follower, sinks, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(sweep.running.follower.time, "monotonic", lambda: now[0])
    starts = []
    for second in range(100):
        now[0] = float(second)
        before = len(sinks)
        follower.start()
        if len(sinks) > before:
            starts.append(second)
            die(sinks[-1])
    assert starts == [0, 20, 60]


def test_a_sink_that_lives_is_left_alone(follower, sinks):
    follower.start()
    follower.start()
    assert len(sinks) == 1


def test_at_the_end_a_sink_is_started_for_what_is_left(follower, sinks, monkeypatch):
    monkeypatch.setattr(sweep.running.follower, "GRACE_SECONDS", 0.3)
    assert follower.finish() == 2
    assert len(sinks) == 1
