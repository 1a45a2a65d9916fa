"""A log that does not answer for a while: wait, try again, say so in one line.

SQLite has its own patience with locks; this is for PostgreSQL, which may be restarted, moved or
cut off while a sweep runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa

from sweep.errors import LogError

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
PATIENCE_SECONDS = 600.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 3.0
_SILENT_SECONDS = 1.0  # a restarted server is not worth a line
_BREATHER_SECONDS = 5.0
_PASSING = ("08", "57", "53300", "25006")
"""SQL states of a server that is away, shuts down or starts up, is full of clients or, after a
failover, only read: https://www.postgresql.org/docs/current/errcodes-appendix.html"""


class LogAway(Exception):
    """The log can't be used now, and may be in a while; never leaves this package's log."""


# The second: the connection went in mid-transaction, and SQLAlchemy noticed at the next statement.
_CUT_OFF = (LogAway, sa.exc.PendingRollbackError)


def is_away(error: sa.exc.DBAPIError) -> bool:
    """Return whether a PostgreSQL that refused may answer if asked again."""
    if not type(error.orig).__module__.startswith("psycopg"):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_PASSING)
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)


@dataclass
class Patience:
    """Repeats what a log that is away could not do.

    Attributes:
        sweep: The sweep's name, for messages.
        seconds: How long to wait; 0 for a person, who is told at once.
    """

    sweep: str
    seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    _told: bool = field(default=False, init=False)
    _breathes_until: float = field(default=0.0, init=False)

    def call(self, action: Callable[[], _T], must: str) -> _T:
        """Return what `action` returns, after as many tries as it takes.

        Args:
            action: May be called again after it failed half-way.
            must: What the log must be, for the message: readable or writable.

        Raises:
            LogError: the database refuses, or stayed away for too long.
        """
        began, pause = self.clock(), _FIRST_PAUSE_SECONDS
        while True:
            try:
                result = action()
            except (sa.exc.DBAPIError, *_CUT_OFF) as error:
                away = isinstance(error, _CUT_OFF) or is_away(error)
                why = words_of(error)
                if not away or self.clock() - began >= self.seconds:
                    raise LogError(
                        f"the log of sweep {self.sweep!r} must be {must}, but: {why}; mend that, "
                        "then the same command goes on."
                    ) from error
                self._refused(why, self.clock() - began)
                self.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            self._answered()
            return result

    def once(self, action: Callable[[], _T], otherwise: _T) -> _T:
        """Return what `action` returns, or `otherwise` while the log is away: nobody waits."""
        if self.clock() < self._breathes_until:
            return otherwise
        try:
            return action()
        except _CUT_OFF:
            pass
        except sa.exc.DBAPIError as error:
            if not is_away(error):
                raise LogError(
                    f"the log of sweep {self.sweep!r} must be usable, but: {words_of(error)}."
                ) from error
        self._breathes_until = self.clock() + _BREATHER_SECONDS
        return otherwise

    def _refused(self, why: str, away_seconds: float) -> None:
        if away_seconds >= _SILENT_SECONDS and not self._told:
            self._told = True
            _LOG.warning(
                "the log of %s is away (%s); training goes on, nothing is lost; tries go on for "
                "%.0f minutes",
                *(self.sweep, why, self.seconds / 60),
            )

    def _answered(self) -> None:
        self._breathes_until = 0.0
        if self._told:
            self._told = False
            _LOG.warning("the log of %s is back; what waited is written", self.sweep)


def words_of(error: Exception) -> str:
    """Return the database's own words, the first line of them; they hold no password."""
    words = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error)
    return next(iter(words.strip().splitlines()), type(error).__name__).rstrip(".")
