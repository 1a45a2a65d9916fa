"""Text as a stream: next tokens, documents, the training part's vocabulary."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from trainers.data import SequenceData, SequenceSet, load_data
from trainers.data.builtin import shakespeare
from trainers.data.texts.vocabulary import split_text
from trainers.errors import DataError


def load(base: Path, text: str | None = None, **values: object) -> SequenceData:
    if text is not None:
        (base / "a.txt").write_text(text)
    return load_data("text", {"path": "a.txt", **values}, base_dir=base)


def decoded(data: SequenceData, part: SequenceSet) -> tuple[str, str]:
    return tuple("".join(data.tokens[i] for i in ids[0]) for ids in (part.inputs, part.targets))  # type: ignore[return-value]


def test_each_target_is_the_next_character_and_parts_follow_in_order(tmp_path: Path) -> None:
    data = load(tmp_path, "abcabcabca" * 2, split=[0.5, 0.25, 0.25])
    assert data.tokens == ("<unk>", "a", "b", "c")
    assert data.vocabulary_size == data.input_size == data.output_size == 4
    assert data.walk == "stream"
    assert decoded(data, data.train) == ("abcabcabc", "bcabcabca")
    assert decoded(data, data.validation) == ("abca", "bcab")
    assert data.test is not None
    assert decoded(data, data.test) == ("cabc", "abca")
    assert data.train.resets is not None
    assert data.train.resets.tolist() == [[True] + [False] * 8]


def test_by_default_a_tenth_is_for_validation_and_nothing_for_test(tmp_path: Path) -> None:
    data = load(tmp_path, "ab" * 50)
    assert (data.train.time_steps, data.validation.time_steps) == (89, 9)
    assert data.test is None


def test_a_character_that_training_never_saw_is_unknown_and_told(tmp_path: Path) -> None:
    data = load(tmp_path, "abababab" + "axab", split=[0.67, 0.33, 0.0])
    assert decoded(data, data.validation) == ("a<unk>a", "<unk>ab")
    assert "validation: 3 steps, 1 document(s), 1 targets unknown" in data.notes


def test_every_file_is_a_document_and_no_target_crosses_into_the_next(tmp_path: Path) -> None:
    for name, text in {"b": "cde", "a": "ab", "c": "fghijklm"}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    data = load(tmp_path, path="*.txt", split=[0.7, 0.3, 0.0])
    # 13 characters in order of names, 9 of them train: ab | cde | fghi, then jklm.
    assert decoded(data, data.train) == ("acdfgh", "bdeghi")
    assert data.train.resets is not None
    assert data.train.resets[0].astype(int).tolist() == [1, 1, 0, 1, 0, 0]
    assert data.validation.resets is not None
    assert data.validation.resets[0].tolist() == [True, False, False]


def test_a_test_part_of_its_own_leaves_the_vocabulary_to_training(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("abz")
    data = load(tmp_path, "ab" * 10, test_path="test.txt")
    assert data.test is not None
    assert decoded(data, data.test) == ("ab", "b<unk>")
    assert (data.train.time_steps, data.validation.time_steps) == (17, 1)


def test_words_are_words_marks_and_line_ends() -> None:
    found = split_text("Don't stop,\nit’s 42!", "word")
    assert list(found) == ["Don't", "stop", ",", "\n", "it’s", "42", "!"]


def test_the_rarest_words_become_unknown(tmp_path: Path) -> None:
    text = "the cat the dog the cat a fish " * 2
    data = load(tmp_path, text, level="word", max_tokens=2, split=[0.5, 0.5, 0.0])
    # Eight words: the 3, cat 2, and one each of a, dog, fish.
    assert data.tokens == ("<unk>", "cat", "the")
    assert data.train.inputs[0].tolist() == [2, 1, 2, 0, 2, 1, 0]


def test_capitals_can_be_lowered(tmp_path: Path) -> None:
    assert load(tmp_path, "AaBb" * 10, lowercase=True).tokens == ("<unk>", "a", "b")


def test_inputs_and_targets_of_one_document_share_memory(tmp_path: Path) -> None:
    data = load(tmp_path, "abc" * 1_000)
    assert np.shares_memory(data.train.inputs, data.train.targets)
    again = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(again.train.targets, data.train.targets)
    np.testing.assert_array_equal(again.train.resets, data.train.resets)


def test_other_letters_in_the_same_places_are_other_data(tmp_path: Path) -> None:
    assert load(tmp_path, "abab" * 9).digest != load(tmp_path, "cdcd" * 9).digest


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": "no.txt"}, r"there is no file .*no\.txt"),
        ({"path": "*.md"}, r"there is no file .*\*\.md"),
        ({"test_path": "no.txt"}, "set data.test_path"),
        ({"level": "line"}, "data.level must be one of character, word"),
        ({"max_tokens": 0}, "`max_tokens >= 1` must hold"),
        ({"split": [0.9, 0.2, 0.0]}, "sum to 1"),
        ({"split": [1.0, 0.0, 0.0]}, "sum to 1"),
        ({"split": [0.9, 0.1]}, "shares of train, validation and test"),
        ({"split": [0.98, 0.01, 0.01]}, "the validation part needs a document of at least two"),
        ({"test_path": "a.txt", "split": [0.8, 0.1, 0.1]}, "two positive shares"),
    ],
)
def test_a_bad_option_gives_one_clear_line(
    tmp_path: Path, values: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, "ab" * 30, **values)
    assert "\n" not in str(caught.value)


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc\xff")
    with pytest.raises(DataError, match="must be UTF-8 text, but byte 3 is not"):
        load(tmp_path)


def test_shakespeare_has_the_known_sizes(shakespeare_txt: Path) -> None:
    data = load_data("shakespeare", {"path": str(shakespeare_txt)}, base_dir=Path())
    # 1,115,394 characters, 65 of them distinct; nanoGPT's split is at int(0.9 n) = 1,003,854.
    assert data.train.time_steps == 1_003_854 - 1
    assert data.validation.time_steps == 1_115_394 - 1_003_854 - 1
    assert data.vocabulary_size == 66
    assert data.test is None
    assert "".join(data.tokens[i] for i in data.train.inputs[0, :14]) == "First Citizen:"
    validation = "".join(data.tokens[i] for i in data.validation.targets[0])
    assert validation == shakespeare_txt.read_text()[1_003_855:]


def test_shakespeares_unigrams_have_the_known_entropy(shakespeare_txt: Path) -> None:
    data = load_data("shakespeare", {"path": str(shakespeare_txt)}, base_dir=Path())
    counts = np.bincount(data.train.inputs[0], minlength=66) + 0.1
    nats = -np.log(counts / counts.sum())[data.validation.targets[0]].mean()
    assert nats == pytest.approx(3.347, abs=0.002)


def test_shakespeare_is_fetched_into_the_cache(
    shakespeare_txt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def fetch(*what: object) -> Path:
        asked.append(what)
        return shakespeare_txt

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(shakespeare, "fetch", fetch)
    data = load_data("shakespeare", {"split": [0.8, 0.1, 0.1]}, base_dir=Path())
    assert asked == [(shakespeare.CHAR_RNN_FILE, tmp_path / "rnn-sweep")]
    assert data.name == "shakespeare"
    assert data.test is not None


def test_the_given_file_is_the_one_that_would_be_downloaded(shakespeare_txt: Path) -> None:
    from trainers.data.builtin.download import sha256_of

    assert sha256_of(shakespeare_txt) == shakespeare.CHAR_RNN_FILE.sha256
