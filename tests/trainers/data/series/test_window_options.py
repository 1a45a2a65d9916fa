"""Windows with a target at every step, inputs known ahead, and missing values."""

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
from trainers.errors import DataError


class TestEveryStep:
    def test_each_step_has_its_own_target(self, ten_rows: Path) -> None:
        data = load(ten_rows, targets="every", input_steps=3, stride=3, scaling="none")
        assert data.train.inputs[:, :, 0].tolist() == [[0, 1, 2]]
        assert data.train.targets[:, :, 0].tolist() == [[10, 20, 30]]
        assert not data.one_target

    def test_targets_of_the_part_before_are_hidden(self, ten_rows: Path) -> None:
        data = load(ten_rows, targets="every", input_steps=3, scaling="none")
        # Validation has the target rows 6 and 7.
        assert data.validation.targets[:, :, 0].tolist() == [[40, 50, 60], [50, 60, 70]]
        assert data.validation.target_mask is not None
        assert data.validation.target_mask.tolist() == [[False, False, True], [False, True, True]]

    def test_a_step_can_predict_its_own_row(self, ten_rows: Path) -> None:
        data = load(
            ten_rows, targets="every", input_steps=3, steps_ahead=0, scaling="none", drop="y"
        )
        assert data.train.inputs[0, :, 0].tolist() == [0, 1, 2]
        assert data.train.targets[0, :, 0].tolist() == [0, 10, 20]

    @settings(max_examples=80, deadline=None)
    @given(
        rows=st.integers(12, 50),
        steps=st.integers(1, 6),
        outs=st.integers(1, 3),
        ahead=st.integers(0, 3),
        stride=st.integers(1, 6),
        seed=st.integers(0, 1_000),
    )
    def test_views_equal_a_naive_loop_with_gaps(
        self, rows: int, steps: int, outs: int, ahead: int, stride: int, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        shown = rng.random(rows) < 0.8
        told = rng.random((rows, 2)) < 0.8
        inputs = np.arange(rows, dtype=np.float32)[:, None]
        targets = 100 + np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
        boundaries = boundaries_of(rows, (0.6, 0.2, 0.2))
        geometry = Geometry(steps, outs, ahead, stride, every_step=True)
        expected = [
            [
                window
                for first in target_starts(Span(0, 0, start, stop), geometry)
                if (window := naive_every(first, start, shown, told, geometry))
            ]
            for start, stop in itertools.pairwise(boundaries)
        ]
        assume(all(expected))
        bounds = np.array([0, rows])
        series = Series(inputs, targets, bounds, shown, told)
        parts, _ = cut(series, by_shares([(0, rows)], (0.6, 0.2, 0.2)), geometry)
        for part, windows in zip(parts, expected, strict=True):
            assert len(part) == len(windows)
            for row, (steps_of, exist, counted) in enumerate(windows):
                assert part.inputs[row, :, 0].tolist() == steps_of
                assert part.input_mask is not None
                assert part.input_mask[row].tolist() == exist
                assert part.target_mask is not None
                mask = np.asarray(part.target_mask)[row]
                mask = mask if mask.ndim == 2 else np.repeat(mask[:, None], outs * 2, axis=1)
                assert mask.tolist() == counted
                runs = [targets[r + ahead : r + ahead + outs].reshape(-1) for r in steps_of]
                np.testing.assert_array_equal(part.targets[row], runs)

    def test_targets_are_views_too(self, tmp_path: Path) -> None:
        frame = pd.DataFrame(np.arange(10_000.0).reshape(2_000, 5), columns=[*"abcd", "y"])
        frame.to_csv(tmp_path / "ten.csv", index=False)
        data = load(tmp_path, input_steps=100, targets="every", output_steps=4)
        assert len(pickle.dumps(data, protocol=5)) < 2_000 * 6 * 4 + 3 * 2_000 + 10_000


def naive_every(first, start, shown, told, geometry):
    """One window by a plain loop: its rows, which exist, which have a target; None without any."""
    last = first - geometry.steps_ahead
    rows = range(last - geometry.input_steps + 1, last + 1)
    exist = [bool(shown[row]) for row in rows]
    counted = []
    for row in rows:
        run = range(row + geometry.steps_ahead, row + geometry.steps_ahead + geometry.output_steps)
        here = bool(shown[row] and run[0] >= start)
        counted.append([bool(here and output) for r in run for output in told[r]])
    return (list(rows), exist, counted) if any(exist) and any(map(any, counted)) else None


class TestKnownAhead:
    def test_the_values_at_the_target_rows_are_inputs(self, ten_rows: Path) -> None:
        values = {"input_steps": 2, "steps_ahead": 2, "output_steps": 2, "scaling": "none"}
        data = load(ten_rows, known_ahead="a", inputs="y", **values)
        # The first window's last row is 1, its targets are rows 3 and 4.
        assert data.train.inputs[0].tolist() == [[0, 2, 3], [10, 3, 4]]
        assert data.train.targets[0, -1].tolist() == [30, 40]
        assert data.test is not None
        assert data.test.inputs[-1, -1].tolist() == [60, 8, 9]

    def test_they_are_scaled_as_the_column_is(self, ten_rows: Path) -> None:
        data = load(ten_rows, known_ahead="a", input_steps=2, scaling="minmax")
        np.testing.assert_allclose(data.train.inputs[0, :, 2], [0.2, 0.4], rtol=1e-6)

    def test_a_target_is_not_known_ahead(self, ten_rows: Path) -> None:
        with pytest.raises(DataError, match=r"a target is not known ahead, .* names 'y'"):
            load(ten_rows, known_ahead=["a", "y"])
        with pytest.raises(DataError, match=r"data\.known_ahead names the column 'b'"):
            load(ten_rows, known_ahead="b")


class TestMissing:
    def write(self, folder: Path, a: dict[int, float], y: dict[int, float]) -> Path:
        frame = pd.DataFrame({"a": np.arange(20.0), "y": np.arange(20.0) * 10})
        for column, values in (("a", a), ("y", y)):
            for row, value in values.items():
                frame.loc[row, column] = value
        frame.to_csv(folder / "ten.csv", index=False)
        return folder

    def load(self, folder: Path, **values: object):
        values = {"split": [0.5, 0.25, 0.25], "inputs": "a", "scaling": "none", **values}
        return load(folder, missing="mask", input_steps=3, **values)

    def test_a_missing_input_row_is_a_gap_and_the_target_moves_before_it(
        self, tmp_path: Path
    ) -> None:
        data = self.load(self.write(tmp_path, {4: np.nan}, {}))
        part = data.train
        assert part.input_mask is not None
        assert part.target_mask is not None
        # Windows begin at rows 0 to 6; that of rows 2, 3, 4 ends in the gap.
        assert part.input_mask[2].tolist() == [True, True, False]
        assert part.target_mask[2].tolist() == [False, True, False]
        assert part.targets[2, 1].tolist() == [50]
        assert part.input_mask[4].tolist() == [False, True, True]
        assert part.target_mask[4].tolist() == [False, False, True]
        assert data.one_target
        assert "1 of 20 rows have gaps in their inputs" in data.notes

    def test_windows_without_their_target_are_dropped_and_counted(self, tmp_path: Path) -> None:
        data = self.load(self.write(tmp_path, {}, {5: np.nan, 11: np.nan}))
        assert np.asarray(data.train.targets)[:, -1, 0].tolist() == [30, 40, 60, 70, 80, 90]
        assert data.train.input_mask is None
        assert np.asarray(data.validation.targets)[:, -1, 0].tolist() == [100, 120, 130, 140]
        assert any("6 windows, 3 dropped for want of room, 1 dropped for" in n for n in data.notes)
        assert len(pickle.loads(pickle.dumps(data)).train) == 6

    def test_windows_without_any_input_are_dropped(self, tmp_path: Path) -> None:
        data = self.load(self.write(tmp_path, dict.fromkeys((3, 4, 5), np.nan), {}))
        # The window of rows 3, 4, 5 and its target, row 6.
        assert np.asarray(data.train.targets)[:, -1, 0].tolist() == [30, 40, 50, 70, 80, 90]

    def test_a_missing_target_of_several_hides_that_output_not_the_window(
        self, tmp_path: Path
    ) -> None:
        data = self.load(self.write(tmp_path, {}, {5: np.nan}), output_steps=2)
        first = np.asarray(data.train.targets)[:, -1, 0].tolist()
        assert first == [30, 40, 0, 60, 70, 80]  # what is hidden holds anything
        mask = np.asarray(data.train.target_mask)
        assert not mask[:, :-1].any()
        shown = [[True, True], [True, False], [False, True], *[[True, True]] * 3]
        assert mask[:, -1].tolist() == shown

    def test_a_missing_own_past_is_a_gap_too(self, tmp_path: Path) -> None:
        data = self.load(self.write(tmp_path, {}, {5: np.nan}), inputs=["a", "y"])
        assert data.train.input_mask is not None
        assert data.train.input_mask[2].tolist() == [True, True, False]

    def test_scalers_leave_gaps_out(self, tmp_path: Path) -> None:
        data = self.load(self.write(tmp_path, {9: np.nan}, {0: np.nan}), scaling="minmax")
        np.testing.assert_allclose(data.train.inputs[0, :, 0], [0, 1 / 8, 2 / 8], rtol=1e-6)
        assert data.target_shift is not None
        assert data.target_shift.tolist() == [10]

    def test_nothing_left_is_an_error(self, tmp_path: Path) -> None:
        gone = dict.fromkeys(range(10, 15), np.nan)
        with pytest.raises(DataError, match="the validation part's 5 windows have no input or no"):
            self.load(self.write(tmp_path, {}, gone))
        with pytest.raises(DataError, match="every one of the 10 training rows misses a value"):
            self.load(self.write(tmp_path, dict.fromkeys(range(10), np.nan), {}))

    def test_infinite_values_are_an_error_still(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="1 of 20 are infinite, the first in data row 4"):
            self.load(self.write(tmp_path, {4: np.inf}, {}))


def test_predicting_the_same_row_needs_other_inputs(ten_rows: Path) -> None:
    with pytest.raises(DataError, match="with steps_ahead=0 the target 'y' would be its own input"):
        load(ten_rows, steps_ahead=0)
    assert load(ten_rows, steps_ahead=0, input_steps=1, inputs="a").train.inputs.shape == (6, 1, 1)
