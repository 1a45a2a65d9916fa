"""One sink at a time writes a sweep's record: a lock in its folder."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = "sink.lock"
_LOCK_POLL_SECONDS = 0.2


@contextmanager
def only_sink(folder: Path, may_wait: Callable[[], bool]) -> Iterator[bool]:
    """Hold the lock of a sweep's sink; it dies with its holder, however that ends.

    Args:
        folder: The sweep's folder.
        may_wait: Asked again and again while another process holds the lock.

    Yields:
        Whether the lock was taken; False when `may_wait` said no.
    """
    with (folder / LOCK_FILE).open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if not may_wait():
                    yield False
                    return
                time.sleep(_LOCK_POLL_SECONDS)
            else:
                yield True
                return
