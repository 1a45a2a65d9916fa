"""What a client sends: times and names, not waves and numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.trainers.panel_factory import panel, window_of
from tests.trainers.trained_series import Trained, table
from trainers.errors import DataError
from trainers.use.stepping import SteppedModel

HOUR = {"time_column": "time", "missing": "mask", "calendar": ["hour"]}
NAMES = ("time", "load", "temp", "kind")
FIRST = ["2021-03-24T00:00:00+01:00", 1.0, 2.0, "a"]
SECOND = ["2021-03-24T01:00:00+01:00", 1.0, 2.0, "a"]


def steps_of(frame: pd.DataFrame, names: tuple[str, ...] = NAMES) -> list[list[Any]]:
    return json.loads(frame[list(names)].to_json(orient="values"))


@pytest.fixture(scope="module")
def hourly(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("hourly"), table(), **HOUR)


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return panel(tmp_path_factory.mktemp("panel"))


def test_steps_in_the_order_of_the_inputs_equal_the_window_of_the_file(hourly: Trained) -> None:
    names = hourly.model.interface.raw_names
    assert names == NAMES
    frame = table()
    by_place = steps_of(frame.iloc[100:105])
    by_name = [dict(zip(names, step, strict=True)) for step in by_place]
    answers = hourly.model.predict([{"steps": by_place}, {"steps": by_name}])
    assert answers[0] == answers[1]
    predicted = hourly.predicted().set_index("time")["load_predicted"]
    assert answers[0]["load"] == pytest.approx(predicted[frame["time"][105]], rel=1e-6)


def test_a_request_file_is_what_is_sent_to_the_server(hourly: Trained, tmp_path: Path) -> None:
    from sweep.models.prediction import predict_file

    path = tmp_path / "request.json"
    path.write_text(json.dumps({"inputs": [{"steps": steps_of(table().iloc[100:105])}]}))
    assert list(predict_file(hourly.model, path)[0]) == ["sequence", "load"]


def test_an_unknown_name_is_the_unknown_category(hourly: Trained) -> None:
    steps = steps_of(table().iloc[100:105])
    other = [[*step[:3], "never seen"] for step in steps]
    unheard = [[*step[:3], "unheard of"] for step in steps]
    own, first, second = hourly.model.predict([{"steps": s} for s in (steps, other, unheard)])
    assert first == second != own


def test_a_step_that_misses_a_value_is_a_gap(hourly: Trained) -> None:
    steps = steps_of(table().dropna().iloc[:5])
    gap = [*steps[:4], [*steps[4][:3], None]]
    left_out, missing = hourly.model.predict([{"steps": steps[:4]}, {"steps": gap}])
    assert left_out["load"] == pytest.approx(missing["load"], rel=1e-6)


class TestSeries:
    @pytest.mark.parametrize("shop", ["A", "B"])
    def test_a_known_series_has_its_own_scale(self, shops: Trained, shop: str) -> None:
        steps, expected = window_of(shops, shop)
        (answer,) = shops.model.predict([{"steps": steps, "series": shop}])
        assert answer["load"] == pytest.approx(expected, rel=1e-6)

    def test_an_unknown_one_has_the_scale_of_what_is_sent(self, shops: Trained) -> None:
        steps, _ = window_of(shops, "A")
        far = [{**step, "load": 1e6 + step["load"]} for step in steps]
        sent = [{"steps": far, "series": name} for name in ("C", 3, None)]
        answers = [answer["load"] for answer in shops.model.predict(sent)]
        assert answers == [pytest.approx(1e6, rel=1e-3)] * 3

    def test_one_of_several_columns_is_a_list(self, tmp_path: Path) -> None:
        parts = [
            table(shop="A", item=n).assign(load=lambda f, n=n: n * f["load"]) for n in (1, 100)
        ]
        options = {"series": ["shop", "item"], "scale_by": "series", "missing": "mask"}
        model = Trained(tmp_path, pd.concat(parts), time_column="time", **options).model
        steps = steps_of(parts[1].dropna().iloc[:5], model.interface.raw_names)
        sent = [{"steps": steps, "series": name} for name in (["A", 100], "A 100", ["A", 1])]
        listed, joined, other = (answer["load"] for answer in model.predict(sent))
        assert listed == joined
        assert listed > 20 * other


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            [{"tme": SECRET}],
            r"step 0 has no input 'tme'; did you mean 'time'\? its inputs",
        ),
        ([FIRST, FIRST[:2]], r"a step must hold 4 values \(time, load, temp, kind\), but step 1"),
        ([[SECRET, 1.0, 2.0, "a"]], "each step must have a time later than the step's before as"),
        ([[None, 1.0, 2.0, "a"]], "each step must have a time"),
        ([SECOND, FIRST], "each step must have a time later than"),
        ([FIRST, FIRST], "each step must have a time later than"),
        ([FIRST, [SECOND[0], SECRET, 2.0, "a"]], "step 1 must have a number or null as 'load'"),
        ([[*FIRST[:1], math.inf, 2.0, "a"]], "step 0 must have a number or null as 'load'"),
        ([[*FIRST[:3], [SECRET]]], "step 0 must have a name or null as 'kind'"),
        ([[*FIRST[:1], [SECRET], 2.0, "a"]], "step 0 must have a number or null as 'load'"),
        ([], "steps must be a list of at least one step, each with time, load, temp, kind"),
        (SECRET, "steps must be a list of at least one step"),
        ([[*FIRST[:3], None]], "at least one step must exist"),
    ],
)
def test_what_does_not_fit_is_one_line_that_repeats_no_value(
    hourly: Trained, steps: Any, message: str
) -> None:
    with pytest.raises(DataError, match=f"sequence 0: {message}") as refused:
        hourly.model.predict([{"steps": steps}])
    line = str(refused.value)
    assert SECRET not in line
    assert "\n" not in line
    assert len(line) < 200


class TestStepping:
    def test_takes_the_same_values(self, hourly: Trained) -> None:
        steps = steps_of(table().dropna().iloc[:4])
        stepped = SteppedModel(hourly.model)
        assert stepped.inputs == NAMES
        one_by_one = [stepped.step([step])[0, 0] for step in steps]
        stepped.clear_state()
        assert stepped.step([steps])[0, :, 0].tolist() == pytest.approx(one_by_one, rel=1e-6)

    def test_answers_in_the_units_of_each_series(self, shops: Trained) -> None:
        windows = [window_of(shops, shop) for shop in "AB"]
        stepped = SteppedModel(shops.model)
        for at in range(5):
            outputs = stepped.step([steps[at] for steps, _ in windows], ["A", "B"])
        assert outputs[:, 0] == pytest.approx([expected for _, expected in windows], rel=1e-6)

    def test_a_state_that_is_sent_along_goes_on_alike(self, shops: Trained) -> None:
        steps, expected = window_of(shops, "B")
        first = shops.model.predict([{"steps": steps[:3], "series": "B", "state": ""}])[0]
        second = {"steps": steps[3:], "series": "B", "state": first["state"]}
        assert shops.model.predict([second])[0]["load"][-1] == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("series", [None, "C"])
    def test_needs_a_series_whose_scale_is_known(self, shops: Trained, series: str) -> None:
        steps, _ = window_of(shops, "A")
        with pytest.raises(DataError, match="a state needs the name of a series of its training"):
            SteppedModel(shops.model).step([steps], series)

    def test_fills_nothing_from_steps_that_it_does_not_see(self, shops: Trained) -> None:
        steps, _ = window_of(shops, "A")
        steps = [{**step, "temp": 1.0} for step in steps]
        later = [steps[0], {**steps[1], "temp": None}]
        stepped = SteppedModel(shops.model)
        assert np.isfinite(stepped.step([later], "A")).all()
        with pytest.raises(DataError, match="step 0 misses 'temp', which is filled from the steps"):
            stepped.step([later[1:]], "A")

    def test_does_not_know_the_time_since_the_step_before(self, tmp_path: Path) -> None:
        trained = Trained(tmp_path, table(), time_column="time", missing="mask", elapsed=True)
        steps = steps_of(table().dropna().iloc[:3], trained.model.interface.raw_names)
        assert math.isfinite(trained.model.predict([{"steps": steps}])[0]["load"])
        with pytest.raises(DataError, match=r"an input \(data.elapsed\), which a state does not"):
            trained.model.predict([{"steps": steps, "state": ""}])

    @pytest.mark.parametrize(
        ("x", "series"), [([], None), ([[FIRST], [FIRST, SECOND]], None), ([FIRST], ["A", "B"])]
    )
    def test_rows_are_of_one_length(self, hourly: Trained, x: Any, series: Any) -> None:
        with pytest.raises(DataError, match="rows of equally many steps"):
            SteppedModel(hourly.model).step(x, series)
