"""One coordinator per sweep: an OS lock that dies with its holder, and a fencing number.

The lock keeps a second coordinator out (a file lock for SQLite, an advisory lock for PostgreSQL);
the number, checked by every append, keeps out one that lost the lock without noticing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import TextIO

import sqlalchemy as sa

from sweep.errors import LeaseHeld
from sweep.events import EventLog


class Lease:
    """The right to append to one sweep's log; released when the process ends, however it ends."""

    def __init__(self, log: EventLog, fence: int, release: TextIO | sa.Connection) -> None:
        """Hold a lease; use `acquire` instead."""
        self.fence = fence
        self._log = log
        self._release = release

    @classmethod
    def acquire(cls, log: EventLog, folder: Path) -> Lease:
        """Take the sweep's lease.

        Raises:
            LeaseHeld: another coordinator holds it; the message names that one.
        """
        sqlite = log.engine.dialect.name == "sqlite"
        holder = _lock_file(log, folder) if sqlite else _lock_database(log)
        fence = log.take_fence(f"{socket.gethostname()}:{os.getpid()}")
        return cls(log, fence, holder)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release.close()


def _held(log: EventLog) -> LeaseHeld:
    return LeaseHeld(
        f"one coordinator at a time may run sweep {log.sweep!r}, but {log.owner()} (host:pid) "
        f"runs it now; wait for it, or stop it, or give --name another name."
    )


def _lock_file(log: EventLog, folder: Path) -> TextIO:
    handle = (folder / "sweep.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise _held(log) from None
    return handle


def _lock_database(log: EventLog) -> sa.Connection:
    key = int.from_bytes(hashlib.sha256(log.sweep.encode()).digest()[:8], "big", signed=True)
    connection = log.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    taken = connection.execute(sa.select(sa.func.pg_try_advisory_lock(key))).scalar()
    if not taken:
        connection.close()
        raise _held(log)
    return connection
