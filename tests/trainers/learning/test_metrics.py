from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, r2_score

from tests.trainers.factory import (
    ACCURACY,
    admitted,
    classes_set,
    prefix_mask,
    regression_data,
    regression_set,
    wrap,
)
from trainers.config.measured import metric_names
from trainers.config.objective import Objective
from trainers.config.train_config import Structure, TrainConfig
from trainers.data.contract import SequenceSet
from trainers.errors import ConfigError, DataError
from trainers.learning import losses
from trainers.learning.batches import Part
from trainers.learning.metrics import Tally, total_squares
from trainers.network.segment import Segment
from trainers.packs.pack import Pack

REGRESSION = TrainConfig(readout="every")
CLASSES = TrainConfig(readout="every", loss="cross_entropy")


def regression_tally(**fields):
    outputs = len(fields.get("target_scale", [1.0]))
    return Tally(wrap(regression_set(2, 2, outputs=outputs), **fields), REGRESSION.structure())


def test_regression_metrics_are_in_the_targets_own_units():
    """Errors 1 and −3 in scaled units are 10 and −30 Wh."""
    tally = regression_tally(target_scale=np.array([10.0]), target_shift=np.array([5.0]))
    tally.add(torch.tensor([[[1.0], [-3.0]]]), torch.zeros(1, 2, 1))
    tally.loss_sum, tally.loss_count = 10.0, 2.0
    result = tally.result(np.array([20.0]))
    assert result == pytest.approx(
        {"loss": 5.0, "mse": 500.0, "rmse": 500.0**0.5, "mae": 20.0, "r2": 0.5}
    )


def test_single_masked_outputs_are_left_out():
    tally = regression_tally(target_scale=np.ones(2))
    outputs = torch.tensor([[1.0, 7.0], [3.0, 2.0]])
    tally.add(outputs[None], torch.zeros(1, 2, 2), torch.tensor([[[True, False], [True, True]]]))
    tally.loss_count = 1.0
    assert tally.result()["mse"] == pytest.approx((1 + 9 + 4) / 3)


def test_r2_is_the_mean_over_outputs_that_vary():
    tally = regression_tally(target_scale=np.ones(2))
    tally.add(torch.tensor([[[1.0, 1.0]]]), torch.zeros(1, 1, 2))
    tally.loss_count = 1.0
    assert tally.result(np.array([4.0, 0.0]))["r2"] == pytest.approx(0.75)
    assert "r2" not in tally.result(np.zeros(2))


def test_adding_block_by_block_equals_all_at_once_and_scikit_learn():
    random = np.random.default_rng(0)
    data = regression_set(30, 4, outputs=2)
    predicted = (data.targets + random.normal(size=data.targets.shape)).astype(np.float32)
    tally = Tally(wrap(data), REGRESSION.structure())
    flat, actual = torch.from_numpy(predicted.reshape(-1, 2)), data.targets.reshape(-1, 2)
    for start in range(0, 120, 7):
        steps = slice(start, start + 7)
        tally.add(flat[None, steps], torch.from_numpy(actual[None, steps]))
    tally.loss_count = 1.0
    squares = total_squares(Part(data, REGRESSION.structure()))
    result = tally.result(squares)
    assert result["r2"] == pytest.approx(r2_score(actual, flat.numpy()), rel=1e-6)


def test_classification_metrics_equal_scikit_learn():
    random = np.random.default_rng(0)
    actual, logits = random.integers(0, 3, 50), random.normal(size=(50, 5)).astype(np.float32)
    tally = Tally(wrap(classes_set(2, 2), task="classification", classes=5), CLASSES.structure())
    for steps in (slice(0, 20), slice(20, 50)):
        tally.add(torch.from_numpy(logits[None, steps]), torch.from_numpy(actual[None, steps]))
    tally.loss_count = 1.0
    predicted = logits.argmax(1)
    result = tally.result()
    assert result["accuracy"] == pytest.approx((predicted == actual).mean())
    assert result["macro_f1"] == pytest.approx(f1_score(actual, predicted, average="macro"))


def test_multi_label_accuracy_counts_every_label():
    """Labels 10 and 01 predicted as 11 and 01: three of four are right."""
    data = SequenceSet(np.zeros((1, 2, 3), np.float32), np.zeros((1, 2, 2), np.float32))
    config = TrainConfig(readout="every", loss="binary_cross_entropy")
    tally = Tally(wrap(data, task="classification", classes=2), config.structure())
    tally.add(torch.tensor([[[2.0, 1.0], [-1.0, 3.0]]]), torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]))
    tally.loss_count = 1.0
    assert tally.result() == pytest.approx(
        {"loss": 0.0, "accuracy": 0.75, "macro_f1": (1 + 2 / 3) / 2}
    )


@pytest.mark.parametrize("readout", ["every", "last"])
def test_total_squares_see_valid_targets_only(readout):
    data = regression_set(6, 4, mask=prefix_mask([4, 2, 3, 1, 4, 2], 4))
    data.targets[~data.target_mask] = np.nan
    structure = TrainConfig(readout=readout).structure()
    ends = data.input_mask.sum(1) - 1
    seen = data.targets[data.target_mask] if readout == "every" else data.targets[range(6), ends]
    expected = ((seen - seen.mean(0)) ** 2).sum(0)
    np.testing.assert_allclose(total_squares(Part(data, structure)), expected, rtol=1e-6)


