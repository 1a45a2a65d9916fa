"""The adding problem: the target can be worked out from the inputs, and only from valid steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainers.data import SequenceData, load_data
from trainers.errors import DataError


def adding(**values: object) -> SequenceData:
    small = {"train_sequences": 400, "validation_sequences": 50, "test_sequences": 50}
    return load_data("adding", {**small, **values}, base_dir=Path())


@pytest.mark.parametrize("lengths", [{"length": 20}, {"min_length": 15, "max_length": 20}])
def test_the_target_is_the_sum_of_the_two_marked_values(lengths: dict[str, int]) -> None:
    part = adding(**lengths).train
    valid = np.ones(part.inputs.shape[:2], bool) if part.input_mask is None else part.input_mask
    marked = np.where(valid, part.inputs[:, :, 1], 0)
    assert (marked.sum(axis=1) == 2).all()
    sums = (np.where(valid, part.inputs[:, :, 0], 0) * marked).sum(axis=1)
    assert part.target_mask is not None
    np.testing.assert_allclose(part.targets[part.target_mask][:, 0], sums, rtol=1e-6)


def test_ragged_sequences_use_every_length_and_their_padding_looks_like_data() -> None:
    part = adding(min_length=15, max_length=20).train
    assert part.input_mask is not None
    assert part.target_mask is not None
    lengths = part.input_mask.sum(axis=1)
    assert set(lengths) == set(range(15, 21))
    assert (part.target_mask.argmax(axis=1) == lengths - 1).all()
    assert (part.inputs[~part.input_mask][:, 1] == 1).all()
    assert (part.inputs[~part.input_mask][:, 0] > 0).all()


def test_a_constant_predictor_errs_by_a_sixth() -> None:
    part = adding(train_sequences=40_000, length=10).train
    assert np.var(part.targets[:, -1, 0]) == pytest.approx(1 / 6, abs=0.003)


def test_lasagnes_setting_marks_one_early_and_one_late_step_and_centres() -> None:
    data = adding(setting="lasagne", length=50, train_sequences=2_000)
    markers = data.train.inputs[:, :, 1] > 0.5
    assert (markers[:, :5].sum(axis=1) == 1).all()
    assert (markers[:, 25:].sum(axis=1) == 1).all()
    assert np.abs(data.train.inputs.mean(axis=(0, 1))).max() < 1e-6
    assert abs(data.train.targets.mean()) < 1e-6
    assert data.target_shift is not None
    assert data.target_shift[0] == pytest.approx(1, abs=0.03)


def test_parts_differ_and_a_part_depends_on_its_own_size_only() -> None:
    small, large = adding(), adding(train_sequences=500)
    np.testing.assert_array_equal(small.validation.inputs, large.validation.inputs)
    assert not np.array_equal(small.validation.inputs, small.test.inputs)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"length": 1}, "sequence length >= 2"),
        ({"min_length": 5}, "set both or neither"),
        ({"min_length": 9, "max_length": 5}, "min_length <= max_length"),
        ({"test_sequences": 0}, "test_sequences >= 1"),
        ({"setting": "mean"}, "one of irnn, lasagne, but got 'mean'"),
    ],
)
def test_impossible_options_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        adding(**values)
