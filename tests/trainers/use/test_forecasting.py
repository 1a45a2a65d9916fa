"""Forecasts fed back equal a loop by hand: predict, write the answers into the file, again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep.models.forecasts import forecast_file
from tests.trainers.trained_series import Trained
from trainers.errors import DataError
from trainers.use.forecasting import Horizon

ROWS = 90
KNOWN = 70  # rows whose targets are known; the others are coming ones
STEPS = 6


def hours(start: str = "2026-03-27", freq: str = "h", seed: int = 0) -> pd.DataFrame:
    """Loads, a price, a temperature, the weather's name."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=ROWS, freq=freq)
    frame = pd.DataFrame({"time": times.strftime("%Y-%m-%d %H:%M")})
    frame["load"] = 50 + 10 * np.sin(np.arange(ROWS) / 4) + rng.normal(0, 1, ROWS)
    frame["price"] = np.arange(ROWS) % 24 * 1.0
    frame["temp"] = rng.normal(10, 3, ROWS)
    frame["sky"] = rng.choice(list("abcdef"), ROWS)
    return frame


def coming(frame: pd.DataFrame, *targets: str) -> pd.DataFrame:
    """The same, its targets unknown from `KNOWN` on."""
    return frame.assign(**{name: frame[name][:KNOWN] for name in targets})


def told(trained: Trained, frame: pd.DataFrame, steps: int = STEPS, **how: Any) -> pd.DataFrame:
    frame.to_csv(trained.path, index=False)
    return pd.DataFrame(forecast_file(trained.model, trained.path, Horizon(steps, **how)))


def by_hand(trained: Trained, frame: pd.DataFrame, *targets: str, block: int = 1) -> pd.DataFrame:
    """The coming rows of one series whose targets are what `predict` said, block by block."""
    frame = coming(frame, *targets)
    for begin in range(KNOWN, KNOWN + STEPS, block):
        predicted = trained.predicted(frame)
        for row in range(begin, begin + block):
            found = predicted[predicted["time"] == frame["time"][row]]
            if block > 1:
                found = found[found["step"] == row - begin + 1]
            for name in targets:
                (frame.loc[row, name],) = found[f"{name}_predicted"]
    return frame[KNOWN : KNOWN + STEPS]


LOAD = {"inputs": ["load"]}
DECODER = {"train": {"architecture": "encoder_decoder"}, "output_steps": 3, "holidays": "DE"}


@pytest.mark.parametrize(
    "options",
    [
        {**LOAD, "calendar": ["hour", "week"]},
        {**LOAD, "output_steps": 3},
        {**LOAD, "output_steps": 4},  # 6 steps are not whole blocks
        {**LOAD, "steps_ahead": 4},
        {**LOAD, "steps_ahead": 3, "output_steps": 2},
        {**LOAD, "targets": "every", "scaling": "minmax", "elapsed": True},
        {"inputs": ["load", "price"], "known_ahead": ["price"], "holidays": "DE"},
        {"drop": ["price", "temp", "sky"], "known_ahead": ["price", "sky"], "output_steps": 2},
        {"inputs": ["price"], "known_ahead": ["price"], "steps_ahead": 0},
        {"target": ["load", "temp"], "drop": ["price", "sky"]},
        {"target": ["temp", "load"], "drop": ["price", "sky"], "output_steps": 3},
        {"target": ["load"], "inputs": ["temp", "sky", "load", "price"]},  # given in the file
        {**LOAD, "target_transform": "log1p"},
        {**LOAD, "target_transform": "difference"},
        {**LOAD, "target_transform": "difference", "output_steps": 3},
        {**LOAD, **DECODER, "known_ahead": ["price", "sky"], "calendar": ["hour"]},
    ],
    ids=str,
)
def test_one_series_equals_the_loop_by_hand(tmp_path: Path, options: dict[str, Any]) -> None:
    targets, block = options.get("target", ["load"]), options.get("output_steps", 1)
    trained = Trained(tmp_path, hours(), **{"time_column": "time", **options})
    found = told(trained, coming(hours(), *targets))
    expected = by_hand(trained, hours(), *targets, block=block)
    columns = [f"{name}_predicted" for name in targets]
    assert [*found.columns] == ["time", "step", *columns]
    assert found["step"].tolist() == [*range(1, STEPS + 1)]
    assert found["time"].tolist() == expected["time"].tolist()
    np.testing.assert_allclose(found[columns], expected[targets], rtol=1e-6)
    assert found[columns[0]].nunique() > 3


def test_coming_rows_need_not_be_in_the_file(tmp_path: Path) -> None:
    trained = Trained(tmp_path, hours(), time_column="time", calendar=["hour"], **LOAD)
    given, made = coming(hours(), "load"), hours()[:KNOWN]
    pd.testing.assert_frame_equal(told(trained, made), told(trained, given))


