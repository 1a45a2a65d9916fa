"""What is known ahead of each step of a forecast: at the rows that are forecast, by hand."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.data.interface import Interface
from trainers.data.views import Picked
from trainers.use.records import Encoder

ROWS = 60


def table(**more: Any) -> pd.DataFrame:
    times = pd.date_range("2021-12-22", periods=ROWS, freq="6h")
    frame = pd.DataFrame({"time": [str(time) for time in times]})
    frame["load"] = np.arange(ROWS) % 7 * 1.0
    frame["price"] = np.arange(ROWS) * 2.0
    frame["kind"] = [("a", "b", "c", "d", "e")[row % 5] for row in range(ROWS)]
    return frame.assign(**more)


def loaded(folder: Path, frame: pd.DataFrame | None = None, **options: Any) -> SequenceData:
    (table() if frame is None else frame).to_csv(folder / "t.csv", index=False)
    base = {"path": "t.csv", "target": "load", "input_steps": 4, "output_steps": 3}
    return load_data("csv", {**base, "time_column": "time", **options}, base_dir=folder)


def first_targets(data: SequenceData, part: str) -> np.ndarray:
    """The first row that each window forecasts."""
    return np.asarray(data.parts()[part].origins)


@pytest.mark.parametrize("steps_ahead", [1, 2])
def test_columns_known_ahead_stand_at_the_rows_that_are_forecast(tmp_path, steps_ahead):
    data = loaded(
        tmp_path, inputs=["load"], known_ahead=["price"], scaling="minmax", steps_ahead=steps_ahead
    )
    assert data.horizon == 3
    assert data.past_targets == (0,)
    train = ROWS * 7 // 10
    for part in ("train", "validation", "test"):
        rows = first_targets(data, part)[:, None] + np.arange(3)
        expected = rows * 2.0 / ((train - 1) * 2.0)
        ahead = np.asarray(data.parts()[part].ahead)
        assert ahead.shape == (len(rows), 3, 1)
        np.testing.assert_allclose(ahead[..., 0], expected, rtol=1e-6)
        assert ahead.dtype == np.float32


def test_categories_are_one_feature_a_value_and_unknown_ones_none(tmp_path):
    """The test part has a kind that training never saw."""
    frame = table()
    frame.loc[ROWS - 4, "kind"] = "new"
    data = loaded(tmp_path, frame, inputs=["load"], known_ahead=["kind"])
    assert [category.name for category in data.categories] == ["kind+1", "kind+2", "kind+3"]
    rows = first_targets(data, "test")[:, None] + np.arange(3)
    expected = np.eye(5)[rows % 5]
    expected[rows == ROWS - 4] = 0
    np.testing.assert_array_equal(np.asarray(data.test.ahead), expected)


def test_calendar_and_holidays_are_those_of_the_rows_that_are_forecast(tmp_path):
    data = loaded(tmp_path, inputs=["load"], calendar=["hour"], holidays="DE")
    times = pd.to_datetime(table()["time"])
    rows = first_targets(data, "train")[:, None] + np.arange(3)
    ahead = np.asarray(data.train.ahead)
    phase = 2 * np.pi * (times.dt.hour.to_numpy() / 24)[rows]
    np.testing.assert_allclose(ahead[..., 0], np.sin(phase), atol=1e-6)
    np.testing.assert_allclose(ahead[..., 1], np.cos(phase), atol=1e-6)
    christmas = times.dt.strftime("%m-%d").isin(["12-25", "12-26", "01-01"]).to_numpy()
    np.testing.assert_array_equal(ahead[..., 2], christmas[rows])


@pytest.mark.parametrize(
    "options", [{"calendar": ["hour"]}, {"known_ahead": ["price"], "inputs": ["load"]}], ids=str
)
def test_windows_are_views_of_one_row_a_row(tmp_path, options):
    data = loaded(tmp_path, **options)
    sent = pickle.loads(pickle.dumps(data.train))
    np.testing.assert_array_equal(np.asarray(sent.ahead), np.asarray(data.train.ahead))
    for part in (data.train, sent):
        view = part.ahead.array if isinstance(part.ahead, Picked) else part.ahead
        assert view.strides[0] == view.strides[1]  # the next window begins a row later


def test_one_step_or_a_target_at_every_step_has_nothing_ahead(tmp_path):
    calendar = {"calendar": ["hour"]}
    assert loaded(tmp_path, output_steps=1, **calendar).train.ahead is None
    assert loaded(tmp_path, targets="every", **calendar).train.ahead is None
    assert loaded(tmp_path).train.ahead is None


def test_the_digest_tells_what_is_known_ahead(tmp_path):
    """Only the calendar's last rows differ: they are no input of any window but ahead of some."""
    options = {"calendar": ["hour"], "inputs": ["load"]}
    digest = loaded(tmp_path, **options).digest
    frame = table()
    frame.loc[ROWS - 1, "time"] = "2022-01-05 23:00:00"
    assert loaded(tmp_path, frame, **options).digest != digest


def test_series_end_where_the_next_begins(tmp_path):
    frame = pd.concat([table(shop="A"), table(shop="B").assign(price=lambda f: -f["price"])])
    data = loaded(
        tmp_path, frame, inputs=["load"], series="shop", known_ahead=["price"], scaling="none"
    )
    ahead, rows = np.asarray(data.train.ahead)[..., 0], first_targets(data, "train")
    signs = np.where(np.asarray(data.train.series) == 0, 2.0, -2.0)
    expected = signs[:, None] * (rows[:, None] % ROWS + np.arange(3))
    np.testing.assert_array_equal(ahead, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"known_ahead": ["price"]},
        {"known_ahead": ["price", "kind"], "calendar": ["hour", "week"], "holidays": "DE"},
        {"calendar": ["hour"], "steps_ahead": 0, "inputs": ["price"], "holidays": "DE"},
    ],
    ids=str,
)
def test_a_request_tells_the_same_as_the_file(tmp_path, options):
    data = loaded(tmp_path, **{"inputs": ["load"], **options})
    interface = Interface.from_dict(json.loads(json.dumps(Interface.of(data).to_dict())))
    ahead, frame = options.get("steps_ahead", 1), table()
    first = int(first_targets(data, "test")[2]) - ahead - 3  # of the window's inputs
    steps = []
    for row in range(first, first + 4):
        values = {name: frame[name].iloc[row] for name in ("time", "load", "price")}
        for step in range(ahead, ahead + 3):
            values |= {f"{n}+{step}": frame[n].iloc[row + step] for n in ("price", "kind")}
        steps.append({name: values[name] for name in interface.raw_names})
    found = Encoder(interface).encode({"steps": steps}, "sequence 0")
    np.testing.assert_allclose(found.inputs, np.asarray(data.test.inputs)[2], rtol=1e-6)
    np.testing.assert_allclose(
        found.ahead[-1], np.asarray(data.test.ahead)[2], rtol=1e-5, atol=1e-7
    )
