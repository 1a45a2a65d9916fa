"""Losses of counts take whole numbers >= 0 as they are; all else is one line with the way out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tests.trainers.factory import prefix_mask
from trainers.config.fitting import check_structure
from trainers.config.train_config import TrainConfig
from trainers.data import load_data
from trainers.data.contract import SequenceData, SequenceSet
from trainers.errors import ConfigError

COUNTS = ["poisson", "negative_binomial"]


def counts(values=None, mask=None, **fields):
    given = np.arange(12.0).reshape(3, 4, 1) if values is None else np.asarray(values)
    part = SequenceSet(given.astype("f4"), given.astype("f4"), mask, mask)
    return SequenceData("counts", "regression", part, part, None, 1, 1, "digest", **fields)


def check(data, loss):
    check_structure(TrainConfig(loss=loss, readout="every").structure(), data)


@pytest.mark.parametrize("loss", COUNTS)
def test_counts_fit(loss):
    check(counts(), loss)
    check(counts(target_scale=np.ones(1), target_shift=np.zeros(1)), loss)
    hidden = np.arange(12.0).reshape(3, 4, 1)
    hidden[1, 3] = np.nan  # masked
    hidden[1, 2] = -2.5
    check(counts(hidden, prefix_mask([4, 2, 4], 4)), loss)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"target_scale": np.array([3.0])}, "divided by 3; set data.scale_targets: false"),
        ({"target_shift": np.array([0.5])}, "shifted by 0.5; set data.scale_targets: false"),
        ({"target_transform": "log1p"}, "set data.target_transform: none and data.scale_targets"),
    ],
)
def test_scaled_shifted_and_transformed_ones_do_not(fields, says):
    with pytest.raises(ConfigError, match=f"loss=poisson needs counts as they are.*{says}"):
        check(counts(**fields), "poisson")


@pytest.mark.parametrize("wrong", [-1.0, 2.5])
def test_other_numbers_do_not(wrong):
    values = np.arange(12.0).reshape(3, 4, 1)
    values[1, 3] = wrong
    says = f"whole numbers >= 0, but the target of 'sold' is {wrong:g} at step 3 of sequence 1 in"
    with pytest.raises(ConfigError, match=says):
        check(counts(values, target_names=("sold",)), "poisson")


def test_what_one_data_set_has_says_nothing_of_another():
    good = counts()
    check(good, "poisson")
    bad = dataclasses.replace(good, validation=counts(np.full((3, 4, 1), 0.5)).train)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"0.5 at step 0 of sequence 0 in the validation"):
            check(bad, "poisson")


def test_the_option_that_is_named_mends_it(tmp_path):
    pd.DataFrame({"sold": [n % 7 for n in range(60)]}).to_csv(tmp_path / "t.csv", index=False)
    options = {"path": "t.csv", "target": "sold", "input_steps": 3}
    structure = TrainConfig(loss="negative_binomial").structure()
    with pytest.raises(ConfigError, match=r"are divided by .* and shifted by .*set data.sc"):
        check_structure(structure, load_data("csv", options, base_dir=tmp_path))
    mended = {**options, "scale_targets": False}
    check_structure(structure, load_data("csv", mended, base_dir=tmp_path))