def test_the_first_step_is_the_last_forecast(tmp_path: Path) -> None:
    trained = Trained(tmp_path, hours(), time_column="time", **LOAD)
    (last,) = trained.predicted(hours(), last=True).to_dict("records")
    (first,) = told(trained, hours(), 1).to_dict("records")
    assert first == {**last, "step": 1}


@pytest.mark.parametrize(
    ("freq", "options", "times"),
    [
        ("MS", {}, ["2033-10-01 00:00", "2033-11-01 00:00"]),
        ("D", {"time_zone": "Europe/Berlin"}, ["2026-06-25 00:00", "2026-06-26 00:00"]),
        ("15min", {"resample": "30min"}, ["2026-03-27 22:30:00", "2026-03-27 23:00:00"]),
    ],
)
def test_times_continue_the_step(
    tmp_path: Path, freq: str, options: dict[str, Any], times: list[str]
) -> None:
    frame = hours(freq=freq)
    trained = Trained(tmp_path, frame, time_column="time", **LOAD, **options)
    shown = [str(pd.Timestamp(time)) for time in told(trained, frame, 2)["time"]]
    assert shown == [str(pd.Timestamp(time)) for time in times]


def test_rows_without_times_are_numbered_on(tmp_path: Path) -> None:
    trained = Trained(tmp_path, hours(), **LOAD)
    assert told(trained, hours(), 3)["row"].tolist() == [ROWS, ROWS + 1, ROWS + 2]


def test_irregular_times_are_an_estimate_or_refused(tmp_path: Path) -> None:
    later = pd.to_timedelta(np.arange(ROWS) ** 2, unit="min")
    frame = hours().assign(time=(pd.Timestamp("2026-01-01") + later).strftime("%Y-%m-%d %H:%M"))
    notes: list[str] = []
    plain = Trained(tmp_path, frame, time_column="time", **LOAD)
    forecast_file(plain.model, plain.path, Horizon(2), notes.append)
    assert notes
    assert "coming times are an estimate" in notes[0]
    timed = Trained(tmp_path, frame, time_column="time", elapsed=True, **LOAD)
    with pytest.raises(DataError, match="coming times are inputs, but steps are irregular"):
        forecast_file(timed.model, timed.path, Horizon(2))
    given = told(timed, coming(frame, "load"))
    np.testing.assert_allclose(
        given["load_predicted"], by_hand(timed, frame, "load")["load"], rtol=1e-6
    )


BY_SERIES = {
    "time_column": "time",
    "series": "shop",
    "scale_by": "series",
    "missing": "fill",
    "known_ahead": ["price"],
    "drop": ["temp", "sky"],
    "target_transform": "log1p",
}


class TestSeries:
    """Two shops of different size, each with its scale, a price known ahead, names, gaps."""

    def shops(self) -> pd.DataFrame:
        rng = np.random.default_rng(1)
        both = [
            hours(seed=size)
            .assign(shop=name, size=size, kind=f"kind{size}")
            .assign(load=lambda f, n=size: n * f["load"])
            for name, size in (("A", 1), ("B", 100))
        ]
        frame = pd.concat(both, ignore_index=True)
        frame.loc[rng.choice(KNOWN - 10, 5, replace=False), "load"] = np.nan
        return frame

    def known(self, frame: pd.DataFrame, rows: dict[str, int]) -> pd.DataFrame:
        """Shops whose loads are known for so many rows; their coming rows know the price alone."""
        found = []
        for name, of in frame.groupby("shop"):
            of = of.reset_index(drop=True)
            ahead = of.index >= rows[str(name)]
            of.loc[ahead, ["load", "size", "kind"]] = None
            found.append(of)
        return pd.concat(found, ignore_index=True)

    def test_each_equals_the_loop_by_hand(self, tmp_path: Path) -> None:
        trained = Trained(tmp_path, self.shops(), **BY_SERIES)
        rows = {"A": 60, "B": 70}
        found = told(trained, self.known(self.shops(), rows), 4)
        assert found["shop"].tolist() == ["A"] * 4 + ["B"] * 4
        for name, known in rows.items():
            frame = self.shops()[lambda f, n=name: f["shop"] == n].reset_index(drop=True)
            file = frame.assign(load=frame["load"][:known])
            for row in range(known, known + 4):
                said = trained.predicted(file).set_index("time")["load_predicted"]
                file.loc[row, "load"] = said[file["time"][row]]
            here = found[found["shop"] == name]
            assert here["time"].tolist() == frame["time"][known : known + 4].tolist()
            np.testing.assert_allclose(
                here["load_predicted"], file["load"][known : known + 4], rtol=1e-6
            )

    def test_a_series_that_training_did_not_have_is_scaled_by_its_history(
        self, tmp_path: Path
    ) -> None:
        trained = Trained(tmp_path, self.shops(), **BY_SERIES)
        rows = {"A": 60, "B": 70}
        known = self.known(self.shops(), rows)
        other = known[known["shop"] == "B"].assign(shop="C", load=lambda f: f["load"] / 2)
        found = told(trained, pd.concat([known, other]), 4)
        assert found["shop"].unique().tolist() == ["A", "B", "C"]
        last = found.groupby("shop")["load_predicted"].last()
        assert 0.3 < last["C"] / last["B"] < 0.7

    def test_the_series_whose_price_ends_first_is_named(self, tmp_path: Path) -> None:
        trained = Trained(tmp_path, self.shops(), **BY_SERIES)
        frame = self.known(self.shops(), {"A": 60, "B": 70})
        match = (
            r"`steps <= 20` must hold of B, but got 25: the input 'price' is known for 20 coming "
            r"row\(s\); add rows with it after the last known 'load', which stays empty there"
        )
        with pytest.raises(DataError, match=match):
            told(trained, frame, 25)
        assert len(told(trained, frame, 20)) == 40

    def test_a_series_that_is_too_short_is_told(self, tmp_path: Path) -> None:
        trained = Trained(tmp_path, self.shops(), **BY_SERIES)
        frame = self.known(self.shops(), {"A": 4, "B": 70})
        frame.to_csv(trained.path, index=False)
        notes: list[str] = []
        rows = forecast_file(trained.model, trained.path, Horizon(2), notes.append)
        assert {row["shop"] for row in rows} == {"B"}
        assert notes == [
            "1 of 2 series have fewer rows than a window of 5 and no forecast, the first A with 4"
        ]


