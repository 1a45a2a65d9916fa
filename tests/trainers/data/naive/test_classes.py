"""Classes: shares that can be counted, scikit-learn's answers, labels, texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainers.data import load_data
from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.naive.choosing import candidates, naive_forecasts
from trainers.data.naive.classes import logistic, majority, means_and_last
from trainers.data.naive.forecast import NotPossible
from trainers.data.naive.places import places_of
from trainers.data.naive.texts import tfidf


def classes(ids: list[int], validation: list[int], count: int = 3) -> SequenceData:
    """Sequences of two steps whose last input is the class, with one target each."""

    def part(own: list[int]) -> SequenceSet:
        inputs = np.zeros((len(own), 3, 2), np.float32)
        inputs[:, 1, 0] = own
        inputs[:, 2] = np.nan  # padding may hold anything
        targets = np.tile(np.array(own, dtype=np.int64)[:, None], (1, 3))
        exists = np.tile([True, True, False], (len(own), 1))
        return SequenceSet(inputs, targets, exists, np.tile([False, True, False], (len(own), 1)))

    return SequenceData("c", "classification", part(ids), part(validation), None, 2, count, "d",
                        one_target=True)  # fmt: skip


def answers(fit, data: SequenceData) -> np.ndarray:
    at = places_of(data.validation, one_target=data.one_target)
    return fit(data, one_target=data.one_target).answer(data.validation, at)


def test_majority_answers_training_shares():
    data = classes([0, 1, 1, 1, 1], [0, 1])
    # One is added to each count: 2, 5 and 1 of 8.
    np.testing.assert_allclose(np.exp(answers(majority, data)), [[2 / 8, 5 / 8, 1 / 8]] * 2)


def test_features_are_the_means_and_last_values_of_steps_that_exist():
    data = classes([0, 1, 2], [2])
    at = places_of(data.train, one_target=True)
    found = means_and_last(data.train, at, np.arange(2))
    assert found.tolist() == [[0, 0, 0, 0], [0.5, 0, 1, 0], [1, 0, 2, 0]]


def test_logistic_tells_classes_apart_and_knows_of_one_it_never_saw():
    data = classes([0, 1, 0, 1, 0, 1], [0, 1, 2])
    found = answers(logistic, data)
    assert found.argmax(axis=1).tolist()[:2] == [0, 1]
    assert np.exp(found[:, 2]) == pytest.approx(1 / 9)  # never seen: not impossible


def test_one_class_is_no_regression():
    with pytest.raises(NotPossible, match="one class only"):
        logistic(classes([1, 1, 1], [0]), one_target=True)


def test_each_label_has_its_own_share_and_regression():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(80, 4, 2)).astype(np.float32)
    labels = (inputs[:, -1] > 0).astype(np.float32)
    labels[:, 1] = inputs[:, :, 1].mean(axis=1) > -1
    targets = np.tile(labels[:, None], (1, 4, 1))
    mask = np.tile([False, False, False, True], (80, 1))
    part = SequenceSet(inputs, targets, None, mask)
    data = SequenceData("l", "classification", part, part, None, 2, 2, "d", one_target=True)
    share = (labels.sum(axis=0) + 1) / 82
    found = 1 / (1 + np.exp(-answers(majority, data)))
    np.testing.assert_allclose(found[0], share)
    told = answers(logistic, data) > 0
    assert ((told == (labels > 0.5)).mean(axis=0) > [0.9, 0.95]).all()


def test_texts_are_told_apart_by_their_words(tmp_path: Path):
    lines = [f"the film was {word} indeed\t{label}" for word, label in
             [("good", 1), ("great", 1), ("bad", 0), ("awful", 0)] * 12]  # fmt: skip
    (tmp_path / "texts.tsv").write_text("\n".join(lines), encoding="utf-8")
    options = {"path": "texts.tsv", "split": [0.6, 0.2, 0.2], "label_first": False}
    data = load_data("tokens", options, base_dir=tmp_path)
    assert list(candidates(data)) == ["majority", "tfidf"]
    at = places_of(data.test, one_target=True)
    found = tfidf(data, one_target=True).answer(data.test, at)
    truth = np.asarray(data.test.targets)[at.rows, at.steps]
    assert found.argmax(axis=1).tolist() == truth.tolist()


def test_a_label_at_each_step_leaves_only_the_majority():
    data = classes([0, 1, 1], [0])
    found, left_out = naive_forecasts(data, one_target=False)
    assert [one.name for one in found] == ["majority"]
    assert left_out == {"logistic": "each step has a target"}


def test_vowels_are_told_by_means_and_last_frames(vowels_folder: Path):
    data = load_data("vowels", {"path": str(vowels_folder)}, base_dir=Path())
    at = places_of(data.test, one_target=True)
    found = logistic(data, one_target=True).answer(data.test, at).argmax(axis=1)
    truth = np.asarray(data.test.targets)[at.rows, at.steps]
    assert (found == truth).mean() > 0.97
