"""What a session's figures are made of: when its workers began, and what they had done by then."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Moment:
    """What the session's workers had done by then, and for how long they had been there."""

    time: float
    busy_seconds: float
    worker_seconds: float


@dataclass
class Clock:
    """What the session's figures are made of.

    Attributes:
        first: The first ask, or the first start of a trial that was asked before.
        last: When the last trial ended or was paused.
    """

    began: float = field(default_factory=time.time)
    first: Moment | None = None
    last: Moment | None = None
    busy_seconds: float = 0.0
    epochs: int = 0

    def epoch_seconds(self) -> float:
        """Return what an epoch of one trial has cost a worker, all told."""
        return self.busy_seconds / max(self.epochs, 1)

    def busy_fraction(self, last: Moment, workers: int | None) -> float | None:
        """Return the share of the workers' time since `first` that they were busy.

        None before there is a span to speak of.

        Args:
            last: The end of the span.
            workers: How many there were all the time; None where their number changed.
        """
        if self.first is None:
            return None
        there = last.worker_seconds - self.first.worker_seconds
        available = there if workers is None else workers * (last.time - self.first.time)
        busy = last.busy_seconds - self.first.busy_seconds
        return min(busy / available, 1.0) if available > 0 else None
