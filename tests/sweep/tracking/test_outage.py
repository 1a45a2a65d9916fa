"""Waiting for a tracker that is away."""

from __future__ import annotations

import pytest

from sweep.errors import GaveUp, RunGone, TrackerUnavailable
from sweep.tracking.outage import Retrier


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Tracker:
    """Fails a number of times, then answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise TrackerUnavailable("MLflow is away")
        return "written"


def retrier(lines: list[str], hopeless_after: float = float("inf")) -> tuple[Retrier, Clock]:
    clock = Clock()
    made = Retrier(
        lines.append, lambda away: away >= hopeless_after, clock=clock, sleep=clock.sleep
    )
    return made, clock


def test_a_call_is_repeated_until_it_works_with_growing_pauses_up_to_ten_seconds():
    made, clock = retrier([])
    tracker = Tracker(failures=8)
    assert made.call(tracker) == "written"
    assert tracker.calls == 9
    assert clock.pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0])


def test_a_hiccup_is_not_worth_a_line():
    lines: list[str] = []
    made, _ = retrier(lines)
    made.call(Tracker(failures=3))
    assert lines == []


def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends():
    lines: list[str] = []
    made, _ = retrier(lines)
    made.call(Tracker(failures=20))
    made.call(Tracker(failures=0))
    assert len(lines) == 2
    assert "MLflow is away" in lines[0]
    assert "training goes on" in lines[0]
    assert "answers again" in lines[1]


def test_nobody_waits_for_ever_when_it_is_hopeless():
    made, clock = retrier([], hopeless_after=5.0)
    with pytest.raises(GaveUp, match="MLflow is away"):
        made.call(Tracker(failures=1000))
    assert 5.0 <= clock.now < 15.0


def test_a_deleted_run_is_not_tried_again():
    made, clock = retrier([])

    def deleted() -> None:
        raise RunGone("run 'x' was deleted")

    with pytest.raises(RunGone):
        made.call(deleted)
    assert clock.pauses == []