def test_a_constant_targets_total_squares_are_exactly_zero():
    data = regression_set(5, 3)
    data.targets[:] = 0.1
    assert total_squares(Part(data, REGRESSION.structure())).tolist() == [0.0]
    with pytest.raises(DataError, match="r2 needs validation targets that vary"):
        Pack(REGRESSION.structure(), wrap(data), Objective("r2", "maximize"))


def test_objective_and_loss_must_fit_the_task():
    numbers = wrap(regression_set(2, 2))
    with pytest.raises(ConfigError, match="'accuracy'"):
        Pack(REGRESSION.structure(), numbers, Objective("accuracy", "maximize"))
    with pytest.raises(ConfigError, match="'cross_entropy'"):
        Pack(CLASSES.structure(), numbers, Objective("rmse", "minimize"))
    labels = TrainConfig(readout="every", loss="binary_cross_entropy").structure()
    ids = wrap(classes_set(2, 2), task="classification")
    with pytest.raises(ConfigError, match=r"cross_entropy.* for targets that are class ids"):
        Pack(labels, ids, Objective("accuracy", "maximize"))
    assert "r2" in metric_names(numbers, REGRESSION.loss)


def labelled(**fields):
    data = classes_set(30, 5, mask=prefix_mask(np.arange(30) % 5 + 1, 5), dtype=np.float64)
    return wrap(data, task="classification", **fields)


FROZEN = TrainConfig(
    loss="cross_entropy", readout="every", hidden_size=4, dtype="float64", batch_size=7,
    learning_rate=0.0,
)  # fmt: skip


def test_a_confusion_matrix_counts_actual_by_predicted_and_agrees_with_accuracy():
    pack = admitted(FROZEN, labelled(), ACCURACY)
    report = pack.train(0)
    matrix = pack.confusion_matrix(0, "validation")
    data = labelled().train
    actual = np.bincount(data.targets[data.target_mask], minlength=3)
    assert matrix.sum(axis=1).tolist() == actual.tolist()
    assert np.trace(matrix) / matrix.sum() == pytest.approx(report.validation["accuracy"])
    with pytest.raises(ConfigError, match="needs targets that are class ids"):
        admitted(TrainConfig(readout="every"), regression_data()).confusion_matrix(0, "train")


def test_class_weights_are_factors_of_the_loss_and_not_of_cross_entropy():
    plain = admitted(FROZEN, labelled(), ACCURACY).train(0)
    weights = np.array([2.0, 2.0, 2.0])
    doubled = admitted(FROZEN, labelled(class_weights=weights), ACCURACY).train(0)
    for part in ("train", "validation"):
        one, two = getattr(plain, part), getattr(doubled, part)
        assert two["loss"] == pytest.approx(2 * one["loss"])
        assert two["cross_entropy"] == pytest.approx(one["cross_entropy"]) == one["loss"]


def test_class_weights_weigh_the_class_of_the_target():
    """torch's weighted sum, divided by the number of targets."""
    logits = torch.randn(1, 6, 3, dtype=torch.float64)
    targets = torch.tensor([[0, 2, 1, 1, 0, 2]])
    weights = torch.tensor([1.0, 0.0, 5.0], dtype=torch.float64)
    segment = Segment(torch.zeros(1), targets=targets, denominator=6.0)
    values = losses.elements(Structure(loss="cross_entropy"), logits, targets)
    expected = torch.nn.functional.cross_entropy(logits[0], targets[0], weights, reduction="sum")
    assert losses.reduced(values, segment, weights).item() == pytest.approx(expected.item() / 6)


def test_class_weights_of_labels_weigh_the_present_ones_as_torchs_pos_weight():
    logits, targets = torch.randn(1, 6, 2), (torch.randn(1, 6, 2) > 0).float()
    weights = torch.tensor([3.0, 0.5])
    segment = Segment(torch.zeros(1), targets=targets, denominator=12.0)
    values = losses.elements(Structure(loss="binary_cross_entropy"), logits, targets)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, targets, pos_weight=weights
    )
    assert losses.reduced(values, segment, weights).item() == pytest.approx(expected.item())


def test_language_is_measured_in_nats_bits_and_perplexity():
    random = np.random.default_rng(0)
    ids = random.integers(0, 4, size=(20, 6))
    data = SequenceSet(ids, np.roll(ids, -1, axis=1))
    wrapped = wrap(data, task="classification", classes=4, input_size=4, vocabulary_size=4)
    objective = Objective("bits_per_character", "minimize")
    metrics = admitted(FROZEN, wrapped, objective).train(0).validation
    assert metrics["nats"] == metrics["cross_entropy"]
    assert metrics["bits_per_character"] == pytest.approx(metrics["nats"] / math.log(2))
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["nats"]))
    assert 3.5 < metrics["perplexity"] < 5.0  # four equally likely tokens
    assert "perplexity" not in metric_names(labelled(), FROZEN.loss)
