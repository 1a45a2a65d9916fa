"""The sink among other processes: one at a time, and gone when its coordinator is."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK_FILE = "sink.lock"
COORDINATOR_VARIABLE = "RNN_SWEEP_COORDINATOR"
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


@dataclass(frozen=True)
class Coordinator:
    """The process whose log the sink follows.

    Attributes:
        parent_pid: The coordinator, when it started this process; None when a person did.
        known_seq: The log's newest event when it did: a `closed` up to there is an older one.
    """

    parent_pid: int | None = None
    known_seq: int = 0

    @classmethod
    def from_environment(cls) -> Coordinator:
        """Read what `environment` wrote for the child process."""
        pid, _, seq = os.environ.get(COORDINATOR_VARIABLE, "").partition(":")
        return cls(int(pid), int(seq)) if pid else cls()

    def environment(self) -> dict[str, str]:
        """Return the variable that tells a child process of its coordinator."""
        return {COORDINATOR_VARIABLE: f"{self.parent_pid}:{self.known_seq}"}

    @property
    def started_us(self) -> bool:
        """Whether the coordinator started this process."""
        return self.parent_pid is not None

    def is_gone(self, opened: Mapping[str, Any]) -> bool:
        """Whether nobody writes the log any more, as far as can be told.

        Args:
            opened: Payload of the log's last `opened` event, empty before the first.
        """
        if self.parent_pid is not None:
            return os.getppid() != self.parent_pid
        if opened.get("host") != socket.gethostname() or "pid" not in opened:
            return False
        return not is_alive(int(opened["pid"]))


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
