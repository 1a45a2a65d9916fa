"""The source `sequences`: parts, classes, gaps, scaling, and the same reading at prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from trainers.data import SequenceData, SequenceSet, load_data
from trainers.data.conformance import check_source
from trainers.data.interface import Interface
from trainers.data.unlabelled import read_unlabelled
from trainers.errors import DataError
from trainers.use.records import Encoder

TS = "@classLabel true a b\n@data\n"


def ucr_rows(count: int = 20, *, first: int = 0) -> str:
    """Rows of three values that begin with their own number; the labels take turns."""
    return "".join(f"{n % 2}\t{n + first}\t1\t2\n" for n in range(count))


def ts_cases(count: int = 20) -> str:
    """Two dimensions of 2 to 4 steps; case n begins with n."""
    lines = []
    for n in range(count):
        steps = 2 + n % 3
        one = ",".join(str(n + step) for step in range(steps))
        lines.append(f"{one}:{','.join(['7'] * steps)}:{'ab'[n % 2]}\n")
    return TS + "".join(lines)


def load(base: Path, content: str, name: str = "toy.tsv", **values: object) -> SequenceData:
    (base / name).write_text(content, encoding="utf-8")
    options = {"path": name, "scaling": "none", **values}
    return load_data("sequences", options, base_dir=base)


def first_values(part: SequenceSet | None) -> list[float]:
    assert part is not None
    return part.inputs[:, 0, 0].tolist()


def labels(part: SequenceSet) -> list[float]:
    shown = slice(None) if part.target_mask is None else part.target_mask
    return part.targets[shown].reshape(-1).tolist()


def test_a_row_is_one_example_with_its_label_at_the_last_step(tmp_path: Path) -> None:
    data = load(tmp_path, ucr_rows())
    assert data.name == "toy"
    assert data.task == "classification"
    assert data.target_names == ("0", "1")
    assert data.input_names == ("value",)
    assert data.one_target
    assert [len(part) for part in data.parts().values()] == [14, 3, 3]
    for part in data.parts().values():
        assert labels(part) == [value % 2 for value in first_values(part)]
    assert "toy.tsv: 20 cases of 3 steps, 1 dimension(s), read as ucr (data.format)" in data.notes
    assert "2 classes in toy.tsv: 0 10, 1 10" in data.notes
    told = "labels are whole numbers, taken as classes; data.task: regression to predict them"
    assert told in data.notes


def test_unequal_cases_of_several_dimensions_are_padded_under_masks(tmp_path: Path) -> None:
    data = load(tmp_path, ts_cases(), "Toy_TRAIN.ts")
    assert data.name == "Toy"
    assert data.input_names == ("dim_0", "dim_1")
    assert data.train.inputs.shape == (14, 4, 2)
    assert data.train.input_mask is not None
    for row, first in enumerate(first_values(data.train)):
        steps = 2 + int(first) % 3
        assert data.train.input_mask[row].tolist() == [step < steps for step in range(4)]
        expected = [first + step for step in range(steps)] + [0] * (4 - steps)
        assert data.train.inputs[row, :, 0].tolist() == expected
        assert data.train.inputs[row, :steps, 1].tolist() == [7] * steps
    assert labels(data.train) == [value % 2 for value in first_values(data.train)]


def test_a_folder_brings_train_and_test_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "Toy"
    folder.mkdir()
    (folder / "Toy_TRAIN.tsv").write_text(ucr_rows())
    (folder / "Toy_TEST.tsv").write_text(ucr_rows(6, first=100))
    (folder / "README.md").write_text("about it")
    (folder / "Toy_TEST.arff").write_text("another form of the same")
    data = load_data("sequences", {"path": "Toy", "scaling": "none"}, base_dir=tmp_path)
    assert data.name == "Toy"
    assert "taken from Toy: train: Toy_TRAIN.tsv, test: Toy_TEST.tsv" in data.notes
    assert [len(part) for part in data.parts().values()] == [16, 4, 6]
    assert first_values(data.test) == [100, 101, 102, 103, 104, 105]
    rest = sorted(first_values(data.train) + first_values(data.validation))
    assert rest == list(range(20))


def test_a_ts_file_goes_before_a_text_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "Toy_TRAIN.ts").write_text(ts_cases())
    (tmp_path / "Toy_TRAIN.txt").write_text("something else")
    data = load_data("sequences", {"path": "."}, base_dir=tmp_path)
    assert data.input_size == 2


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        ({"test_path": "o.tsv"}, [16, 4, 4]),
        ({"test_path": "o.tsv", "split": [0.5, 0.5]}, [10, 10, 4]),
        ({"validation_path": "o.tsv"}, [20, 4]),
        ({"validation_path": "o.tsv", "test_path": "p.tsv"}, [20, 4, 6]),
    ],
)
def test_parts_may_have_files_of_their_own(
    tmp_path: Path, given: dict[str, object], sizes: list[int]
) -> None:
    (tmp_path / "o.tsv").write_text(ucr_rows(4, first=100))
    (tmp_path / "p.tsv").write_text(ucr_rows(6, first=200))
    data = load(tmp_path, ucr_rows(), **given)
    assert [len(part) for part in data.parts().values()] == sizes
    parts = data.parts()
    own = "validation" if "validation_path" in given else "test"
    assert first_values(parts[own]) == [100, 101, 102, 103]
    assert max(first_values(data.train)) < 20


def test_a_test_file_beside_a_training_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "Toy_TEST.tsv").write_text(ucr_rows(4))
    data = load(tmp_path, ucr_rows(), "Toy_TRAIN.tsv")
    assert "Toy_TEST.tsv lies beside it and is not used: data.test_path" in data.notes


def test_scaling_sees_training_steps_that_exist_only(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text("0\t1000\t1000\n1\t1000\t1000\n")
    content = "0\t0\t10\tNaN\n1\t0\t10\tNaN\n" * 10
    data = load(tmp_path, content, test_path="test.tsv", scaling="minmax")
    assert data.input_scale is not None
    assert data.input_scale.tolist() == [10]
    assert first_values(data.test) == [100, 100]
    assert data.train.time_steps == 2


def test_numbers_are_predicted_in_their_own_units(tmp_path: Path) -> None:
    content = "@targetLabel true\n@data\n" + "".join(f"{n},1:{n + 0.5}\n" for n in range(20))
    data = load(tmp_path, content, "toy.ts", scaling="standard", units="Wh")
    assert data.task == "regression"
    assert data.target_names == ("target",)
    assert data.units == "Wh"
    assert data.target_scale is not None
    assert data.target_shift is not None
    assert data.input_scale is not None
    assert data.input_shift is not None
    raw = data.train.inputs[:, 0, 0] * data.input_scale + data.input_shift
    told = np.array(labels(data.train)) * data.target_scale + data.target_shift
    np.testing.assert_allclose(told, raw + 0.5, rtol=1e-5)


def test_classes_have_one_order_over_all_files(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text("10\t1\n3\t2\n")
    data = load(tmp_path, "2\t1\n10\t2\n" * 10, test_path="test.tsv")
    assert data.target_names == ("2", "3", "10")
    assert data.test is not None
    assert labels(data.test) == [2, 1]
    assert "not in the training part: 3" in data.notes


def test_gaps_and_missing_labels_are_refused_or_hidden(tmp_path: Path) -> None:
    content = "0\t1\t?\t3\n1\t1\t2\t?\n?\t1\t2\t3\n1\t?\t?\t?\n" + ucr_rows(16)
    with pytest.raises(DataError, match=r"toy.tsv, line 1: value 2 is missing \(1 in this case\)"):
        load(tmp_path, content)
    data = load(tmp_path, content, missing="mask", split=[0.8, 0.2, 0.0])
    assert "toy.tsv: 2 cases dropped: no label, or no whole step" in data.notes
    assert len(data.train) + len(data.validation) == 18
    assert data.train.input_mask is not None
    masks = data.train.input_mask.tolist() + (
        [] if data.validation.input_mask is None else data.validation.input_mask.tolist()
    )
    assert masks.count([True, False, True]) == 1
    assert masks.count([True, True, False]) == 1
    with pytest.raises(DataError, match="line 1: every case needs a label"):
        load(tmp_path, "?\t1\n" + ucr_rows())


def test_rows_of_a_table_need_the_column_of_labels(tmp_path: Path) -> None:
    content = "kind,t0,t1\n" + "".join(f"{'ab'[n % 2]},{n},5\n" for n in range(20))
    with pytest.raises(DataError, match=r"toy\.csv is a table with .*: set data.target"):
        load(tmp_path, content, "toy.csv")
    data = load(tmp_path, content, "toy.csv", target="kind")
    assert data.target_names == ("a", "b")
    assert labels(data.train) == [value % 2 for value in first_values(data.train)]
    assert "toy.csv: steps are 2 columns, t0 … t1; or set data.steps" in data.notes


def test_a_test_table_has_the_same_columns(tmp_path: Path) -> None:
    content = "kind,t0,t1\n" + "a,1,2\nb,3,4\n" * 10
    (tmp_path / "test.csv").write_text("t1,kind,more,t0\n6,b,9,5\n")
    data = load(tmp_path, content, "toy.csv", target="kind", test_path="test.csv")
    assert data.test is not None
    assert data.test.inputs[0, :, 0].tolist() == [5, 6]
    (tmp_path / "test.csv").write_text("t0,kind\n6,b\n")
    with pytest.raises(DataError, match=r"data.steps names 't1', but no column of test.csv fits"):
        load(tmp_path, content, "toy.csv", target="kind", test_path="test.csv")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["0.5", "1", "2", "1"] * 5, "they hold 0.5"),
        (["1", "2", "3", "4", "5", "6", "7", "8"], "they hold 8 whole numbers"),
    ],
)
def test_labels_that_may_be_either_are_asked_about(
    tmp_path: Path, labels: list[str], message: str
) -> None:
    content = "".join(f"{label} 1 2\n" for label in labels)
    with pytest.raises(DataError, match=f"{message}.; set data.task to classification or"):
        load(tmp_path, content)
    assert load(tmp_path, content, task="regression", split=[0.5, 0.5, 0]).task == "regression"
    assert load(tmp_path, content, task="classification").task == "classification"


def test_several_notes_tell_of_many_classes_and_of_one_without_a_case(tmp_path: Path) -> None:
    many = "".join(f"{n % 15} 1 2\n" for n in range(60))
    assert "15 classes in toy.tsv, of 4 to 4 cases" in load(tmp_path, many).notes
    content = ts_cases().replace("true a b", "true a b c")
    data = load(tmp_path, content, "toy.ts")
    assert data.target_names == ("a", "b")
    assert "2 classes in toy.ts: a 10, b 10; declared, but without a case: c" in data.notes


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": "none.ts"}, r"there is no data file .*none.ts; set data.path"),
        ({"test_path": "none.ts"}, r"there is no data file .*none.ts; set data.test_path"),
        ({"test_path": "toy.tsv"}, "toy.tsv is in train and test; change data.test_path"),
        ({"test_path": "two.ts"}, "but toy.tsv has 1 and two.ts has 2"),
        ({"split": [0.5, 0.5]}, "split has shares of train, validation and test"),
        ({"test_path": "p", "split": [0.5, 0.2, 0.3]}, "split has two positive shares"),
        ({"validation_path": "p", "split": [0.5, 0.5]}, "leave data.split out"),
        ({"target": "y"}, "data.target names columns of a table, but toy.tsv was read as ucr"),
        ({"steps": "t*"}, "data.steps names columns of a table"),
        ({"format": "ts"}, "line 1: a .ts file begins with a header .* set data.format"),
        ({"task": "regression", "class_weights": "balanced"}, "class_weights only for classes"),
        ({"seed": -1}, "seed >= 0"),
        ({"path": "words.tsv", "task": "regression"}, "line 1: the target must be a number"),
        ({"path": "one.tsv"}, "at least two classes, but got only 1"),
        ({"path": "bare.ts"}, "bare.ts has no labels to learn from"),
        ({"path": "empty"}, r"a folder must hold NAME_TRAIN .* has none; set data.path to a file"),
        ({"path": "several"}, r"must hold one data set, but has A, B; set data.path to a file"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, values: dict[str, object], message: str) -> None:
    (tmp_path / "two.ts").write_text(ts_cases())
    (tmp_path / "words.tsv").write_text("walk\t1\nrun\t2\n" * 10)
    (tmp_path / "one.tsv").write_text("1\t1\n1\t2\n" * 10)
    (tmp_path / "bare.ts").write_text("@classLabel false\n@data\n1,2\n")
    for folder, names in {"empty": [], "several": ["A_TRAIN.ts", "B_TRAIN.ts"]}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text(ts_cases())
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, ucr_rows(), **values)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "values"),
    [
        ("toy.ts", ts_cases(), {}),
        ("toy.tsv", ucr_rows(), {}),
        ("toy.tsv", "0 1 2\n1 3 4 5\n" * 10, {}),
        (
            "toy.csv",
            "kind,t0,t1\n" + "".join(f"{'ab'[n % 2]},{n},5\n" for n in range(20)),
            {"target": "kind"},
        ),
    ],
)
def test_the_law_of_sources_holds_and_asked_again_the_inputs_are_those_of_training(
    tmp_path: Path, name: str, content: str, values: dict[str, object]
) -> None:
    data = load(tmp_path, content, name, scaling="standard", **values)
    check_source("sequences", {"path": name, **values}, tmp_path)
    kept = Interface.from_dict(Interface.of(data).to_dict())
    whole = read_unlabelled(tmp_path / name, kept)
    assert [one.key["sequence"] for one in whole] == list(range(20))
    encoder = Encoder(kept)
    found = [encoder.encode(one.record, "case") for one in whole]
    for part in data.parts().values():
        for row in range(len(part)):
            mask = (
                np.ones(part.time_steps, bool) if part.input_mask is None else part.input_mask[row]
            )
            same = [np.array_equal(one.inputs, part.inputs[row][mask]) for one in found]
            assert any(same)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("5,6,7\n8,9,7\n", [None, None]),
        ("1,5,6,7\n?,8,9,7\n", ["1", None]),
        ("@classLabel false\n@data\n5,6,7\n8,9,7\n", [None, None]),
        ("@classLabel true 0 1\n@data\n5,6,7\n8,9,7:1\n", [None, "1"]),
    ],
)
def test_cases_are_asked_about_with_or_without_their_labels(
    tmp_path: Path, content: str, told: Sequence[str | None]
) -> None:
    kept = Interface.of(load(tmp_path, ucr_rows()))
    path = tmp_path / "asked.txt"
    path.write_text(content)
    found = read_unlabelled(path, kept)
    assert [one.key.get("label") for one in found] == list(told)
    assert [one.record["steps"][:, 0].tolist() for one in found] == [[5, 6, 7], [8, 9, 7]]


def test_a_table_or_an_empty_case_is_no_answer_to_such_a_network(tmp_path: Path) -> None:
    kept = Interface.of(load(tmp_path, ucr_rows()))
    path = tmp_path / "asked.csv"
    path.write_text("t0,t1\n1,2\n")
    with pytest.raises(DataError, match=r"was trained on a \.ucr file, but asked\.csv is"):
        read_unlabelled(path, kept)
    path.write_text("1,2,3,4\n1,?,?,?\n")
    with pytest.raises(DataError, match=r"asked\.csv, line 2: a case needs a step without a gap"):
        read_unlabelled(path, kept)


def write_vowels(source: Path, path: Path, blocks: Sequence[int]) -> None:
    """UCI's frames, one block of lines an utterance, as a .ts file of twelve dimensions."""
    utterances: list[list[list[str]]] = [[]]
    for line in source.read_text().split("\n"):
        frame = line.split()
        if {float(value) for value in frame} - {1.0}:
            utterances[-1].append(frame)
        elif utterances[-1]:
            utterances.append([])
    utterances.pop()
    speakers = [number for number, count in enumerate(blocks, start=1) for _ in range(count)]
    lines = [
        ":".join([",".join(values) for values in zip(*frames, strict=True)] + [str(speaker)])
        for frames, speaker in zip(utterances, speakers, strict=True)
    ]
    header = "@problemName JapaneseVowels\n@timeStamps false\n@missing false\n@univariate false\n"
    header += "@dimensions 12\n@equalLength false\n@classLabel true 1 2 3 4 5 6 7 8 9\n@data\n"
    path.write_text(header + "\n".join(lines) + "\n")


def test_vowels_as_ts_are_the_vowels(vowels_folder: Path, tmp_path: Path) -> None:
    write_vowels(vowels_folder / "ae.train", tmp_path / "JapaneseVowels_TRAIN.ts", (30,) * 9)
    official = (31, 35, 88, 44, 29, 24, 40, 50, 29)
    write_vowels(vowels_folder / "ae.test", tmp_path / "JapaneseVowels_TEST.ts", official)
    found = load_data("sequences", {"path": ".", "seed": 3}, base_dir=tmp_path)
    expected = load_data("vowels", {"path": str(vowels_folder), "seed": 3}, base_dir=tmp_path)
    assert found.name == "JapaneseVowels"
    for name, part in expected.parts().items():
        own = found.parts()[name]
        np.testing.assert_array_equal(own.inputs, part.inputs)
        np.testing.assert_array_equal(own.input_mask, part.input_mask)
        np.testing.assert_array_equal(own.target_mask, part.target_mask)
        assert labels(own) == labels(part)
    np.testing.assert_array_equal(found.input_scale, expected.input_scale)
    np.testing.assert_array_equal(found.input_shift, expected.input_shift)
