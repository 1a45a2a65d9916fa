"""What people are told of a logged model fits the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sweep.models.card import description, example
from sweep.models.package import requirements
from tests.trainers.portable_factory import characters, regression, trained
from tests.trainers.trained_series import ROWS, Trained, table

TIMES = pd.date_range("2024-03-01", periods=ROWS, freq="h")


def parts(frame: pd.DataFrame) -> pd.DataFrame:
    day, clock = TIMES.strftime("%d.%m.%Y"), TIMES.strftime("%H:%M")
    frame = frame.assign(day=day, clock=clock, year=TIMES.year, month=TIMES.month)
    unix = (TIMES - pd.Timestamp(0)) // pd.Timedelta("1s")
    return frame.assign(dom=TIMES.day, hour=TIMES.hour, unix=unix, both=day + " " + clock)


@pytest.mark.parametrize(
    "options",
    [
        {"time_column": "time"},
        {"time_column": "time", "calendar": True, "holidays": "DE", "elapsed": True},
        {"time_column": "both", "time_format": "%d.%m.%Y %H:%M", "calendar": True},
        {"time_column": ["day", "clock"], "time_format": "%d.%m.%Y", "calendar": True},
        {"time_column": ["year", "month", "day", "hour"], "calendar": True},
        {"time_column": "unix", "time_unit": "s", "calendar": True},
        {"known_ahead": ["temp"], "steps_ahead": 2, "missing": "fill"},
    ],
    ids=str,
)
def test_the_example_is_a_request_that_is_answered(tmp_path: Path, options: dict[str, Any]) -> None:
    frame = parts(table())
    if options.get("time_column") == ["year", "month", "day", "hour"]:
        frame["day"] = frame["dom"]
    options = {"missing": "mask", "inputs": ["load", "temp", "kind"], **options}
    model = Trained(tmp_path, frame, **options).model
    names = model.interface.raw_names
    by_name, by_place = example(model.interface)
    assert [tuple(step) for step in by_name["steps"]] == [names, names]
    assert by_place["steps"] == [list(by_name["steps"][0].values())]
    assert len(model.predict(example(model.interface))) == 2
    assert ", ".join(f"`{name}`" for name in names) in description(model.interface)


def test_a_series_that_the_model_knows_is_named(tmp_path: Path) -> None:
    frame = pd.concat([table(shop=name) for name in "AB"])
    options = {"series": "shop", "scale_by": "series", "missing": "mask"}
    model = Trained(tmp_path, frame, time_column="time", **options).model
    assert [request["series"] for request in example(model.interface)] == ["A", "A"]
    assert '"series": "A"' in description(model.interface)


def test_texts_and_plain_numbers_have_theirs(tmp_path: Path) -> None:
    for name in ("text", "numbers"):
        (tmp_path / name).mkdir()
    _, _, text = characters(tmp_path / "text")
    assert example(text.interface) == [{"ids": [0, 0]}, {"ids": [0]}]
    assert "token ids, or texts" in description(text.interface)
    _, numbers = trained(tmp_path / "numbers", regression())
    by_name, by_place = example(numbers.interface)
    assert by_name == {"steps": [{"load": 50.0, "price": 45.0}] * 2}
    assert by_place == {"steps": [[50.0, 45.0]]}


def test_what_reads_times_and_holidays_is_required_where_it_is_needed(tmp_path: Path) -> None:
    def names(**options: Any) -> list[str]:
        frame = table().drop(columns="kind")
        trained = Trained(tmp_path, frame, time_column="time", missing="mask", **options)
        return [line.partition("==")[0] for line in requirements(trained.model.interface)]

    plain = ["mlflow", "torch", "numpy", "pandas", "safetensors"]
    assert names() == plain
    assert names(calendar=True) == [*plain, "pyarrow"]
    assert names(holidays="DE") == [*plain, "pyarrow", "holidays"]
