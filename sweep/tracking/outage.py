"""What the sink does while the tracker is away: wait, try again, say so in one line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sweep.errors import GaveUp, TrackerUnavailable
from sweep.log.notices import BACK

_T = TypeVar("_T")
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_SILENT_SECONDS = 2.0  # a locked SQLite file or a restarted server is not worth a line


@dataclass
class Retrier:
    """Calls the tracker until it answers; several threads may call at once.

    An outage is one for all of them: it begins with the first refusal and ends with the first
    answer.

    Args:
        notify: Takes one line when the tracker goes away, and one when it is back.
        is_hopeless: Given for how many seconds it has been away: whether to stop waiting.
    """

    notify: Callable[[str], None]
    is_hopeless: Callable[[float], bool]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    _away_since: float | None = field(default=None, init=False)
    _told: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def call(self, action: Callable[[], _T]) -> _T:
        """Return what `action` returns, after as many tries as it takes.

        Raises:
            GaveUp: the tracker has been away for too long.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                result = action()
            except TrackerUnavailable as error:
                self._refused(error)
                self.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            self._answered()
            return result

    def _refused(self, error: TrackerUnavailable) -> None:
        with self._lock:
            if self._away_since is None:
                self._away_since = self.clock()
            away_seconds = self.clock() - self._away_since
            if self.is_hopeless(away_seconds):
                raise GaveUp(str(error)) from error
            if away_seconds >= _SILENT_SECONDS and not self._told:
                self._told = True
                self.notify(f"tracking: {error}; training goes on, the log keeps everything.")

    def _answered(self) -> None:
        with self._lock:
            self._away_since = None
            if self._told:
                self._told = False
                self.notify(f"tracking: {BACK}; writing what waited in the log.")
