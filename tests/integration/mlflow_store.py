"""Read what an MLflow store holds, without mlflow: the tables themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa


class GhostRuns(Exception):
    """Several runs bear one uid."""


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


def stored_runs(store: Path | sa.Engine) -> dict[str, StoredRun]:
    """Return the active runs by uid.

    Raises:
        GhostRuns: two runs have one uid.
    """
    with _connected(store) as connection:
        rows = _rows(
            connection,
            "select run_uuid, name, status, start_time, end_time from runs"
            " where lifecycle_stage = 'active'",
        )
        tags = {row[0]: _tags(connection, row[0]) for row in rows}
        uids = {run_id: _uid(own) for run_id, own in tags.items()}
        if len(set(uids.values())) != len(uids):
            raise GhostRuns(f"one uid, several runs: {sorted(uids.values())}")
        return {uids[row[0]]: _run(connection, row, tags[row[0]], uids) for row in rows}


def points_told_twice(store: Path | sa.Engine) -> list[Any]:
    """Return (run, key, step) of metrics that are in the store more than once."""
    with _connected(store) as connection:
        return _rows(
            connection,
            "select run_uuid, key, step from metrics group by run_uuid, key, step"
            " having count(*) > 1",
        )


@contextmanager
def _connected(store: Path | sa.Engine) -> Iterator[sa.Connection]:
    engine = sa.create_engine(f"sqlite:///{store}") if isinstance(store, Path) else store
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        if isinstance(store, Path):
            engine.dispose()


def _rows(connection: sa.Connection, query: str, **values: Any) -> list[Any]:
    return [tuple(row) for row in connection.execute(sa.text(query), values)]


def _tags(connection: sa.Connection, run_id: str) -> dict[str, str]:
    return dict(_rows(connection, "select key, value from tags where run_uuid = :run", run=run_id))


def _uid(tags: dict[str, str]) -> str:
    return tags.get("sweep.trial_uid") or tags["sweep.uid"]


def _run(
    connection: sa.Connection,
    row: tuple[str, str, str, int, int | None],
    tags: dict[str, str],
    uids: dict[str, str],
) -> StoredRun:
    run_id, name, status, start, end = row
    parent = tags.pop("mlflow.parentRunId", None)
    params = _rows(connection, "select key, value from params where run_uuid = :run", run=run_id)
    points = _rows(
        connection,
        "select key, value, timestamp, step from metrics where run_uuid = :run",
        run=run_id,
    )
    points.sort(key=lambda point: (point[0], point[3], point[2]))
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
