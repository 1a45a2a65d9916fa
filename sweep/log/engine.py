"""How a log's database is opened: a SQLite file on a local disk, or PostgreSQL by URL."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sweep.errors import LogError
from sweep.log.filesystem import refuse_network_filesystem
from sweep.log.silence import Silence

# A silent peer is given up after about 25 seconds, by both sides: then its lock is free.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5}
_KEEPALIVE |= {"keepalives_count": 3, "tcp_user_timeout": 25_000, "connect_timeout": 10}
_FIRST_TO_REQUIRE = 160_000  # libpq's version
_SERVER_SETTINGS = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "idle_in_transaction_session_timeout": 60_000,
}


def is_url(where: str | Path) -> bool:
    """Return whether this names a PostgreSQL database, not a SQLite file."""
    return "://" in str(where) and not str(where).startswith("sqlite")


def postgres_url(text: str) -> sa.URL:
    """Return a PostgreSQL URL, checked.

    Raises:
        LogError: it is none; the message does not repeat it, since it may hold a password.
    """
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        url = sa.URL.create("?")
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise LogError(
            "a log's URL must read postgresql://USER@HOST/DATABASE, but begins with "
            f"{text.partition(':')[0]!r}; correct run.log or RNN_SWEEP_LOG."
        )
    return url.set(drivername="postgresql+psycopg")


def without_password(url: sa.URL) -> str:
    """Return a URL as it may be written and printed."""
    bare = sa.URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    )
    return bare.difference_update_query(["password", "sslpassword"]).render_as_string()


def shown(where: str | Path) -> str:
    """Return where a log is, as it may be printed."""
    return without_password(postgres_url(str(where))) if is_url(where) else str(where)


def open_engine(where: str | Path, *, create: bool) -> sa.Engine:
    """Prepare to connect; a SQLite file is made with `create` only.

    Raises:
        LogError: there is no such file, its disk is a network's, or psycopg is missing.
    """
    return _postgres(str(where)) if is_url(where) else _sqlite(str(where), create)


def _postgres(where: str) -> sa.Engine:
    url = postgres_url(where)
    if importlib.util.find_spec("psycopg") is None:
        raise LogError("a log on PostgreSQL needs psycopg; pip install 'rnn-sweep[postgres]'")
    arguments: dict[str, Any] = {k: v for k, v in _KEEPALIVE.items() if k not in url.query}
    if "options" not in url.query:
        arguments["options"] = " ".join(f"-c {k}={v}" for k, v in _SERVER_SETTINGS.items())
    try:
        arguments |= _never_in_clear(url)
        engine = sa.create_engine(url, connect_args=arguments, pool_pre_ping=True)
    except ImportError as error:
        raise LogError(
            f"a log on PostgreSQL needs psycopg with libpq, but: {error}; pip install "
            "'rnn-sweep[postgres]'"
        ) from error
    Silence(engine)
    return engine


def _never_in_clear(url: sa.URL) -> dict[str, str]:
    """Keep a server that asks for the password itself from getting it.

    A folder of sweeps that came from a stranger may name any server in its `log.url`. Who trusts
    one that checks passwords elsewhere (LDAP, PAM) gives the URL `?require_auth=password`.
    """
    from psycopg import pq

    chosen = "require_auth" in url.query or "PGREQUIREAUTH" in os.environ
    return {} if chosen or pq.version() < _FIRST_TO_REQUIRE else {"require_auth": "!password"}


def _sqlite(where: str, create: bool) -> sa.Engine:
    path = Path(where.removeprefix("sqlite:///"))
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
