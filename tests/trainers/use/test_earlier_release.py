"""A model of release be96fe3 answers as it did then.

`recorded/` holds what `python -m sweep run` and `predict` of that release wrote of the table below:
windows of four rows with a calendar and a price known ahead, two rows predicted from two on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sweep.models.prediction import predict_file
from trainers.use.portable import PortableModel

RECORDED = Path(__file__).parent / "recorded"
ROWS = 120


def table() -> pd.DataFrame:
    row = np.arange(ROWS)
    frame = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=ROWS, freq="h")})
    frame["load"] = 300 + 50 * np.sin(row / 4)
    frame["temp"] = (10 + 3 * np.cos(row)).round(3)
    frame["price"] = row % 24 * 1.5
    frame.loc[row % 17 == 5, "temp"] = np.nan
    return frame


def test_it_predicts_the_same_values_beside_the_times_of_their_own_rows(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "load.csv", index=False)
    model = PortableModel.of_trial(RECORDED / "trial.safetensors", RECORDED)
    now = pd.DataFrame(predict_file(model, tmp_path / "load.csv"))
    then = pd.read_csv(RECORDED / "predicted.csv")  # beside the time of a window's last row
    for step, column in ((1, "load+2"), (2, "load+3")):
        time = pd.to_datetime(then["time"]) + pd.Timedelta(hours=step + 1)
        expected = then.assign(time=time)[["time", column]]
        found = now[now["step"] == step].assign(time=lambda f: pd.to_datetime(f["time"]))
        joined = expected.merge(found, on="time")
        assert len(joined) == len(then) == 107
        np.testing.assert_allclose(joined["load_predicted"], joined[column], rtol=1e-6)


def test_it_takes_the_time_instead_of_its_waves() -> None:
    model = PortableModel.of_trial(RECORDED / "trial.safetensors", RECORDED)
    names = ("time", "load", "temp", "price", "price+2", "price+3")
    assert model.interface.raw_names == names
    frame = table()
    for ahead in (2, 3):
        frame[f"price+{ahead}"] = frame["price"].shift(-ahead)
    window = frame.iloc[:4].assign(time=lambda f: f["time"].astype(str))
    (answer,) = model.predict([{"steps": window[list(names)].to_numpy().tolist()}])
    first = pd.read_csv(RECORDED / "predicted.csv").iloc[0]
    assert first["time"] == "2024-01-01 03:00:00"
    expected = first[["load+2", "load+3"]].astype(float)
    np.testing.assert_allclose(list(answer.values()), expected, rtol=1e-6)
