"""A trained network is asked on the terms of its training: the test figure comes out again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.trainers.trained_series import ROWS, TEST, Trained, table
from trainers.errors import DataError


def rmse(predicted: pd.DataFrame, frame: pd.DataFrame, on: list[str], first: object) -> float:
    joined = predicted.merge(frame[[*on, "load"]], on=on)
    joined = joined[joined["time"] >= first].dropna()
    return math.sqrt(((joined["load"] - joined["load_predicted"]) ** 2).mean())


@pytest.mark.parametrize(
    "options",
    [
        {"missing": "mask"},
        {"missing": "mask", "calendar": True, "time_zone": "Europe/Berlin"},
        {"missing": "fill", "fill": "linear", "holidays": "DE"},
        {"missing": "mask", "steps_ahead": 3, "scaling": "minmax"},
        {"missing": "mask", "known_ahead": ["kind"]},
        {"missing": "mask", "targets": "every"},
        {"missing": "mask", "target_transform": "log1p"},
        {"missing": "mask", "target_transform": "log1p", "targets": "every"},
        {"missing": "mask", "scale_targets": False},
        {"missing": "mask", "target_transform": "difference"},
        {"missing": "fill", "target_transform": "difference", "steps_ahead": 3},
    ],
    ids=lambda options: " ".join(f"{k}={v}" for k, v in options.items()),
)
def test_predictions_of_the_test_rows_have_the_reported_error(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    frame = table()
    trained = Trained(tmp_path, frame, time_column="time", **options)
    found = rmse(trained.predicted(), frame, ["time"], frame["time"][TEST])
    if options.get("targets") == "every":  # a forecast is a window's last step; the test has all
        assert math.isfinite(found)
    else:
        assert found == pytest.approx(trained.test["rmse"], rel=1e-6)


def test_quantiles_stand_beside_each_step_and_have_the_reported_pinball_loss(
    tmp_path: Path,
) -> None:
    frame, train = table(), {"loss": "quantile", "quantiles": [0.2, 0.5, 0.8]}
    options = {"time_column": "time", "missing": "mask", "output_steps": 2}
    trained = Trained(tmp_path, frame, train, **options)
    predicted = trained.predicted()
    columns = ["load_predicted", "load_q0.2", "load_q0.5", "load_q0.8"]
    assert list(predicted.columns) == ["time", "step", *columns]
    assert (predicted["load_predicted"] == predicted["load_q0.5"]).all()
    assert (predicted["load_q0.2"] <= predicted["load_q0.8"]).all()
    times = frame["time"].tolist()
    whole = predicted["time"].iloc[::2].isin(times[TEST : ROWS - 1]).repeat(2).to_numpy()
    joined = predicted[whole].merge(frame[["time", "load"]], on="time").dropna()
    losses = []
    for level in (0.2, 0.5, 0.8):
        error = joined["load"] - joined[f"load_q{level}"]
        losses.append(np.maximum(level * error, (level - 1) * error).mean())
    assert np.mean(losses) == pytest.approx(trained.test["pinball"], rel=1e-5)


def test_each_of_several_steps_has_the_time_of_its_own_row(tmp_path: Path) -> None:
    frame = table()
    trained = Trained(tmp_path, frame, time_column="time", missing="mask", output_steps=3)
    predicted = trained.predicted()
    assert list(predicted.columns) == ["time", "step", "load_predicted"]
    times = frame["time"].tolist()
    first = predicted["time"].iloc[::3].tolist()
    place = times.index(first[0])
    assert predicted["time"].tolist()[:3] == times[place : place + 3]
    assert predicted["step"].tolist()[:6] == [1, 2, 3, 1, 2, 3]
    # Windows of the test part have all their rows in it, and in the file.
    whole = predicted["time"].iloc[::3].isin(times[TEST : ROWS - 2]).repeat(3).to_numpy()
    joined = predicted[whole].merge(frame[["time", "load"]], on="time").dropna()
    found = math.sqrt(((joined["load"] - joined["load_predicted"]) ** 2).mean())
    assert found == pytest.approx(trained.test["rmse"], rel=1e-6)


def test_the_last_forecast_is_beyond_the_file_though_it_ends_in_a_gap(tmp_path: Path) -> None:
    trained = Trained(tmp_path, table(), time_column="time", missing="mask")
    (row,) = trained.predicted(last=True).to_dict("records")
    assert row["time"] == "2021-04-01T09:00:00+02:00"  # an hour after the last row
    assert math.isfinite(row["load_predicted"])


def test_what_must_be_known_ahead_is_asked_for_not_answered_with_an_older_row(
    tmp_path: Path,
) -> None:
    frame = table(price=np.arange(ROWS) % 24)
    options = {"time_column": "time", "missing": "mask", "known_ahead": ["price"]}
    trained = Trained(tmp_path, frame, **options)
    with pytest.raises(DataError, match=r"needs price of the next 1 row\(s\)"):
        trained.predicted(last=True)
    tomorrow = pd.DataFrame({"time": ["2021-04-01T09:00:00+02:00"], "price": [9]})
    (row,) = trained.predicted(pd.concat([frame, tomorrow]), last=True).to_dict("records")
    assert row["time"] == "2021-04-01T09:00:00+02:00"


def test_rows_of_another_step_are_refused(tmp_path: Path) -> None:
    trained = Trained(tmp_path, table(), time_column="time", missing="mask")
    with pytest.raises(DataError, match=r"trained on rows 1 h apart, but those of t.csv are 2 h"):
        trained.predicted(table().iloc[::2])


def test_newest_rows_may_come_first(tmp_path: Path) -> None:
    trained = Trained(tmp_path, table(), time_column="time", missing="mask")
    once = trained.predicted()
    assert trained.predicted(table().iloc[::-1]).equals(once)


class TestSeries:
    def two(self) -> pd.DataFrame:
        return pd.concat(
            [
                table(shop="A"),
                table(shop="B").assign(load=lambda f: 1000 + 30 * f["load"], temp=5.0),
            ]
        )

    def test_series_of_different_scales_have_the_reported_error(self, tmp_path: Path) -> None:
        frame = self.two()
        options = {"series": "shop", "scale_by": "series", "missing": "mask"}
        trained = Trained(tmp_path, frame, time_column="time", **options)
        predicted = trained.predicted()
        first = frame["time"].iloc[TEST]
        found = rmse(predicted, frame, ["shop", "time"], first)
        assert found == pytest.approx(trained.test["rmse"], rel=1e-6)
        assert trained.predicted(last=True)["shop"].tolist() == ["A", "B"]

    def test_series_of_different_scales_may_be_transformed_as_well(self, tmp_path: Path) -> None:
        frame = self.two()
        options = {"series": "shop", "scale_by": "series", "missing": "mask"}
        options["target_transform"] = "log1p"
        trained = Trained(tmp_path, frame, time_column="time", **options)
        found = rmse(trained.predicted(), frame, ["shop", "time"], frame["time"].iloc[TEST])
        assert found == pytest.approx(trained.test["rmse"], rel=1e-6)
        unseen = table(shop="C").assign(load=lambda f: 5000 + f["load"])
        predicted = trained.predicted(unseen)["load_predicted"]
        assert 4900 < predicted.min() < predicted.max() < 5200

    @pytest.mark.parametrize("scale_by", ["all", "series"])
    def test_changes_of_series_have_the_reported_error_and_are_added_to_the_newest_value(
        self, tmp_path: Path, scale_by: str
    ) -> None:
        frame = self.two()
        options = {"series": "shop", "scale_by": scale_by, "missing": "mask"}
        options["target_transform"] = "difference"
        trained = Trained(tmp_path, frame, time_column="time", **options)
        found = rmse(trained.predicted(), frame, ["shop", "time"], frame["time"].iloc[TEST])
        assert found == pytest.approx(trained.test["rmse"], rel=1e-6)
        unseen = table(shop="C").assign(load=lambda f: 90_000 + f["load"])
        predicted = trained.predicted(unseen)["load_predicted"]
        assert 80_000 < predicted.min() < predicted.max() < 100_000

    def test_an_unseen_series_is_scaled_by_its_own_first_rows(self, tmp_path: Path) -> None:
        options = {"series": "shop", "scale_by": "series", "missing": "mask"}
        trained = Trained(tmp_path, self.two(), time_column="time", **options)
        unseen = table(shop="C").assign(load=lambda f: 5000 + f["load"])
        predicted = trained.predicted(unseen)["load_predicted"]
        assert 4900 < predicted.min() < predicted.max() < 5200


class TestClasses:
    def test_the_class_of_each_row_as_reported(self, tmp_path: Path) -> None:
        frame = table(state=np.where(np.arange(ROWS) % 5 < 2, "high", "low"))
        options = {"target": "state", "task": "classification", "missing": "mask"}
        trained = Trained(tmp_path, frame, time_column="time", **options)
        predicted = trained.predicted(probabilities=True)
        assert list(predicted.columns) == [
            *("time", "state_predicted", "probability", "probability.high", "probability.low")
        ]
        joined = predicted.merge(frame[["time", "state"]], on="time")
        joined = joined[joined["time"] >= frame["time"][TEST]]
        accuracy = (joined["state"] == joined["state_predicted"]).mean()
        assert accuracy == pytest.approx(trained.test["accuracy"])

    def test_labels_that_may_all_hold(self, tmp_path: Path) -> None:
        frame = table(rain=np.arange(ROWS) % 2, wind=np.arange(ROWS) // 2 % 2)
        options = {"target": ["rain", "wind"], "task": "classification", "missing": "mask"}
        trained = Trained(tmp_path, frame, time_column="time", **options)
        predicted = trained.predicted()
        assert list(predicted.columns) == ["time", "rain_predicted", "wind_predicted"]
        joined = predicted.merge(frame[["time", "rain", "wind"]], on="time")
        joined = joined[joined["time"] >= frame["time"][TEST]]
        hits = [(joined[n] == (joined[f"{n}_predicted"] > 0.5)).mean() for n in ("rain", "wind")]
        assert np.mean(hits) == pytest.approx(trained.test["accuracy"])
