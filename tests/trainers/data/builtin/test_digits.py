"""Handwritten digits as sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from trainers.data import SequenceData, load_data
from trainers.errors import DataError


def digits(source: str = "digits", **values: object) -> SequenceData:
    return load_data(source, values, base_dir=Path())


@pytest.mark.parametrize(("source", "shape"), [("digits", (8, 8)), ("digits-pixels", (64, 1))])
def test_every_image_is_in_exactly_one_part(source: str, shape: tuple[int, int]) -> None:
    data = digits(source)
    assert data.train.inputs.shape[1:] == shape
    assert (data.input_size, data.output_size) == (shape[1], 10)
    everything = np.concatenate([p.inputs.reshape(-1, 64) for p in data.parts().values()])
    images = load_digits().data / 16
    assert len(everything) == 1_797
    np.testing.assert_array_equal(np.sort(everything, axis=0), np.sort(images, axis=0))


def test_the_label_belongs_to_its_image_and_stands_at_the_last_step() -> None:
    data = digits()
    images, labels = load_digits(return_X_y=True)
    row = np.flatnonzero((images / 16 == data.validation.inputs[5].reshape(64)).all(axis=1))[0]
    assert data.validation.targets[5, -1] == labels[row]
    assert data.validation.target_mask is not None
    assert data.validation.target_mask[5].tolist() == [False] * 7 + [True]


def test_parts_have_their_shares_and_the_same_mix_of_classes() -> None:
    data = digits()
    assert [len(p) for p in data.parts().values()] == [1_078, 359, 360]
    for part in data.parts().values():
        shares = np.bincount(part.targets[:, -1]) / len(part)
        assert np.abs(shares - 0.1).max() < 0.01


def test_the_seed_chooses_the_split_and_is_repeatable() -> None:
    assert digits(seed=1).digest == digits(seed=1).digest
    assert digits(seed=1).digest != digits(seed=2).digest


@pytest.mark.parametrize(
    "values", [{"seed": -1}, {"split": [1.0, 0.0, 0.0]}, {"split": [0.998, 0.001, 0.001]}]
)
def test_an_impossible_split_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(DataError, match="must hold"):
        digits(**values)
