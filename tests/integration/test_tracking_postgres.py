"""The sink against a real PostgreSQL, which several threads write at once."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import sqlalchemy as sa

from sweep.log.kinds import DataFacts, PartFacts
from sweep.tracking.sync import sync
from tests.integration.mlflow_store import points_told_twice, stored_runs
from tests.integration.postgres import binaries, postgres
from tests.sweep.synthetic_log import (
    append,
    closed,
    create_log,
    evaluated,
    opened,
    paused,
    promotion,
    retried_trial,
    started,
    whole_trial,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(180),
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL's server is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("psycopg") is None, reason="psycopg is not installed"
    ),
]
DATA = DataFacts("digits", "regression", "d" * 64, {"train": PartFacts(90, 8)})


def test_postgres_holds_what_sqlite_holds(tmp_path: Path):
    directory = tmp_path / "sweeps"
    log = create_log(directory)
    events = [opened(data=DATA)]
    for trial in range(12):
        seconds = 40.0 * trial
        events += retried_trial(trial, seconds) if trial % 3 else whole_trial(trial, 4, seconds)
    events += [*whole_trial(20, 2)[:-1], paused(20, 2), promotion(20, 2), started(20, 2, 2)]
    append(log, events)
    direct = tmp_path / "direct.db"
    with postgres(tmp_path) as uri:
        for part in ([], [evaluated(0, 0.5), *whole_trial(21, 4), closed()]):
            if part:
                append(log, part)
            assert sync(directory, "digits", uri=uri, page=bool(part)).behind == 0
        assert sync(directory, "digits", uri=f"sqlite:///{direct}").behind == 0
        engine = sa.create_engine(uri)
        assert points_told_twice(engine) == []
        assert stored_runs(engine) == stored_runs(direct)
        with engine.connect() as store:
            linked = store.execute(sa.text("select count(*) from inputs")).scalar()
        engine.dispose()
    assert linked == 3  # the sweep's run: its part and the whole; the finalist: the whole
