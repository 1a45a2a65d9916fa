"""An ensemble's forecasts fed back: each member reads the mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweep.models.forecasts import forecast_file
from tests.trainers.trained_series import Trained
from tests.trainers.use.test_forecast_requests import steps_of
from tests.trainers.use.test_forecasting import KNOWN, STEPS, hours
from trainers.errors import DataError
from trainers.use.ensemble import EnsembleModel
from trainers.use.forecasting import Horizon


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Trained]:
    """Two networks of windows of different length and scale."""
    folders = [tmp_path_factory.mktemp(name) for name in ("long", "short")]
    options = {"time_column": "time", "inputs": ["load"]}
    long = Trained(folders[0], hours(), {"seed": 3}, calendar=["hour"], input_steps=9, **options)
    return long, Trained(folders[1], hours(), scaling="minmax", **options)


def test_each_reads_the_mean(both: tuple[Trained, Trained], tmp_path: Path) -> None:
    path, frame = tmp_path / "t.csv", hours()[:KNOWN][["time", "load"]]
    frame.to_csv(path, index=False)
    model = EnsembleModel([one.model for one in both], [3, 1])
    rows = pd.DataFrame(forecast_file(model, path, Horizon(STEPS)))
    for _ in range(STEPS):
        said = [one.predicted(frame, last=True).iloc[0] for one in both]
        mean = np.average([one["load_predicted"] for one in said], weights=[3, 1])
        frame.loc[len(frame)] = [said[0]["time"], mean]
    assert rows["time"].tolist() == frame["time"][KNOWN:].tolist()
    np.testing.assert_allclose(rows["load_predicted"], frame["load"][KNOWN:], rtol=1e-6)


def test_a_request_among_others(both: tuple[Trained, Trained], tmp_path: Path) -> None:
    _, short = both
    hours()[:KNOWN].to_csv(short.path, index=False)
    model = EnsembleModel([short.model, short.model], [1, 2])
    steps = steps_of(hours(), ("load",), range(0))
    plain = {"steps": steps[-5:]}
    answers = model.predict([plain, {"steps": steps, "forecast": STEPS}, plain])
    rows = pd.DataFrame(forecast_file(short.model, short.path, Horizon(STEPS)))
    np.testing.assert_allclose(answers[1]["load"], rows["load_predicted"], rtol=1e-6)
    assert answers[0] == answers[2] == {"load": pytest.approx(answers[1]["load"][0], rel=1e-6)}


def test_what_needs_one_network_is_refused(both: tuple[Trained, Trained]) -> None:
    model = EnsembleModel([one.model for one in both], [1, 1])
    hours().to_csv(both[0].path, index=False)
    with pytest.raises(DataError, match="paths are drawn from one network, but these are 2"):
        forecast_file(model, both[0].path, Horizon(2, paths=5))
    with pytest.raises(DataError, match="sequence 1: a text is written by one network"):
        model.predict([{"steps": [[1.0]]}, {"text": "a", "generate": 5}])
