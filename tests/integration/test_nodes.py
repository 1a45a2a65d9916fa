"""A sweep over several raylets, while nodes and workers die, drain and hang.

Real processes, real signals. One sweep meets all of it, one after the other; the tests read its
log. What random moments do is `python -m tests.chaos`'s to find.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml

from sweep.errors import LogError
from sweep.log.event import Event
from sweep.log.kinds import Asked, Completed, Failed, Lost, Pruned, Reported, Started
from sweep.log.places import open_log
from tests.nodes import Cluster, Node

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc"),
]

ENDS = Completed | Pruned | Failed
PATIENCE_SECONDS = 180.0


@dataclass
class Sweep:
    """A running `rnn-sweep run` and its log."""

    name: str
    folder: Path
    process: subprocess.Popen[str]

    def events(self) -> list[Event]:
        try:
            log = open_log(self.folder / self.name)
        except LogError:
            return []
        try:
            return list(log.read())
        finally:
            log.close()

    def wait(self, condition: Callable[[list[Event]], bool]) -> list[Event]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(found := self.events()):
            assert time.monotonic() < deadline, "waited in vain"
            if self.process.poll() is not None:
                raise AssertionError(f"the sweep ended: {self.process.communicate()}")
            time.sleep(0.05)
        return found

    def end(self) -> None:
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0, (out, err)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as made:
        made.wait(*(made.add_node(wait=False) for _ in range(3)))
        yield made
    assert made.left() == []


def start(cluster: Cluster, folder: Path, name: str, sequences: int, **sections) -> Sweep:
    values = {
        "name": name,
        "data": {"source": "adding", "length": 30, "train_sequences": sequences}
        | {"validation_sequences": 64, "test_sequences": 64},
        "space": {"base": None, "parameters": {"learning_rate": {"low": 1e-3, "high": 1e-2}}},
        "train": {"cell": "lstm", "hidden_size": 24, "batch_size": 32},
        "search": {"sampler": "random"},
        "finalists": {"count": 1},
        "tracking": {"enabled": False},
    }
    for section, more in sections.items():
        values[section] = {**values.get(section, {}), **more}
    spec = folder / f"{name}.yaml"
    spec.write_text(yaml.safe_dump(values))
    return Sweep(name, folder, run(cluster, spec))


def run(cluster: Cluster, spec: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sweep", "run", str(spec), "--dir", str(spec.parent)]
    return subprocess.Popen(
        [*command, "--address", cluster.address, *options],
        env=cluster.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def busy_node(cluster: Cluster) -> tuple[Node, psutil.Process]:
    """Return a node on which a worker works, and that worker."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for node in cluster.nodes:
            for worker in node.workers():
                if "advance" in " ".join(worker.cmdline()):
                    return node, worker
        time.sleep(0.02)
    raise AssertionError("no worker works")


def goes_on_from(events: list[Event], lost: Event) -> bool:
    """Whether a trial that lost its worker has reported an epoch since."""
    return any(
        isinstance(e.what, Reported) and e.trial == lost.trial and e.seq > lost.seq for e in events
    )


@dataclass
class Told:
    """The whole log, the trials in it, and the first events after each disturbance by its name."""

    events: list[Event]
    trials: int
    lost: dict[str, list[Event]]


@pytest.fixture(scope="module")
def told(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """More trials than there is time for; when all has been met, those asked for are enough."""
    folder = tmp_path_factory.mktemp("nodes")
    sweep = start(
        cluster,
        folder,
        "nodes",
        4096,
        train={"max_epochs": 6},
        budget={"trials": 1000},
        run={"workers": 2, "checkpoint_seconds": 0.5, "hang_seconds": 4},
    )
    lost: dict[str, list[Event]] = {}

    def disturb(what: str, act: Callable[[], object]) -> None:
        seen = len(sweep.events())
        act()
        found = sweep.wait(lambda es: any(isinstance(e.what, Lost) for e in es[seen:]))
        lost[what] = [e for e in found[seen:] if isinstance(e.what, Lost)]
        sweep.wait(lambda es: all(goes_on_from(es, event) for event in lost[what]))

    try:
        sweep.wait(lambda es: sum(isinstance(e.what, Reported) for e in es) >= 2)
        disturb("raylet", lambda: cluster.kill_raylet(busy_node(cluster)[0]))
        disturb("drain", lambda: cluster.drain(busy_node(cluster)[0], 60))
        disturb("hang", lambda: busy_node(cluster)[1].suspend())
        sweep.process.send_signal(signal.SIGINT)
        sweep.process.communicate(timeout=PATIENCE_SECONDS)
        trials = sum(isinstance(e.what, Asked) for e in sweep.events())
        sweep.process = run(cluster, folder / "nodes.yaml", "--trials", str(trials))
        sweep.end()
    finally:
        sweep.process.kill()
    for node in cluster.nodes:  # those that were drained or killed
        if node.raylet() is None:
            cluster.kill_node(node)
    cluster.wait(*cluster.revive())
    return Told(sweep.events(), trials, lost)


def test_workers_live_on_several_nodes_and_every_trial_completes(told):
    ends = [(e.trial, e.kind) for e in told.events if isinstance(e.what, ENDS)]
    assert sorted(ends) == [(n, "completed") for n in range(told.trials)]


def test_trials_of_a_node_that_died_go_on_elsewhere_and_are_not_blamed(told):
    assert told.lost["raylet"]
    assert not any(e.what.worker_died for e in told.lost["raylet"])


def test_a_drain_notice_saves_trials_and_moves_them_and_counts_no_death(told):
    assert told.lost["drain"]
    for event in told.lost["drain"]:
        assert not event.what.worker_died
        assert "drain" in event.what.reason
        again = next(
            e
            for e in told.events
            if isinstance(e.what, Started) and e.trial == event.trial and e.seq > event.seq
        )
        assert again.what.from_epoch == event.epoch  # nothing is trained twice


def test_a_worker_that_hangs_is_replaced(told):
    assert any("hung" in event.what.reason for event in told.lost["hang"])


def test_no_epoch_is_reported_twice_by_an_attempt(told):
    reports = [(e.trial, e.attempt, e.epoch) for e in told.events if isinstance(e.what, Reported)]
    assert len(set(reports)) == len(reports)


def test_a_trial_that_kills_its_workers_fails_alone(cluster, tmp_path):
    """The test does what such a trial would: whenever trial 1 trains, its worker dies."""
    sweep = start(
        cluster,
        tmp_path,
        "poison",
        16384,
        train={"max_epochs": 1},
        budget={"trials": 3},
        run={"workers": 1},
    )
    killed: set[int | None] = set()
    try:
        while sweep.process.poll() is None:
            running = {e.trial: e for e in sweep.events() if isinstance(e.what, Started | ENDS)}
            poison = running.get(1)
            if poison and isinstance(poison.what, Started) and poison.attempt not in killed:
                busy_node(cluster)[1].kill()
                killed.add(poison.attempt)
            time.sleep(0.02)
        sweep.end()
    finally:
        sweep.process.kill()
    ends = {e.trial: e for e in sweep.events() if isinstance(e.what, ENDS)}
    assert [ends[n].kind for n in range(3)] == ["completed", "failed", "completed"]
    assert len(killed) == 3
    assert ends[1].what.reason == "worker_died"
    assert "3 times" in ends[1].what.message
