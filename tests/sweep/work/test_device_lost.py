"""A worker whose device has failed it is lost, in every executor: another process takes its place.

Apart from the conformance suite, since that holds the one Ray that a process can have.
"""

import time
from pathlib import Path

import pytest

import sweep.work.executors.on_ray
import sweep.work.worker
from sweep.work.executors import InProcessExecutor, RayExecutor
from sweep.work.protocol import Admit, Lost, Reply, WorkerSettings
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data import load_data
from trainers.data.choices import DataChoices
from trainers.errors import DeviceLost

CONFIG = TrainConfig(cell="lstm", hidden_size=4, batch_size=16, max_epochs=3, loss="mse", seed=5)
DATA = {"length": 6, "train_sequences": 32, "validation_sequences": 16, "test_sequences": 16}


def until(executor, worker, kind):
    """Call a worker, if one is named, and return the first item of a kind."""
    if worker is not None:
        executor.send(worker, [])
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        for item in executor.poll(0.5):
            if isinstance(item, kind):
                return item
    raise AssertionError("no answer in time")


def failing(base):
    """A worker, or Ray's side of one, whose device fails it with trial 66."""

    class Failing(base):
        def advance(self, commands):
            if any(isinstance(command, Admit) and command.trial == 66 for command in commands):
                raise DeviceLost("its device has failed: CUDA error: unspecified launch failure")
            return super().advance(commands)

    return Failing


@pytest.mark.parametrize(
    ("made", "module", "name"),
    [
        (InProcessExecutor, sweep.work.worker, "Worker"),
        pytest.param(
            RayExecutor, sweep.work.executors.on_ray, "_Actor", marks=pytest.mark.integration
        ),
    ],
    ids=["in process", "ray"],
)
def test_a_worker_whose_device_has_failed_is_lost(monkeypatch, tmp_path, made, module, name):
    monkeypatch.setattr(module, name, failing(getattr(module, name)))
    executor = made()
    data = DataChoices.single(load_data("adding", DATA, base_dir=Path()))
    executor.start(data, WorkerSettings(Objective("loss"), str(tmp_path)), workers=1)
    try:
        (victim,) = executor.workers()
        until(executor, victim, Reply)
        executor.send(victim, [Admit(66, 1, CONFIG)])
        lost = until(executor, None, Lost)
        assert (lost.worker, lost.own_death) == (victim, True)
        assert "unspecified launch failure" in lost.reason
        (other,) = executor.workers()
        assert other != victim
        assert until(executor, other, Reply).held == ()
    finally:
        executor.close()
