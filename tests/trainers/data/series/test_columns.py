"""What becomes of columns: categories, truth values, missing values, times as inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.errors import DataError

ROWS = 20
NAN = float("nan")


def load(folder: Path, columns: dict[str, object], **options: object) -> SequenceData:
    pd.DataFrame({"y": np.arange(ROWS), **columns}).to_parquet(folder / "t.parquet")
    values = {"path": "t.parquet", "target": "y", "scaling": "none", "input_steps": 2}
    return load_data("csv", {**values, "split": [0.5, 0.25, 0.25], **options}, base_dir=folder)


def inputs(part) -> np.ndarray:
    return np.asarray(part.inputs)


class TestCategories:
    def test_few_values_are_one_column_each(self, tmp_path: Path) -> None:
        data = load(tmp_path, {"kind": ["x", "z", "y", "z"] * 5})
        assert data.input_names == ("y", "kind=x", "kind=y", "kind=z")
        assert inputs(data.train)[0].tolist() == [[0, 1, 0, 0], [1, 0, 0, 1]]
        assert data.categories == ()
        assert any("kind (3 values)" in note for note in data.notes)

    def test_more_are_ids_to_be_embedded(self, tmp_path: Path) -> None:
        data = load(tmp_path, {"kind": ["a", "c", "b", "d", "e"] * 4})
        assert data.input_names == ("y", "kind")
        assert inputs(data.train)[0, :, 1].tolist() == [1, 3]
        (kind,) = data.categories
        assert (kind.feature, kind.values) == (1, ("a", "b", "c", "d", "e"))
        assert kind.embedding_size == 6  # 2 * ceil(sqrt(5))

    def test_pandas_own_categories_and_numbers_that_are_names(self, tmp_path: Path) -> None:
        columns = {"kind": pd.Categorical(["u", "v"] * 10), "code": [7, 10] * 10}
        data = load(tmp_path, columns, categories=["kind", "code"])
        assert data.input_names == ("y", "kind=u", "kind=v", "code=10", "code=7")

    def test_values_are_those_of_training_rows_others_are_unknown(self, tmp_path: Path) -> None:
        kinds = ["a", "b", "c", "d"] * 2 + ["a", "b"] + ["new"] * 10
        data = load(tmp_path, {"kind": kinds})
        assert data.categories[0].values == ("a", "b", "c", "d")
        assert inputs(data.validation)[-1, :, 1].tolist() == [0, 0]
        one_hot = load(tmp_path, {"kind": kinds}, category_encoding="one_hot")
        assert inputs(one_hot.validation)[-1, -1, 1:].tolist() == [0, 0, 0, 0]

    def test_truth_values_are_0_and_1(self, tmp_path: Path) -> None:
        data = load(tmp_path, {"open": [True, False] * 10})
        assert inputs(data.train)[0, :, 1].tolist() == [1, 0]

    def test_texts_that_hardly_repeat_are_left_out_and_said(self, tmp_path: Path) -> None:
        data = load(tmp_path, {"remark": [f"remark {n}" for n in range(ROWS)]})
        assert data.input_names == ("y",)
        assert "not numeric, so not inputs: remark" in data.notes

    def test_a_missing_name_is_refused_or_a_gap(self, tmp_path: Path) -> None:
        kinds = ["a", "b"] * 10
        kinds[3] = None
        with pytest.raises(DataError, match=r"'kind' must be filled, but 1 of 20 .* data row 3"):
            load(tmp_path, {"kind": kinds})
        data = load(tmp_path, {"kind": kinds}, missing="mask")
        assert np.asarray(data.train.input_mask)[2].tolist() == [True, False]


class TestFill:
    A = (0.0, 2.0, NAN, NAN, 6.0, *[0.0] * 15)

    @pytest.mark.parametrize(
        ("fill", "expected"),
        [
            ("forward", [2, 2]),
            ("linear", [4, 6]),  # 0, 2, and on, within the greatest training value
            ("mean", [1, 1]),  # of 0, 2, 6 and five zeros
        ],
    )
    def test_from_the_past_only(self, tmp_path: Path, fill: str, expected: list[float]) -> None:
        options = {"missing": "fill", "fill": fill, "indicator": False}
        data = load(tmp_path, {"a": self.A}, **options)
        assert data.input_names == ("y", "a")
        assert inputs(data.train)[2, :, 1].tolist() == expected
        assert data.train.input_mask is None

    def test_each_column_its_own_way_and_what_was_missing_is_an_input(self, tmp_path: Path) -> None:
        columns = {"a": self.A, "b": self.A}
        data = load(tmp_path, columns, missing="fill", fill={"b": "mean"})
        assert data.input_names == ("y", "a", "b", "a missing", "b missing")
        assert inputs(data.train)[2].tolist() == [[2, 2, 1, 1, 1], [3, 2, 1, 1, 1]]

    def test_at_the_beginning_it_is_the_training_mean(self, tmp_path: Path) -> None:
        a = [NAN, NAN, 4.0, *[4.0] * 17]
        data = load(tmp_path, {"a": a}, missing="fill", indicator=False)
        assert inputs(data.train)[0, :, 1].tolist() == [4, 4]

    def test_a_missing_target_is_hidden_and_its_row_an_input(self, tmp_path: Path) -> None:
        y = [float(n) for n in range(ROWS)]
        y[5] = NAN
        data = load(tmp_path, {"y": y, "a": np.arange(ROWS)}, missing="fill", indicator=False)
        assert np.asarray(data.train.origins).tolist() == [2, 3, 4, 6, 7, 8, 9]
        # The window of rows 4 and 5 is there: 5's own past is 4, carried on.
        assert inputs(data.train)[3].tolist() == [[4, 4], [4, 5]]


class TestClasses:
    def test_a_column_of_0_and_1_asks_for_the_task(self, tmp_path: Path) -> None:
        columns = {"fail": [0, 1] * 10}
        with pytest.raises(DataError, match=r"'fail' holds only 0 and 1: set data.task to class"):
            load(tmp_path, columns, target="fail")
        assert load(tmp_path, columns, target="fail", task="regression").task == "regression"

    def test_texts_and_truth_values_ask_too(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"'state' holds texts \(off, on …\): set data.task"):
            load(tmp_path, {"state": ["off", "on"] * 10}, target="state")
        with pytest.raises(DataError, match=r"'ok' holds true and false: set data.task"):
            load(tmp_path, {"ok": [True, False] * 10}, target="ok")

    def test_a_window_has_the_label_of_its_last_row(self, tmp_path: Path) -> None:
        states = ["off", "on", "on", "idle"] * 5
        options = {"target": "state", "task": "classification"}
        data = load(tmp_path, {"state": states}, **options)
        assert data.target_names == ("idle", "off", "on")
        assert data.input_names == ("y",)
        assert np.asarray(data.train.targets)[:3, -1].tolist() == [2, 2, 0]
        assert data.one_target

    def test_or_of_a_row_ahead_its_past_an_input_if_asked_for(self, tmp_path: Path) -> None:
        states = ["off", "on", "on", "idle"] * 5
        options = {"target": "state", "task": "classification", "steps_ahead": 1}
        data = load(tmp_path, {"state": states}, inputs=["y", "state"], **options)
        assert np.asarray(data.train.targets)[:2, -1].tolist() == [2, 0]
        assert data.input_names == ("y", "state=idle", "state=off", "state=on")

    def test_a_label_at_every_step(self, tmp_path: Path) -> None:
        options = {"target": "s", "task": "classification", "targets": "every"}
        data = load(tmp_path, {"s": ["b", "a"] * 10}, **options)
        assert np.asarray(data.train.targets)[0].tolist() == [1, 0]

    def test_several_columns_of_0_and_1_are_labels(self, tmp_path: Path) -> None:
        columns = {"rain": [0, 1] * 10, "wind": [1, 1, 0, 0] * 5}
        options = {"target": ["rain", "wind"], "task": "classification"}
        data = load(tmp_path, columns, **options)
        assert data.task == "classification"
        assert np.asarray(data.train.targets)[0, -1].tolist() == [1, 1]
        assert data.target_names == ("rain", "wind")
        with pytest.raises(DataError, match=r"'wind' has 3 in data row 2"):
            load(tmp_path, {**columns, "wind": [1, 1, 3, 0] * 5}, **options)

    def test_a_missing_label_is_hidden(self, tmp_path: Path) -> None:
        states: list[str | None] = ["off", "on"] * 10
        states[4] = None
        options = {"target": "state", "task": "classification"}
        data = load(tmp_path, {"state": states}, missing="mask", **options)
        assert 4 not in np.asarray(data.train.origins).tolist()
        with pytest.raises(DataError, match="'state' must be filled"):
            load(tmp_path, {"state": states}, **options)


class TestTimes:
    def test_the_calendar_is_of_the_local_clock(self, tmp_path: Path) -> None:
        times = pd.date_range("2021-03-27 12:00", periods=ROWS, freq="6h", tz="UTC")
        data = load(tmp_path, {"t": times}, time_column="t", time_zone="Europe/Berlin",
                    calendar=["hour"])  # fmt: skip
        # 13:00 by the clock in winter; after the change 14:00.
        angle = 2 * np.pi * np.array([13, 19]) / 24
        np.testing.assert_allclose(inputs(data.train)[0, :, 1], np.sin(angle), atol=1e-6)
        later = 2 * np.pi * 14 / 24
        np.testing.assert_allclose(inputs(data.train)[4, 0, 1], np.sin(later), atol=1e-6)

    def test_holidays_are_known_at_the_target_rows(self, tmp_path: Path) -> None:
        times = pd.date_range("2020-12-20", periods=ROWS, freq="D")
        data = load(tmp_path, {"t": times}, time_column="t", holidays="DE")
        assert data.input_names == ("y", "public_holiday", "public_holiday+1")
        # The window of 23 and 24 December: its target is the 25th.
        assert inputs(data.train)[3, :, 1:].tolist() == [[0, 0], [0, 1]]

    def test_the_time_since_the_row_before(self, tmp_path: Path) -> None:
        hours = np.cumsum([1, 2, *[1] * 18])
        times = pd.Timestamp("2021-01-01") + pd.to_timedelta(hours, unit="h")
        data = load(tmp_path, {"t": times}, time_column="t", elapsed=True)
        assert data.input_names == ("y", "elapsed")
        assert inputs(data.train)[0, :, 1].tolist() == [1, 2]

    def test_even_steps_leave_gaps_that_must_be_allowed(self, tmp_path: Path) -> None:
        times = pd.date_range("2021-01-01", periods=ROWS + 1, freq="h").delete(4)
        options = {"time_column": "t", "resample": "1h"}
        with pytest.raises(DataError, match=r"resample=1h leaves 1 of 21 rows without a value"):
            load(tmp_path, {"t": times}, **options)
        data = load(tmp_path, {"t": times}, missing="mask", **options)
        # The window of rows 2 and 3 has no target.
        assert np.asarray(data.train.input_mask)[2].tolist() == [True, False]

    def test_options_of_time_need_times(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"data.resample='1h' needs times: set data.time_col"):
            load(tmp_path, {}, resample="1h")


class TestWhatIsSaid:
    def test_a_column_of_times_that_nobody_uses(self, tmp_path: Path) -> None:
        times = pd.date_range("2021-01-01", periods=ROWS)[::-1].strftime("%Y-%m-%d")
        (said,) = load(tmp_path, {"day": times}).findings
        assert (said.kind, said.grade) == ("time", "doubtful")
        assert "newest first" in said.text
        assert "set data.time_column: day and data.sort: true" in said.text
        sorted_ = load(tmp_path, {"day": times}, time_column="day", sort=True)
        assert not any(finding.kind == "time" for finding in sorted_.findings)

    @pytest.mark.parametrize(("low", "high"), [(1, 2), (-1, 1), (0, 1)])
    def test_two_whole_numbers_are_asked_about(self, tmp_path: Path, low: int, high: int) -> None:
        columns = {"y": [low, high] * 10, "x": np.arange(ROWS)}
        with pytest.raises(DataError, match=f"only {low} and {high}: set data.task"):
            load(tmp_path, columns)
        assert load(tmp_path, columns, task="regression").task == "regression"

    def test_few_whole_numbers_are_taken_as_numbers_and_said(self, tmp_path: Path) -> None:
        data = load(tmp_path, {"y": [0, 1, 2, 3] * 15, "x": range(60)})
        assert data.task == "regression"
        assert any("data.task: classification makes its 4 values" in note for note in data.notes)
        told = load(tmp_path, {"y": [0, 1, 2, 3] * 15, "x": range(60)}, task="regression")
        assert not any("data.task" in note for note in told.notes)

    def test_columns_of_lists_are_no_inputs(self, tmp_path: Path) -> None:
        data = load(tmp_path, {"list": [[1, 2]] * ROWS, "dict": [{"a": 1}] * ROWS})
        assert data.input_names == ("y",)
        assert any("not inputs: list, dict" in note for note in data.notes)


class TestDrop:
    def test_it_mends_what_names_it(self, tmp_path: Path) -> None:
        columns = {"x": ["1", "?", *map(str, range(18))]}
        with pytest.raises(DataError, match=r"data.drop: \[x\]"):
            load(tmp_path, columns)
        assert load(tmp_path, columns, drop=["x"]).input_names == ("y",)

    def test_columns_that_nobody_asks_for_may_hold_anything(self, tmp_path: Path) -> None:
        columns = {"x": ["1", "?", *map(str, range(18))]}
        assert load(tmp_path, columns, inputs=["y"]).input_names == ("y",)


def test_numbers_written_as_texts_are_inputs(tmp_path: Path) -> None:
    data = load(tmp_path, {"x": [f"{n}.5" for n in range(ROWS)]})
    assert inputs(data.train)[0].tolist() == [[0, 0.5], [1, 1.5]]
