"""Karpathy's five shapes are patterns of zero inputs and masks."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from trainers.data import SequenceData, load_data
from trainers.data.builtin.shapes import Shape
from trainers.errors import DataError

SHAPES = get_args(Shape)


def load(shape: str, **values: object) -> SequenceData:
    return load_data("shapes", {"shape": shape, **values}, base_dir=Path())


@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_brings_a_number_and_a_one_or_two_zeros(shape: str) -> None:
    data = load(shape)
    value, present = np.moveaxis(data.train.inputs, 2, 0)
    assert set(np.unique(present)) <= {0, 1}
    assert (value[present == 0] == 0).all()
    assert (np.abs(value) <= 1).all()


def test_one_to_one_is_a_single_step() -> None:
    part = load("one-to-one").train
    assert part.inputs.shape == (512, 1, 2)
    np.testing.assert_allclose(part.targets[:, 0, 0], part.inputs[:, 0, 0] / 2)


def test_one_to_many_has_an_input_at_the_first_step_only_and_targets_at_all() -> None:
    part = load("one-to-many").train
    assert part.inputs[:, :, 1].tolist() == [[1, 0, 0, 0, 0, 0]] * 512
    assert part.input_mask is None
    assert part.target_mask is None
    first = part.inputs[:, 0, 0]
    np.testing.assert_allclose(part.targets[:, 2, 0], 0.64 * first, rtol=1e-5)


def test_many_to_one_has_one_target_at_each_own_last_step() -> None:
    data = load("many-to-one")
    part = data.train
    assert data.one_target
    assert part.input_mask is not None
    assert part.target_mask is not None
    assert sorted(set(part.input_mask.sum(axis=1).tolist())) == [2, 3, 4, 5, 6]
    row = int(part.input_mask.sum(axis=1).argmin())
    assert part.target_mask[row].tolist() == [False, True, False, False, False, False]
    np.testing.assert_allclose(part.targets[row, 1, 0], part.inputs[row, :2, 0].mean(), rtol=1e-5)


def test_delayed_hears_three_numbers_then_says_them() -> None:
    part = load("many-to-many-delayed").train
    assert part.inputs[0, :, 1].tolist() == [1, 1, 1, 0, 0, 0]
    assert part.input_mask is None
    assert part.target_mask is not None
    assert part.target_mask[0].tolist() == [False] * 3 + [True] * 3
    np.testing.assert_array_equal(part.targets[:, 3:, 0], part.inputs[:, :3, 0])


def test_synced_answers_at_every_step() -> None:
    part = load("many-to-many-synced").train
    x = part.inputs[..., 0]
    np.testing.assert_allclose(part.targets[:, 0, 0], x[:, 0] / 2, rtol=1e-5)
    np.testing.assert_allclose(part.targets[:, 3, 0], (x[:, 2] + x[:, 3]) / 2, atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_parts_and_seeds_differ_and_repeat(shape: str) -> None:
    assert load(shape, seed=1).digest == load(shape, seed=1).digest != load(shape).digest
    data = load(shape)
    assert not np.array_equal(data.train.inputs[:128], data.validation.inputs)


def test_another_shape_is_refused() -> None:
    with pytest.raises(DataError, match=r"data\.shape must be one of one-to-one, .* 'many'"):
        load("many")
    with pytest.raises(DataError, match="`train_sequences >= 1` must hold"):
        load("one-to-one", train_sequences=0)
