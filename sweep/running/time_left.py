"""How long a running sweep still takes: an estimate that only counts down until there is news."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field


def seconds_left(
    epochs: Sequence[float], epoch_seconds: float, workers: int, together: float
) -> float:
    """Return how long trials take: all at the workers' pace, or the longest one if that is more.

    Args:
        epochs: That each trial has before it.
        epoch_seconds: What an epoch of any one trial costs a worker.
        workers: How many there are.
        together: Trials that a worker trains at once; each has that share of its time.
    """
    longest = max(epochs, default=0.0) * max(together, 1.0)
    return epoch_seconds * max(sum(epochs) / workers, longest)


@dataclass
class EpochMean:
    """The mean epochs of trials that have ended."""

    count: int = 0
    epochs: int = 0

    def add(self, epochs: int) -> None:
        """Count a trial."""
        self.count += 1
        self.epochs += epochs

    @property
    def mean(self) -> float:
        """Their mean; zero of none."""
        return self.epochs / self.count if self.count else 0.0

    def left(self, done: int, most: float) -> float:
        """Return the epochs that a trial has before it, of `most` in all, if it is like these."""
        like = max(self.mean - done, 1.0) if self.count else math.inf
        return max(min(like, most - done), 0.0)


@dataclass
class Countdown:
    """Holds the moment at which the sweep should end, as estimated at the last news."""

    clock: Callable[[], float] = time.monotonic
    _news: Hashable = None
    _end: float = field(default=-math.inf)

    def left(self, news: Hashable, estimate: Callable[[], float | None]) -> float | None:
        """Return the seconds left; None where nothing is known, or the moment is past.

        Args:
            news: What the estimate hangs on: it is made anew where this has changed.
            estimate: Makes it.
        """
        if news != self._news:
            found = estimate()
            self._news = news
            self._end = -math.inf if found is None else self.clock() + found
        left = self._end - self.clock()
        return left if left > 0 else None
