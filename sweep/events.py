"""The event log: the truth about a sweep, one transaction per round of reports.

Tables live in a SQLAlchemy database, SQLite in WAL mode by default (one file a sweep), PostgreSQL
by URL. Only the coordinator that holds the lease appends (`sweep.lease`); everybody may read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sweep.errors import LeaseLost, LogError
from sweep.filesystem import refuse_network_filesystem

LOG_FILE = "sweep.db"
"""Name of the SQLite log in a sweep's folder."""


class Kind(StrEnum):
    """What an event says; its payload is described in sweep/README.md."""

    OPENED = "opened"
    CLOSED = "closed"
    RESIZED = "resized"
    ASKED = "asked"
    WARMED = "warmed"
    STARTED = "started"
    REPORTED = "reported"
    CHECKPOINTED = "checkpointed"
    CONTINUED = "continued"
    PAUSED = "paused"
    PRUNED = "pruned"
    COMPLETED = "completed"
    FAILED = "failed"
    LOST = "lost"
    EVALUATED = "evaluated"


@dataclass(frozen=True)
class Event:
    """One line of the log; `seq` is 0 until it is appended, then counts from 1 without gaps.

    Attributes:
        time: Unix time in seconds at which the thing happened, by its producer's clock.
        trial: Trial number, or None when the event is about the sweep.
        attempt: Which try at the trial, from 1.
        epoch: Epochs the trial had done.
    """

    kind: Kind
    trial: int | None = None
    attempt: int | None = None
    epoch: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    time: float = field(default_factory=time.time)
    seq: int = 0


