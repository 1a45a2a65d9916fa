"""When a worker writes checkpoints: so often that its death costs at most the interval."""

from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

import sweep.worker
from sweep.protocol import Admit, Saved, WorkerSettings
from sweep.worker import Worker
from trainers.config import TrainConfig
from trainers.data import load_data

TICK_SECONDS = 0.1
DATA = {"length": 6, "train_sequences": 64, "validation_sequences": 8, "test_sequences": 8}
LONG = {"cell": "lstm", "hidden_size": 64, "batch_size": 1, "max_epochs": 4, "loss": "mse"}


@pytest.fixture
def ticking(monkeypatch):
    """The worker's clock goes on by a tick whenever it is read: once while a slice trains."""
    ticks = count()
    clock = SimpleNamespace(
        perf_counter=lambda: next(ticks) * TICK_SECONDS, time=lambda: 0.0, time_ns=count().__next__
    )
    monkeypatch.setattr(sweep.worker, "time", clock)


@pytest.mark.parametrize(
    ("trials", "backend", "interval_seconds", "slices"),
    [
        (1, "native", 0.35, 3),
        (1, "native", 0.05, 1),
        (2, "stepwise", 0.35, 3),
    ],
)
def test_a_death_costs_at_most_the_interval(
    tmp_path, ticking, trials, backend, interval_seconds, slices
):
    data = load_data("adding", DATA, base_dir=Path())
    settings = WorkerSettings(
        "loss", "minimize", str(tmp_path), interval_seconds, slice_seconds=1e-6
    )
    settings = WorkerSettings(**{**vars(settings), "pack": trials, "backend": backend})
    worker = Worker("w", data, settings)
    orders = [Admit(n, 1, TrainConfig(seed=n, **LONG)) for n in range(trials)]
    replies = [worker.advance(orders), *(worker.advance(()) for _ in range(19))]
    saved_at = [
        {item.trial for item in reply.items if isinstance(item, Saved)} for reply in replies
    ]
    written = [index for index, saved in enumerate(saved_at, start=1) if saved]
    assert [later - earlier for earlier, later in pairwise([0, *written])] == [slices] * (
        20 // slices
    )
    assert all(saved in (set(), set(range(trials))) for saved in saved_at)
