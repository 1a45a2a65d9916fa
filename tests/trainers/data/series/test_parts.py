"""Parts by date, by column, with an embargo, or from a file of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.errors import DataError

DAYS = 20


def write(folder: Path, **columns: object) -> Path:
    times = pd.date_range("2021-01-01", periods=DAYS, freq="D").strftime("%Y-%m-%d")
    frame = pd.DataFrame({"time": times, "y": np.arange(DAYS)}).assign(**columns)
    frame.to_csv(folder / "days.csv", index=False)
    return folder


def load(folder: Path, **options: object) -> SequenceData:
    values = {"path": "days.csv", "target": "y", "time_column": "time", "scaling": "none"}
    return load_data("csv", {**values, "input_steps": 2, **options}, base_dir=folder)


def targets(part) -> list[float]:
    return np.asarray(part.targets)[:, -1, 0].tolist()


def test_dates_say_where_validation_and_test_begin(tmp_path: Path) -> None:
    split = {"validation": "2021-01-11", "test": "2021-01-16"}
    data = load(write(tmp_path), split=split)
    assert targets(data.train) == list(range(2, 10))
    assert targets(data.validation) == list(range(10, 15))
    assert data.test is not None
    assert targets(data.test) == list(range(15, 20))


def test_without_a_date_of_test_there_is_no_test_part(tmp_path: Path) -> None:
    data = load(write(tmp_path), split={"validation": "2021-01-11"})
    assert data.test is None
    assert targets(data.validation) == list(range(10, 20))


def test_a_date_is_one_of_the_local_clock(tmp_path: Path) -> None:
    times = pd.date_range("2021-01-01", periods=48, freq="h", tz="UTC")
    frame = pd.DataFrame({"time": times.map(lambda t: t.isoformat()), "y": np.arange(48)})
    frame.to_csv(tmp_path / "days.csv", index=False)
    # 2021-01-02 in Tokyo begins at 15:00 UTC the day before.
    split = {"validation": "2021-01-02", "test": "2021-01-02T12:00"}
    data = load(tmp_path, time_zone="Asia/Tokyo", split=split)
    assert targets(data.validation)[0] == 15
    assert len(data.validation) == 12


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"validation": "soon"}, "data.split.validation must be a date or a time"),
        ({"validation": "2022-01-01"}, "the validation part has no row"),
        ({"validation": "2021-01-10", "test": "2021-01-05"}, "test must begin after validation"),
        ({"vali": "2021-01-10"}, "data.split must be shares"),
        ({"column": "part"}, "data.split names the column 'part'"),
    ],
)
def test_a_split_that_can_not_be_is_refused(tmp_path: Path, split: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path), split=split)


def test_a_column_says_which_row_is_of_which_part(tmp_path: Path) -> None:
    parts = ["train"] * 8 + ["validation"] * 4 + ["train"] * 4 + ["test"] * 4
    data = load(write(tmp_path, part=parts), split={"column": "part"})
    # A training window lies in training rows; the others may reach back.
    assert targets(data.train) == [2, 3, 4, 5, 6, 7, 14, 15]
    assert targets(data.validation) == [8, 9, 10, 11]
    assert data.test is not None
    assert targets(data.test) == [16, 17, 18, 19]
    assert data.input_names == ("y",)


def test_another_word_in_that_column_is_named(tmp_path: Path) -> None:
    parts = ["train"] * 19 + ["holdout"]
    with pytest.raises(DataError, match=r"must hold train, validation or test, but got 'holdout'"):
        load(write(tmp_path, part=parts), split={"column": "part"})


def test_an_embargo_leaves_out_the_rows_after_a_boundary(tmp_path: Path) -> None:
    data = load(write(tmp_path), split=[0.5, 0.25, 0.25], embargo=2)
    assert targets(data.train)[-1] == 9
    assert targets(data.validation) == [12, 13, 14]
    assert data.test is not None
    assert targets(data.test) == [17, 18, 19]


class TestTestPath:
    def write(self, folder: Path, first: str) -> Path:
        write(folder)
        times = pd.date_range(first, periods=5, freq="D").strftime("%Y-%m-%d")
        frame = pd.DataFrame({"time": times, "y": 100 + np.arange(5)})
        frame.to_csv(folder / "later.csv", index=False)
        return folder

    def test_the_rest_is_divided_into_train_and_validation(self, tmp_path: Path) -> None:
        data = load(self.write(tmp_path, "2021-01-21"), test_path="later.csv", split=[0.8, 0.2])
        assert targets(data.train) == list(range(2, 16))
        assert targets(data.validation) == list(range(16, 20))
        assert data.test is not None
        # It follows at once, so its first windows reach back.
        assert targets(data.test) == [100, 101, 102, 103, 104]

    def test_behind_a_hole_windows_do_not_reach_back(self, tmp_path: Path) -> None:
        data = load(self.write(tmp_path, "2021-02-01"), test_path="later.csv")
        assert data.test is not None
        assert targets(data.test) == [102, 103, 104]

    def test_scales_are_of_training_rows(self, tmp_path: Path) -> None:
        values = {"test_path": "later.csv", "scaling": "minmax", "split": [0.8, 0.2]}
        data = load(self.write(tmp_path, "2021-01-21"), **values)
        assert data.target_scale is not None
        assert data.target_scale.tolist() == [15]

    def test_rows_before_the_end_of_the_others_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="time"):
            load(self.write(tmp_path, "2021-01-10"), test_path="later.csv")

    def test_both_files_need_the_same_columns(self, tmp_path: Path) -> None:
        self.write(tmp_path, "2021-01-21")
        (tmp_path / "later.csv").write_text("time,z\n2021-01-21,1\n")
        with pytest.raises(DataError, match=r"later.csv \(data.test_path\) lacks 'y'"):
            load(tmp_path, test_path="later.csv")
