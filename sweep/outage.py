"""What the sink does while the tracker is away: wait, try again, tell of it in one line.

TrackerError
├── TrackerUnavailable   it does not answer, or answers that it can't: try again later
├── RunGone              this one run can't be written any more: someone deleted it
└── GaveUp               it stayed away for longer than anybody would wait
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sweep.errors import SweepError

_T = TypeVar("_T")
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_SILENT_SECONDS = 2.0  # a locked SQLite file or a restarted server is not worth a line


class TrackerError(SweepError):
    """Base of what can go wrong between the sink and MLflow."""


class TrackerUnavailable(TrackerError):
    """The tracker does not take the write now; the message is one line without secrets."""


class RunGone(TrackerError):
    """The run was deleted in MLflow; the message names it."""


class GaveUp(TrackerError):
    """The tracker stayed away; what is not written waits in the log."""


@dataclass
class Retrier:
    """Calls the tracker until it answers.

    Args:
        notify: Takes one line when the tracker goes away, and one when it is back.
        is_hopeless: Given for how many seconds it has been away: whether to stop waiting.
    """

    notify: Callable[[str], None]
    is_hopeless: Callable[[float], bool]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _told: bool = field(default=False, init=False)

    def call(self, action: Callable[[], _T]) -> _T:
        """Return what `action` returns, after as many tries as it takes.

        Raises:
            GaveUp: the tracker has been away for too long.
        """
        since = self.clock()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                result = action()
            except TrackerUnavailable as error:
                self._wait(error, self.clock() - since, pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            if self._told:
                self._told = False
                self.notify("tracking: MLflow answers again; writing what waited in the log.")
            return result

    def _wait(self, error: TrackerUnavailable, away_seconds: float, pause: float) -> None:
        if self.is_hopeless(away_seconds):
            raise GaveUp(str(error)) from error
        if away_seconds >= _SILENT_SECONDS and not self._told:
            self._told = True
            self.notify(f"tracking: {error}; training goes on, the log keeps everything.")
        self.sleep(pause)
