"""What repeats values: numbers that a person writes down, with gaps, series and seasons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import load_data
from trainers.data.contract import SequenceData
from trainers.data.naive.choosing import naive_forecasts
from trainers.data.naive.forecast import NotPossible
from trainers.data.naive.means import mean, persistence, seasonal
from trainers.data.naive.places import places_of


def table(folder: Path, frame: pd.DataFrame, **options: object) -> SequenceData:
    frame.to_csv(folder / "t.csv", index=False)
    given = {"path": "t.csv", "target": "y", "split": [0.5, 0.25, 0.25], "input_steps": 2}
    return load_data("csv", {**given, **options}, base_dir=folder)


def said(fit, data: SequenceData, part: str = "validation") -> list[list[float]]:
    own = data.parts()[part]
    at = places_of(own, one_target=True)
    return fit(data, one_target=True).answer(own, at).tolist()


def test_values_are_repeated_in_own_units(tmp_path):
    data = table(tmp_path, pd.DataFrame({"y": [1.0, 2, 4, 8, 16, 32, 64, 128]}))
    assert said(persistence, data) == [[8], [16]]
    assert said(persistence, data, "test") == [[32], [64]]
    assert np.allclose(said(mean, data), [[6], [6]])  # of 4 and 8: rows 0 and 1 are no targets


def test_a_season_of_days_is_repeated(tmp_path):
    days = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=40), "y": np.arange(40.0) % 7})
    data = table(tmp_path, days, time_column="t", output_steps=3)
    own = data.validation
    at = places_of(own, one_target=True)
    forecast = seasonal(data, one_target=True)
    assert "7 rows" in forecast.about
    targets = (np.asarray(own.origins)[:, None] + np.arange(3)) % 7.0
    assert forecast.answer(own, at).tolist() == targets.tolist()


def test_where_nothing_is_known_yet_a_simpler_forecast_stands(tmp_path):
    y = [*range(24), np.nan, np.nan, 100, 101, *range(200, 212)]
    frame = pd.DataFrame({"s": ["a"] * 24 + ["b"] * 16, "x": 1.0, "y": y})
    frame["t"] = [
        *pd.date_range("2024-01-01", periods=24),
        *pd.date_range("2024-01-01", periods=16),
    ]
    frame["p"] = np.where(frame["s"] == "a", "train", "validation")
    data = table(tmp_path, frame, series="s", split={"column": "p"}, missing="mask", inputs=["x"],
                 time_column="t", input_steps=1)  # fmt: skip
    # Series b is validation: before row 2 nothing is known, before row 9 no value a week ago.
    repeated = persistence(data, one_target=True)
    assert repeated.note == "1 targets had none known; the training mean stands for it"
    assert said(persistence, data)[0] == [pytest.approx(np.mean(np.arange(1, 24)))]
    assert said(persistence, data)[1:4] == [[100], [101], [200]]
    weekly = said(seasonal, data)
    assert weekly[1:3] == [[100], [101]]
    assert weekly[-5:] == [[200], [201], [202], [203], [204]]


def test_what_is_not_told_is_left_out_with_its_reason(tmp_path):
    data = table(tmp_path, pd.DataFrame({"y": np.arange(20.0)}), targets="every")
    with pytest.raises(NotPossible, match="each step has a target"):
        persistence(data, one_target=False)
    found, left_out = naive_forecasts(data, one_target=False)
    assert [one.name for one in found] == ["mean"]
    assert set(left_out) == {"persistence", "seasonal", "ridge"}
    adding = load_data(
        "adding", {"train_sequences": 20, "validation_sequences": 9}, base_dir=Path()
    )
    with pytest.raises(NotPossible, match="don't tell"):
        seasonal(adding, one_target=True)


def test_masked_outputs_do_not_enter_the_mean(tmp_path):
    frame = pd.DataFrame({"x": 1.0, "y": np.arange(12.0), "z": [1.0, 1, 1, 5, np.nan, np.nan] * 2})
    data = table(tmp_path, frame, target=["y", "z"], inputs=["x"], missing="mask", input_steps=1)
    assert np.allclose(said(mean, data)[0], [3.0, (1 + 1 + 5) / 3])


@pytest.mark.parametrize(("steps", "expected"), [(1, 66.84), (6, 101.66)])
def test_persistence_on_appliances_is_the_published_figure(appliances_csv, steps, expected):
    options = {"path": str(appliances_csv), "steps_ahead": steps}
    data = load_data("appliances", options, base_dir=Path())
    own = np.asarray(data.test.targets)[:, -1] * data.target_scale + data.target_shift
    error = np.sqrt(np.square(own - np.array(said(persistence, data, "test"))).mean())
    assert error == pytest.approx(expected, abs=0.005)
