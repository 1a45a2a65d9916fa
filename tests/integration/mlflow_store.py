"""Read what an MLflow SQLite store holds, without mlflow: the tables themselves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StoredRun:
    """One run as MLflow has it; `parent` is the uid of the sweep it belongs to."""

    name: str
    status: str
    start_ms: int
    end_ms: int | None
    parent: str | None
    params: frozenset[tuple[str, str]]
    tags: frozenset[tuple[str, str]]
    points: tuple[tuple[str, float, int, int], ...]  # key, value, timestamp, step; sorted


def stored_runs(store: Path) -> dict[str, StoredRun]:
    """Return the active runs by uid; two runs with one uid are an error."""
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute(
            "select run_uuid, name, status, start_time, end_time from runs"
            " where lifecycle_stage = 'active'"
        ).fetchall()
        tags = {row[0]: _tags(connection, row[0]) for row in rows}
        uids = {run_id: _uid(own) for run_id, own in tags.items()}
        assert len(set(uids.values())) == len(uids), "ghost runs: one uid, several runs"
        return {uids[row[0]]: _run(connection, row, tags[row[0]], uids) for row in rows}


def points_told_twice(store: Path) -> list[tuple[str, str, int]]:
    """Return (run, key, step) of metrics that are in the store more than once."""
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(
            "select run_uuid, key, step from metrics group by run_uuid, key, step"
            " having count(*) > 1"
        ).fetchall()


def _tags(connection: sqlite3.Connection, run_id: str) -> dict[str, str]:
    query = "select key, value from tags where run_uuid = ?"
    return dict(connection.execute(query, (run_id,)).fetchall())


def _uid(tags: dict[str, str]) -> str:
    return tags.get("sweep.trial_uid") or tags["sweep.uid"]


def _run(
    connection: sqlite3.Connection,
    row: tuple[str, str, str, int, int | None],
    tags: dict[str, str],
    uids: dict[str, str],
) -> StoredRun:
    run_id, name, status, start, end = row
    parent = tags.pop("mlflow.parentRunId", None)
    params = connection.execute(
        "select key, value from params where run_uuid = ?", (run_id,)
    ).fetchall()
    points = connection.execute(
        "select key, value, timestamp, step from metrics where run_uuid = ?"
        " order by key, step, timestamp",
        (run_id,),
    ).fetchall()
    return StoredRun(
        name,
        status,
        start,
        end,
        uids[parent] if parent else None,
        frozenset(params),
        frozenset(tags.items()),
        tuple(points),
    )
