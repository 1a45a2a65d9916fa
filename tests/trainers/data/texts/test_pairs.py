"""Pairs of texts: lines, two files or a table; each side its vocabulary, each answer its end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, SequenceSet, load_data
from trainers.data.naive.choosing import candidates
from trainers.data.reading import PairReading
from trainers.errors import DataError

TEXTS = ["ab", "b", "abc", "ca", "bbb", "cab", "a", "cc", "bca", "acb"]


def load(base: Path, lines: list[str], **options: object) -> SequenceData:
    (base / "a.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_data("pairs", {"path": "a.txt", **options}, base_dir=base)


def pairs_of(data: SequenceData, part: SequenceSet, joint: str = "") -> set[tuple[str, str]]:
    """Decode every pair; the answer as it stands, its end included."""
    found = set()
    shown = [np.ones(part.inputs.shape, bool) if m is None else m
             for m in (part.input_mask, part.target_mask)]  # fmt: skip
    for row in range(len(part)):
        text = joint.join(data.tokens[i] for i in part.inputs[row][shown[0][row]])
        answer = joint.join(data.target_names[i] for i in part.targets[row][shown[1][row]])
        found.add((text, answer))
    return found


def test_each_line_is_a_text_and_its_answer_which_ends_in_a_symbol(tmp_path: Path) -> None:
    data = load(tmp_path, [f"{text}\t{text[::-1].upper()}" for text in TEXTS])
    assert data.pairs
    assert (data.tokens[:2], data.target_names[:2]) == (("<pad>", "<unk>"), ("<end>", "<unk>"))
    found = set().union(*(pairs_of(data, part) for part in data.parts().values()))
    assert found == {(text, text[::-1].upper() + "<end>") for text in TEXTS}
    assert [len(part) for part in data.parts().values()] == [8, 1, 1]
    # One axis holds both: four tokens, of which a text has three at most.
    assert data.train.inputs.shape == data.train.targets.shape == (8, 4)
    assert data.reading == PairReading("character", False, by_line=True)


def test_words_that_training_never_saw_are_unknown_on_their_own_side(tmp_path: Path) -> None:
    data = load(
        tmp_path, ["one two\teins zwei"] * 8 + ["one six\teins sechs"], level="word",
        split=[0.5, 0.5, 0.0],
    )  # fmt: skip
    whole = {*pairs_of(data, data.train, " "), *pairs_of(data, data.validation, " ")}
    assert whole <= {
        ("one two", "eins zwei <end>"), ("one six", "eins sechs <end>"),
        ("one <unk>", "eins <unk> <end>"),
    }  # fmt: skip


def test_two_files_or_a_table_say_the_same_as_lines(tmp_path: Path) -> None:
    lines = load(tmp_path, [f"{text}\t{text}{text}" for text in TEXTS])
    (tmp_path / "t.txt").write_text("\n".join(TEXTS))
    (tmp_path / "u.txt").write_text("\n".join(2 * text for text in TEXTS))
    files = {"path": "t.txt", "answers_path": "u.txt"}
    pd.DataFrame({"x": TEXTS, "y": [2 * t for t in TEXTS]}).to_csv(tmp_path / "v.csv", index=False)
    table = {"path": "v.csv", "text_column": "x", "answer_column": "y"}
    for options in (files, table):
        assert load_data("pairs", options, base_dir=tmp_path).digest == lines.digest


def test_a_test_file_is_the_test_part(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("zz\ty\n")
    data = load(tmp_path, [f"{text}\t{text}" for text in TEXTS], test_path="test.txt")
    assert [len(part) for part in data.parts().values()] == [9, 1, 1]
    assert pairs_of(data, data.test) == {("<unk><unk>", "<unk><end>")}


def test_only_the_most_frequent_answer_is_a_naive_forecast(tmp_path: Path) -> None:
    """Both vocabularies have the same size, which makes no language of it."""
    assert [*candidates(load(tmp_path, [f"{text}\t{text}" for text in TEXTS]))] == ["majority"]


@pytest.mark.parametrize(
    ("lines", "options", "says"),
    [
        (["a b"], {}, r"a.txt, line 1: must be a text, a tab and its answer.*data.answers_path"),
        (["a\tb", "a\t "], {}, r"a.txt, line 2: a pair needs a text and its answer"),
        (["a"], {"answers_path": "b.txt"}, r"a.txt has 1 lines and b.txt 2; bring as many"),
        (["a"], {"text_column": "a"}, "both of data.text_column and data.answer_column"),
        (["a"], {"answers_path": "b.txt", "test_path": "b.txt"}, "neither columns nor"),
        (["a\tb"], {"max_words": 0}, "max_words >= 1"),
        (["a\tb"], {}, "the train part gets none of the 1 sequences"),
    ],
    ids=str,
)
def test_what_is_no_pair_is_refused_in_one_line(
    tmp_path: Path, lines: list[str], options: dict[str, object], says: str
) -> None:
    (tmp_path / "b.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match=says):
        load(tmp_path, lines, **options)


def test_a_missing_answer_in_a_table_is_refused_with_its_row(tmp_path: Path) -> None:
    pd.DataFrame({"x": ["a", "b"], "y": ["c", None]}).to_csv(tmp_path / "v.csv", index=False)
    options = {"path": "v.csv", "text_column": "x", "answer_column": "y"}
    with pytest.raises(DataError, match=r"data row 1 .*column 'y' must be filled"):
        load_data("pairs", options, base_dir=tmp_path)
