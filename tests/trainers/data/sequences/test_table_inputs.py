"""Inputs of tables beside plain numbers: categories, truth values, filled gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.errors import DataError

PARTS = {"a": "train", "b": "train", "c": "validation", "d": "test"}


def frame(**more: Any) -> pd.DataFrame:
    """Sequences a (3 steps), b (2), c (2) and d (1); x counts rows from 0."""
    ids = list("aaabbccd")
    table = pd.DataFrame({"id": ids, "x": np.arange(8.0), "y": np.arange(8.0)})
    return table.assign(part=[PARTS[name] for name in ids], **more)


def load(base: Path, table: pd.DataFrame, **values: object) -> SequenceData:
    table.to_csv(base / "t.csv", index=False)
    options = {
        "path": "t.csv",
        "sequence": "id",
        "split_column": "part",
        "target": "y",
        "task": "regression",
        "scaling": "none",
        **values,
    }
    return load_data("table", options, base_dir=base)


def steps(part: Any, sequence: int = 0) -> list[list[float]]:
    return part.inputs[sequence].tolist()


class TestCategories:
    def test_few_values_are_a_feature_each_and_others_none(self, tmp_path: Path) -> None:
        data = load(tmp_path, frame(kind=list("uvuvvuww")), categories="kind")
        assert data.input_names == ("x", "kind=u", "kind=v")
        assert steps(data.train) == [[0, 1, 0], [1, 0, 1], [2, 1, 0]]
        assert steps(data.train, 1) == [[3, 0, 1], [4, 0, 1], [0, 0, 0]]
        assert steps(data.validation) == [[5, 1, 0], [6, 0, 0]]
        assert data.test is not None
        assert steps(data.test) == [[7, 0, 0]]
        assert data.categories == ()
        assert data.input_scale is not None
        assert data.input_scale.tolist() == [1, 1, 1]
        assert "categories, as inputs (data.categories): kind (3 values)" in data.notes

    def test_more_are_ids_that_the_network_embeds(self, tmp_path: Path) -> None:
        table = frame(kind=["q", "p", "s", "r", "p", "q", "z", "z"])
        data = load(tmp_path, table, categories="kind", scaling="standard")
        (category,) = data.categories
        assert (category.feature, category.name, category.embedding_size) == (1, "kind", 4)
        assert category.values == ("p", "q", "r", "s")
        assert data.train.inputs[0, :, 1].tolist() == [2, 1, 4]
        assert data.train.inputs[1, :2, 1].tolist() == [3, 1]
        assert data.validation.inputs[0, :, 1].tolist() == [2, 0]  # z is unknown
        assert data.category_embeddings == ((1, 5, 4),)

    def test_how_and_how_large_may_be_said(self, tmp_path: Path) -> None:
        table = frame(kind=list("uvuvvuvv"))
        data = load(tmp_path, table, category_encoding="embedding", embedding_size=3)
        assert data.category_embeddings == ((1, 3, 3),)
        table = frame(kind=list("pqrspqrs"))
        data = load(tmp_path, table, categories="kind", category_encoding="one_hot")
        assert data.input_size == 1 + 4

    def test_numbers_may_be_names(self, tmp_path: Path) -> None:
        data = load(tmp_path, frame(ward=[3, 3, 3, 12, 12, 3, 3, 12]), categories="ward")
        assert data.input_names == ("x", "ward=12", "ward=3")
        assert steps(data.train)[0] == [0, 0, 1]

    def test_texts_that_are_named_are_inputs(self, tmp_path: Path) -> None:
        data = load(tmp_path, frame(kind=list("uvuvvuww")), inputs=["kind"])
        assert data.input_names == ("kind=u", "kind=v")

    def test_one_value_a_sequence_is_an_input_where_few_sequences_differ(
        self, tmp_path: Path
    ) -> None:
        ids = np.repeat(np.arange(24), 10)
        table = pd.DataFrame({"id": ids, "x": 1.0, "y": 1.0})
        table["sex"] = np.where(ids % 2, "f", "m")
        table["name"] = [f"person {number // 2}" for number in ids]  # 12 values of 24 sequences
        table["word"] = [f"w{row % 12}" for row in range(len(ids))]  # 12 values of 240 rows
        data = load(tmp_path, table, split_column=None)
        assert data.input_names == ("x", "sex=f", "sex=m", "word")
        assert "not numeric, so not inputs: name" in data.notes

    def test_lists_are_no_names(self, tmp_path: Path) -> None:
        frame(pair=[[1, 2], [3, 4]] * 4).to_parquet(tmp_path / "t.parquet")
        data = load(tmp_path, frame(), path="t.parquet")
        assert data.input_names == ("x",)
        assert "not numeric, so not inputs: pair" in data.notes

    def test_a_missing_name_is_a_gap_or_refused(self, tmp_path: Path) -> None:
        table = frame(kind=["u", None, "u", "v", "v", "u", "v", "v"])
        with pytest.raises(DataError, match=r"t\.csv: column 'kind' must be filled, but 1 of 8"):
            load(tmp_path, table)
        for missing in ("mask", "fill"):
            data = load(tmp_path, table, missing=missing)
            assert data.train.input_mask is not None
            assert data.train.input_mask[0].tolist() == [True, False, True]
            assert data.train.target_mask is not None
            assert data.train.target_mask[0].tolist() == [True, False, True]

    def test_a_step_that_brings_nothing_is_of_no_value(self, tmp_path: Path) -> None:
        table = frame(kind=list("pqrspqrs"))
        labels = pd.DataFrame({"id": list("aaaabbccd"), "label": np.arange(9.0)})
        labels.to_csv(tmp_path / "labels.csv", index=False)
        values = {"labels": "labels.csv", "target": "label", "alignment": "align_start"}
        data = load(tmp_path, table, inputs=["x", "kind"], **values)
        assert steps(data.train)[2:] == [[2, 3], [0, 0]]  # ids: p is 1
        assert data.train.input_mask is not None
        assert data.train.input_mask.tolist() == [[True] * 4, [True, True, False, False]]


class TestFiles:
    def write(self, folder: Path, **kinds: list[Any]) -> None:
        (folder / "in").mkdir()
        for name, values in kinds.items():
            table = pd.DataFrame({"kind": values, "x": 1.0, "y": 2.0, "part": PARTS[name]})
            table.to_csv(folder / "in" / f"{name}.csv", index=False)

    def load(self, folder: Path, **values: object) -> SequenceData:
        return load(folder, frame(), path=None, sequence=None, folder="in", **values)

    def test_the_first_file_that_has_values_says_what_a_column_holds(self, tmp_path: Path) -> None:
        self.write(tmp_path, a=[None, None], b=["u", "v"], c=["u"], d=["v"])
        data = self.load(tmp_path, missing="mask")
        assert data.input_names == ("kind=u", "kind=v", "x")
        assert steps(data.validation)[0] == [1, 0, 1]

    def test_names_that_are_numbers_in_some_files(self, tmp_path: Path) -> None:
        self.write(tmp_path, a=[1, 2], b=["A", "2"], c=[2], d=["B"])
        with pytest.raises(DataError, match=r"b\.csv: column 'kind' must hold numbers"):
            self.load(tmp_path)
        data = self.load(tmp_path, categories="kind")
        assert data.input_names == ("kind=1", "kind=2", "kind=A", "x")
        assert steps(data.validation)[0] == [0, 1, 0, 1]

    def test_a_file_without_the_column_is_named(self, tmp_path: Path) -> None:
        self.write(tmp_path, a=["u", "v"], b=["u", "v"], c=["u"], d=["w"])
        pd.DataFrame({"x": [1.0], "y": 2.0, "part": "test"}).to_csv(tmp_path / "in/d.csv")
        with pytest.raises(DataError, match=r"d\.csv: data\.inputs names the column 'kind'"):
            self.load(tmp_path)

    def test_other_files_names_are_unknown(self, tmp_path: Path) -> None:
        table = frame(kind=list("uvuvvuvv")).drop(columns="part")
        table.assign(kind="w").to_csv(tmp_path / "test.csv", index=False)
        values = {"split_column": None, "split": [0.5, 0.5], "test_path": "test.csv"}
        data = load(tmp_path, table, **values)
        assert data.test is not None
        assert data.input_names[1:] == ("kind=u", "kind=v")
        assert data.test.inputs[..., 1:].sum() == 0


class TestFill:
    def filled(self, base: Path, x: list[float | None], **values: object) -> SequenceData:
        return load(base, frame().assign(x=x), missing="fill", inputs=["x"], **values)

    def test_values_come_from_the_past_of_their_own_sequence(self, tmp_path: Path) -> None:
        # The training mean is that of 1, 5 and 6.
        data = self.filled(tmp_path, [1, None, 5, None, 6, None, 3, None])
        assert data.input_names == ("x", "x missing")
        assert steps(data.train) == [[1, 0], [1, 1], [5, 0]]
        assert steps(data.train, 1) == [[4, 1], [6, 0], [0, 0]]
        assert steps(data.validation) == [[4, 1], [3, 0]]
        assert data.test is not None
        assert steps(data.test) == [[4, 1]]
        assert data.train.input_mask is not None
        assert data.train.input_mask.tolist() == [[True] * 3, [True, True, False]]

    def test_rows_are_filled_in_the_order_of_their_sequence(self, tmp_path: Path) -> None:
        table = frame().assign(x=[None, 2, 4, 1, 1, 1, 1, 1], at=[2, 1, 0, 0, 1, 0, 1, 0])
        data = load(tmp_path, table, missing="fill", inputs=["x"], order="at", indicator=False)
        assert steps(data.train) == [[4], [2], [2]]

    def test_lines_stay_within_training_values(self, tmp_path: Path) -> None:
        x = [1, 2, None, 0, 3, 2.5, 2.75, 0]
        assert steps(self.filled(tmp_path, x, fill="linear").train)[2] == [3, 1]
        x[1] = 2.5
        assert steps(self.filled(tmp_path, x, fill="linear").train)[2] == [3, 1]  # not 4
        assert steps(self.filled(tmp_path, x, fill={"x": "mean"}).train)[2] == [1.625, 1]

    def test_nothing_is_marked_where_training_has_all(self, tmp_path: Path) -> None:
        data = self.filled(tmp_path, [1, 2, 3, 4, 5, 6, None, 8])
        assert data.input_names == ("x",)
        assert steps(data.validation) == [[6], [6]]

    def test_targets_are_never_filled(self, tmp_path: Path) -> None:
        table = frame()
        table.loc[1, "y"] = np.nan
        data = load(tmp_path, table, missing="fill")
        assert data.train.target_mask is not None
        assert data.train.target_mask[0].tolist() == [True, False, True]
        assert data.train.input_mask is not None
        assert data.train.input_mask[0].all()

    def test_one_label_stays_at_the_last_row(self, tmp_path: Path) -> None:
        table = frame(kind=list("uuuvvuuv")).assign(x=[0, 1, None, 3, 4, 5, 6, 7])
        values = {"target": "kind", "task": "classification", "alignment": "one_label"}
        data = load(tmp_path, table, missing="fill", inputs="x", **values)
        assert data.train.target_mask is not None
        assert data.train.target_mask.tolist() == [[False, False, True], [False, True, False]]

    def test_scales_are_those_of_filled_values(self, tmp_path: Path) -> None:
        data = self.filled(tmp_path, [1, None, 5, None, 6, 0, 0, 0], scaling="minmax")
        assert data.train.inputs[0, :, 0].tolist() == pytest.approx([0, 0, 0.8])
        assert data.train.inputs[0, :, 1].tolist() == [0, 1, 0]

    def test_a_column_of_nothing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="column 'x' is missing in all 5 training rows"):
            self.filled(tmp_path, [None] * 5 + [1, 2, 3])
        with pytest.raises(DataError, match=r"data\.fill names the column 'z'"):
            self.filled(tmp_path, [1.0] * 8, fill={"z": "mean"})


def test_truth_values_are_numbers_with_gaps(tmp_path: Path) -> None:
    table = frame(on=["true", "", "false", "true", "true", "", "false", "true"])
    data = load(tmp_path, table, missing="fill", inputs=["on"])
    assert data.input_names == ("on", "on missing")
    assert steps(data.train) == [[1, 0], [1, 1], [0, 0]]
    assert steps(data.validation) == [[0.75, 1], [0, 0]]
