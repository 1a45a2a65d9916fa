"""Why a session shall end before its work is done: a signal, a budget, somebody's request."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

ASK_SECONDS = 1.0


class StopFlag:
    """Says why to stop, or None; while entered it catches the signals that mean to end.

    Such signals are Ctrl-C, SIGTERM and a terminal that closes (not under nohup). A second one
    interrupts at once; the log is whole at any moment.

    Args:
        seconds_left: Until the time budget is used up; None sets no limit.
        asked: Says once a second whether somebody or something else wants an end, and why.
    """

    def __init__(self, seconds_left: float | None, asked: Callable[[], str | None]) -> None:
        """Start the clock."""
        self._deadline = None if seconds_left is None else time.monotonic() + seconds_left
        self._asked = asked
        self._asked_at = time.monotonic()
        self._interrupted = False
        self._reason: str | None = None
        self._handlers: dict[int, Any] = {}

    def __call__(self) -> str | None:
        """Return interrupted, stopped, budget or None."""
        now = time.monotonic()
        if self._interrupted:
            return "interrupted"
        if self._reason is None and self._deadline is not None and now >= self._deadline:
            self._reason = "budget"
        if self._reason != "stopped" and now - self._asked_at >= ASK_SECONDS:
            self._asked_at, asked = now, self._asked()
            if self._reason is None or asked == "stopped":  # of more weight than a budget
                self._reason = asked
        return self._reason

    def __enter__(self) -> StopFlag:
        wanted = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            wanted.append(signal.SIGHUP)
        try:
            self._handlers = {number: signal.signal(number, self._note) for number in wanted}
        except ValueError:  # not the main thread: whoever runs us handles signals
            self._handlers = {}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
