"""Windows over one series: a naive loop is the reference, real data give the published figures."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.trainers.data.series.window_factory import load
from trainers.data.division import boundaries_of
from trainers.data.series.cutting import Geometry, Series, cut, target_starts
from trainers.data.series.spans import Span, by_shares
from trainers.data.views import owner
from trainers.errors import DataError


def test_windows_of_ten_rows_are_what_a_person_writes_down(ten_rows: Path) -> None:
    data = load(ten_rows, input_steps=3, scaling="none")
    # Targets are rows 3..5, 6..7 and 8..9; inputs of validation reach back into training rows.
    assert data.train.inputs[:, :, 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert data.train.targets[:, -1, 0].tolist() == [30, 40, 50]
    assert data.validation.inputs[:, :, 0].tolist() == [[3, 4, 5], [4, 5, 6]]
    assert data.validation.targets[:, -1, 0].tolist() == [60, 70]
    assert data.test is not None
    assert data.test.targets[:, -1, 0].tolist() == [80, 90]
    assert data.train.target_mask is not None
    assert data.train.target_mask.tolist() == [[False, False, True]] * 3
    assert data.one_target
    assert "train: targets in rows [0, 6), 3 windows, 3 dropped for want of room" in data.notes


def test_steps_ahead_and_output_steps_choose_the_target_rows(ten_rows: Path) -> None:
    data = load(ten_rows, input_steps=2, steps_ahead=2, output_steps=2, scaling="none")
    assert data.train.inputs[:, :, 0].tolist() == [[0, 1], [1, 2]]
    assert data.train.targets[:, -1].tolist() == [[30, 40], [40, 50]]
    assert data.validation.targets[:, -1].tolist() == [[60, 70]]
    assert data.target_names == ("y+2", "y+3")
    assert data.output_size == 2


def test_several_targets_over_several_steps_stand_step_by_step(ten_rows: Path) -> None:
    data = load(ten_rows, target=["a", "y"], input_steps=1, output_steps=2, scaling="none")
    assert data.train.targets[0, 0].tolist() == [1, 10, 2, 20]
    assert data.target_names == ("a+1", "y+1", "a+2", "y+2")


def test_stride_counts_from_the_start_of_the_part_whatever_the_window(ten_rows: Path) -> None:
    short = load(ten_rows, input_steps=1, stride=2, scaling="none")
    long = load(ten_rows, input_steps=3, stride=2, scaling="none")
    assert short.train.targets[:, -1, 0].tolist() == [20, 40]
    assert long.train.targets[:, -1, 0].tolist() == [40]
    assert short.validation.targets[:, -1].tolist() == long.validation.targets[:, -1].tolist()


def test_minmax_is_fitted_on_training_rows_only_and_undone_by_scale_and_shift(
    ten_rows: Path,
) -> None:
    data = load(ten_rows, input_steps=3, scaling="minmax")
    # Training rows 0..5: a in 0..5, y in 0..50; the test part goes beyond 1.
    np.testing.assert_allclose(data.train.inputs[0, :, 0], [0, 0.2, 0.4], rtol=1e-6)
    assert data.test is not None
    np.testing.assert_allclose(data.test.targets[-1, -1], [1.8], rtol=1e-6)
    assert data.target_scale is not None
    assert data.target_shift is not None
    assert data.target_scale.tolist() == [50]
    assert data.target_shift.tolist() == [0]


def test_standard_scaling_equals_scikit_learns(ten_rows: Path) -> None:
    from sklearn.preprocessing import StandardScaler

    data = load(ten_rows, input_steps=3, scaling="standard")
    scaler = StandardScaler().fit(np.arange(6.0)[:, None])
    expected = scaler.transform(np.arange(10.0)[:, None])[:, 0]
    np.testing.assert_allclose(data.train.inputs[0, :, 0], expected[:3], rtol=1e-6)
    assert data.target_scale is not None
    np.testing.assert_allclose(data.target_scale, [10 * scaler.scale_[0]])


@pytest.mark.parametrize("scaling", ["minmax", "standard"])
def test_a_constant_column_is_shifted_to_zero(tmp_path: Path, scaling: str) -> None:
    frame = pd.DataFrame({"constant": [0.1] * 10, "y": np.arange(10.0)})
    frame.to_csv(tmp_path / "ten.csv", index=False)
    data = load(tmp_path, input_steps=2, scaling=scaling)
    assert np.abs(data.train.inputs[:, :, 0]).max() < 1e-6


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(8, 60),
    input_steps=st.integers(1, 8),
    output_steps=st.integers(1, 4),
    steps_ahead=st.integers(1, 4),
    stride=st.integers(1, 5),
    outputs=st.integers(1, 3),
    train_share=st.floats(0.3, 0.7),
)
def test_views_equal_a_naive_loop_and_no_target_crosses_a_boundary(
    rows: int,
    input_steps: int,
    output_steps: int,
    steps_ahead: int,
    stride: int,
    outputs: int,
    train_share: float,
) -> None:
    rest = (1 - train_share) / 2
    chosen = Geometry(input_steps, output_steps, steps_ahead, stride)
    boundaries = boundaries_of(rows, (train_share, rest, rest))
    inputs = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    targets = 1000 + np.arange(rows * outputs, dtype=np.float32).reshape(rows, outputs)
    naive = [
        naive_windows(inputs, targets, start, stop, chosen)
        for start, stop in itertools.pairwise(boundaries)
    ]
    assume(all(len(pair[0]) for pair in naive))
    bounds = np.array([0, rows])
    parts, _ = cut(
        Series(inputs, targets, bounds), by_shares([(0, rows)], (train_share, rest, rest)), chosen
    )
    for part, (windows, expected) in zip(parts, naive, strict=True):
        np.testing.assert_array_equal(part.inputs, windows)
        np.testing.assert_array_equal(part.targets[:, -1], expected)
    for part, start, stop in zip(parts, boundaries[:-1], boundaries[1:], strict=True):
        row = (part.targets - 1000) // outputs
        assert row.min() >= start
        assert row.max() < stop


def naive_windows(inputs, targets, start, stop, chosen):
    """Every window by a plain loop over the candidates for its first target row."""
    windows, expected = [], []
    for first in range(start, stop, chosen.stride):
        end = first - chosen.steps_ahead + 1
        if end - chosen.input_steps < 0 or first + chosen.output_steps > stop:
            continue
        windows.append(inputs[end - chosen.input_steps : end])
        expected.append(targets[first : first + chosen.output_steps].reshape(-1))
    return windows, expected


@given(rows=st.integers(1, 10_000), input_steps=st.integers(1, 50))
def test_every_target_row_has_a_window_once_the_series_has_begun(
    rows: int, input_steps: int
) -> None:
    starts = target_starts(Span(0, 0, 0, rows), Geometry(input_steps, 1, 1, 1))
    assert list(starts) == list(range(input_steps, rows))


def test_rounded_shares_do_not_lose_a_row() -> None:
    assert boundaries_of(20, (0.7, 0.15, 0.15)) == (0, 14, 17, 20)
    assert boundaries_of(19_735, (0.7, 0.15, 0.15)) == (0, 13_814, 16_774, 19_735)


def test_windows_are_views_and_pickle_by_their_series(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(2_000, 5)), columns=[*"abcd", "y"])
    frame.to_csv(tmp_path / "ten.csv", index=False)
    data = load(tmp_path, input_steps=100, scaling="standard")
    assert data.test is not None
    series_bytes = 2_000 * (5 + 1) * 4
    assert data.train.inputs.nbytes > 30 * series_bytes
    assert owner(data.train.inputs) is owner(data.validation.inputs) is owner(data.test.inputs)
    pickled = pickle.dumps(data, protocol=5)
    known_bytes = 2_000 * 4  # the target in own units
    assert len(pickled) < series_bytes + known_bytes + 10_000
    again = pickle.loads(pickled)
    assert owner(again.train.inputs) is owner(again.test.inputs)
    for name, part in data.parts().items():
        copy = again.parts()[name]
        np.testing.assert_array_equal(copy.inputs, part.inputs)
        np.testing.assert_array_equal(copy.targets, part.targets)
        np.testing.assert_array_equal(copy.target_mask, part.target_mask)


def test_calendar_turns_once_a_day_and_once_a_week(tmp_path: Path) -> None:
    # 2024-01-01 was a Monday, so both phases begin at zero.
    times = pd.date_range("2024-01-01", periods=8 * 4, freq="6h")
    frame = pd.DataFrame({"when": times, "y": np.arange(32.0)})
    frame.to_csv(tmp_path / "ten.csv", index=False)
    data = load(
        tmp_path, time_column="when", calendar=True, input_steps=2, scaling="none", inputs=["y"]
    )
    first, second = data.train.inputs[0]
    np.testing.assert_allclose(first, [0, 0, 1, 0, 1], atol=1e-6)
    week = 2 * np.pi / 28
    np.testing.assert_allclose(second, [1, 1, 0, np.sin(week), np.cos(week)], atol=1e-6)
    assert data.input_size == 5


def test_a_gap_in_time_is_told(tmp_path: Path) -> None:
    times = pd.date_range("2024-01-01", periods=10, freq="h").delete(4)
    frame = pd.DataFrame({"when": times, "y": np.arange(9.0)})
    frame.to_csv(tmp_path / "ten.csv", index=False)
    data = load(tmp_path, time_column="when", input_steps=2)
    assert any("1 of 8 steps differ from the usual 1 h" in note for note in data.notes)


def test_a_parquet_file_gives_the_same_data_as_the_csv_file(ten_rows: Path) -> None:
    pd.read_csv(ten_rows / "ten.csv").to_parquet(ten_rows / "ten.parquet")
    assert load(ten_rows, input_steps=3).digest == (
        load(ten_rows, input_steps=3, path="ten.parquet").digest
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": "no.csv"}, "there is no data file"),
        ({"target": "yy"}, "data.target names the column 'yy', .* did you mean 'y'"),
        ({"inputs": ["aa"]}, "data.inputs names the column 'aa'"),
        ({"drop": ["b"]}, "data.drop names the column 'b'"),
        ({"drop": ["a", "y"]}, "at least one input column is needed"),
        ({"time_column": "when"}, "data.time_column names the column 'when'"),
        ({"calendar": True}, "set data.time_column"),
        ({"input_steps": 0}, "`input_steps >= 1` must hold, but got data.input_steps=0"),
        ({"input_steps": 10}, "a window spans 11 rows .* but the series has 10"),
        ({"input_steps": 6}, "the train part has no room"),
        ({"input_steps": 2, "output_steps": 3}, "the validation part has no room"),
        ({"input_steps": "3"}, "data.input_steps must be a whole number, but got '3'"),
        ({"input_step": 3}, "no option 'input_step'; did you mean 'input_steps'"),
        ({"split": [0.5, 0.5]}, "split has shares of train, validation and test"),
        ({"split": [0.6, 0.6, -0.2]}, "split has shares of train, validation and test"),
        ({"scaling": "zscore"}, "data.scaling must be one of minmax, standard, none"),
    ],
)
def test_a_bad_option_gives_one_clear_line(
    ten_rows: Path, values: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(ten_rows, **{"input_steps": 3, **values})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1", "", "3", "", *["1"] * 6], "'a' must hold finite numbers, but 2 of 10 are missing, "),
        (["1", "inf", *["1"] * 8], "'a' must hold finite numbers, but 1 of 10 are infinite"),
        (["1", "x", *["1"] * 8], "'a' must hold numbers, but got 'x' in data row 1"),
    ],
)
def test_a_bad_cell_is_named_by_column_and_row(
    tmp_path: Path, cells: list[str], message: str
) -> None:
    lines = ["a,y", *(f"{cell},{row}" for row, cell in enumerate(cells))]
    (tmp_path / "ten.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=message):
        load(tmp_path, input_steps=2, inputs=["a", "y"])


def test_rows_out_of_order_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ten.csv").write_text("when,y\n2024-01-02,1\n2024-01-01,2\n")
    with pytest.raises(DataError, match=r"they run newest first"):
        load(tmp_path, time_column="when")


@pytest.mark.parametrize("content", ["", "a,y\n", "a,y\n1,2\n1,2,3,4\n"])
def test_a_file_that_is_no_table_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "ten.csv").write_text(content)
    with pytest.raises(DataError, match=r"ten\.csv") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scale_by", ["all", "series"])
def test_rows_are_scaled_alike_however_many_at_once(
    scale_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    columns = {"s": np.repeat([0, 1], 30), "y": rng.normal(size=60), "x": rng.normal(size=60)}
    frame = pd.DataFrame(columns)
    frame.loc[[3, 40], "x"] = np.nan
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = {"path": "t.csv", "series": "s", "scale_by": scale_by, "missing": "mask"}
    options |= {"input_steps": 3}
    whole = load(tmp_path, **options)
    monkeypatch.setattr("trainers.data.features.encoding._ROWS_AT_ONCE", 7)
    assert load(tmp_path, **options).digest == whole.digest


def test_times_are_those_of_the_rows_that_origins_count(tmp_path: Path) -> None:
    times = pd.date_range("2024-03-01 05:00", periods=30, freq="2h")
    frame = pd.DataFrame({"time": times, "y": np.arange(30.0)})
    frame.to_csv(tmp_path / "even.csv", index=False)
    even = load(tmp_path, path="even.csv", target="y", time_column="time", input_steps=2)
    assert isinstance(even.times, range)
    assert even.train.origins is not None
    first = pd.Timestamp(even.times[int(even.train.origins[0])])
    assert first == times[2]
    frame.drop(index=7).to_csv(tmp_path / "hole.csv", index=False)
    hole = load(tmp_path, path="hole.csv", target="y", time_column="time", input_steps=2)
    assert hole.times is not None
    assert np.asarray(hole.times).tolist() == times.delete(7).as_unit("ns").asi8.tolist()
    assert load(tmp_path, path="even.csv", target="y", input_steps=2, drop=["time"]).times is None
