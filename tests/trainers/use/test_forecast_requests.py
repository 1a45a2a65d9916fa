"""Records that ask for coming steps: of windows as files do, of streams with the state carried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep.models.forecasts import forecast_file
from tests.trainers.factory import ACCURACY, RMSE, wrap
from tests.trainers.portable_factory import named_classes, raw_records, regression, trained
from tests.trainers.trained_series import Trained
from tests.trainers.use.test_forecasting import (
    BY_SERIES,
    DECODER,
    KNOWN,
    STEPS,
    TestSeries,
    coming,
    hours,
)
from trainers.data.contract import SequenceSet
from trainers.errors import ConfigError, DataError
from trainers.use.forecasting import Horizon
from trainers.use.portable import PortableModel
from trainers.use.stepping import SteppedModel

GAUSSIAN = {"loss": "gaussian"}


def steps_of(frame: pd.DataFrame, names: tuple[str, ...], ahead: range) -> list[dict[str, Any]]:
    """The known rows as a client sends them, with what each knows of the rows after it."""
    for step in ahead:
        frame = frame.assign(**{f"price+{step}": frame["price"].shift(-step)})
    return json.loads(frame[:KNOWN][list(names)].to_json(orient="records"))


def asked(trained: Trained, steps: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    (answer,) = trained.model.predict([{"steps": steps, "forecast": STEPS, **fields}])
    return answer


@pytest.mark.parametrize(
    "options",
    [
        {"inputs": ["load"], "calendar": ["hour"], "elapsed": True},
        {"inputs": ["load"], "output_steps": 4},
        {"inputs": ["load"], "targets": "every", "steps_ahead": 3},
        {"drop": ["price", "temp", "sky"], "known_ahead": ["price"], "output_steps": 2},
        {"inputs": ["load", "temp", "price"], "known_ahead": ["price"], "holidays": "DE"},
        {"target": ["load", "temp"], "drop": ["price", "sky"]},
        {"inputs": ["price"], "known_ahead": ["price"], "steps_ahead": 0},
        {**DECODER, "inputs": ["load"], "known_ahead": ["price"], "calendar": ["hour"]},
        {"inputs": ["sky", "load"], "category_encoding": "embedding"},
    ],
    ids=str,
)
def test_a_request_is_answered_as_the_file(tmp_path: Path, options: dict[str, Any]) -> None:
    trained = Trained(tmp_path, hours(), time_column="time", **options)
    reading = trained.model.interface.reading
    coming(hours(), *reading.targets).to_csv(trained.path, index=False)
    rows = pd.DataFrame(forecast_file(trained.model, trained.path, Horizon(STEPS)))
    recipe = reading.encoding.recipe
    steps = steps_of(hours(), reading.raw_names, recipe.ahead)
    names = [c.name for c in (*recipe.columns, *recipe.known) if c.name not in reading.targets]
    later = hours()[KNOWN:][[*dict.fromkeys(names)]].to_dict("records")
    answer = asked(trained, steps, ahead=later)
    assert [*answer] == [*reading.targets]
    for name in reading.targets:
        np.testing.assert_allclose(answer[name], rows[f"{name}_predicted"], rtol=1e-6)
    if not names:
        assert asked(trained, steps) == answer
    if recipe.known and recipe.columns[0].name == "load" and len(recipe.columns) == 1:
        for step in recipe.ahead:  # what comes need not be said twice
            steps[-1][f"price+{step}"] = None
        again = asked(trained, steps, ahead=later)
        np.testing.assert_allclose(again["load"], answer["load"], rtol=1e-6)


def test_a_series_is_scaled_its_own_way(tmp_path: Path) -> None:
    shops = TestSeries()
    trained = Trained(tmp_path, shops.shops(), **BY_SERIES)
    shops.known(shops.shops(), {"A": KNOWN, "B": KNOWN}).to_csv(trained.path, index=False)
    rows = pd.DataFrame(forecast_file(trained.model, trained.path, Horizon(STEPS)))
    frame = shops.shops()[lambda f: f["shop"] == "B"].reset_index(drop=True)
    steps = steps_of(frame, trained.model.interface.raw_names, range(1, 2))
    later = frame[KNOWN:][["price"]].to_dict("records")
    answer = asked(trained, steps, ahead=later, series="B")
    expected = rows[rows["shop"] == "B"]["load_predicted"]
    np.testing.assert_allclose(answer["load"], expected, rtol=1e-6)


def test_paths_of_a_request_are_those_of_the_file(tmp_path: Path) -> None:
    trained = Trained(tmp_path, hours(), GAUSSIAN, time_column="time", inputs=["load"])
    how = {"paths": 30, "seed": 4, "quantiles": (0.1, 0.9), "whole_paths": True}
    hours()[:KNOWN].to_csv(trained.path, index=False)
    rows = pd.DataFrame(forecast_file(trained.model, trained.path, Horizon(STEPS, **how)))
    steps = steps_of(hours(), ("load",), range(0))
    answer = asked(trained, steps, **{**how, "quantiles": [0.1, 0.9]})
    assert [*answer] == ["load", "load_q0.1", "load_q0.9", "load_paths"]
    np.testing.assert_allclose(answer["load_q0.9"], rows["load_q0.9"], rtol=1e-6)
    assert np.array(answer["load_paths"]).shape == (STEPS, 30)


KNOWN_AHEAD = {"inputs": ["load"], "known_ahead": ["price"], "time_column": "time"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"forecast": 0}, "sequence 0: `steps >= 1` must hold for a whole number, but got 0"),
        ({"forecast": "6"}, "`steps >= 1` must hold for a whole number, but got '6'"),
        ({"forecast": True}, "`steps >= 1`"),
        ({}, "`steps <= 1` must hold, but got 6: .* 'price' is known for 1 .* send it in `ahead`"),
        ({"ahead": [{"price": 3}] * 4}, "`steps <= 4` must hold, but got 6"),
        ({"ahead": {"price": 3}}, "ahead must be a list of objects, one a coming step"),
        ({"ahead": [{"prize": 3}]}, "ahead: step 0 has no input 'prize'; did you mean 'price'"),
        ({"ahead": [{"load": 3}]}, "ahead: step 0 has no input 'load'"),
        ({"ahead": [{"price": "x"}]}, "ahead: step 0 must have a number or null as 'price'"),
        ({"state": ""}, "without a state"),
        ({"mask": [True]}, "sequence 0 has no field 'mask'"),
        ({"probabilities": True}, "sequence 0 has no field 'probabilities'"),
        ({"quantiles": 0.5}, "`quantiles` must be a list"),
        ({"generate": 5}, "sequence 0 has no field"),
        ({"forecast": None, "paths": 5}, "paths needs forecast, how many there shall be"),
        ({"forecast": None, "ahead": []}, "ahead needs forecast"),
        ({"forecast": None, "top_k": 3}, "top_k needs generate"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_one_line(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    trained = Trained(tmp_path, hours(), **KNOWN_AHEAD)
    steps = steps_of(hours(), ("load", "price+1"), range(1, 2))
    with pytest.raises(DataError, match=message) as refusal:
        asked(trained, steps, **fields)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_a_request_brings_a_whole_window(tmp_path: Path) -> None:
    trained = Trained(tmp_path, hours(), **KNOWN_AHEAD)
    steps = steps_of(hours(), ("load", "price+1"), range(1, 2))
    with pytest.raises(DataError, match="needs the 5 steps before them, but got 3"):
        asked(trained, steps[:3])


# -- streams ------------------------------------------------------------------------------------


STREAM = {"readout": "every", "tbptt_forward_steps": 10}


def autoregressive(walk: str = "stream") -> Any:
    """Two waves, each answered with its next value; targets have another order than inputs."""
    raw = np.stack([np.sin(np.arange(41) / 3), np.cos(np.arange(41) / 5) * 10 + 50], axis=-1)
    scale, shift = raw.std(0), raw.mean(0)
    scaled = ((raw - shift) / scale).astype(np.float32)[None]
    part = SequenceSet(scaled[:, :-1], scaled[:, 1:, ::-1].copy())
    return wrap(
        part,
        walk=walk,
        input_names=("a", "b"),
        target_names=("b", "a"),
        input_scale=scale,
        input_shift=shift,
        target_scale=scale[::-1].copy(),
        target_shift=shift[::-1].copy(),
    )


WAVES = [[0.1, 50.0], [0.4, 52.0], [0.7, 55.0]]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> PortableModel:
    model: PortableModel
    _, model = trained(tmp_path_factory.mktemp("stream"), autoregressive(), **STREAM)
    return model


def test_a_stream_goes_on_with_its_state(stream: PortableModel) -> None:
    stepped = SteppedModel(stream)
    expected = [stepped.step([WAVES])[0, -1]]
    for _ in range(4):
        expected.append(stepped.step(expected[-1][None, ::-1])[0])
    (answer,) = stream.predict([{"steps": WAVES, "forecast": 5}])
    assert [*answer] == ["b", "a"]
    np.testing.assert_allclose(answer["b"], [one[0] for one in expected], rtol=1e-6)
    np.testing.assert_allclose(answer["a"], [one[1] for one in expected], rtol=1e-6)


def test_the_state_of_an_answer_is_that_of_the_steps_sent(stream: PortableModel) -> None:
    whole = stream.predict([{"steps": WAVES, "forecast": 3}])[0]
    first = stream.predict([{"steps": WAVES[:2], "forecast": 2, "state": ""}])[0]
    then = stream.predict([{"steps": WAVES[2:], "forecast": 3, "state": first["state"]}])[0]
    np.testing.assert_allclose(then["a"], whole["a"], rtol=1e-6)
    after = stream.predict([{"steps": WAVES[:2], "state": ""}])[0]["state"]
    assert after == first["state"]


def test_a_stream_from_a_table(stream: PortableModel, tmp_path: Path) -> None:
    path = tmp_path / "waves.csv"
    pd.DataFrame(WAVES, columns=["a", "b"]).to_csv(path, index=False)
    rows = forecast_file(stream, path, Horizon(2))
    (answer,) = stream.predict([{"steps": WAVES, "forecast": 2}])
    assert [row["step"] for row in rows] == [1, 2]
    assert [row["a_predicted"] for row in rows] == answer["a"]


def test_a_stream_has_paths(tmp_path: Path) -> None:
    _, model = trained(tmp_path, autoregressive(), loss="gaussian", **STREAM)
    record = {"steps": WAVES, "forecast": 3, "paths": 50, "seed": 1}
    (one,), (again,) = model.predict([record]), model.predict([record])
    assert one == again
    assert all(low < high for low, high in zip(one["a_q0.05"], one["a_q0.95"], strict=True))


@pytest.mark.parametrize(
    ("data", "fields", "message"),
    [
        (regression(), {}, "every input must be a target by name, .* but 'price' is not"),
        (autoregressive("sequences"), {}, None),
        (regression(one_target=True), {"readout": "last"}, "this one answers once a sequence"),
        (named_classes(), {"loss": "cross_entropy"}, "this one tells classes"),
    ],
)
def test_which_networks_can_be_stepped_on(
    tmp_path: Path, data: Any, fields: dict[str, Any], message: str | None
) -> None:
    objective = RMSE if data.task == "regression" else ACCURACY
    _, model = trained(tmp_path, data, objective, **{"readout": "every", **fields})
    record = {**raw_records()[0], "forecast": 2}
    if message is None:
        assert len(model.predict([record])[0]["a"]) == 2
        return
    with pytest.raises(DataError, match=message):
        model.predict([record])


def test_a_bidirectional_network_is_not_stepped_on(tmp_path: Path) -> None:
    _, model = trained(tmp_path, autoregressive("sequences"), readout="every", bidirectional=True)
    with pytest.raises(ConfigError, match="reads forwards only"):
        model.predict([{"steps": WAVES, "forecast": 2}])
