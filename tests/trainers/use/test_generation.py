"""Texts that a language model writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainers.factory import ACCURACY, wrap
from tests.trainers.portable_factory import (
    characters,
    named_classes,
    regression,
    trained,
)
from trainers.data.contract import SequenceSet
from trainers.data.reading import TextReading
from trainers.data.texts.vocabulary import UNKNOWN, joined_text, split_text
from trainers.errors import ConfigError, DataError
from trainers.use.generation import Generation, _drawn
from trainers.use.portable import PortableModel
from trainers.use.stepping import SteppedModel

WORDS = (UNKNOWN, "\n", ",", ".", "(", ")", "king", "the", "you")


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> PortableModel:
    """A vocabulary of a, b and c, and the unknown."""
    model: PortableModel
    _, _, model = characters(tmp_path_factory.mktemp("letters"))
    return model


def words(folder: Path, **fields: Any) -> PortableModel:
    ids = np.random.default_rng(0).integers(0, len(WORDS), (4, 30))
    data = wrap(
        SequenceSet(ids[:, :-1], ids[:, 1:]),
        task="classification",
        classes=len(WORDS),
        input_size=len(WORDS),
        vocabulary_size=len(WORDS),
        tokens=WORDS,
        target_names=WORDS,
        reading=TextReading("word", lowercase=False),
    )
    settings = {"readout": "every", "loss": "cross_entropy", **fields}
    model: PortableModel
    _, model = trained(folder, data, ACCURACY, **settings)
    return model


def likeliest(model: PortableModel, begin: str, count: int) -> list[str]:
    """By hand: the likeliest known token, and on from it."""
    stepped, names = SteppedModel(model), model.interface.tokens
    said = stepped.step(begin)[0, -1]
    found: list[int] = []
    for _ in range(count):
        found.append(1 + int(said[1:].argmax()))  # 0 is the unknown
        said = stepped.step([found[-1]])[0]
    return [names[one] for one in found]


def test_at_temperature_0_the_likeliest_token_follows(letters: PortableModel) -> None:
    text = letters.writer().write(Generation(12, "abac", temperature=0))
    assert text == ["abac" + "".join(likeliest(letters, "abac", 12))]
    assert len(text[0]) == 16


@pytest.mark.parametrize("fields", [{}, {"embedding_size": 3, "num_layers": 2}, {"cell": "gru"}])
def test_words_begin_after_a_line_end(tmp_path: Path, fields: dict[str, Any]) -> None:
    model = words(tmp_path, **fields)
    (text,) = model.writer().write(Generation(9, temperature=0))
    assert split_text(text, "word") == likeliest(model, "\n", 9)


def test_a_network_that_is_no_plain_stack_writes_alike(tmp_path: Path) -> None:
    model = words(tmp_path, stem="conv", stem_size=3, stem_kernel=2, head_sizes=(4,))
    (text,) = model.writer().write(Generation(9, "the king", temperature=0))
    assert split_text(text, "word")[2:] == likeliest(model, "the king", 9)


def test_a_seed_writes_the_same_texts_each_its_own(letters: PortableModel) -> None:
    writer, asked = letters.writer(), Generation(40, "ab", seed=3)
    three = writer.write(asked, count=3)
    assert three == letters.writer().write(asked, count=3)
    assert len({*three}) == 3
    assert writer.write(asked) == three[:1]
    assert writer.write(Generation(40, "ab", seed=4)) != three[:1]


def test_tokens_are_drawn_as_often_as_the_network_says(letters: PortableModel) -> None:
    said = SteppedModel(letters).step("a")[0, -1][1:]
    texts = letters.writer().write(Generation(1, "a"), count=4_000)
    shares = [np.mean([text[-1] == one for text in texts]) for one in "abc"]
    np.testing.assert_allclose(shares, said / said.sum(), atol=0.03)


def test_the_unknown_is_never_written(letters: PortableModel, tmp_path: Path) -> None:
    texts = letters.writer().write(Generation(200, temperature=50.0), count=3)
    assert {*"".join(texts)} == {*"abc"}  # at such a temperature all are alike
    assert UNKNOWN not in "".join(words(tmp_path).writer().write(Generation(300, temperature=50.0)))


def test_only_the_likeliest_k_are_drawn() -> None:
    logits = np.log([[0.1, 0.4, 0.2, 0.3]])
    asked = Generation(1, top_k=2)
    drawn = [int(_drawn(logits, asked, np.array([u]))[0]) for u in (0.0, 0.56, 0.58, 0.999)]
    assert drawn == [1, 1, 3, 3]  # 0.4 / 0.7 = 0.571 of the draws are 1
    assert _drawn(logits, Generation(1, top_k=9), np.array([0.0])) == [0]


def test_temperature_divides_logits() -> None:
    logits, half = np.log([[0.2, 0.8]]), Generation(1, temperature=0.5)
    # 0.2² : 0.8² = 1 : 16
    drawn = [int(_drawn(logits, half, np.array([u]))[0]) for u in (0.058, 0.06)]
    assert drawn == [0, 1]
    assert _drawn(logits, Generation(1, temperature=1e-320), np.array([0.0])) == [1]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["the", "king", ",", "you", "!"], "the king, you!"),
        (["you", "(", "the", "king", ")", ".", "\n", "\n", "the"], "you (the king).\n\nthe"),
        (["don't", '"', "you", '"', "-", "the"], 'don\'t " you " - the'),
        ([",", "king"], ", king"),
        ([], ""),
    ],
)
def test_words_are_joined_as_people_write_them(tokens: list[str], text: str) -> None:
    assert joined_text(tokens, "word") == text
    assert list(split_text(text, "word")) == tokens


@pytest.mark.parametrize("prompt", ["the king", "the king ", "the king\n", "the  king,", ""])
def test_a_prompt_stays_as_it_was_given(tmp_path: Path, prompt: str) -> None:
    (text,) = words(tmp_path).writer().write(Generation(6, prompt))
    assert text.startswith(prompt)
    assert "  " not in text.removeprefix(prompt[:-1])
    assert len(split_text(text, "word")) == 6 + len(split_text(prompt, "word"))


def test_a_prompt_is_read_as_training_texts_were(letters: PortableModel) -> None:
    one, other = (letters.writer().write(Generation(9, p))[0] for p in ("ABA", "aba"))
    assert (one[:3], one[3:]) == ("ABA", other[3:])
    assert letters.writer().unknown("abxa!") == ["x", "!"]


def test_the_state_in_hand_stays(letters: PortableModel) -> None:
    stepped = SteppedModel(letters)
    stepped.step("abc")
    before = stepped.get_state(0)
    assert before is not None
    assert (
        stepped.generate(5, "ab", seed=2) == letters.writer().write(Generation(5, "ab", seed=2))[0]
    )
    after = stepped.get_state(0)
    assert after is not None
    np.testing.assert_array_equal(before[0], after[0])


class TestRecords:
    def test_a_request_is_answered_with_the_text(self, letters: PortableModel) -> None:
        record = {"text": "ab", "generate": 20, "temperature": 0.8, "top_k": 2, "seed": 5}
        (answer,) = letters.predict([record])
        asked = Generation(20, "ab", temperature=0.8, top_k=2, seed=5)
        assert answer == {"text": letters.writer().write(asked)[0]}
        (plain,) = letters.predict([{"text": None, "generate": 3, "state": None}])
        assert len(plain["text"]) == 3

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (
                {"generate": 0},
                "sequence 0: `generate >= 1` must hold for a whole number, but got 0",
            ),
            ({"generate": -5}, "`generate >= 1` .* but got -5"),
            ({"generate": 1.5}, "`generate >= 1` .* but got 1.5"),
            ({"temperature": -0.1}, "`temperature >= 0` must hold for a number, but got -0.1"),
            ({"temperature": float("nan")}, "but got nan"),
            ({"temperature": "hot"}, "but got 'hot'"),
            ({"top_k": 0}, "`top_k >= 1`"),
            ({"seed": -1}, "`seed >= 0`"),
            ({"text": 3}, "a prompt must be a text, but got 3"),
            ({"ids": [1]}, "sequence 0 has no field 'ids'"),
            ({"state": ""}, "sequence 0 has no field 'state'"),
            ({"generate": None}, "temperature needs generate"),
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_one_line(
        self, letters: PortableModel, fields: dict[str, Any], message: str
    ) -> None:
        record = {"text": "ab", "generate": 5, "temperature": 1.0, **fields}
        with pytest.raises(DataError, match=message):
            letters.predict([record])

    def test_at_least_one_text(self, letters: PortableModel) -> None:
        with pytest.raises(DataError, match="`count >= 1`"):
            letters.writer().write(Generation(5), count=0)


class TestRefused:
    def test_without_a_vocabulary(self, tmp_path: Path) -> None:
        _, model = trained(tmp_path, regression(), readout="every")
        with pytest.raises(DataError, match="this network's data had no vocabulary"):
            model.predict([{"generate": 5, "text": "a"}])

    def test_numbers_that_tell_classes(self, tmp_path: Path) -> None:
        fields = {"readout": "every", "loss": "cross_entropy"}
        _, model = trained(tmp_path, named_classes(), ACCURACY, **fields)
        with pytest.raises(DataError, match="written by a language model"):
            model.writer()

    def test_a_text_that_tells_classes(self, tmp_path: Path) -> None:
        ids = np.random.default_rng(0).integers(0, 4, (4, 5))
        data = wrap(
            SequenceSet(ids, ids % 2),
            task="classification",
            classes=2,
            input_size=4,
            vocabulary_size=4,
            tokens=(UNKNOWN, "a", "b", "c"),
            target_names=("bad", "good"),
            reading=TextReading("character", lowercase=True),
        )
        fields = {"readout": "every", "loss": "cross_entropy"}
        _, model = trained(tmp_path, data, ACCURACY, **fields)
        with pytest.raises(DataError, match=r"what this network tells \(bad, good\) are no tokens"):
            model.writer()

    def test_one_that_reads_both_ways(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="reads forwards only"):
            words(tmp_path, bidirectional=True).writer()
