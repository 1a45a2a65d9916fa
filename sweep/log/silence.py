"""A server that took a statement and says nothing more: its connection is cut, and we go on.

A database whose process is stopped, or whose disk hangs, keeps its connections open: the kernel
answers for it, and no setting of libpq's ends the wait. Once the connection is cut, the call fails
as if the server had died, and is tried again as after any outage (`sweep.log.outage`).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa

_LOG = logging.getLogger(__name__)
SILENT_SECONDS = 60.0
_LOOK_SECONDS = 1.0


class Silence:
    """Watches an engine's connections from statement to answer.

    Attributes:
        seconds: How long an answer may take.
    """

    def __init__(self, engine: sa.Engine) -> None:
        """Watch every connection that the engine makes from now on."""
        self.seconds = SILENT_SECONDS
        self._waiting: dict[int, tuple[Any, float]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._ping = engine.dialect.do_ping
        engine.dialect.do_ping = self._watched_ping  # type: ignore[assignment, method-assign]
        for name in ("before_cursor_execute", "commit", "rollback"):
            sa.event.listen(engine, name, self._begin)
        sa.event.listen(engine, "after_cursor_execute", self._end)
        sa.event.listen(engine, "checkin", self._back)
        sa.event.listen(engine, "engine_disposed", self._stop)

    # -- from statement to answer ----------------------------------------------------------------

    def _begin(self, connection: sa.Connection, *_: Any) -> None:
        self._note(connection.connection.dbapi_connection)

    def _end(self, connection: sa.Connection, *_: Any) -> None:
        self._forget(connection.connection.dbapi_connection)

    def _back(self, made: Any, _record: Any) -> None:
        self._forget(made)

    def _watched_ping(self, made: Any) -> bool:
        with self._noted(made):
            return self._ping(made)

    @contextmanager
    def _noted(self, made: Any) -> Iterator[None]:
        self._note(made)
        try:
            yield
        finally:
            self._forget(made)

    def _note(self, made: Any) -> None:
        with self._lock:
            self._waiting[id(made)] = (made, time.monotonic())
            if self._thread is None:
                self._over.clear()
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()

    def _forget(self, made: Any) -> None:
        with self._lock:
            self._waiting.pop(id(made), None)

    def _stop(self, _engine: sa.Engine) -> None:
        self._over.set()
        self._thread = None

    # -- in a thread of its own ------------------------------------------------------------------

    def _watch(self) -> None:
        over = self._over
        while not over.wait(_LOOK_SECONDS):
            now = time.monotonic()
            with self._lock:
                late = [k for k, (_, since) in self._waiting.items() if now - since > self.seconds]
                cut = [self._waiting.pop(key)[0] for key in late]
            for made in cut:
                if made.closed:
                    continue
                _LOG.warning(
                    "the log's database has said nothing for %.0f seconds; trying a new connection",
                    self.seconds,
                )
                _cut(made)


def _cut(made: Any) -> None:
    """Shut a connection's socket down: whoever waits for it is told that the server is gone."""
    with suppress(OSError), socket.socket(fileno=os.dup(made.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
