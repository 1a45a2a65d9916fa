"""Means of what trials say, and who of them is taken: small numbers worked out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.own_units import own_units, trained_units
from trainers.ensembles.judging import Judge
from trainers.ensembles.predictions import Predictions, Spoken
from trainers.ensembles.selection import interval, select
from trainers.errors import DataError
from trainers.packs.answers import Answers

RMSE = Objective("rmse")


def data_of(targets, **more):
    """One target a sequence; `targets (sequences, outputs)` or ids `(sequences,)`."""
    targets = np.asarray(targets)[:, None]
    part = SequenceSet(np.zeros((len(targets), 1, 1), np.float32), targets)
    task = "regression" if targets.ndim == 3 else "classification"
    size = targets.shape[-1] if targets.ndim == 3 else int(targets.max()) + 1
    return SequenceData("d", task, part, part, part, 1, size, "digest", one_target=True, **more)


def spoken(data, outputs, loss="mse", **settings):
    outputs = np.asarray(outputs, dtype=np.float32)
    rows, part = np.arange(len(outputs)), data.validation
    rescale = None if part.rescale is None else np.asarray(part.rescale)
    answers = Answers(rows, 0 * rows, outputs, part.targets[:, 0], None, rescale)
    structure = TrainConfig.from_mapping({"cell": "gru", "loss": loss, **settings}).structure()
    return Spoken(answers, part, data, structure)


def numbers(*said, targets, **scaling):
    data = data_of(np.float32(targets), **scaling)
    return Judge(Predictions.of([spoken(data, one) for one in said]))


def test_the_mean_of_two_is_judged_as_one_model_would_be():
    judge = numbers([[1.0], [3.0]], [[3.0], [5.0]], targets=[[2.0], [2.0]])
    found = judge.metrics(np.array([1, 1]))  # says 2 and 4
    assert found["rmse"] == pytest.approx(np.sqrt(2))
    assert found["mae"] == 1
    assert "loss" not in found


def test_a_member_that_was_taken_twice_counts_twice():
    judge = numbers([[0.0]] * 2, [[3.0]] * 2, targets=[[2.0], [1.0]])
    assert judge.metrics(np.array([1, 2]))["mae"] == pytest.approx(0.5)  # says 2 and 2


def test_other_scales_are_averaged_in_own_units():
    targets = np.float32([[10.0], [20.0]])
    first = data_of((targets - 10) / 2, target_scale=np.array([2.0]), target_shift=np.array([10.0]))
    other = data_of(targets / 5, target_scale=np.array([5.0]))
    said = [spoken(first, [[0.0], [0.0]]), spoken(other, [[4.0], [4.0]])]  # 10 and 20
    judge = Judge(Predictions.of(said))
    assert judge.metrics(np.array([1, 1]))["mae"] == pytest.approx(5)  # says 15 and 15
    assert judge.metrics(np.array([0, 1]))["mae"] == pytest.approx(5)
    assert judge.metrics(np.array([1, 0]))["rmse"] == pytest.approx(np.sqrt(50))


def test_sequences_with_scales_of_their_own_come_to_the_common_one():
    data = data_of(np.float32([[1.0], [1.0]]))
    rescale = np.array([[[2.0], [0.0]], [[10.0], [1.0]]])  # targets are 2 and 11
    part = dataclasses.replace(data.validation, rescale=rescale)
    data = dataclasses.replace(data, validation=part)
    judge = Judge(Predictions.of([spoken(data, [[2.0], [1.0]]), spoken(data, [[0.0], [1.1]])]))
    assert judge.metrics(np.array([1, 0]))["mae"] == pytest.approx(1)  # says 4 and 11
    assert judge.metrics(np.array([1, 1]))["mae"] == pytest.approx(0.25)  # says 2 and 11.5


def test_logarithms_are_undone_before_the_mean_and_taken_again():
    data = data_of(np.log1p(np.float32([[8.0]])), target_transform="log1p")
    own = np.array([[3.0], [8.0]])
    assert own_units(data, trained_units(data, own)) == pytest.approx(own)
    found = Predictions.of([spoken(data, np.log1p([[3.0]])), spoken(data, np.log1p([[5.0]]))])
    assert np.expm1(found.mean(np.array([1, 1]))) == pytest.approx(4)


def test_probabilities_are_averaged_not_logits():
    data = data_of(np.array([0, 1]))
    sure, unsure = np.log([[0.9, 0.1], [0.1, 0.9]]), np.log([[0.5, 0.5], [0.7, 0.3]])
    said = [spoken(data, one, "cross_entropy") for one in (sure, unsure)]
    judge = Judge(Predictions.of(said))
    found = judge.metrics(np.array([1, 1]))  # says .7, .3 and .4, .6
    assert found["accuracy"] == 1
    assert found["cross_entropy"] == pytest.approx(-np.log([0.7, 0.6]).mean())


def test_labels_that_do_not_exclude_each_other_are_averaged_alike():
    data = data_of(np.float32([[1.0, 0.0]]))
    data = dataclasses.replace(data, task="classification")
    said = [
        spoken(data, np.log([[9.0, 1.0]]), "binary_cross_entropy"),  # .9 and .5
        spoken(data, np.log([[1.0, 1.0]]), "binary_cross_entropy"),  # .5 and .5
    ]
    found = Predictions.of(said).mean(np.array([1, 1]))
    assert 1 / (1 + np.exp(-found)) == pytest.approx(np.array([[0.7, 0.5]]))


def test_quantiles_of_the_same_levels_are_averaged_level_by_level():
    data = data_of(np.float32([[2.0]]))
    levels = {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9)}
    said = [spoken(data, [[0.0, 1.0, 2.0]], **levels), spoken(data, [[4.0, 3.0, 2.0]], **levels)]
    found = Predictions.of(said)
    assert found.structure.loss == "quantile"
    assert found.mean(np.array([1, 1])).tolist() == [[1.0, 2.0, 3.0]]  # crossed ones are sorted
    assert Judge(found).metrics(np.array([1, 1]))["mae"] == 0


def test_of_other_losses_and_of_distributions_the_points_are_averaged():
    data = data_of(np.float32([[2.0]]))
    levels = {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9)}
    said = [spoken(data, [[0.0, 1.0, 2.0]], **levels), spoken(data, [[5.0]])]
    assert Predictions.of(said).mean(np.array([1, 1])).tolist() == [[3.0]]
    said = [spoken(data, [[value, 0.0]], "gaussian") for value in (1.0, 2.0)]
    found = Predictions.of(said)
    assert (found.structure.loss, found.mean(np.array([1, 1])).tolist()) == ("mse", [[1.5]])


def test_targets_in_another_order_are_told_apart_by_their_origins():
    data = data_of(np.float32([[1.0], [2.0], [3.0]]))
    part = dataclasses.replace(data.validation, origins=np.array([7, 8, 9]))
    data = dataclasses.replace(data, validation=part)
    turned = data_of(np.float32([[3.0], [1.0], [2.0]]))
    part = dataclasses.replace(turned.validation, origins=np.array([9, 7, 8]))
    turned = dataclasses.replace(turned, validation=part)
    said = [spoken(data, [[1.0], [2.0], [3.0]]), spoken(turned, [[3.0], [1.0], [2.0]])]
    assert Judge(Predictions.of(said)).metrics(np.array([1, 1]))["mae"] == 0


def test_trials_of_other_targets_are_refused():
    said = [spoken(data_of(np.zeros((n, 1), np.float32)), [[0.0]] * n) for n in (2, 3)]
    with pytest.raises(DataError, match=r"must judge the same targets, but have \[2, 3\]"):
        Predictions.of(said)


def test_masked_outputs_do_not_count_whatever_they_hold():
    data = data_of(np.float32([[1.0, np.nan], [2.0, 4.0]]))
    one = spoken(data, [[1.0, 9.0], [2.0, 5.0]])
    mask = np.array([[True, False], [True, True]])
    one = dataclasses.replace(one, answers=dataclasses.replace(one.answers, mask=mask))
    judge = Judge(Predictions.of([one, one]))
    assert judge.metrics(np.array([1, 0]))["mae"] == pytest.approx(1 / 3)


def test_two_that_err_to_either_side_are_taken_together():
    judge = numbers([[1.0], [3.0]], [[3.0], [5.0]], [[9.0], [9.0]], targets=[[2.0], [4.0]])
    found = select(judge, 3, RMSE)
    assert found.counts.tolist() == [1, 1, 0]
    assert (found.metrics["rmse"], found.single, found.better) == (0, 0, True)


def test_a_trial_that_nobody_helps_stays_alone():
    found = select(numbers([[2.0]], [[5.0]], targets=[[2.0]]), 2, RMSE)
    assert (found.counts.tolist(), found.better) == ([1, 0], False)


def test_more_may_be_better_than_less():
    judge = numbers([[1.0]], [[5.0]], targets=[[2.0]])
    assert select(judge, 2, RMSE).counts.tolist() == [3, 1]
    judge = numbers([[0.0, 1.0]] * 4, [[1.0, 0.0]] * 4, targets=[[0, 1], [1, 0], [0, 1], [1, 0]])
    assert select(judge, 2, Objective("r2", "maximize")).better


def test_an_objective_that_means_do_not_have_chooses_nobody():
    assert select(numbers([[1.0]], [[2.0]], targets=[[2.0]]), 2, Objective("loss")) is None


def test_sums_by_sequence_make_the_metrics_of_the_whole():
    generator = np.random.default_rng(0)
    targets = generator.normal(size=(30, 2))
    judge = numbers(targets + 1, targets * 2, targets=targets)
    counts = np.array([1, 2])
    assert judge.of_sums(judge.by_sequence(counts)) == pytest.approx(judge.metrics(counts))
    drawn = np.bincount([3, 3, 5], minlength=30).astype(float)
    rows = [3, 3, 5]
    alone = numbers(targets[rows] + 1, targets[rows] * 2, targets=targets[rows])
    found = judge.of_sums(judge.by_sequence(counts), drawn)
    assert found == pytest.approx(alone.metrics(counts), rel=1e-5)


def test_the_interval_holds_the_difference_and_is_the_same_for_a_seed():
    generator = np.random.default_rng(0)
    targets, noise = generator.normal(size=(2, 400, 1))
    judge = numbers(targets + noise, targets - 0.9 * noise, targets=targets)
    both, one = np.array([1, 1]), np.array([1, 0])
    low, high = interval(judge, both, one, "rmse", 1)
    assert low < judge.metrics(both)["rmse"] - judge.metrics(one)["rmse"] < high < 0
    assert (low, high) == interval(judge, both, one, "rmse", 1)
    assert interval(judge, one, one, "rmse", 1) == (0, 0)


def test_a_few_sequences_have_no_interval():
    judge = numbers([[1.0]] * 9, [[2.0]] * 9, targets=[[2.0]] * 9)
    assert interval(judge, np.array([1, 1]), np.array([1, 0]), "rmse", 1) is None
