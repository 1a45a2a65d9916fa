"""The process that writes a log, as others see it: whether it lives, and what it tells a child."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from sweep.log.kinds import Opened

COORDINATOR_VARIABLE = "RNN_SWEEP_COORDINATOR"
URI_VARIABLE = "RNN_SWEEP_TRACKING_URI"
"""Names another tracker to the sink that the coordinator starts."""


@dataclass(frozen=True)
class LogWriter:
    """The process whose log the sink follows.

    Attributes:
        parent_pid: The coordinator, when it started this process; None when a person did.
        known_seq: The log's newest event when it did: a `closed` up to there is an older one.
    """

    parent_pid: int | None = None
    known_seq: int = 0

    @classmethod
    def from_environment(cls) -> LogWriter:
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

    def is_gone(self, opened: Opened | None) -> bool:
        """Whether nobody writes the log any more, as far as can be told.

        Args:
            opened: What the log's last session said of itself; None before the first.
        """
        if self.parent_pid is not None:
            return os.getppid() != self.parent_pid
        if opened is None or opened.host != socket.gethostname():
            return False
        return not is_alive(opened.pid)


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
