"""Labelled texts as token sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, SequenceSet, load_data
from trainers.data.builtin import sentiment
from trainers.data.builtin.download import RemoteFile, sha256_of
from trainers.errors import DataError

LINES = [f"{'good' if i % 2 else 'bad'} thing number {i}\t{i % 2}" for i in range(20)]


def load(base: Path, lines: list[str] | None = None, **values: object) -> SequenceData:
    (base / "a.txt").write_text("\n".join(LINES if lines is None else lines), encoding="utf-8")
    return load_data("tokens", {"path": "a.txt", **values}, base_dir=base)


def decoded(data: SequenceData, part: SequenceSet) -> list[list[str]]:
    shown = np.ones(part.inputs.shape, bool) if part.input_mask is None else part.input_mask
    return [
        [data.tokens[i] for i in ids[mask]] for ids, mask in zip(part.inputs, shown, strict=True)
    ]


def labels(part: SequenceSet) -> list[int]:
    assert part.target_mask is not None
    return part.targets[part.target_mask].tolist()


def test_texts_become_ids_from_the_most_frequent_on_with_padding_and_unknown_first(
    tmp_path: Path,
) -> None:
    data = load(tmp_path)
    assert data.tokens[:4] == ("<pad>", "<unk>", "number", "thing")
    assert data.vocabulary_size == len(data.tokens) == data.input_size
    assert data.one_target
    for part in data.parts().values():
        for words, label in zip(decoded(data, part), labels(part), strict=True):
            assert words[0] == ("good" if label else "bad")


def test_words_that_training_never_saw_are_unknown(tmp_path: Path) -> None:
    data = load(tmp_path)
    # Every number occurs once, so those of other parts are unknown.
    assert all(words[3] == "<unk>" for words in decoded(data, data.validation))
    assert "validation: 2 sequences of up to 4 tokens, 2 of 8 unknown" in data.notes


def test_max_words_keeps_the_most_frequent(tmp_path: Path) -> None:
    data = load(tmp_path, max_words=2)
    assert data.tokens == ("<pad>", "<unk>", "number", "thing")
    assert decoded(data, data.train)[0] == ["<unk>", "thing", "number", "<unk>"]


def test_max_length_keeps_the_end(tmp_path: Path) -> None:
    data = load(tmp_path, max_length=2)
    assert data.train.inputs.shape == (16, 2)
    assert all(words[0] == "number" for words in decoded(data, data.train))


def test_unequal_texts_are_padded_with_zeros_under_a_mask(tmp_path: Path) -> None:
    lines = ["a\t0", "a b c\t1", "a b\t0", "b\t1"] * 5
    data = load(tmp_path, lines, split=[0.5, 0.5, 0.0])
    part = data.train
    assert part.input_mask is not None
    assert part.target_mask is not None
    assert (part.inputs[~part.input_mask] == 0).all()
    lengths = part.input_mask.sum(axis=1)
    assert sorted(set(lengths.tolist())) == [1, 2, 3]
    np.testing.assert_array_equal(part.target_mask.argmax(axis=1), lengths - 1)
    assert data.test is None


def test_the_label_is_what_follows_the_last_tab(tmp_path: Path) -> None:
    lines = ["one\ttwo\tyes", "three\u0085four\tno"] * 10
    data = load(tmp_path, lines)
    assert data.target_names == ("no", "yes")
    pairs = zip(decoded(data, data.train), labels(data.train), strict=True)
    found = {(" ".join(words), label) for words, label in pairs}
    assert found == {("one two", 1), ("three four", 0)}


def test_three_classes_are_split_in_proportion(tmp_path: Path) -> None:
    lines = [f"w{i}\t{('x', 'y', 'y', 'z')[i % 4]}" for i in range(40)]
    data = load(tmp_path, lines, split=[0.5, 0.3, 0.2], seed=3)
    assert data.target_names == ("x", "y", "z")
    counts = [np.bincount(labels(part)).tolist() for part in data.parts().values()]
    assert counts == [[5, 10, 5], [3, 6, 3], [2, 4, 2]]
    assert load(tmp_path, lines, seed=3).digest == load(tmp_path, lines, seed=3).digest
    assert load(tmp_path, lines, seed=3).digest != load(tmp_path, lines, seed=4).digest


def test_columns_of_a_table_give_the_same_data_as_lines(tmp_path: Path) -> None:
    pairs = [line.split("\t") for line in LINES]
    frame = pd.DataFrame(pairs, columns=["review", "stars"]).astype({"stars": int})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    columns = {"text_column": "review", "label_column": "stars"}
    expected = load(tmp_path).digest
    assert load(tmp_path, path="a.csv", **columns).digest == expected
    assert load(tmp_path, path="a.parquet", **columns).digest == expected


def test_a_test_file_of_its_own_is_the_test_part(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("good new\t1\nbad\t0\n")
    data = load(tmp_path, test_path="test.txt", split=[0.5, 0.5])
    assert [len(part) for part in data.parts().values()] == [10, 10, 2]
    assert data.test is not None
    assert decoded(data, data.test) == [["good", "<unk>"], ["bad"]]
    assert labels(data.test) == [1, 0]


def test_characters_can_be_tokens_and_capitals_kept(tmp_path: Path) -> None:
    data = load(tmp_path, ["Ab\t0", "bA\t1"] * 10, level="character", lowercase=False)
    assert set(data.tokens[2:]) == {"A", "b"}


def test_balanced_weights_lift_the_rarer_class(tmp_path: Path) -> None:
    lines = [f"w{i}\t{int(i % 4 == 0)}" for i in range(40)]
    data = load(tmp_path, lines, class_weights="balanced")
    # 32 training examples, 24 and 8: 32 / (2 * 24) and 32 / (2 * 8).
    assert data.class_weights is not None
    np.testing.assert_allclose(data.class_weights, [2 / 3, 2])


@pytest.mark.parametrize(
    ("lines", "values", "message"),
    [
        (["good\t1", "no tab"], {}, r"a\.txt, line 2: must be text, a tab and a label, but got"),
        (["good\t1", "bad\t"], {}, "line 2: must be text, a tab and a label"),
        (["good\t1", " \t0"], {}, "line 2: an example needs a text"),
        (["good\t1"] * 5, {}, "at least two classes, but got only 1"),
        (["good\t1", "bad\t0"], {}, "validation part gets none of the 2 sequences"),
        (None, {"path": "b.txt"}, "there is no file"),
        (None, {"text_column": "x"}, "need both of text_column and label_column"),
        (None, {"max_length": 0}, "`max_length >= 1` must hold"),
        (None, {"seed": -1}, "`seed >= 0` must hold"),
        (None, {"class_weights": [1.0]}, "one weight for each of the 2 classes .0, 1., but got 1"),
        (None, {"class_weights": "even"}, "data.class_weights must be one of none, balanced or a"),
        (None, {"class_weights": [1.0, -1.0]}, "class_weights must hold 2 finite numbers >= 0"),
    ],
)
def test_what_is_wrong_gives_one_clear_line(
    tmp_path: Path, lines: list[str] | None, values: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, lines, **values)
    assert "\n" not in str(caught.value)


def test_a_table_needs_its_columns(tmp_path: Path) -> None:
    pd.DataFrame({"t": ["a", None], "y": [0, 1]}).to_csv(tmp_path / "a.csv", index=False)
    for values, message in (
        ({}, "is a table: set data.text_column and data.label_column"),
        ({"text_column": "t", "label_column": "z"}, "data.label_column names the column 'z'"),
        ({"text_column": "t", "label_column": "y"}, "'t' must be filled, but 1 of 2 are missing"),
    ):
        with pytest.raises(DataError, match=message):
            load(tmp_path, path="a.csv", **values)


def test_the_real_sentences_are_all_there(sentiment_folder: Path) -> None:
    data = load_data("sentiment", {"path": str(sentiment_folder)}, base_dir=Path())
    assert [len(part) for part in data.parts().values()] == [2_100, 450, 450]
    assert data.target_names == ("negative", "positive")
    for part in data.parts().values():
        assert sum(labels(part)) == len(part) // 2


def test_a_bag_of_words_reads_the_sentiment(sentiment_folder: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    data = load_data("sentiment", {"path": str(sentiment_folder)}, base_dir=Path())

    def bags(part: SequenceSet) -> np.ndarray:
        counts = np.stack([np.bincount(row, minlength=data.input_size) for row in part.inputs])
        return counts[:, 1:] > 0

    model = LogisticRegression(max_iter=200).fit(bags(data.train), labels(data.train))
    assert data.test is not None
    assert model.score(bags(data.test), labels(data.test)) > 0.75


def test_sentences_are_fetched_where_no_folder_is_given(
    sentiment_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(remote: RemoteFile, folder: Path) -> Path:
        del folder
        return sentiment_folder / remote.name

    for remote in sentiment.FILES:
        assert sha256_of(sentiment_folder / remote.name) == remote.sha256
    monkeypatch.setattr(sentiment, "fetch", fetch)
    given = load_data("sentiment", {"path": str(sentiment_folder)}, base_dir=Path())
    assert load_data("sentiment", {}, base_dir=Path()).digest == given.digest
    with pytest.raises(DataError, match=r"there is no data file .*amazon_cells_labelled\.txt"):
        load_data("sentiment", {"path": "nowhere"}, base_dir=Path())
