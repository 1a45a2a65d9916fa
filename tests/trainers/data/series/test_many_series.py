"""Many series in one file: windows never cross, parts lie in each, scales may be each one's own."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.data.contract import Picked, array_bytes
from trainers.errors import DataError


def write(folder: Path, lengths: dict[str, int], **columns: object) -> Path:
    """A file of shops one under another; `y` counts 0, 1, 2, … in each, plus 1000 a shop."""
    frames = []
    for number, (name, length) in enumerate(lengths.items()):
        times = pd.date_range("2021-01-01", periods=length, freq="h").strftime("%Y-%m-%d %H:%M")
        frame = pd.DataFrame({"shop": name, "time": times, "y": np.arange(length) + 1000 * number})
        frame["area"] = 10.0 * (number + 1)
        frames.append(frame)
    pd.concat(frames, ignore_index=True).assign(**columns).to_csv(folder / "shops.csv", index=False)
    return folder


def load(folder: Path, **options: object) -> SequenceData:
    values = {"path": "shops.csv", "target": "y", "series": "shop", "time_column": "time"}
    values |= {"inputs": ["y"], "input_steps": 3, "split": [0.6, 0.2, 0.2], "scaling": "none"}
    return load_data("csv", {**values, **options}, base_dir=folder)


def targets(part) -> list[float]:
    return np.asarray(part.targets)[:, -1, 0].tolist()


def test_each_series_is_divided_in_time_and_no_window_crosses_to_another(tmp_path: Path) -> None:
    data = load(write(tmp_path, {"A": 10, "B": 5}))
    # A: rows 0-5, 6-7, 8-9; B: rows 0-2, 3, 4; three rows come before the first target.
    assert targets(data.train) == [3, 4, 5]
    assert targets(data.validation) == [6, 7, 1003]
    assert data.test is not None
    assert targets(data.test) == [8, 9, 1004]
    assert np.asarray(data.test.inputs)[-1, :, 0].tolist() == [1001, 1002, 1003]
    assert data.series == ("A", "B")
    assert data.test.series is not None
    assert data.test.series.tolist() == [0, 0, 1]


def test_rows_of_series_may_be_mixed(tmp_path: Path) -> None:
    write(tmp_path, {"A": 10, "B": 5})
    ordered = load(tmp_path)
    frame = pd.read_csv(tmp_path / "shops.csv").sort_values(["time", "shop"])
    frame.to_csv(tmp_path / "shops.csv", index=False)
    assert load(tmp_path).digest == ordered.digest


def test_windows_of_thousands_of_series_are_views(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lengths = {f"s{n}": int(size) for n, size in enumerate(rng.integers(40, 80, 500))}
    data = load(write(tmp_path, lengths), input_steps=24, inputs=["y", "area"])
    rows = sum(lengths.values())
    assert isinstance(data.train.inputs, Picked)
    # Inputs, targets, and what was known of them, once; and for each window where it lies.
    windows = sum(len(part) for part in data.parts().values())
    assert array_bytes(data) < rows * 5 * 4 + windows * 48
    again = pickle.loads(pickle.dumps(data, protocol=5))
    np.testing.assert_array_equal(np.asarray(again.train.inputs), np.asarray(data.train.inputs))


def test_whole_series_are_held_out(tmp_path: Path) -> None:
    data = load(write(tmp_path, dict.fromkeys("ABCDE", 10)), split_by="series", seed=1)
    owners = [set(np.asarray(part.series).tolist()) for part in data.parts().values()]
    assert [len(one) for one in owners] == [3, 1, 1]
    assert set.union(*owners) == {0, 1, 2, 3, 4}
    assert len(data.validation) == 7  # all rows but the three before the first target


def test_a_series_too_short_for_a_window_is_left_out(tmp_path: Path) -> None:
    data = load(write(tmp_path, {"A": 20, "B": 3}))
    assert set(np.asarray(data.train.series).tolist()) == {0}


class TestScales:
    def test_each_series_is_scaled_by_its_own_training_rows(self, tmp_path: Path) -> None:
        data = load(write(tmp_path, {"A": 10, "B": 10}), scaling="minmax", scale_by="series")
        # Both shops' training rows run from 0 to 5 (and 1000 to 1005).
        inputs = np.asarray(data.train.inputs)[:, :, 0]
        np.testing.assert_allclose(inputs[0], [0, 0.2, 0.4], rtol=1e-6)
        np.testing.assert_allclose(inputs[3], [0, 0.2, 0.4], rtol=1e-6)
        np.testing.assert_allclose(targets(data.train)[:3], [0.6, 0.8, 1.0], rtol=1e-6)

    def test_metrics_can_be_of_own_units_all_the_same(self, tmp_path: Path) -> None:
        own = load(write(tmp_path, {"A": 10, "B": 10}), scaling="minmax", scale_by="series")
        assert own.target_scale is not None
        assert own.target_shift is not None
        rescale = np.asarray(own.train.rescale)
        common = np.asarray(own.train.targets)[:, -1] * rescale[:, 0] + rescale[:, 1]
        units = common * own.target_scale + own.target_shift
        np.testing.assert_allclose(units[:, 0], [3, 4, 5, 1003, 1004, 1005], rtol=1e-6)

    def test_what_is_constant_in_a_series_is_scaled_over_all(self, tmp_path: Path) -> None:
        values = {"scaling": "minmax", "scale_by": "series", "inputs": ["y", "area"]}
        data = load(write(tmp_path, {"A": 10, "B": 10}), **values)
        assert np.asarray(data.train.inputs)[:, 0, 1].tolist() == [0, 0, 0, 1, 1, 1]

    def test_a_column_said_to_be_static_must_be(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"data.static: column 'y' .* changes in series 'A'"):
            load(write(tmp_path, {"A": 10, "B": 10}), static=["y"])

    def test_an_unseen_series_has_the_scale_of_its_first_window(self, tmp_path: Path) -> None:
        folder = write(tmp_path, dict.fromkeys("ABCDE", 10))
        values = {"split_by": "series", "scaling": "minmax", "scale_by": "series"}
        data = load(folder, **values)
        # Its first three rows run from 0 to 2, so row 3 is at 1.5.
        np.testing.assert_allclose(targets(data.validation)[:2], [1.5, 2.0], rtol=1e-6)


class TestRefused:
    def test_series_one_under_another_without_the_option(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"data.series: shop"):
            load(write(tmp_path, {"A": 10, "B": 10}), series=None)

    def test_a_row_without_its_series(self, tmp_path: Path) -> None:
        write(tmp_path, {"A": 10, "B": 10})
        frame = pd.read_csv(tmp_path / "shops.csv")
        frame.loc[4, "shop"] = None
        frame.to_csv(tmp_path / "shops.csv", index=False)
        with pytest.raises(DataError, match=r"'shop' \(data.series\) misses 1, .* data row 4"):
            load(tmp_path)

    def test_whole_series_of_one(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"data.split_by=series needs series"):
            load(write(tmp_path, {"A": 10}), split_by="series", series=None)


class TestWide:
    def write(self, folder: Path) -> Path:
        frame = pd.DataFrame({"id": ["A", "B"], "kind": ["x", "y"]})
        for day in range(1, 11):
            frame[f"d_{day}"] = [day, 100 + day]
        frame.to_csv(folder / "shops.csv", index=False)
        return folder

    def test_a_row_is_a_series_and_a_column_a_step(self, tmp_path: Path) -> None:
        data = load(self.write(tmp_path), series="id", wide="d_*", time_column=None)
        assert targets(data.train) == [4, 5, 6, 104, 105, 106]
        assert data.series == ("A", "B")

    def test_other_columns_are_static_inputs(self, tmp_path: Path) -> None:
        values = {"series": "id", "wide": "d_*", "time_column": None, "inputs": None}
        data = load(self.write(tmp_path), **values)
        assert data.input_names == ("kind=x", "kind=y", "y")
        assert np.asarray(data.train.inputs)[3, 0].tolist() == [0, 1, 101]

    def test_steps_may_be_dates(self, tmp_path: Path) -> None:
        frame = pd.DataFrame({"id": ["A"]})
        for day in range(1, 11):
            frame[f"2021-01-{day:02}"] = [day]
        frame.to_csv(tmp_path / "shops.csv", index=False)
        data = load(tmp_path, series="id", wide="2021-*", time_column="step", calendar=["week"])
        assert data.input_size == 3

    def test_a_pattern_that_matches_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"data.wide must match .* 'x_\*' matches 0"):
            load(self.write(tmp_path), series="id", wide="x_*", time_column=None)


def test_steps_of_a_wide_table_go_by_their_numbers(tmp_path: Path) -> None:
    names = [f"d_{n}" for n in range(1, 21)]
    wide = pd.DataFrame([["a", *range(20)], ["b", *range(20)]], columns=["id", *names])
    wide[["id", *sorted(names)]].to_csv(tmp_path / "w.csv", index=False)
    options = {"path": "w.csv", "target": "y", "wide": "d_*", "series": "id", "input_steps": 3}
    data = load_data("csv", {**options, "scaling": "none"}, base_dir=tmp_path)
    assert np.asarray(data.train.inputs)[0, :, 0].tolist() == [0, 1, 2]


def test_words_among_the_steps_of_a_wide_table_are_told(tmp_path: Path) -> None:
    names = [f"d_{n}" for n in range(1, 21)]
    wide = pd.DataFrame([["a", "?", *range(19)], ["b", *range(20)]], columns=["id", *names])
    wide.to_csv(tmp_path / "w.csv", index=False)
    options = {"path": "w.csv", "target": "y", "wide": "d_*", "series": "id", "input_steps": 3}
    with pytest.raises(DataError, match=r"got '\?' .*missing_values: \[\"\?\"\] and data.missing"):
        load_data("csv", options, base_dir=tmp_path)
    mended = {**options, "reading": {"missing_values": ["?"]}, "missing": "mask"}
    assert len(load_data("csv", mended, base_dir=tmp_path).train) > 0


def test_series_of_a_tsf_file_must_be_told_apart(tmp_path: Path) -> None:
    head = (
        "@attribute series_name string\n@attribute start_timestamp date\n@frequency daily\n@data\n"
    )
    rows = [f"T{n}:2000-01-01 00-00-00:{','.join(map(str, range(30)))}\n" for n in (1, 2)]
    (tmp_path / "x.tsf").write_text(head + "".join(rows))
    options = {"path": "x.tsf", "target": "value", "input_steps": 3}
    with pytest.raises(DataError, match=r"holds 2 series, .*data.series: series_name"):
        load_data("csv", options, base_dir=tmp_path)
    data = load_data("csv", {**options, "series": "series_name"}, base_dir=tmp_path)
    assert data.series == ("T1", "T2")


def test_a_word_for_missing_values_may_name_a_series(tmp_path: Path) -> None:
    frame = pd.DataFrame({"country": ["NA", "DE"] * 20, "y": np.arange(40.0)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = {"path": "t.csv", "target": "y", "series": "country", "input_steps": 3}
    with pytest.raises(DataError, match=r"data.reading.usual_missing_values: false"):
        load_data("csv", options, base_dir=tmp_path)
    kept = {**options, "reading": {"usual_missing_values": False}}
    assert load_data("csv", kept, base_dir=tmp_path).series == ("NA", "DE")
