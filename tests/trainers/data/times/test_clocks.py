"""Instants are compared; local clocks go forward in spring and back in autumn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.times.time_factory import HOUR, column, local_hours, read, series_of
from trainers.data.times.clocks import local_of, utc_of
from trainers.data.times.options import TimeOptions
from trainers.errors import DataError

BERLIN = "Europe/Berlin"


def test_offsets_that_change_are_in_order_as_instants() -> None:
    found = read(["2020-10-25T02:00:00+02:00", "2020-10-25T02:00:00+01:00"])
    assert np.diff(found.utc).tolist() == [HOUR]
    assert np.diff(found.local()).tolist() == [0]
    assert "data.time_zone" in found.notes[0]


def test_with_a_zone_the_calendar_follows_its_clock() -> None:
    values = ["2020-07-01T00:00Z", "2020-12-01T00:00Z"]
    own = read(values)
    zoned = read(values, zone=BERLIN)
    assert (zoned.utc == own.utc).all()
    assert ((zoned.local() - own.local()) // HOUR).tolist() == [2, 1]
    assert zoned.notes == ()


def test_summer_and_winter_files_have_one_local_clock() -> None:
    summer = read(["2020-07-01T06:00+02:00"])
    winter = read(["2020-12-01T06:00+01:00"])
    assert [found.local()[0] // HOUR % 24 for found in (summer, winter)] == [6, 6]


def test_aware_columns_keep_their_zone_and_order_over_autumn() -> None:
    quarters = pd.date_range("2021-10-31", periods=16, freq="15min", tz=BERLIN)
    found = read(pd.Series(quarters))
    assert found.zone == BERLIN
    assert set(np.diff(found.utc).tolist()) == {HOUR // 4}
    assert found.texts()[11:13] == ["2021-10-31 02:45:00+02:00", "2021-10-31 02:00:00+01:00"]


def test_utc_that_the_calendar_follows_is_said() -> None:
    for values in (pd.Series(pd.date_range("2021", periods=2, tz="UTC")), ["2021-01-01T00:00Z"]):
        assert "data.time_zone" in read(values).notes[0]


@pytest.mark.parametrize("every", ["1h", "30min", "10min"])
def test_local_times_are_told_apart_over_both_changes(every: str) -> None:
    for start in ("2021-03-27", "2021-10-30"):
        count = int(pd.Timedelta("3D") / pd.Timedelta(every))
        truth = pd.date_range(start, periods=count, freq=every, tz=BERLIN)
        found = read(pd.Series(truth.tz_localize(None)), zone=BERLIN)
        assert (found.utc == truth.as_unit("ns").asi8).all()


def test_newest_first_is_told_apart_too() -> None:
    forward = local_hours("2021-10-30", 60)
    backward = read(forward[::-1].reset_index(drop=True), zone=BERLIN)
    assert (backward.utc[::-1] == read(forward, zone=BERLIN).utc).all()


def test_each_series_has_its_own_repeated_hour() -> None:
    one = local_hours("2021-10-31", 6)
    truth = read(one, zone=BERLIN).utc
    stacked = read(pd.concat([one, one], ignore_index=True), series_of([6, 6]), zone=BERLIN)
    assert (stacked.utc == np.tile(truth, 2)).all()
    side_by_side = read(column(one.repeat(2)), np.tile([0, 1], 6), zone=BERLIN)
    assert (side_by_side.utc == truth.repeat(2)).all()


def test_a_skipped_hour_is_refused_with_the_clock_that_has_it() -> None:
    with pytest.raises(DataError, match=r"2021-03-28 02:30:00 .*data row 1.*\"\+01:00\""):
        read(["2021-03-28 01:30", "2021-03-28 02:30"], zone=BERLIN)
    winter = read(["2021-03-28 01:30", "2021-03-28 02:30"], zone="+01:00")
    assert np.diff(winter.utc).tolist() == [HOUR]


@pytest.mark.parametrize(
    "rows",
    [
        ["01:00", "02:00", "03:00"],
        ["02:00", "01:00", "03:00", "02:00"],
        ["02:00", "02:00", "02:00"],
    ],
    ids=["once", "shuffled", "thrice"],
)
def test_a_repeated_hour_that_the_order_does_not_tell_is_refused(rows: list[str]) -> None:
    with pytest.raises(DataError, match=r"comes twice in Europe/Berlin.*data.repeated_hour: first"):
        read([f"2021-10-31 {row}" for row in rows], zone=BERLIN)


def test_the_option_decides_only_where_the_order_does_not() -> None:
    told = local_hours("2020-10-25", 6).astype(str).tolist()
    values = [*told, "2021-10-31 01:00", "2021-10-31 02:00", "2021-10-31 03:00"]
    first, second = (read(values, zone=BERLIN, repeated_hour=hour) for hour in ("first", "second"))
    assert set(np.diff(first.utc[:6]).tolist()) == {HOUR}
    assert (first.utc[:6] == second.utc[:6]).all()
    assert ((second.utc - first.utc)[6:] // HOUR).tolist() == [0, 1, 0]


def test_days_begin_when_they_begin() -> None:
    days = read(["2018-11-03", "2018-11-04", "2018-11-05"], zone="America/Sao_Paulo")
    # On 4 November 2018 the clock went from 00:00 to 01:00.
    assert (np.diff(days.utc) // HOUR).tolist() == [24, 23]
    assert days.texts()[1] == "2018-11-04 01:00:00-02:00"


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("New York", "New_York")],
)
def test_a_zone_that_does_not_exist_is_refused_with_a_near_one(wrong: str, near: str) -> None:
    with pytest.raises(DataError, match=near):
        TimeOptions(("time",), zone=wrong)


def test_clocks_there_and_back() -> None:
    utc = pd.date_range("2021-01-01", periods=400, freq="1D", tz="UTC").as_unit("ns").asi8
    for zone in (BERLIN, "America/New_York", "Asia/Kathmandu", "-03:30"):
        assert (utc_of(local_of(utc, zone), zone) == utc).all()


def test_other_instants_have_the_offset_of_the_last_row_before() -> None:
    rows = read(["2020-10-25T02:00+02:00", "2020-10-25T02:00+01:00"])
    later = rows.at(rows.utc + HOUR // 2)
    assert later.texts() == ["2020-10-25 02:30:00+02:00", "2020-10-25 02:30:00+01:00"]
    assert rows.at_local(later.local()).texts()[1] == "2020-10-25 02:30:00+01:00"
