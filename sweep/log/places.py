"""Where a sweep's log lives: `sweep.db` in its folder, or PostgreSQL, as `log.url` there says.

`log.url` holds the database's URL without password, and the sweep's uid. The database's own row of
that name must bear the same uid: two folders' sweeps of one name are never mixed up. The password
comes from RNN_SWEEP_LOG, where that names the same database, or as with psql (PGPASSWORD,
~/.pgpass); it is written nowhere.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sweep.config.sweep_config import SweepConfig
from sweep.errors import LogError
from sweep.log.checkpoints import CHECKPOINTS
from sweep.log.engine import postgres_url, shown, without_password
from sweep.log.event_log import LOG_FILE, EventLog

URL_FILE = "log.url"
VARIABLE = "RNN_SWEEP_LOG"


def has_log(folder: Path) -> bool:
    """Return whether a folder is a sweep's."""
    return (folder / LOG_FILE).is_file() or (folder / URL_FILE).is_file()


def sweeps_in(directory: Path) -> list[str]:
    """Return the names of the sweeps in a folder of sweeps."""
    files = (path for name in (LOG_FILE, URL_FILE) for path in directory.glob(f"*/{name}"))
    return sorted({path.parent.name for path in files})


def open_log(folder: Path) -> EventLog:
    """Open the log of the sweep whose folder this is, wherever it lives.

    Raises:
        LogError: there is none, it can't be reached, or it is another sweep's.
    """
    name = folder.resolve().name
    pointer = _Pointer.read(folder)
    if pointer is None:
        return EventLog.open(folder / LOG_FILE, name)
    places = _places(pointer.url)
    for place in places[:-1]:
        try:
            return _open_as(place, name, pointer, folder)
        except LogError:
            continue  # what the file says is asked last, and its trouble is told
    return _open_as(places[-1], name, pointer, folder)


def create_log(folder: Path, config: SweepConfig) -> EventLog:
    """Open the log in which a sweep is or will be recorded; make file or tables if need be.

    A folder that has a log keeps it. A new sweep's is where `run.log` says, then RNN_SWEEP_LOG,
    then in its folder.

    Raises:
        LogError: it can't be reached or written.
    """
    if (folder / LOG_FILE).exists():
        if config.run.log is not None:
            raise LogError(
                f"a sweep keeps the log it began with, {folder / LOG_FILE}, but run.log names "
                f"{shown(config.run.log)}; leave run.log out, or give this sweep another --name."
            )
        return EventLog.open(folder / LOG_FILE, config.name, create=True)
    pointer = _Pointer.read(folder)
    place = _configured(config, pointer)
    if place is None:
        return EventLog.open(folder / LOG_FILE, config.name, create=True)
    return EventLog.open(place, config.name, create=True)


def probe(folder: Path, config: SweepConfig) -> None:
    """Make sure that a new sweep's log can be reached before anything expensive begins.

    Raises:
        LogError: it can't.
    """
    if _configured(config, None) is not None:
        create_log(folder, config).close()


def adopt(log: EventLog, folder: Path, values: dict[str, Any]) -> dict[str, Any] | None:
    """Register a new sweep, or make sure that the log's row of this name is this folder's.

    To be called under the sweep's lease: one process at a time. A coordinator may be killed between
    any two steps.

    Args:
        log: What `create_log` opened.
        folder: The sweep's folder.
        values: The configuration, as plain values.

    Returns:
        The configuration that was registered before; None for a new sweep.

    Raises:
        LogError: the database holds another folder's sweep of this name.
    """
    recorded = log.config()
    if log.engine.dialect.name == "sqlite":
        if recorded is None:
            log.register(uuid.uuid4().hex, values)
        return recorded
    pointer = _Pointer.read(folder)
    if recorded is None:
        if pointer is not None and (folder / CHECKPOINTS).exists():
            raise LogError(
                f"sweep {log.sweep!r} has begun with its log in {pointer.url}, but {log.where} "
                f"holds none of it; restore it there, correct run.log or {VARIABLE}, or remove "
                f"{folder} to begin anew."
            )
        uid = uuid.uuid4().hex if pointer is None else pointer.uid
        _Pointer(log.where, uid).write(folder)
        log.register(uid, values)
        return None
    if pointer is None or pointer.uid != log.uid():
        raise LogError(
            f"{log.where} holds a sweep {log.sweep!r} already, whose folder is not {folder} but "
            f"one that has its {URL_FILE}; give --dir that folder, or this sweep another --name."
        )
    if pointer.url != log.where:
        _Pointer(log.where, pointer.uid).write(folder)
    return recorded


@dataclass(frozen=True)
class _Pointer:
    """What `log.url` says: the database's URL without password, and the sweep's uid."""

    url: str
    uid: str

    @classmethod
    def read(cls, folder: Path) -> _Pointer | None:
        path = folder / URL_FILE
        if not path.is_file():
            return None
        words = path.read_text(encoding="utf-8").split()
        if len(words) != 2:
            raise LogError(
                f"{path} must hold a database's URL and the sweep's uid, but holds {len(words)} "
                "words; restore it."
            )
        return cls(*words)

    def write(self, folder: Path) -> None:
        path = folder / URL_FILE
        new = path.with_suffix(".new")
        new.write_text(f"{self.url}\n{self.uid}\n", encoding="utf-8")
        new.replace(path)


def _open_as(place: str, name: str, pointer: _Pointer, folder: Path) -> EventLog:
    log = EventLog.open(place, name)
    try:
        uid = log.uid()
        if uid != pointer.uid:
            raise LogError(
                f"{log.where} must hold sweep {name!r} of {folder} (uid {pointer.uid}), but holds "
                f"another of this name (uid {uid}); correct {folder / URL_FILE} or {VARIABLE}."
            )
    except LogError:
        log.close()
        raise
    return log


def _configured(config: SweepConfig, pointer: _Pointer | None) -> str | None:
    """Return the URL under which a sweep is run; None for a SQLite log."""
    if config.run.log is not None:
        return _with_password(config.run.log)
    if pointer is not None:
        return _first_that_holds(_places(pointer.url), config.name, pointer)
    return os.environ.get(VARIABLE) or None


def _first_that_holds(places: list[str], name: str, pointer: _Pointer) -> str:
    for place in places[:-1]:
        try:
            log = EventLog.open(place, name)
        except LogError:
            continue
        try:
            if log.uid() == pointer.uid:
                return place
        except LogError:
            continue
        finally:
            log.close()
    return places[-1]


def _places(recorded: str) -> list[str]:
    """Return where to look for a log that was recorded at a URL: there last.

    RNN_SWEEP_LOG goes first: the same database may have another name on this machine.
    """
    variable = os.environ.get(VARIABLE)
    known = _with_password(recorded)
    if not variable or _database(postgres_url(variable)) == _database(postgres_url(recorded)):
        return [known]
    return [variable, known]


def _with_password(text: str) -> str:
    """Return the URL with the password of RNN_SWEEP_LOG, if that names the same database."""
    variable = os.environ.get(VARIABLE)
    if not variable:
        return text
    given = postgres_url(variable)
    same = without_password(given) == without_password(postgres_url(text))
    return variable if same or _database(given) == _database(postgres_url(text)) else text


def _database(url: sa.URL) -> tuple[str | None, str | None, int, str | None]:
    return url.username, url.host, url.port or 5432, url.database
