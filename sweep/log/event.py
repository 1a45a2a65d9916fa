"""One event: an envelope around what it says, and how a row of the log's table holds it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from sweep.errors import LogError
from sweep.log.codec import Unreadable, codec
from sweep.log.kinds import KINDS, What

_NAMES = {kind: name for name, kind in KINDS.items()}
_NEWER = ": a newer release wrote it; update rnn-sweep."


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log; `seq` is 0 until it is appended, then counts from 1 without gaps.

    Attributes:
        what: What happened; its class is the event's kind (`sweep.log.kinds`).
        trial: Trial number, or None when the event is about the sweep.
        attempt: Which try at the trial, from 1.
        epoch: Epochs the trial had done.
        time: Unix time in seconds at which the thing happened, by its producer's clock.
    """

    what: What
    trial: int | None = None
    attempt: int | None = None
    epoch: int | None = None
    time: float = field(default_factory=time.time)
    seq: int = 0

    @property
    def kind(self) -> str:
        """The kind's name, as the log has it."""
        return _NAMES[type(self.what)]


def row_of(sweep: str, seq: int, event: Event) -> dict[str, Any]:
    """Return an event as a row of the table `events`.

    Raises:
        ValueError: a number in it is not finite, which JSON can't hold.
    """
    kind = type(event.what)
    payload = codec(kind).encode(event.what)
    if kind.version > 1:
        payload["version"] = kind.version
    return {
        "sweep": sweep,
        "seq": seq,
        "time": event.time,
        "kind": event.kind,
        "trial": event.trial,
        "attempt": event.attempt,
        "epoch": event.epoch,
        "payload": json.dumps(payload, separators=(",", ":"), allow_nan=False),
    }


def event_of(row: sa.Row[Any]) -> Event:
    """Return the event that a row of the table `events` holds.

    Raises:
        LogError: a newer release wrote it, or it is damaged.
    """
    return Event(_content(row), row.trial, row.attempt, row.epoch, row.time, row.seq)


def _content(row: sa.Row[Any]) -> What:
    line = f"event {row.seq} ({row.kind}) of sweep {row.sweep!r}"
    kind = KINDS.get(row.kind)
    if kind is None:
        raise LogError(f"{line} must be of a kind that this release knows{_NEWER}")
    try:
        payload = json.loads(row.payload)
        version = payload.get("version", 1) if type(payload) is dict else 1
        if version not in range(1, kind.version + 1):
            raise LogError(
                f"{line} must be of version {kind.version} at most, but is of {version!r}{_NEWER}"
            )
        return codec(kind).decode(payload)
    except (json.JSONDecodeError, Unreadable) as error:
        raise LogError(f"{line} can't be read: {error}; restore the log from a copy.") from error
