"""What windows know of their targets' past: checked by hand, and against a plain loop."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.series.window_factory import load
from trainers.data import load_data
from trainers.data.choices import load_choices
from trainers.data.contract import SequenceData, SequenceSet, array_bytes
from trainers.data.validate import digest


def _written(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(folder / "ten.csv", index=False)
    return folder


def _days(values: list[float], start: str = "2024-01-01") -> pd.DataFrame:
    times = pd.date_range(start, periods=len(values), freq="D")
    return pd.DataFrame({"t": times, "a": np.arange(len(values)) * 1.0, "y": values})


def _told(part: SequenceSet | None, name: str) -> list[list[float]]:
    assert part is not None
    return np.asarray(getattr(part, name)).tolist()


def test_latest_is_the_target_in_own_units_where_the_window_ends(ten_rows: Path) -> None:
    data = load(ten_rows, input_steps=3)
    assert _told(data.validation, "latest") == [[50], [60]]
    assert _told(data.test, "latest") == [[70], [80]]
    assert data.horizon == 1
    assert data.season is None
    assert data.validation.season_ago is None


def test_without_times_errors_are_those_of_repeating_the_last_value(ten_rows: Path) -> None:
    data = load(ten_rows, input_steps=3)
    assert data.seasonal_errors is not None
    assert data.seasonal_errors.tolist() == [[10.0], [100.0]]


def test_latest_is_the_same_at_each_step_of_the_horizon(ten_rows: Path) -> None:
    data = load(ten_rows, input_steps=2, steps_ahead=2, output_steps=2)
    assert _told(data.validation, "latest") == [[40, 40]]
    several = load(ten_rows, target=["a", "y"], input_steps=2, output_steps=2)
    assert _told(several.validation, "latest") == [[5, 50, 5, 50]]
    assert several.horizon == 2
    assert several.seasonal_errors is not None
    assert several.seasonal_errors.tolist() == [[1, 10, 1, 10], [1, 100, 1, 100]]


def test_a_target_in_the_windows_last_row_is_not_known_yet(ten_rows: Path) -> None:
    data = load(ten_rows, input_steps=2, steps_ahead=0, drop=["y"])
    assert _told(data.validation, "latest") == [[50], [60]]
    assert data.validation.targets.shape[0] == 2


def test_after_a_gap_the_newest_known_value_stands(tmp_path: Path) -> None:
    y = [0.0, 10, 20, 30, 40, np.nan, np.nan, 70, 80, 90]
    frame = pd.DataFrame({"a": np.arange(10.0), "y": y})
    data = load(_written(tmp_path, frame), input_steps=2, inputs=["a"], missing="mask")
    assert _told(data.validation, "latest") == [[40]]
    assert _told(data.test, "latest") == [[70], [80]]


def test_nothing_is_known_before_a_series_begins(tmp_path: Path) -> None:
    y = [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, np.nan, 110, 120, 130, 140, 150, 160, 170, 180, 190]
    frame = pd.DataFrame({"s": ["a"] * 10 + ["b"] * 10, "x": np.arange(20.0), "y": y})
    folder = _written(tmp_path, frame)
    data = load(folder, input_steps=1, inputs=["x"], series="s", missing="mask")
    latest = np.asarray(data.train.latest)[:, 0]
    assert latest.tolist()[:5] == [0, 1, 2, 3, 4]
    assert np.isnan(latest[5])
    assert latest[6:].tolist() == [110, 120, 130, 140]


def test_days_have_a_season_of_a_week(tmp_path: Path) -> None:
    data = load(
        _written(tmp_path, _days([float(n**2) for n in range(40)])), time_column="t", input_steps=3
    )
    assert data.season == 7
    assert data.validation.origins is not None
    targets = np.asarray(data.validation.origins)
    assert np.asarray(data.validation.season_ago)[:, 0].tolist() == ((targets - 7) ** 2.0).tolist()
    assert data.seasonal_errors is not None
    t = np.arange(7, 24)
    expected = t**2.0 - (t - 7) ** 2
    assert data.seasonal_errors[:, 0].tolist() == [expected.mean(), (expected**2).mean()]


@pytest.mark.parametrize(
    ("step", "season"),
    [("1h", 24), ("10min", 144), ("12h", 2), ("7h", None), ("W", 52), ("MS", 12), ("QS", 4),
     ("YS", None), ("2D", None)],
)  # fmt: skip
def test_a_season_follows_from_the_step(tmp_path: Path, step: str, season: int | None) -> None:
    times = pd.date_range("1800-01-03", periods=300, freq=step)
    frame = pd.DataFrame({"t": times, "y": np.arange(300.0)})
    data = load(_written(tmp_path, frame), time_column="t", input_steps=2)
    assert data.season == season
    assert (data.test.season_ago is None) == (season is None)  # type: ignore[union-attr]


def test_without_sundays_a_week_has_six_rows(tmp_path: Path) -> None:
    frame = _days([float(n) for n in range(70)])
    frame = frame[frame["t"].dt.day_of_week < 6]
    data = load(_written(tmp_path, frame), time_column="t", input_steps=2)
    assert data.season == 6
    own = _own_targets(data, data.validation)
    np.testing.assert_allclose(own - np.asarray(data.validation.season_ago), 7.0, atol=1e-4)


def test_training_too_short_for_a_season_has_none(tmp_path: Path) -> None:
    data = load(_written(tmp_path, _days([1.0, 3, 2, 5, 4, 6, 7, 9, 8, 10])), time_column="t",
                input_steps=1)  # fmt: skip
    assert data.season is None
    assert data.seasonal_errors is not None
    assert data.seasonal_errors[0].tolist() == [np.mean([2, 1, 3, 1, 2])]


@pytest.mark.parametrize("targets", [["y"], ["y", "z"]])
@pytest.mark.parametrize(("ahead", "output_steps"), [(1, 1), (0, 1), (3, 1), (1, 5), (5, 3),
                                                     (7, 2), (1, 9), (9, 16)])  # fmt: skip
def test_windows_of_any_shape_know_what_a_plain_loop_finds(
    tmp_path: Path, ahead: int, output_steps: int, targets: list[str]
) -> None:
    random = np.random.default_rng(output_steps + ahead)
    lengths, parts = (60, 35, 75), []
    for name, length in zip("abc", lengths, strict=True):
        own = _days(random.normal(size=length).round(3).tolist()).assign(s=name)
        own["z"] = random.normal(size=length).round(3)
        own.loc[random.random(length) < 0.3, "y"] = np.nan
        parts.append(own)
    frame = pd.concat(parts, ignore_index=True)
    data = load(
        _written(tmp_path, frame), target=targets, inputs=["a"], time_column="t", series="s",
        missing="mask", input_steps=3, steps_ahead=ahead, output_steps=output_steps,
        split_by="series", split=[0.34, 0.33, 0.33],
    )  # fmt: skip
    assert data.season == 7
    bounds = np.cumsum([0, *lengths])
    for part in data.parts().values():
        rows = np.asarray(part.origins)
        latest, ago = (np.asarray(each) for each in (part.latest, part.season_ago))
        for window, first in enumerate(rows.tolist()):
            begin = bounds[np.searchsorted(bounds, first, side="right") - 1]
            known = min(first - ahead, first - 1)
            wanted = [
                _plain(frame[name].to_numpy(), begin, known, first + step)
                for step in range(output_steps) for name in targets
            ]  # fmt: skip
            np.testing.assert_allclose(latest[window], [w[0] for w in wanted], rtol=1e-6)
            np.testing.assert_allclose(ago[window], [w[1] for w in wanted], rtol=1e-6)


def _plain(values: np.ndarray, begin: int, known: int, target: int) -> tuple[float, float]:
    """The newest value up to `known`, and the newest whole weeks before `target` up to there."""
    latest = [values[row] for row in range(known, begin - 1, -1) if not np.isnan(values[row])]
    weeks = [r for r in range(target - 7, begin - 1, -7) if r <= known and not np.isnan(values[r])]
    return (latest or [np.nan])[0], values[weeks[0]] if weeks else np.nan


def test_the_past_is_no_part_of_the_digest(ten_rows: Path) -> None:
    data = load(ten_rows, input_steps=3)
    without = SequenceSet(**{**vars(data.train), "latest": None})
    plain = SequenceData(**{**vars(data), "train": without, "seasonal_errors": None})
    assert digest(plain) == data.digest


def test_classes_and_targets_at_every_step_are_told_no_past(ten_rows: Path) -> None:
    every = load(ten_rows, input_steps=3, targets="every")
    classes = load(ten_rows, input_steps=3, task="classification")
    assert every.validation.latest is None
    assert classes.validation.latest is None
    assert every.seasonal_errors is None


def test_no_window_has_a_copy(tmp_path: Path) -> None:
    y = np.sin(np.arange(2000.0))
    frame = pd.DataFrame({"t": pd.date_range("2020-01-01", periods=2000, freq="h"), "y": y})
    folder = _written(tmp_path, frame)
    one = load(folder, time_column="t", input_steps=24)
    long = load(folder, time_column="t", input_steps=24, output_steps=12)
    for data in (one, long):
        rows = 2000 + data.horizon
        inputs = array_bytes(SequenceData(**{**vars(data), **_without_past(data)}))
        assert array_bytes(data) - inputs <= 2 * 4 * rows
        again = pickle.loads(pickle.dumps(data))
        assert _told(again.test, "season_ago") == _told(data.test, "season_ago")
        assert len(pickle.dumps(data)) < 100 * rows


def _without_past(data: SequenceData) -> dict[str, SequenceSet]:
    gone = {"latest": None, "season_ago": None}
    return {name: SequenceSet(**{**vars(part), **gone}) for name, part in data.parts().items()}


def _own_targets(data: SequenceData, part: SequenceSet) -> np.ndarray:
    return np.asarray(part.targets)[:, -1] * data.target_scale + data.target_shift


def test_a_limit_takes_the_past_along(tmp_path: Path) -> None:
    _written(tmp_path, _days([float(n) for n in range(60)]))
    options = {"path": "ten.csv", "target": "y", "time_column": "t", "input_steps": 2}
    data = load_data("csv", options, base_dir=tmp_path, limit=3)
    assert len(data.validation) == len(np.asarray(data.validation.season_ago)) == 3
    assert _told(data.validation, "latest") == [[41], [42], [43]]


def test_choices_cut_the_past_to_the_targets_that_all_have(tmp_path: Path) -> None:
    one = _days([float(n) for n in range(60)])
    _written(tmp_path, pd.concat([one.assign(s=name) for name in "abc"], ignore_index=True))
    options = {"path": "ten.csv", "target": "y", "time_column": "t", "series": "s",
               "split_by": "series", "split": [0.34, 0.33, 0.33]}  # fmt: skip
    choices = load_choices("csv", options, {"input_steps": [5, 2]}, base_dir=tmp_path)
    for data in choices.by_key.values():
        assert len(data.validation) == 55
        own = _own_targets(data, data.validation)
        change = own - np.asarray(data.validation.latest)
        np.testing.assert_allclose(change, np.ones((55, 1)), atol=1e-4)
