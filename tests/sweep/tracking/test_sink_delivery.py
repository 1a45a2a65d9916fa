"""Several runs written at once: what goes first, and when `deliver` comes back."""

from __future__ import annotations

import threading

import pytest

from sweep.errors import GaveUp
from sweep.tracking.delivery import Delivery
from sweep.tracking.run import PendingRun, RunWrite


def writes(count: int) -> list[RunWrite]:
    children = [PendingRun(f"u{n}", f"digits-{n}").take() for n in range(count)]
    return [PendingRun("s", "digits", is_parent=True).take(), *children]


def test_the_sweeps_own_run_is_written_before_any_other_begins():
    names: list[str] = []
    delivery = Delivery(lambda write: names.append(write.name), threads=4)
    delivery.deliver(writes(20))
    delivery.close()
    assert names[0] == "digits"
    assert sorted(names[1:]) == sorted(f"digits-{n}" for n in range(20))


def test_with_one_thread_the_order_is_that_of_the_batch():
    names: list[str] = []
    delivery = Delivery(lambda write: names.append(write.name), threads=1)
    delivery.deliver(writes(3))
    assert names == ["digits", "digits-0", "digits-1", "digits-2"]


def test_runs_are_written_at_the_same_time():
    together = threading.Barrier(4, timeout=30)  # nobody passes before four have come
    written: list[str] = []

    def write(run: RunWrite) -> None:
        if not run.is_parent:
            together.wait()
        written.append(run.name)

    delivery = Delivery(write, threads=4)
    delivery.deliver(writes(8))
    delivery.close()
    assert sorted(written) == ["digits", *(f"digits-{n}" for n in range(8))]


def test_nobody_writes_any_more_once_a_failure_comes_back():
    running = threading.Event()
    finished: list[str] = []

    def write(run: RunWrite) -> None:
        if run.name == "digits-0":
            running.wait(30)
            raise GaveUp("MLflow is away")
        if run.name == "digits-1":
            running.set()
            delivery.stopping.wait(30)  # as a write does that waits for the tracker
            finished.append(run.name)

    delivery = Delivery(write, threads=2)
    with pytest.raises(GaveUp):
        delivery.deliver(writes(2))
    assert finished == ["digits-1"]
    delivery.close()