class TestReach:
    """An input that is not known as far ahead as it is needed is refused before anything runs."""

    @pytest.mark.parametrize(
        ("options", "given", "limit", "name"),
        [
            ({"drop": ["price", "sky"]}, 0, 1, "temp"),
            ({"drop": ["price", "sky"]}, 3, 4, "temp"),
            ({"drop": ["price", "sky"], "output_steps": 3}, 0, 3, "temp"),
            ({"drop": ["price", "sky"], "output_steps": 3}, 4, 6, "temp"),
            ({"drop": ["price", "sky"], "steps_ahead": 4}, 0, 4, "temp"),
            ({"drop": ["price", "sky"], "missing": "fill"}, 0, 1, "temp"),
            ({"drop": ["temp", "sky"], "known_ahead": ["price"]}, 5, 5, "price"),
            ({"drop": ["temp", "sky"], "known_ahead": ["price"], "output_steps": 3}, 5, 3, "price"),
            ({"drop": ["price"]}, 0, 1, "temp"),
        ],
        ids=str,
    )
    def test_up_to_which_step_it_can_go(
        self, tmp_path: Path, options: dict[str, Any], given: int, limit: int, name: str
    ) -> None:
        trained = Trained(tmp_path, hours(), time_column="time", **options)
        frame = coming(hours(), "load")
        frame.loc[KNOWN + given :, ["temp", "price", "sky"]] = None
        assert len(told(trained, frame, limit)) == limit
        with pytest.raises(DataError, match=rf"`steps <= {limit}` must hold, .* input '{name}'"):
            told(trained, frame, 20)

    def test_columns_that_never_change_go_on(self, tmp_path: Path) -> None:
        frame = hours().assign(area=250.0, roof="flat")
        trained = Trained(tmp_path, frame, time_column="time", inputs=["load", "area", "roof"])
        found = told(trained, coming(frame, "load")[:KNOWN], STEPS)
        expected = by_hand(trained, frame, "load")["load"]
        np.testing.assert_allclose(found["load_predicted"], expected, rtol=1e-6)

    @pytest.mark.parametrize("steps", [0, -3])
    def test_there_is_at_least_one_step(self, steps: int) -> None:
        with pytest.raises(DataError, match=rf"`steps >= 1` must hold .*got {steps}"):
            Horizon(steps)

    def test_times_have_an_end(self, tmp_path: Path) -> None:
        trained = Trained(tmp_path, hours(freq="D"), time_column="time", **LOAD)
        with pytest.raises(DataError, match="before the year 2262"):
            told(trained, hours(freq="D"), 100_000)

    def test_classes_are_not_fed_back(self, tmp_path: Path) -> None:
        frame = hours().assign(state=np.where(np.arange(ROWS) % 5 < 2, "high", "low"))
        options = {"time_column": "time", "target": "state", "task": "classification"}
        trained = Trained(tmp_path, frame, inputs=["load"], **options)
        with pytest.raises(
            DataError, match="of numbers, which are fed back, but this network tells classes"
        ):
            told(trained, frame)

    def test_the_newest_window_needs_a_row_without_gaps(self, tmp_path: Path) -> None:
        options = {"inputs": ["load", "temp"], "known_ahead": ["price"], "missing": "mask"}
        trained = Trained(tmp_path, hours(), time_column="time", **options)
        frame = coming(hours(), "load")
        frame.loc[KNOWN - 10 :, "temp"] = None
        frame.loc[KNOWN + 2 :, "temp"] = 9.0
        with pytest.raises(DataError, match="each window needs a row that misses no input"):
            told(trained, frame)
