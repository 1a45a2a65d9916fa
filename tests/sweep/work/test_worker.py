"""When a worker writes checkpoints, and what it makes of trials that raise or have no room."""

from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

import sweep.work.worker
from sweep.work.protocol import Admit, Crashed, Evicted, Saved, WorkerSettings
from sweep.work.worker import Worker
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data import load_data
from trainers.data.choices import DataChoices
from trainers.errors import OutOfMemory
from trainers.packs.pack import Pack

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
    monkeypatch.setattr(sweep.work.worker, "time", clock)


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
    data = DataChoices.single(load_data("adding", DATA, base_dir=Path()))
    settings = WorkerSettings(
        Objective("loss"), str(tmp_path), interval_seconds, slice_seconds=1e-6
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


@pytest.fixture
def packed(tmp_path):
    """A worker whose packs have four slots, and trials of a hidden size for it."""
    data = DataChoices.single(load_data("adding", DATA, base_dir=Path()))
    settings = WorkerSettings(Objective("loss"), str(tmp_path), slice_seconds=1e-6, pack=4)

    def admit(hidden_size, *trials):
        config = TrainConfig(**{**LONG, "hidden_size": hidden_size, "max_epochs": 50})
        return [Admit(number, 1, config) for number in trials]

    return Worker("w", data, settings), admit


def said(reply):
    return [(type(i), i.trial) for i in reply.items if isinstance(i, Crashed | Evicted)]


def test_memory_that_does_not_suffice_for_several_packs_fails_no_trial(packed, monkeypatch):
    worker, admit = packed
    worker.advance([*admit(8, 0, 1, 2, 3), *admit(4, 4, 5, 6, 7)])
    advance, short_of = Pack.advance, {8}

    def cramped(pack, slots, seconds=None):
        if pack.structure.hidden_size in short_of:
            raise OutOfMemory("a pack must fit into memory, but this one does not.")
        return advance(pack, slots, seconds)

    monkeypatch.setattr(Pack, "advance", cramped)

    def after(*orders):
        return [i for commands in (orders, (), ()) for i in said(worker.advance(commands))]

    assert after() == [(Evicted, number) for number in (0, 1, 2, 3)]
    assert after(*admit(8, 0)) == [(Evicted, 0)]
    assert worker._packs.slots == 1  # of new packs; the old one still has four
    short_of |= {4}
    assert after() == [(Evicted, number) for number in (4, 5, 6, 7)]
    assert after(*admit(4, 4)) == [(Crashed, 4)]  # alone it has no room either


def test_a_trial_that_raises_is_found_and_the_others_train_together_again(packed, monkeypatch):
    worker, admit = packed
    worker.advance(admit(8, 0, 1, 2, 3))
    advance, groups = Pack.advance, []

    def broken(pack, slots, seconds=None):
        groups.append(len(slots))
        if 2 in slots:
            raise ArithmeticError("a bug")
        return advance(pack, slots, seconds)

    monkeypatch.setattr(Pack, "advance", broken)
    found = [item for _ in range(6) for item in said(worker.advance(()))]
    assert found == [(Crashed, 2)]
    assert groups == [4, 1, 1, 1, 3, 3]
