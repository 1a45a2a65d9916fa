"""What MLflow would hold: the writes of a fold, one after the other."""

from __future__ import annotations

from typing import Any

from sweep.log.event import Event
from sweep.tracking.run import Point, RunWrite, Status
from sweep.tracking.sink import SinkFold, SweepFacts
from tests.sweep.synthetic_log import (
    CONFIG,
    SWEEP_UID,
    numbered,
)

START_MS = 1_700_000_000_000


def fold_of(config: dict[str, Any] | None = None) -> SinkFold:
    return SinkFold(SweepFacts(SWEEP_UID, "digits", config or CONFIG))


class Record:
    """What MLflow would hold: the writes of every `take`, one after the other."""

    def __init__(self) -> None:
        self.points: list[tuple[str, Point]] = []
        self.params: dict[str, dict[str, str]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.status: dict[str, tuple[Status, int | None]] = {}
        self.began: dict[str, int] = {}

    def write(self, writes: list[RunWrite]) -> None:
        for write in writes:
            self.points += [(write.name, point) for point in write.points]
            self.params.setdefault(write.name, {}).update(write.params)
            self.tags.setdefault(write.name, {}).update(write.tags)
            self.began.setdefault(write.name, write.start_ms)
            self.status.setdefault(write.name, (Status.RUNNING, None))
            if write.status is not None:
                self.status[write.name] = (write.status, write.end_ms)

    def values(self, name: str, key: str) -> list[tuple[int, float]]:
        return [(p.step, p.value) for run, p in self.points if run == name and p.key == key]

    def keys(self, name: str) -> set[str]:
        return {point.key for run, point in self.points if run == name}


def record(events: list[Event], page: int | None = None, fold: SinkFold | None = None) -> Record:
    fold, result = fold or fold_of(), Record()
    sequence = numbered(events)
    page = page or len(sequence)
    for first in range(0, len(sequence), page):
        for event in sequence[first : first + page]:
            fold.apply(event)
        result.write(fold.take())
    return result
