"""One coordinator per sweep: an OS lock that dies with its holder, and a fencing number.

The lock keeps a second coordinator out (a file lock for SQLite, an advisory lock for PostgreSQL);
the number, checked by every append, keeps out one that lost the lock without noticing.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

import sqlalchemy as sa

from sweep.errors import LeaseHeld, LeaseLost
from sweep.log.event_log import EventLog
from sweep.log.outage import PATIENCE_SECONDS, LogAway
from sweep.log.process import is_alive

_LOG = logging.getLogger(__name__)
LOCK_FILE = "sweep.lock"
DEAD_SECONDS = 40.0
"""After this long without its pulse a coordinator elsewhere is dead: PostgreSQL has noticed."""
_TRIES = 5
_PAUSE_SECONDS = 0.1
_POLL_SECONDS = 1.0


class Lease:
    """The right to append to one sweep's log; released when the process ends, however it ends."""

    def __init__(self, log: EventLog, fence: int, release: TextIO | sa.Connection) -> None:
        """Hold a lease; use `acquire` instead."""
        self.fence = fence
        self._log = log
        self._release = release

    @classmethod
    def acquire(cls, log: EventLog, folder: Path) -> Lease:
        """Take the sweep's lease; from here on, the log waits for a database that is away.

        Raises:
            LeaseHeld: another coordinator holds it; the message names that one.
        """
        sqlite = log.engine.dialect.name == "sqlite"
        holder = _lock_file(log, folder) if sqlite else _lock_database(log)
        fence = log.take_fence(f"{socket.gethostname()}:{os.getpid()}")
        lease = cls(log, fence, holder)
        if not sqlite:
            log.keeper, log.patience.seconds = lease.keep, PATIENCE_SECONDS
        return lease

    def keep(self) -> None:
        """Make sure that PostgreSQL still holds our lock, and take it anew where it was lost.

        Raises:
            LeaseLost: another coordinator has taken the sweep over.
            LogAway: the lock is not free: of our own old connection, or of somebody who is about
                to take the sweep over.
        """
        assert isinstance(self._release, sa.Connection)
        with suppress(sa.exc.SQLAlchemyError):
            self._release.execute(sa.select(1))
            return
        _let_go(self._release)
        lock = _try_database(self._log)
        with self._log.engine.connect() as connection:
            fence = self._log.newest_fence(connection)
        if fence != self.fence:
            if lock is not None:
                _let_go(lock)
            raise LeaseLost(
                f"{self._log.owner()} took sweep {self._log.sweep!r} over while its log was away; "
                "this coordinator stops and has written nothing more."
            )
        if lock is None:
            raise LogAway("its lock is not free yet")
        self._release = lock

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._log.keeper = lambda: None
        if isinstance(self._release, sa.Connection):
            _let_go(self._release)
        else:
            self._release.close()


def is_held(log: EventLog, folder: Path) -> bool:
    """Return whether a coordinator, anywhere, holds the sweep's lease now."""
    if log.engine.dialect.name == "sqlite":
        try:
            with (folder / LOCK_FILE).open() as handle:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False
    lock = _try_database(log)
    if lock is not None:
        _let_go(lock)
    return lock is None


def _held(log: EventLog) -> LeaseHeld:
    owner = log.owner() or "another"
    return LeaseHeld(
        f"one coordinator at a time may run sweep {log.sweep!r}, but {owner} (host:pid) runs it "
        "now; wait for it, or end it with `rnn-sweep stop`, or give --name another name."
    )


def _lock_file(log: EventLog, folder: Path) -> TextIO:
    handle = (folder / LOCK_FILE).open("w")
    for _ in range(_TRIES):  # somebody may just be looking whether it is held
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        time.sleep(_PAUSE_SECONDS)
    handle.close()
    raise _held(log)


def _lock_database(log: EventLog) -> sa.Connection:
    """Take the advisory lock; one whose holder gives no sign of life is waited for."""
    began, told, signs = time.monotonic(), False, _signs(log)
    while True:
        for _ in range(_TRIES):
            lock = _try_database(log)
            if lock is not None:
                return lock
            time.sleep(_PAUSE_SECONDS)
        if _is_ours(log.owner()) or _signs(log) != signs:
            raise _held(log)
        if time.monotonic() - began > DEAD_SECONDS:
            raise _held(log)
        if not told:
            told = True
            _LOG.warning(
                "%s holds sweep %s; looking for up to %.0f seconds whether it lives",
                *(log.owner() or "another", log.sweep, DEAD_SECONDS),
            )
        time.sleep(_POLL_SECONDS)


def _signs(log: EventLog) -> tuple[object, int]:
    """Return what changes while a coordinator lives: its pulse's time, and the events."""
    return log.pulse_time(), log.last_seq()


def _is_ours(owner: str | None) -> bool:
    """Return whether this is another process of this machine that lives.

    Our own number may be that of a dead one: in a new container, or after this process began anew.
    """
    host, _, pid = (owner or "").rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal() or int(pid) == os.getpid():
        return False
    return is_alive(int(pid))


def _try_database(log: EventLog) -> sa.Connection | None:
    """Return a connection that holds the sweep's advisory lock as long as it lives."""
    key = int.from_bytes(hashlib.sha256(log.sweep.encode()).digest()[:8], "big", signed=True)
    connection = log.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    if connection.execute(sa.select(sa.func.pg_try_advisory_lock(key))).scalar():
        return connection
    connection.close()
    return None


def _let_go(connection: sa.Connection) -> None:
    """Close the connection itself: back in the pool it would keep its lock."""
    with suppress(sa.exc.SQLAlchemyError):
        connection.invalidate()
    with suppress(sa.exc.SQLAlchemyError):
        connection.close()