_METADATA = sa.MetaData()
_SWEEPS = sa.Table(
    "sweeps",
    _METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("uid", sa.String(32), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("config", sa.Text, nullable=False),
)
_EVENTS = sa.Table(
    "events",
    _METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("trial", sa.Integer),
    sa.Column("attempt", sa.Integer),
    sa.Column("epoch", sa.Integer),
    sa.Column("payload", sa.Text, nullable=False),
)
_LEASES = sa.Table(
    "leases",
    _METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
)
_OFFSETS = sa.Table(
    "offsets",
    _METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("sink", sa.String(200), primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
)
_STOPS = sa.Table(
    "stops",
    _METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("fence", sa.Integer, nullable=False),
)
_PULSES = sa.Table(
    "pulses",
    _METADATA,
    sa.Column("sweep", sa.String(200), primary_key=True),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
)
_FENCE = (
    sa.select(_LEASES.c.fence).where(_LEASES.c.sweep == sa.bindparam("sweep")).with_for_update()
)
_READ_BATCH = 5_000


class EventLog:
    """One sweep's events in a SQLAlchemy database."""

    def __init__(self, engine: sa.Engine, sweep: str) -> None:
        """Wrap an engine whose tables exist; use `open` instead."""
        self.engine = engine
        self.sweep = sweep
        self._writer = engine.execution_options(writes=True)
        self._last_seq: int | None = None

    @classmethod
    def open(cls, where: str | Path, sweep: str, *, create: bool = False) -> EventLog:
        """Open the log of one sweep.

        Args:
            where: A database URL, or the path of a SQLite file.
            sweep: The sweep's name.
            create: Make file and tables where they are missing.

        Raises:
            LogError: the file is missing, lies on a network file system or is not a log.
        """
        engine = _engine(where, create)
        try:
            if create:
                _METADATA.create_all(engine)
            elif not sa.inspect(engine).has_table("events"):
                raise LogError(f"an event log must have a table `events`, but {where} has none.")
        except sa.exc.DatabaseError as error:
            raise LogError(f"{where} can't be read as an event log: {error.orig}") from error
        return cls(engine, sweep)

    # -- the sweep itself --------------------------------------------------------------------

    def register(self, uid: str, config: dict[str, Any]) -> None:
        """Write the sweep's own row: its unique id and its configuration."""
        row = {
            "sweep": self.sweep,
            "uid": uid,
            "created": time.time(),
            "config": json.dumps(config),
        }
        with self._writer.begin() as connection:
            connection.execute(_SWEEPS.insert().values(row))

    def replace_config(self, config: dict[str, Any]) -> None:
        """Write the configuration anew, after a resume that changed what may change."""
        update = _SWEEPS.update().where(_SWEEPS.c.sweep == self.sweep)
        with self._writer.begin() as connection:
            connection.execute(update.values(config=json.dumps(config)))

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
        with self.engine.connect() as connection:
            return connection.execute(
                sa.select(_SWEEPS).where(_SWEEPS.c.sweep == self.sweep)
            ).one_or_none()

    # -- events ------------------------------------------------------------------------------

    def append(self, events: Sequence[Event], fence: int) -> None:
        """Append events in one transaction, if `fence` is still the lease's number.

        Raises:
            LeaseLost: another coordinator has taken the sweep over; nothing was written.
            LogError: the database refused (a full disk, say); nothing was written.
        """
        if not events:
            return
        try:
            with self._writer.begin() as connection:
                self._check_fence(connection, fence)
                first = self._next_seq(connection)
                rows = [_row(self.sweep, first + i, event) for i, event in enumerate(events)]
                connection.execute(_EVENTS.insert(), rows)
        except sa.exc.DBAPIError as error:
            raise LogError(
                f"the log of sweep {self.sweep!r} must be writable, but: {error.orig}; mend that, "
                "then the same command goes on."
            ) from error
        self._last_seq = first + len(rows) - 1

    def read(self, after_seq: int = 0) -> Iterator[Event]:
        """Yield the events after `after_seq`, in order, as far as they are committed now."""
        while True:
            query = (
                sa.select(_EVENTS)
                .where(_EVENTS.c.sweep == self.sweep, _EVENTS.c.seq > after_seq)
                .order_by(_EVENTS.c.seq)
                .limit(_READ_BATCH)
            )
            with self.engine.connect() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                yield _event(row)
            if len(rows) < _READ_BATCH:
                return
            after_seq = rows[-1].seq

    def last_seq(self) -> int:
        """Return the number of the newest event, 0 for an empty log."""
        query = sa.select(sa.func.max(_EVENTS.c.seq)).where(_EVENTS.c.sweep == self.sweep)
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def _check_fence(self, connection: sa.Connection, fence: int) -> None:
        current = connection.execute(_FENCE, {"sweep": self.sweep}).scalar()
        if current != fence:
            raise LeaseLost(
                f"another coordinator holds sweep {self.sweep!r} (fence {current}, ours {fence}); "
                "this one stops and has written nothing more."
            )

    def _next_seq(self, connection: sa.Connection) -> int:
        if self._last_seq is None:
            query = sa.select(sa.func.max(_EVENTS.c.seq)).where(_EVENTS.c.sweep == self.sweep)
            self._last_seq = int(connection.execute(query).scalar() or 0)
        return self._last_seq + 1

    # -- the lease's number and the sinks' offsets ---------------------------------------------

    def take_fence(self, owner: str) -> int:
        """Raise the sweep's fencing number by one and return it: older holders can't append."""
        mine = _LEASES.c.sweep == self.sweep
        with self._writer.begin() as connection:
            query = sa.select(_LEASES.c.fence).where(mine).with_for_update()
            old = connection.execute(query).scalar()
            fence = int(old or 0) + 1
            if old is None:
                values = {"sweep": self.sweep, "owner": owner, "fence": fence}
                connection.execute(_LEASES.insert().values(values))
            else:
                connection.execute(_LEASES.update().where(mine).values(owner=owner, fence=fence))
        self._last_seq = None
        return fence

    def owner(self) -> str | None:
        """Return who took the lease last, as `host:pid`."""
        query = sa.select(_LEASES.c.owner).where(_LEASES.c.sweep == self.sweep)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def offset(self, sink: str) -> int:
        """Return the number of the last event that `sink` has written elsewhere."""
        query = sa.select(_OFFSETS.c.seq).where(
            _OFFSETS.c.sweep == self.sweep, _OFFSETS.c.sink == sink
        )
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def set_offset(self, sink: str, seq: int) -> None:
        """Record that `sink` has written everything up to event `seq`."""
        mine = (_OFFSETS.c.sweep == self.sweep, _OFFSETS.c.sink == sink)
        with self._writer.begin() as connection:
            changed = connection.execute(_OFFSETS.update().where(*mine).values(seq=seq))
            if changed.rowcount == 0:
                values = {"sweep": self.sweep, "sink": sink, "seq": seq}
                connection.execute(_OFFSETS.insert().values(values))

    # -- what coordinator and people elsewhere tell each other ---------------------------------

    def request_stop(self) -> None:
        """Ask the coordinator that holds the lease now to save and end; a later one ignores it."""
        query = sa.select(_LEASES.c.fence).where(_LEASES.c.sweep == self.sweep)
        with self._writer.begin() as connection:
            fence = connection.execute(query).scalar()
            self._put(connection, _STOPS, {"fence": fence or 0})

    def stop_requested(self, fence: int) -> bool:
        """Return whether the coordinator with this fencing number has been asked to end."""
        query = sa.select(_STOPS.c.fence).where(_STOPS.c.sweep == self.sweep)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar() == fence

    def write_pulse(self, facts: dict[str, Any]) -> None:
        """Write what the coordinator is doing, in place of what it wrote before."""
        with self._writer.begin() as connection:
            self._put(connection, _PULSES, {"time": time.time(), "facts": json.dumps(facts)})

    def pulse(self) -> tuple[float, dict[str, Any]] | None:
        """Return how many seconds old the last pulse is, and what it says; None before any."""
        if not sa.inspect(self.engine).has_table("pulses"):  # a log from before there were pulses
            return None
        query = sa.select(_PULSES.c.time, _PULSES.c.facts).where(_PULSES.c.sweep == self.sweep)
        with self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (time.time() - row.time, json.loads(row.facts))

    def _put(self, connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> None:
        changed = connection.execute(
            table.update().where(table.c.sweep == self.sweep).values(**values)
        )
        if changed.rowcount == 0:
            connection.execute(table.insert().values(sweep=self.sweep, **values))

    def close(self) -> None:
        """Release the database connections."""
        self.engine.dispose()


def _engine(where: str | Path, create: bool) -> sa.Engine:
    text = str(where)
    if "://" in text and not text.startswith("sqlite"):
        return sa.create_engine(text, pool_pre_ping=True)
    path = Path(text.removeprefix("sqlite:///"))
    if not create and not path.is_file():
        raise LogError(f"an event log must exist at {path}, but there is no such file.")
    refuse_network_filesystem(path.parent)
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 60.0})
    sa.event.listen(engine, "connect", _configure_sqlite)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we emit BEGIN ourselves: sqlite3's own comes too late
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin(connection: sa.Connection) -> None:
    # A write takes its lock at once: a lock upgraded in mid-transaction fails instead of waiting.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _row(sweep: str, seq: int, event: Event) -> dict[str, Any]:
    return {
        "sweep": sweep,
        "seq": seq,
        "time": event.time,
        "kind": event.kind.value,
        "trial": event.trial,
        "attempt": event.attempt,
        "epoch": event.epoch,
        "payload": json.dumps(event.payload, separators=(",", ":"), allow_nan=False),
    }


def _event(row: sa.Row[Any]) -> Event:
    return Event(
        kind=Kind(row.kind),
        trial=row.trial,
        attempt=row.attempt,
        epoch=row.epoch,
        payload=json.loads(row.payload),
        time=row.time,
        seq=row.seq,
    )
