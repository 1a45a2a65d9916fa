"""Tables as sequences: long format, one file a sequence, the alignment modes, gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, SequenceSet, load_data
from trainers.data.sequences.alignment import align
from trainers.errors import DataError

SPLITS = {"a": "train", "b": "train", "c": "validation", "d": "test"}
LENGTHS = {"a": 3, "b": 2, "c": 4, "d": 1}


def long_frame() -> pd.DataFrame:
    """Four sequences: x counts rows from 0, y is 10 x, kind is even or odd by sequence."""
    rows = [(name, step) for name, length in LENGTHS.items() for step in range(length)]
    frame = pd.DataFrame(rows, columns=["id", "step"])
    frame["x"] = np.arange(10.0)
    frame["y"] = frame["x"] * 10
    frame["kind"] = frame["id"].map({"a": "even", "b": "odd", "c": "even", "d": "odd"})
    frame["part"] = frame["id"].map(SPLITS)
    return frame


def load(base: Path, frame: pd.DataFrame | None = None, **values: object) -> SequenceData:
    (long_frame() if frame is None else frame).to_csv(base / "long.csv", index=False)
    options = {
        "path": "long.csv",
        "sequence": "id",
        "order": "step",
        "split_column": "part",
        "inputs": "x",
        "target": "y",
        "task": "regression",
        "scaling": "none",
        **values,
    }
    return load_data("table", options, base_dir=base)


def labels_of(part: SequenceSet) -> list[int]:
    assert part.target_mask is not None
    return part.targets[part.target_mask].tolist()


def load_classes(base: Path, frame: pd.DataFrame | None = None, **values: object) -> SequenceData:
    return load(
        base,
        frame,
        **{"target": "kind", "task": "classification", "alignment": "one_label", **values},
    )


def test_sequences_of_unequal_length_are_padded_under_masks(tmp_path: Path) -> None:
    data = load(tmp_path)
    assert data.train.inputs[..., 0].tolist() == [[0, 1, 2], [3, 4, 0]]
    assert data.train.targets[..., 0].tolist() == [[0, 10, 20], [30, 40, 0]]
    assert data.train.input_mask is not None
    assert data.train.target_mask is not None
    assert data.train.input_mask.tolist() == [[True] * 3, [True, True, False]]
    assert data.train.target_mask.tolist() == [[True] * 3, [True, True, False]]
    assert data.validation.inputs[..., 0].tolist() == [[5, 6, 7, 8]]
    assert data.validation.input_mask is None
    assert data.test is not None
    assert data.test.inputs[..., 0].tolist() == [[9]]
    assert not data.one_target


def test_rows_are_put_in_order_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    shuffled = long_frame().sample(frac=1, random_state=1)
    data = load(tmp_path, shuffled)
    # Sequences come in the order of their first rows, so only the parts' contents are compared.
    found = sorted(row.tolist() for row in data.train.inputs[..., 0])
    assert found == [[0, 1, 2], [3, 4, 0]]


def test_dates_order_rows_too(tmp_path: Path) -> None:
    frame = long_frame()
    frame["step"] = [f"2024-01-{20 - row:02d}" for row in range(10)]
    assert load(tmp_path, frame).validation.inputs[0, :, 0].tolist() == [8, 7, 6, 5]


def test_one_label_stands_at_the_last_step_and_classes_have_names(tmp_path: Path) -> None:
    data = load_classes(tmp_path)
    assert data.target_names == ("even", "odd")
    assert data.one_target
    assert labels_of(data.train) == [0, 1]
    assert data.train.target_mask is not None
    assert data.train.target_mask.tolist() == [[False, False, True], [False, True, False]]
    assert data.target_scale is None


def test_numbers_as_classes_are_ordered_as_numbers(tmp_path: Path) -> None:
    frame = long_frame()
    frame["kind"] = frame["id"].map({"a": 10.0, "b": 9.0, "c": 10.0, "d": 9.0})
    data = load_classes(tmp_path, frame)
    assert data.target_names == ("9", "10")
    assert labels_of(data.train) == [1, 0]


def test_inputs_default_to_the_columns_of_numbers_that_are_nothing_else(tmp_path: Path) -> None:
    frame = long_frame().assign(z=7.0).drop(columns="kind")
    data = load(tmp_path, frame, inputs=None)
    assert data.train.inputs[0, 0].tolist() == [0, 7]
    assert load(tmp_path, frame, inputs=None, drop="z").input_size == 1


def test_scalers_see_training_steps_only_and_no_padding(tmp_path: Path) -> None:
    data = load(tmp_path, scaling="standard")
    x = np.arange(5.0)
    expected = (x - 2) / x.std()
    np.testing.assert_allclose(data.train.inputs[0, :, 0], expected[:3], rtol=1e-6)
    np.testing.assert_allclose(data.train.inputs[1, :2, 0], expected[3:], rtol=1e-6)
    np.testing.assert_allclose(data.target_scale, [10 * x.std()])
    np.testing.assert_allclose(data.target_shift, [20])


class TestFolder:
    def write(self, folder: Path, labels: dict[str, list[float]] | None = None) -> None:
        (folder / "in").mkdir()
        frame = long_frame().drop(columns="id")
        for name in LENGTHS:
            frame[long_frame()["id"] == name].to_csv(folder / "in" / f"{name}.csv", index=False)
        if labels is not None:
            (folder / "out").mkdir()
            for name, values in labels.items():
                pd.DataFrame({"label": values}).to_csv(folder / "out" / f"{name}.csv", index=False)

    def load(self, folder: Path, **values: object) -> SequenceData:
        options = {
            "folder": "in",
            "split_column": "part",
            "inputs": "x",
            "target": "label",
            "task": "regression",
            "scaling": "none",
            "labels": "out",
            **values,
        }
        return load_data("table", options, base_dir=folder)

    def test_a_file_a_sequence_gives_the_same_data_as_long_format(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        data = self.load(tmp_path, labels=None, target="y", order="step")
        assert data.digest == load(tmp_path).digest

    def test_align_start_puts_the_first_label_to_the_first_step(self, tmp_path: Path) -> None:
        self.write(tmp_path, {"a": [1, 2], "b": [3, 4, 5], "c": [6], "d": [7]})
        data = self.load(tmp_path, alignment="align_start")
        assert data.train.targets[..., 0].tolist() == [[1, 2, 0], [3, 4, 5]]
        assert data.train.target_mask is not None
        assert data.train.target_mask.tolist() == [[True, True, False], [True] * 3]
        # The third step of b brings no input, and exists: its label needs it.
        assert data.train.inputs[1, :, 0].tolist() == [3, 4, 0]
        assert data.train.input_mask is None

    def test_align_end_puts_the_last_label_to_each_own_last_step(self, tmp_path: Path) -> None:
        self.write(tmp_path, {"a": [1], "b": [2], "c": [6], "d": [7, 8, 9]})
        data = self.load(tmp_path, alignment="align_end")
        assert data.train.target_mask is not None
        assert data.train.target_mask.tolist() == [[False, False, True], [False, True, False]]
        assert data.train.targets[0, 2].tolist() == [1]
        assert data.train.targets[1, 1].tolist() == [2]
        assert data.test is not None
        assert data.test.inputs[..., 0].tolist() == [[0, 0, 9]]
        assert data.test.targets[..., 0].tolist() == [[7, 8, 9]]

    def test_equal_refuses_other_lengths(self, tmp_path: Path) -> None:
        self.write(tmp_path, {"a": [1, 2], "b": [3, 4], "c": [6], "d": [7]})
        with pytest.raises(DataError, match="sequence 'a' has 3 steps and 2 label"):
            self.load(tmp_path)

    def test_one_file_of_labels_names_sequences_by_id(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        frame = pd.DataFrame({"id": ["d", "c", "b", "a"], "label": ["u", "v", "u", "v"]})
        frame.to_csv(tmp_path / "labels.csv", index=False)
        values = {"labels": "labels.csv", "sequence": "id", "task": "classification"}
        data = self.load(tmp_path, alignment="one_label", **values)
        assert [data.target_names[i] for i in labels_of(data.train)] == ["v", "u"]

    def test_labels_of_other_sequences_are_refused(self, tmp_path: Path) -> None:
        self.write(tmp_path, {"a": [1, 2, 3], "z": [1]})
        with pytest.raises(DataError, match="1 have none, the first for 'z'"):
            self.load(tmp_path)

    def test_a_sequence_without_labels_is_an_error_or_dropped(self, tmp_path: Path) -> None:
        self.write(tmp_path, {"a": [1, 2, 3], "c": [1, 2, 3, 4], "d": [1]})
        with pytest.raises(DataError, match=r"every sequence needs labels, .* the first 'b'"):
            self.load(tmp_path)
        data = self.load(tmp_path, missing="mask")
        assert len(data.train) == 1
        assert "1 sequences dropped: no target" in data.notes


class TestMissing:
    def frame(self) -> pd.DataFrame:
        frame = long_frame()
        frame.loc[1, "x"] = np.nan  # step 1 of a
        frame.loc[4, "y"] = np.nan  # step 1 of b
        return frame

    def test_an_error_names_file_column_row_and_count(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"long\.csv: column 'x' .* 1 of 10 are missing, .*w 1"):
            load(tmp_path, self.frame())

    def test_mask_makes_gaps_of_inputs_and_hides_targets(self, tmp_path: Path) -> None:
        data = load(tmp_path, self.frame(), missing="mask")
        assert data.train.input_mask is not None
        assert data.train.target_mask is not None
        assert data.train.input_mask.tolist() == [[True, False, True], [True, True, False]]
        assert data.train.target_mask.tolist() == [[True, False, True], [True, False, False]]
        assert "train: 2 sequences of up to 3 steps, 1 of their steps are gaps" in data.notes

    def test_one_label_moves_to_the_last_step_that_exists(self, tmp_path: Path) -> None:
        frame = long_frame()
        frame.loc[2, "x"] = np.nan
        data = load_classes(tmp_path, frame, missing="mask")
        assert data.train.target_mask is not None
        assert data.train.target_mask.tolist() == [[False, True, False]] * 2

    def test_a_sequence_without_a_label_is_dropped_and_counted(self, tmp_path: Path) -> None:
        frame = long_frame()
        frame.loc[frame["id"] == "b", "kind"] = None
        with pytest.raises(DataError, match="'kind' must be filled, but 2 of 10 are missing"):
            load_classes(tmp_path, frame)
        data = load_classes(tmp_path, frame, missing="mask")
        assert len(data.train) == 1
        assert "1 sequences dropped: no target" in data.notes

    def test_single_outputs_are_hidden_by_a_mask_per_output(self, tmp_path: Path) -> None:
        frame = self.frame().assign(w=1.0)
        data = load(tmp_path, frame, target=["y", "w"], missing="mask")
        assert data.train.target_mask is not None
        assert data.train.target_mask[1].tolist() == [[True, True], [False, True], [False, False]]

    def test_scalers_leave_gaps_out(self, tmp_path: Path) -> None:
        data = load(tmp_path, self.frame(), missing="mask", scaling="minmax")
        # Valid training targets: 0, 20, 30 (10 lies in a gap, 40 is missing).
        assert data.target_scale is not None
        assert data.target_scale.tolist() == [30]


def test_a_seeded_split_keeps_the_classes_mix(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": np.repeat(np.arange(100), 2), "x": 1.0})
    frame["kind"] = np.where(frame["id"] % 4 == 0, "rare", "usual")
    values = {"order": None, "split_column": None, "split": [0.6, 0.2, 0.2]}
    data = load_classes(tmp_path, frame, **values)
    assert [len(part) for part in data.parts().values()] == [60, 20, 20]
    assert [labels_of(p).count(0) for p in data.parts().values()] == [15, 5, 5]
    other = load_classes(tmp_path, frame.assign(x=frame["id"]), **values, seed=1)
    same = load_classes(tmp_path, frame.assign(x=frame["id"]), **values, seed=1)
    third = load_classes(tmp_path, frame.assign(x=frame["id"]), **values, seed=2)
    assert other.digest == same.digest != third.digest


def test_balanced_weights_are_inverse_to_the_training_counts(tmp_path: Path) -> None:
    frame = long_frame()
    frame["kind"] = frame["x"].map(lambda x: "few" if x == 0 else "many")
    data = load_classes(tmp_path, frame, alignment="equal", class_weights="balanced")
    # Five training steps, one of them "few": 5 / (2 * 1) and 5 / (2 * 4).
    assert data.class_weights is not None
    assert data.class_weights.tolist() == [2.5, 0.625]
    given = load_classes(tmp_path, frame, alignment="equal", class_weights=[1, 3])
    assert given.class_weights is not None
    assert given.class_weights.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": None}, "needs data.path or data.folder"),
        ({"folder": "x"}, "needs data.path or data.folder, but got path='long.csv', folder='x'"),
        ({"path": None, "folder": "no"}, "there is no file .*no with a name in"),
        ({"path": "no.csv"}, "there is no data file"),
        ({"sequence": None}, "set data.sequence"),
        ({"sequence": "idd"}, "data.sequence names the column 'idd'.* did you mean 'id'"),
        ({"order": "kind"}, "must be numbers or dates, but .* 'kind' .* got 'even' in data row 0"),
        ({"order": "part"}, "must be numbers or dates"),
        ({"target": "why"}, "names the column 'why'"),
        ({"target": "kind"}, "column 'kind' must hold numbers, but got 'even'"),
        ({"target": ["kind", "y"], "task": "classification"}, "one target for classification"),
        ({"inputs": ["x", "y"]}, "the target 'y' can't be its own input"),
        ({"alignment": "one_label"}, "sequence 'a' has 3 different ones in 3 rows"),
        ({"split_column": "kind"}, "must hold train, validation or test, but got 'even'"),
        ({"split_column": "step"}, "'step' must be the same over a sequence, but .*'a' has 0 and"),
        ({"split_column": None, "split": [0.5, 0.5, 0.2]}, "shares of train, validation and test"),
        ({"split_column": None, "split": [0.8, 0.1, 0.1]}, "validation part gets none of the 4"),
        ({"class_weights": "balanced"}, "class_weights only for classes"),
        ({"missing": "drop"}, "data.missing must be one of error, mask, fill"),
    ],
)
def test_a_bad_option_gives_one_clear_line(
    tmp_path: Path, values: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, **values)
    assert "\n" not in str(caught.value)


def test_two_rows_in_one_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must differ in 'step', but two of sequence 'b'"):
        load(tmp_path, long_frame().replace({"step": {1: 0}}).query("id == 'b'"))


def test_a_parquet_file_gives_the_same_data(tmp_path: Path) -> None:
    long_frame().to_parquet(tmp_path / "long.parquet")
    assert load(tmp_path, path="long.parquet").digest == load(tmp_path).digest


def test_aligning_changes_neither_inputs_nor_labels() -> None:
    inputs, labels = np.ones((3, 1)), np.full((2, 1), 5.0)
    for mode in ("align_start", "align_end"):
        one = align(inputs, labels, mode, "s")
        assert one.brought.all()
        assert np.nansum(one.targets) == 10
    assert (inputs == 1).all()
    assert (labels == 5).all()


def test_dates_order_rows_day_first_where_that_is_sure_and_are_refused_where_not(
    tmp_path: Path,
) -> None:
    frame = long_frame()
    frame["step"] = [f"{23 - row:02d}/01/2024" if row else "01/02/2024" for row in range(10)]
    assert load(tmp_path, frame).validation.inputs[0, :, 0].tolist() == [8, 7, 6, 5]
    frame["step"] = [f"{12 - row:02d}/01/2024" for row in range(10)]
    with pytest.raises(DataError, match=r"data.order .*'12/01/2024'.* write dates as 2021-12-31"):
        load(tmp_path, frame)
