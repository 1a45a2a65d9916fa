"""The export of a sweep into an Optuna storage on a real PostgreSQL."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import optuna
import pytest

from sweep.errors import UserError
from sweep.log.event_log import EventLog
from sweep.results.optuna_export import export_study
from sweep.results.results import open_results
from tests.integration.postgres import binaries, postgres
from tests.sweep.sweep_factory import complete, write_sweep

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL's server is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("psycopg") is None, reason="psycopg is not installed"
    ),
]


def test_postgres_holds_the_study_once_however_often_it_is_exported(tmp_path: Path):
    events = [e for n in range(30) for e in complete(n, {"k": n, "cell": "gru"}, 1 / (n + 1))]
    folder = write_sweep(tmp_path / "sweeps", *events)
    results, log = open_results(folder), EventLog.open(folder / "sweep.db", "demo")
    with postgres(tmp_path) as url:
        assert export_study(results, log, url) == (30, False)
        assert export_study(results, log, url) == (30, True)
        storage = optuna.storages.RDBStorage(url)
        study = optuna.load_study(study_name="demo", storage=storage)
        assert [t.number for t in study.trials] == list(range(30))
        assert [t.params["k"] for t in study.trials] == list(range(30))
        assert study.best_value == 1 / 30
        assert study.trials[3].intermediate_values == {1: 0.25, 2: 0.25}
        storage.remove_session()
        storage.engine.dispose()
    with pytest.raises(UserError, match=r"postgresql://\*\*\*@127.0.0.1:\d+/postgres must be a "):
        export_study(results, log, url)
    log.close()
