"""Hands runs to MLflow, several at a time where that pays: a server answers slowly, not seldom.

The order that matters is kept: a sweep's own run goes first, and a batch holds at most one write
per run, so the writes of one run never overtake each other. `deliver` comes back when all are
written, or raises when no thread writes any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from sweep.tracking.run import RunWrite


class Delivery:
    """Calls `write` for each run of a batch.

    Args:
        write: Writes one run, waiting for the tracker as long as it must.
        threads: Runs written at the same time; 1 writes them one after the other.
    """

    def __init__(self, write: Callable[[RunWrite], None], threads: int) -> None:
        """Start no thread before there are two runs to write."""
        self.stopping = threading.Event()
        self._write = write
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None

    def deliver(self, writes: Sequence[RunWrite]) -> None:
        """Write a batch; parents come first in it."""
        first = 0
        while first < len(writes) and (writes[first].is_parent or self._threads == 1):
            self._write(writes[first])
            first += 1
        rest = writes[first:]
        if len(rest) < 2:
            for write in rest:
                self._write(write)
            return
        self._all_at_once(rest)

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _all_at_once(self, writes: Sequence[RunWrite]) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="sink")
        futures: list[Future[None]] = [self._pool.submit(self._write, write) for write in writes]
        try:
            for future in futures:
                future.result()
        except BaseException:
            self.stopping.set()  # whoever waits for the tracker stops waiting
            for future in futures:
                future.cancel()
            wait(futures)
            raise
