"""The event log: the truth about a sweep, one transaction per round of reports.

Tables live in a SQLAlchemy database, SQLite in WAL mode by default (one file a sweep), PostgreSQL
by URL. Only the coordinator that holds the lease appends (`sweep.log.lease`); everybody may read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from sweep.errors import LeaseLost, LogError
from sweep.log.engine import is_url, open_engine, shown
from sweep.log.event import Event, event_of, row_of
from sweep.log.outage import Patience, words_of
from sweep.log.tables import EVENTS, LEASES, OFFSETS, PULSES, STOPS, SWEEPS, create_tables

_T = TypeVar("_T")
LOG_FILE = "sweep.db"
"""Name of the SQLite log in a sweep's folder."""


_FENCE = sa.select(LEASES.c.fence).where(LEASES.c.sweep == sa.bindparam("sweep")).with_for_update()
_READ_BATCH = 5_000


class EventLog:
    """One sweep's events in a SQLAlchemy database.

    Attributes:
        where: The database, as it may be printed.
        patience: What a database that is away for a while costs: see `sweep.log.outage`.
        keeper: Called before a write that follows an outage, and once in a while: takes a broken
            lock anew (see `sweep.log.lease`).
    """

    def __init__(self, engine: sa.Engine, sweep: str, where: str) -> None:
        """Wrap an engine whose tables exist; use `open` instead."""
        self.engine = engine
        self.sweep = sweep
        self.where = where
        self.patience = Patience(sweep)
        self.keeper: Callable[[], None] = lambda: None
        self._writer = engine.execution_options(writes=True)
        self._last_seq: int | None = None

    @classmethod
    def open(cls, where: str | Path, sweep: str, *, create: bool = False) -> EventLog:
        """Open the log of one sweep; `sweep.log.places` knows where it is.

        Args:
            where: A database URL, or the path of a SQLite file.
            sweep: The sweep's name.
            create: Make file and tables where they are missing.

        Raises:
            LogError: the file is missing, lies on a network file system or is not a log, or the
                database can't be reached.
        """
        engine, place = open_engine(where, create=create), shown(where)
        try:
            if create:
                create_tables(engine)
            elif not sa.inspect(engine).has_table("events"):
                raise LogError(f"an event log must have a table `events`, but {place} has none.")
        except sa.exc.DBAPIError as error:
            raise LogError(_unreadable(place, error)) from error
        return cls(engine, sweep, place)

    # -- the sweep itself --------------------------------------------------------------------

    def register(self, uid: str, config: dict[str, Any]) -> None:
        """Write the sweep's own row: its unique id and its configuration."""
        text, now = json.dumps(config), time.time()

        def write(connection: sa.Connection) -> None:
            ours = SWEEPS.c.sweep == self.sweep, SWEEPS.c.uid == uid
            if connection.execute(sa.select(SWEEPS.c.uid).where(*ours)).first() is None:
                row = {"sweep": self.sweep, "uid": uid, "created": now, "config": text}
                connection.execute(SWEEPS.insert().values(row))

        self._write(write)

    def replace_config(self, config: dict[str, Any]) -> None:
        """Write the configuration anew, after a resume that changed what may change."""
        update = SWEEPS.update().where(SWEEPS.c.sweep == self.sweep)
        self._write(lambda c: c.execute(update.values(config=json.dumps(config))))

    def config(self) -> dict[str, Any] | None:
        """Return the configuration the sweep was registered with, or None before that."""
        row = self._sweep_row()
        return None if row is None else dict(json.loads(row.config))

    def uid(self) -> str:
        """Return the sweep's unique id.

        Raises:
            LogError: no sweep of this name is in the log.
        """
        row = self._sweep_row()
        if row is None:
            raise LogError(f"no sweep named {self.sweep!r} is in this log.")
        return str(row.uid)

    def _sweep_row(self) -> sa.Row[Any] | None:
        query = sa.select(SWEEPS).where(SWEEPS.c.sweep == self.sweep)
        return self._read(lambda c: c.execute(query).one_or_none())

    # -- events ------------------------------------------------------------------------------

    def append(self, events: Sequence[Event], fence: int) -> None:
        """Append events in one transaction, once, if `fence` is still the lease's number.

        A PostgreSQL that goes away meanwhile is waited for. Whether a commit that was cut off took
        place is seen from the newest event: under our fence nobody else writes any.

        Raises:
            LeaseLost: another coordinator has taken the sweep over; nothing was written.
            LogError: the database refused (a full disk, say); nothing was written.
        """
        if not events:
            return
        first: int | None = None
        again = False

        def attempt() -> int:
            nonlocal first, again
            if again:
                self.keeper()
            again = True
            with self._writer.begin() as connection:
                self._check_fence(connection, fence)
                if first is not None and self._is_written(connection, first, len(events)):
                    return first
                first = self._next_seq(connection)
                rows = [row_of(self.sweep, first + i, event) for i, event in enumerate(events)]
                connection.execute(EVENTS.insert(), rows)
            return first

        self._last_seq = self.patience.call(attempt, "writable") + len(events) - 1

    def read(self, after_seq: int = 0, *, trial: int | None = None) -> Iterator[Event]:
        """Yield the events after `after_seq`, in order, as far as they are committed now.

        Args:
            after_seq: The last event that is known; 0 for none.
            trial: Whose events alone; None for all.

        Raises:
            LogError: a newer release wrote one of them, or it is damaged.
        """
        own = () if trial is None else (EVENTS.c.trial == trial,)
        while True:
            query = (
                sa.select(EVENTS)
                .where(EVENTS.c.sweep == self.sweep, EVENTS.c.seq > after_seq, *own)
                .order_by(EVENTS.c.seq)
                .limit(_READ_BATCH)
            )
            rows = self._read(partial(_all, query))
            for row in rows:
                yield event_of(row)
            if len(rows) < _READ_BATCH:
                return
            after_seq = rows[-1].seq

    def last_seq(self) -> int:
        """Return the number of the newest event, 0 for an empty log."""
        return self._read(self._newest)

    def still_ours(self, fence: int) -> None:
        """Make sure that no other coordinator has taken the sweep over.

        Raises:
            LeaseLost: one has.
        """
        self._read(lambda connection: self._check_fence(connection, fence))

    def _check_fence(self, connection: sa.Connection, fence: int) -> None:
        current = connection.execute(_FENCE, {"sweep": self.sweep}).scalar()
        if current != fence:
            raise LeaseLost(
                f"another coordinator holds sweep {self.sweep!r} (fence {current}, ours {fence}); "
                "this one stops and has written nothing more."
            )

    def _is_written(self, connection: sa.Connection, first: int, count: int) -> bool:
        newest = self._newest(connection)
        if newest not in (first - 1, first + count - 1):
            raise LogError(
                f"the log of sweep {self.sweep!r} must end with event {first - 1} or "
                f"{first + count - 1} after its outage, but ends with {newest}: {self.where} has "
                "lost or gained events; restore it, then the same command goes on."
            )
        return newest >= first

    def _newest(self, connection: sa.Connection) -> int:
        query = sa.select(sa.func.max(EVENTS.c.seq)).where(EVENTS.c.sweep == self.sweep)
        return int(connection.execute(query).scalar() or 0)

    def _next_seq(self, connection: sa.Connection) -> int:
        if self._last_seq is None:
            self._last_seq = self._newest(connection)
        return self._last_seq + 1

    # -- the lease's number and the sinks' offsets ---------------------------------------------

    def take_fence(self, owner: str) -> int:
        """Raise the sweep's fencing number by one and return it: older holders can't append."""
        mine = LEASES.c.sweep == self.sweep

        def take(connection: sa.Connection) -> int:
            query = sa.select(LEASES.c.fence).where(mine).with_for_update()
            old = connection.execute(query).scalar()
            fence = int(old or 0) + 1
            if old is None:
                values = {"sweep": self.sweep, "owner": owner, "fence": fence}
                connection.execute(LEASES.insert().values(values))
            else:
                connection.execute(LEASES.update().where(mine).values(owner=owner, fence=fence))
            return fence

        fence = self._write(take)
        self._last_seq = None
        return fence

    def owner(self) -> str | None:
        """Return who took the lease last, as `host:pid`."""
        query = sa.select(LEASES.c.owner).where(LEASES.c.sweep == self.sweep)
        return self._read(lambda c: c.execute(query).scalar())

    def newest_fence(self, connection: sa.Connection) -> int:
        """Return the number of the lease that was taken last; 0 before the first."""
        query = sa.select(LEASES.c.fence).where(LEASES.c.sweep == self.sweep)
        return int(connection.execute(query).scalar() or 0)

    def offset(self, sink: str) -> int:
        """Return the number of the last event that `sink` has written elsewhere."""
        return self._read(lambda c: self._offset(c, sink))

    def _offset(self, connection: sa.Connection, sink: str) -> int:
        query = sa.select(OFFSETS.c.seq).where(
            OFFSETS.c.sweep == self.sweep, OFFSETS.c.sink == sink
        )
        return int(connection.execute(query).scalar() or 0)

    def set_offset(self, sink: str, seq: int) -> None:
        """Record that `sink` has written everything up to event `seq`."""
        mine = (OFFSETS.c.sweep == self.sweep, OFFSETS.c.sink == sink)

        def write(connection: sa.Connection) -> None:
            changed = connection.execute(OFFSETS.update().where(*mine).values(seq=seq))
            if changed.rowcount == 0:
                values = {"sweep": self.sweep, "sink": sink, "seq": seq}
                connection.execute(OFFSETS.insert().values(values))

        self._write(write)

    def backlog(self, sink: str) -> int | None:
        """Return how many events `sink` has not written; None while the log is away."""

        def left() -> int | None:
            with self.engine.connect() as connection:
                return max(self._newest(connection) - self._offset(connection, sink), 0)

        return self.patience.once(left, None)

    # -- what coordinator and people elsewhere tell each other ---------------------------------

    def request_stop(self) -> None:
        """Ask the coordinator that holds the lease now to save and end; a later one ignores it."""
        self._write(lambda c: self._put(c, STOPS, {"fence": self.newest_fence(c)}))

    def stop_requested(self, fence: int) -> bool:
        """Return whether the coordinator with this fencing number has been asked to end.

        Raises:
            LeaseLost: another coordinator has taken the sweep over.
        """
        query = sa.select(STOPS.c.fence).where(STOPS.c.sweep == self.sweep)

        def asked() -> bool:
            self.keeper()
            with self.engine.connect() as connection:
                return connection.execute(query).scalar() == fence

        return self.patience.once(asked, otherwise=False)

    def write_pulse(self, facts: dict[str, Any]) -> None:
        """Write what the coordinator is doing, in place of what it wrote before."""

        def write() -> None:
            with self._writer.begin() as connection:
                values = {"time": self._now(connection), "facts": json.dumps(facts)}
                self._put(connection, PULSES, values)

        self.patience.once(write, None)

    def pulse_time(self) -> float | None:
        """Return when the last pulse was written, by the log's own clock."""
        query = sa.select(PULSES.c.time).where(PULSES.c.sweep == self.sweep)
        return self._read(lambda c: c.execute(query).scalar())

    def pulse(self) -> tuple[float, dict[str, Any]] | None:
        """Return how many seconds old the last pulse is, and what it says."""
        if not sa.inspect(self.engine).has_table(PULSES.name):
            return None  # a log of an older version, read only
        query = sa.select(PULSES.c.time, PULSES.c.facts).where(PULSES.c.sweep == self.sweep)
        now, row = self._read(lambda c: (self._now(c), c.execute(query).one_or_none()))
        return None if row is None else (now - row.time, json.loads(row.facts))

    def _now(self, connection: sa.Connection) -> float:
        """Return the time by one clock for all: PostgreSQL's, or that of SQLite's machine."""
        if self.engine.dialect.name == "sqlite":
            return time.time()
        query = sa.select(sa.func.extract("epoch", sa.func.clock_timestamp()))
        return float(connection.execute(query).scalar_one())

    def _put(self, connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> None:
        changed = connection.execute(
            table.update().where(table.c.sweep == self.sweep).values(**values)
        )
        if changed.rowcount == 0:
            connection.execute(table.insert().values(sweep=self.sweep, **values))

    # -- connections -------------------------------------------------------------------------

    def _read(self, action: Callable[[sa.Connection], _T]) -> _T:
        def attempt() -> _T:
            with self.engine.connect() as connection:
                return action(connection)

        return self.patience.call(attempt, "readable")

    def _write(self, action: Callable[[sa.Connection], _T]) -> _T:
        """Write in one transaction something that may as well be written twice."""

        def attempt() -> _T:
            with self._writer.begin() as connection:
                return action(connection)

        return self.patience.call(attempt, "writable")

    def close(self) -> None:
        """Release the database connections."""
        self.engine.dispose()


def _unreadable(place: str, error: sa.exc.DBAPIError) -> str:
    if not is_url(place):
        return f"{place} can't be read as an event log: {words_of(error)}"
    return (
        f"a log's database must answer at {place}, but: {words_of(error)}; start it, or correct "
        "run.log or RNN_SWEEP_LOG (a password: there, in PGPASSWORD or ~/.pgpass)."
    )


def _all(query: sa.Select[Any], connection: sa.Connection) -> Sequence[sa.Row[Any]]:
    return connection.execute(query).all()
