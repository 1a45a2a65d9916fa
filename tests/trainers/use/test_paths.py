"""Paths drawn from a network's distributions, each fed back what was drawn of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sweep.models.forecasts import forecast_file
from tests.trainers.trained_series import Trained, table
from trainers.data.series.asking import courses_of_table
from trainers.errors import DataError
from trainers.learning.losses.forecast import forecast
from trainers.use.forecasting import Horizon
from trainers.use.records import Encoded

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


GAUSSIAN = {"loss": "gaussian"}
QUANTILE = {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9)}
POISSON = {"loss": "poisson"}


def loads() -> pd.DataFrame:
    frame = table()[["time", "load"]]
    return frame.assign(load=frame["load"].ffill())


def told(trained: Trained, steps: int, **how: Any) -> pd.DataFrame:
    return pd.DataFrame(forecast_file(trained.model, trained.path, Horizon(steps, **how)))


@pytest.fixture(scope="module")
def gaussian(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("gaussian"), loads(), GAUSSIAN, time_column="time")


@pytest.mark.parametrize(
    ("train", "options"),
    [
        (GAUSSIAN, {}),
        (GAUSSIAN, {"target_transform": "log1p", "output_steps": 2}),
        (QUANTILE, {}),
        (POISSON, {"scale_targets": False, "target": "visits"}),
    ],
)
def test_quantiles_of_the_first_step_are_the_distributions(
    tmp_path: Path, train: dict[str, Any], options: dict[str, Any]
) -> None:
    frame = loads().assign(visits=lambda f: f["load"].round())
    trained = Trained(tmp_path, frame, train, time_column="time", **options)
    model, reading = trained.model, trained.model.interface.reading
    found = told(trained, 1, paths=4_000, quantiles=LEVELS, seed=3)
    (course,) = courses_of_table(trained.path, reading, 1)
    (window,) = course.windows_before(0, np.empty((1, 0, 1)))
    outputs = torch.from_numpy(model.outputs_of([Encoded(window.inputs, window.present)])[0])
    distribution = forecast(model.config.structure(), outputs)
    scaled = distribution.quantile(LEVELS).numpy().T  # (levels, outputs)
    expected = np.stack([model.in_own_units(one, None) for one in scaled])[:, 0]
    name = reading.targets[0]
    quantiles = found[[f"{name}_q{level}" for level in LEVELS]].to_numpy()[0]
    spread = expected[-1] - expected[0]
    np.testing.assert_allclose(quantiles, expected, atol=0.06 * spread + 1e-6)
    assert found[f"{name}_predicted"][0] == quantiles[2]
    assert (np.diff(quantiles) >= 0).all()


def test_columns_are_the_median_and_the_quantiles(gaussian: Trained) -> None:
    found = told(gaussian, 3, paths=20)
    quantiles = ["load_q0.05", "load_q0.5", "load_q0.95"]
    assert [*found.columns] == ["time", "step", "load_predicted", *quantiles]
    assert found["load_predicted"].equals(found["load_q0.5"])


def test_a_seed_draws_the_same_paths(gaussian: Trained) -> None:
    one, again, other = (told(gaussian, 5, paths=8, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not np.allclose(one["load_predicted"], other["load_predicted"])


def test_a_path_reads_what_was_drawn_of_it(gaussian: Trained) -> None:
    """By hand: draw, write the draw into the file, draw again with the same generator."""
    found = told(gaussian, 4, paths=1, seed=5, whole_paths=True)
    model, generator = gaussian.model, torch.Generator().manual_seed(5)
    frame, drawn = loads(), []
    for _ in range(4):
        frame.to_csv(gaussian.path, index=False)
        (course,) = courses_of_table(gaussian.path, model.interface.reading, 1)
        (window,) = course.windows_before(0, np.empty((1, 0, 1)))
        outputs = np.stack(model.outputs_of([Encoded(window.inputs, window.present)]))
        drawn.append(model.in_own_units(model.answers_of(outputs, generator), None).item())
        (row,) = gaussian.predicted(frame, last=True).to_dict("records")
        frame.loc[len(frame)] = [row["time"], drawn[-1]]
    loads().to_csv(gaussian.path, index=False)
    np.testing.assert_allclose(found["load_predicted"], drawn, rtol=1e-6)
    assert [[pytest.approx(one, rel=1e-6)] for one in drawn] == found["load_paths"].tolist()


def test_each_series_has_its_own_scale(tmp_path: Path) -> None:
    both = [
        loads().assign(shop=n, load=lambda f, s=s: f["load"] * s) for n, s in (("A", 1), ("B", 9))
    ]
    options = {"time_column": "time", "series": "shop", "scale_by": "series"}
    trained = Trained(tmp_path, pd.concat(both), GAUSSIAN, **options)
    found = told(trained, 3, paths=200).groupby("shop").mean(numeric_only=True)
    width = found["load_q0.95"] - found["load_q0.05"]
    assert width["B"] / width["A"] == pytest.approx(9, rel=0.3)


def test_a_network_that_answers_with_a_number_has_no_paths(tmp_path: Path) -> None:
    trained = Trained(tmp_path, loads(), time_column="time")
    with pytest.raises(DataError, match="are drawn from distributions, but loss=mse"):
        told(trained, 2, paths=3)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"paths": 0}, "`paths >= 1` must hold for a whole number, but got 0"),
        ({"paths": -1}, "`paths >= 1`"),
        ({"paths": 5, "seed": -1}, "`seed >= 0`"),
        ({"paths": 5, "quantiles": ()}, "`0 < level < 1` must hold .* but got none"),
        ({"paths": 5, "quantiles": (0.0, 0.5)}, "`0 < level < 1` .* but got 0.0, 0.5"),
        ({"paths": 5, "quantiles": (0.5, 0.1)}, "in ascending order, but got 0.5, 0.1"),
        ({"paths": 5, "quantiles": (float("nan"),)}, "but got nan"),
        ({"paths": 2.0}, "`paths >= 1` must hold for a whole number, but got 2.0"),
    ],
)
def test_what_breaks_a_law_is_refused(how: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Horizon(3, **how)
