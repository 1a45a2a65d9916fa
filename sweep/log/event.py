"""One event: what it says, and how a row of the log's table holds it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa


class Kind(StrEnum):
    """What an event says; its payload is described in sweep/README.md."""

    OPENED = "opened"
    CLOSED = "closed"
    RESIZED = "resized"
    ASKED = "asked"
    WARMED = "warmed"
    STARTED = "started"
    REPORTED = "reported"
    CHECKPOINTED = "checkpointed"
    CONTINUED = "continued"
    PAUSED = "paused"
    PRUNED = "pruned"
    COMPLETED = "completed"
    FAILED = "failed"
    LOST = "lost"
    EVALUATED = "evaluated"


@dataclass(frozen=True)
class Event:
    """One line of the log; `seq` is 0 until it is appended, then counts from 1 without gaps.

    Attributes:
        time: Unix time in seconds at which the thing happened, by its producer's clock.
        trial: Trial number, or None when the event is about the sweep.
        attempt: Which try at the trial, from 1.
        epoch: Epochs the trial had done.
    """

    kind: Kind
    trial: int | None = None
    attempt: int | None = None
    epoch: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    time: float = field(default_factory=time.time)
    seq: int = 0


def row_of(sweep: str, seq: int, event: Event) -> dict[str, Any]:
    """Return an event as a row of the table `events`."""
    return {
        "sweep": sweep,
        "seq": seq,
        "time": event.time,
        "kind": event.kind.value,
        "trial": event.trial,
        "attempt": event.attempt,
        "epoch": event.epoch,
        "payload": json.dumps(event.payload, separators=(",", ":"), allow_nan=False),
    }


def event_of(row: sa.Row[Any]) -> Event:
    """Return the event that a row of the table `events` holds."""
    return Event(
        kind=Kind(row.kind),
        trial=row.trial,
        attempt=row.attempt,
        epoch=row.epoch,
        payload=json.loads(row.payload),
        time=row.time,
        seq=row.seq,
    )
