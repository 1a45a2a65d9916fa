"""Ridge on windows: scikit-learn's own answers, gaps, and what is cut where there is much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from tests.trainers.data.naive.test_means import table
from trainers.data import load_data
from trainers.data.naive import ridge as module
from trainers.data.naive.forecast import NotPossible
from trainers.data.naive.places import places_of
from trainers.data.naive.ridge import PENALTIES, ridge


def noisy(rows: int = 120) -> pd.DataFrame:
    random = np.random.default_rng(0)
    y = np.convolve(random.normal(size=rows + 3), [1.0, 0.6, 0.3, 0.1], mode="valid")
    return pd.DataFrame({"x": random.normal(size=rows), "y": 50 + 10 * y[:rows]})


def test_it_is_scikit_learns_ridge_with_the_penalty_that_is_best_on_validation(tmp_path):
    data = table(tmp_path, noisy(), input_steps=4, output_steps=2)
    flat = {n: np.asarray(p.inputs).reshape(len(p), -1) for n, p in data.parts().items()}
    scaled = {n: np.asarray(p.targets)[:, -1] for n, p in data.parts().items()}
    models = [Ridge(alpha=alpha).fit(flat["train"], scaled["train"]) for alpha in PENALTIES]
    errors = [np.square(m.predict(flat["validation"]) - scaled["validation"]).mean()
              for m in models]  # fmt: skip
    best = int(np.argmin(errors))
    forecast = ridge(data, one_target=True)
    assert forecast.about.endswith(f"penalty {PENALTIES[best]:g}")
    at = places_of(data.test, one_target=True)
    expected = models[best].predict(flat["test"]) * data.target_scale + data.target_shift
    np.testing.assert_allclose(forecast.answer(data.test, at), expected, rtol=1e-4)


def test_absent_steps_are_zero_and_told(tmp_path):
    frame = noisy()
    frame.loc[[20, 21, 70, 100], "x"] = np.nan
    data = table(tmp_path, frame, inputs=["x"], input_steps=3, missing="mask")
    forecast = ridge(data, one_target=True)
    flat = []
    for part in data.parts().values():
        mask = np.asarray(part.input_mask)
        values = np.where(mask[..., None], np.asarray(part.inputs), 0).reshape(len(part), -1)
        flat.append(np.concatenate([values, mask], axis=1))
    alpha = float(forecast.about.rpartition(" ")[2])
    at = places_of(data.train, one_target=True)
    own = np.asarray(data.train.targets)[at.rows, at.steps]
    model = Ridge(alpha=alpha).fit(flat[0], own)
    expected = model.predict(flat[2]).reshape(-1, 1) * data.target_scale + data.target_shift
    found = forecast.answer(data.test, places_of(data.test, one_target=True))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_much_is_cut_and_said(tmp_path, monkeypatch):
    data = table(tmp_path, noisy(), input_steps=6)
    monkeypatch.setattr(module, "_MOST_FEATURES", 8)
    monkeypatch.setattr(module, "_MOST_PRODUCTS", 20 * 8**2)
    forecast = ridge(data, one_target=True)
    assert forecast.note == "it reads the last 4 of 6 steps; fitted on 18 of 54 windows"
    at = places_of(data.test, one_target=True)
    assert np.isfinite(forecast.answer(data.test, at)).all()


def test_small_blocks_give_the_same_numbers(tmp_path, monkeypatch):
    data = table(tmp_path, noisy(), input_steps=4)
    at = places_of(data.test, one_target=True)
    whole = ridge(data, one_target=True).answer(data.test, at)
    monkeypatch.setattr(module, "_BLOCK", 50)
    np.testing.assert_allclose(ridge(data, one_target=True).answer(data.test, at), whole)


def test_series_with_scales_of_their_own_are_told_apart(tmp_path):
    one = noisy()["y"].to_numpy()
    frame = pd.DataFrame({"s": ["a"] * 120 + ["b"] * 120, "y": [*one, *(1000 * one)]})
    data = table(tmp_path, frame, series="s", scale_by="series", input_steps=3)
    at = places_of(data.test, one_target=True)
    found = ridge(data, one_target=True).answer(data.test, at)[:, 0]
    half = len(found) // 2
    np.testing.assert_allclose(found[half:] / found[:half], 1000, rtol=1e-3)


def test_sequences_of_differing_length_are_aligned_at_their_ends():
    options = {"length": 6, "train_sequences": 60, "validation_sequences": 20}
    data = load_data("adding", options, base_dir=Path())
    assert np.isfinite(
        ridge(data, one_target=True).answer(
            data.validation, places_of(data.validation, one_target=True)
        )
    ).all()


def test_targets_that_are_seldom_whole_are_refused(tmp_path):
    frame = noisy()
    frame["z"] = np.where(np.arange(120) % 8, np.nan, np.arange(120.0) % 5)
    data = table(tmp_path, frame, target=["y", "z"], inputs=["x"], missing="mask")
    with pytest.raises(NotPossible, match="every target"):
        ridge(data, one_target=True)
