"""Parts of the source `table` that have files of their own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.errors import DataError


def frame(first: int, count: int = 10, kinds: str = "ab") -> pd.DataFrame:
    """Sequences 0, 1, … of two steps; x begins with `first` plus the sequence's number."""
    ids = [n for n in range(count) for _ in range(2)]
    x = [float(first + n) for n in ids]
    kind = [kinds[n % len(kinds)] for n in ids]
    return pd.DataFrame({"id": ids, "step": [0, 1] * count, "x": x, "y": x, "kind": kind})


def load(base: Path, test: pd.DataFrame | None = None, **values: object) -> SequenceData:
    frame(0).to_csv(base / "train.csv", index=False)
    (frame(100, 3) if test is None else test).to_csv(base / "test.csv", index=False)
    options = {
        "path": "train.csv",
        "sequence": "id",
        "order": "step",
        "inputs": "x",
        "target": "y",
        "task": "regression",
        "scaling": "none",
        "test_path": "test.csv",
        **values,
    }
    return load_data("table", options, base_dir=base)


def test_the_test_part_has_its_own_file_and_the_rest_is_divided(tmp_path: Path) -> None:
    data = load(tmp_path)
    assert [len(part) for part in data.parts().values()] == [8, 2, 3]
    assert data.test is not None
    assert data.test.inputs[:, 0, 0].tolist() == [100, 101, 102]
    assert data.train.inputs.max() < 100
    assert len(load(tmp_path, split=[0.5, 0.5]).train) == 5


def test_the_validation_part_may_have_its_own_file_too(tmp_path: Path) -> None:
    frame(50, 4).to_csv(tmp_path / "validation.csv", index=False)
    data = load(tmp_path, validation_path="validation.csv")
    assert [len(part) for part in data.parts().values()] == [10, 4, 3]
    assert data.validation.inputs[:, 0, 0].tolist() == [50, 51, 52, 53]
    data = load(tmp_path, validation_path="validation.csv", test_path=None)
    assert [len(part) for part in data.parts().values()] == [10, 4]


def test_scaling_is_fitted_on_training_sequences_only(tmp_path: Path) -> None:
    data = load(tmp_path, scaling="minmax")
    assert data.input_scale is not None
    assert data.input_scale[0] <= 9
    assert data.test is not None
    assert data.test.inputs.min() > 1


def test_classes_are_those_of_all_files(tmp_path: Path) -> None:
    data = load(
        tmp_path,
        frame(100, 3, "bc"),
        target="kind",
        task="classification",
        alignment="one_label",
    )
    assert data.target_names == ("a", "b", "c")
    assert data.test is not None
    assert data.test.target_mask is not None
    assert data.test.targets[data.test.target_mask].tolist() == [1, 2, 1]
    assert "not in the training part: c" in data.notes


def test_labels_of_given_parts_have_their_own_file(tmp_path: Path) -> None:
    for name, start, count in (("labels", 0, 10), ("test_labels", 100, 3)):
        labels = pd.DataFrame({"id": range(count), "z": [start + n for n in range(count)]})
        labels.to_csv(tmp_path / f"{name}.csv", index=False)
    options = {"labels": "labels.csv", "target": "z", "alignment": "one_label"}
    data = load(tmp_path, **options, test_labels="test_labels.csv")
    assert data.test is not None
    assert data.test.target_mask is not None
    assert data.test.targets[data.test.target_mask].reshape(-1).tolist() == [100, 101, 102]
    with pytest.raises(DataError, match=r"data.test_labels goes with .*; set it"):
        load(tmp_path, **options)
    with pytest.raises(DataError, match=r"data.test_labels goes with .*; leave it out"):
        load(tmp_path, test_labels="test_labels.csv")


def test_folders_of_one_file_a_sequence_are_given_likewise(tmp_path: Path) -> None:
    for folder, start, count in (("train", 0, 10), ("test", 100, 3)):
        (tmp_path / folder).mkdir()
        for n in range(count):
            rows = pd.DataFrame({"x": [float(start + n)] * (1 + n % 3), "y": 1.0})
            rows.to_csv(tmp_path / folder / f"{n}.csv", index=False)
    options = {"folder": "train", "test_path": "test", "target": "y", "task": "regression"}
    data = load_data("table", {**options, "scaling": "none"}, base_dir=tmp_path)
    assert [len(part) for part in data.parts().values()] == [8, 2, 3]
    assert data.test is not None
    assert data.test.inputs[:, 0, 0].tolist() == [100, 101, 102]


@pytest.mark.parametrize(
    ("drop", "values", "message"),
    [
        ("x", {}, r"test.csv: .*the column 'x', which the file lacks"),
        ("y", {}, r"test.csv: .*the column 'y', which the file lacks"),
        (None, {"split": [0.7, 0.15, 0.2]}, "split has two positive shares"),
        (None, {"split_column": "part"}, "data.split_column names the parts of one file"),
        (None, {"test_path": "train.csv"}, "train.csv is in train and test; change data.test_path"),
        (None, {"test_path": "none"}, r"there is no file .*none.*set data.test_path"),
        (None, {"validation_path": "test.csv", "split": [0.5, 0.5]}, "leave data.split out"),
    ],
)
def test_what_does_not_fit_is_one_line(
    tmp_path: Path, drop: str | None, values: dict[str, object], message: str
) -> None:
    test = frame(100, 3) if drop is None else frame(100, 3).drop(columns=drop)
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, test, **values)
    assert "\n" not in str(caught.value)
