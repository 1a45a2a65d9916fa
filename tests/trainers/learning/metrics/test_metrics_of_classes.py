"""Classes and labels are judged as scikit-learn judges them, on what is not masked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearns

from trainers.conformance.metrics import value_of

CLASSES, ROWS = 4, 60


def ids(classes=CLASSES):
    """Return logits, ids and a mask; beneath it logits are NaN."""
    random = np.random.default_rng(classes)
    logits, truth = random.normal(size=(ROWS, classes)), random.integers(0, classes, ROWS)
    logits[np.arange(ROWS), truth] += 1.0
    mask = random.random(ROWS) < 0.7
    return np.where(mask[:, None], logits, np.nan), truth, mask


def labels():
    random = np.random.default_rng(9)
    logits = random.normal(size=(ROWS, 3))
    truth = (logits + random.normal(size=logits.shape) > 0).astype(np.float64)
    return logits, truth, random.random((ROWS, 3)) < 0.7


def measured(metric, loss, logits, truth, mask, **data):
    shape = mask if mask.ndim == 2 else mask[:, None]
    given = torch.from_numpy(logits), torch.from_numpy(truth), torch.from_numpy(shape)
    return value_of(metric, loss, *given, **data)


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 4])
def test_rates_of_classes_equal_scikit_learns(classes):
    logits, truth, mask = ids(classes)
    said, true = logits[mask].argmax(1), truth[mask]
    expected = {
        "balanced_accuracy": sklearns.balanced_accuracy_score(true, said),
        "precision": sklearns.precision_score(true, said, average="macro", zero_division=0),
        "recall": sklearns.recall_score(true, said, average="macro", zero_division=0),
        "f1": sklearns.f1_score(true, said, average="macro", zero_division=0),
    }
    names = ("red", "green", "blue", "a/b")[:classes]
    for name, score in (
        ("precision", sklearns.precision_score),
        ("recall", sklearns.recall_score),
        ("f1", sklearns.f1_score),
    ):
        each = score(true, said, average=None, zero_division=0)
        expected |= {f"{name}/{of}": value for of, value in zip(names, each, strict=True)}
    for name, value in expected.items():
        found = measured(name, "cross_entropy", logits, truth, mask, target_names=names)
        assert found == pytest.approx(value), name


def test_a_class_that_is_neither_there_nor_predicted_counts_in_no_mean():
    """Of three classes the third is missing: scikit-learn knows nothing of it."""
    logits, truth = np.eye(3)[[0, 1, 1, 0]], np.array([0, 1, 0, 0])
    mask = np.ones(4, bool)
    expected = sklearns.f1_score(truth, logits.argmax(1), average="macro")
    assert measured("f1", "cross_entropy", logits, truth, mask) == pytest.approx(expected)
    for rate in ("f1", "precision", "recall"):
        assert measured(f"{rate}/2", "cross_entropy", logits, truth, mask) is None


def test_probabilities_of_classes_are_judged_as_scikit_learn_does():
    for classes in (2, 4):
        logits, truth, mask = ids(classes)
        chances, true = softmax(logits[mask]), truth[mask]
        several = classes > 2
        expected = {
            "brier": sklearns.brier_score_loss(true, chances if several else chances[:, 1]),
            "auc": sklearns.roc_auc_score(
                true, chances if several else chances[:, 1], multi_class="ovr"
            ),
            "average_precision": sklearns.average_precision_score(np.eye(classes)[true], chances),
        }
        for name, value in expected.items():
            found = measured(name, "cross_entropy", logits, truth, mask)
            assert found == pytest.approx(value), (name, classes)


def test_labels_are_judged_as_scikit_learn_does():
    logits, truth, _ = labels()
    everything = np.ones(truth.shape, bool)
    chances, said = 1 / (1 + np.exp(-logits)), logits > 0
    expected = {
        "precision": sklearns.precision_score(truth, said, average="macro"),
        "recall": sklearns.recall_score(truth, said, average="macro"),
        "f1": sklearns.f1_score(truth, said, average="macro"),
        "auc": sklearns.roc_auc_score(truth, chances),
        "average_precision": sklearns.average_precision_score(truth, chances),
        "brier": np.mean(
            [sklearns.brier_score_loss(*pair) for pair in zip(truth.T, chances.T, strict=True)]
        ),
    }
    for name, value in expected.items():
        found = measured(name, "binary_cross_entropy", logits, truth, everything)
        assert found == pytest.approx(value), name


def test_masked_labels_are_left_out_one_by_one():
    logits, truth, mask = labels()
    wild, chances = np.where(mask, logits, np.nan), 1 / (1 + np.exp(-logits))
    each = [sklearns.roc_auc_score(truth[m, k], chances[m, k]) for k, m in enumerate(mask.T)]
    hidden = np.where(mask, truth, np.nan)
    found = measured("auc", "binary_cross_entropy", wild, hidden, mask)
    assert found == pytest.approx(np.mean(each))
    brier = measured("brier", "binary_cross_entropy", wild, hidden, mask)
    assert brier == pytest.approx(np.square(chances - truth)[mask].mean())


def test_calibration_is_the_gap_between_confidence_and_what_is_right():
    """Two answers of 80 %, one right, and one of 60 %, right: bins .8 and .6."""
    chances = np.array([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]])
    logits, truth = np.log(chances), np.array([0, 1, 1])
    found = measured("ece", "cross_entropy", logits, truth, np.ones(3, bool))
    assert found == pytest.approx((abs(0.5 - 0.8) * 2 + abs(1 - 0.6)) / 3)
    one = np.log(0.8 / 0.2) * np.array([[1.0], [-1.0]])
    found = measured(
        "ece", "binary_cross_entropy", one, np.array([[1.0], [1.0]]), np.ones((2, 1), bool)
    )
    assert found == pytest.approx(abs(0.5 - 0.8))


@pytest.mark.parametrize("metric", ["auc", "average_precision"])
def test_one_class_defines_no_ranking(metric):
    logits, _, mask = ids()
    assert measured(metric, "cross_entropy", logits, np.zeros(ROWS, int), mask) is None
