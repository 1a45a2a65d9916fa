"""Times and series that nobody named."""

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.findings.finding_tables import judged, names_of, temperatures
from trainers.data.findings.order import order_of_rows
from trainers.data.findings.time_columns import find_times
from trainers.data.findings.wide import judge_form, wide_form

HOURS = pd.date_range("2021-01-01", periods=48, freq="h")


def with_times(times, **more):
    return pd.DataFrame({"when": times, "y": temperatures(len(times)), **more})


@pytest.mark.parametrize(
    "times",
    [
        HOURS,
        HOURS.astype(str),
        pd.date_range("2021-01-20", periods=48, freq="h").strftime("%d.%m.%Y %H:%M"),
        pd.date_range("2021-01-20", periods=48).strftime("%Y%m%d").astype(int),
        pd.date_range("1949-01", periods=48, freq="MS").strftime("%Y-%m"),
        HOURS.tz_localize("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"),
    ],
)
def test_a_column_of_times_is_found(times):
    found = find_times(with_times(times))
    assert found is not None
    assert found.options.columns == ("when",)


def test_a_date_and_its_time_of_day_belong_together():
    frame = with_times(HOURS.strftime("%Y-%m-%d"), clock=HOURS.strftime("%H:%M"))
    assert find_times(frame).options.columns == ("when", "clock")


def test_parts_of_a_date_belong_together():
    frame = pd.DataFrame({"Year": HOURS.year, "Month": HOURS.month, "Day": HOURS.day})
    frame["Hour"], frame["y"] = HOURS.hour, temperatures(48)
    assert find_times(frame).options.columns == ("Year", "Month", "Day", "Hour")


@pytest.mark.parametrize(("unit", "size"), [("s", 1), ("ms", 1_000), ("us", 10**6), ("ns", 10**9)])
def test_counts_since_1970_grow_or_have_a_name_that_says_time(unit, size):
    counts = [int(time.timestamp()) * size for time in HOURS]
    assert find_times(with_times(counts)).options.unit == unit
    shuffled = with_times(counts[::2] + counts[1::2])
    assert find_times(shuffled) is None
    found = find_times(shuffled.rename(columns={"when": "timestamp"}))
    assert found.options.unit == unit


@pytest.mark.parametrize(
    "values",
    [
        ["A1", "B2", "C3"] * 16,
        ["10-20", "20-30", "30-40"] * 16,
        range(48),
        [1.5] * 48,
        ["no time"] * 48,
        [True] * 48,
        [None, "2021-01-01"] * 24,
    ],
)
def test_other_columns_are_no_times(values):
    assert find_times(with_times(list(values))) is None


def test_an_ambiguous_date_is_found_with_its_problem():
    found = find_times(with_times([f"{d:02d}/01/2021" for d in range(1, 13)]))
    assert "time_format" in found.problem


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (HOURS, "rows are taken as they come: set data.time_column: when"),
        (HOURS[::-1], "newest first, but they are taken as they come: set data.time_column: when "
                      "and data.sort: true"),
        (HOURS[np.random.default_rng(0).permutation(48)], "not in order of time"),
    ],
)  # fmt: skip
def test_rows_taken_as_they_come_are_doubtful_where_a_column_tells_the_time(times, words):
    (finding,) = order_of_rows(judged(with_times(times)))
    assert (finding.kind, finding.grade) == ("time", "doubtful")
    assert words in finding.text


def test_nothing_is_said_where_the_times_are_named():
    assert order_of_rows(judged(with_times(HOURS), times=("when",))) == []


@pytest.mark.parametrize("interleaved", [False, True])
def test_repeated_times_with_a_column_that_tells_them_apart_are_wrong(interleaved):
    frame = with_times([*HOURS, *HOURS], shop=["A"] * 48 + ["B"] * 48)
    frame = frame.sort_values("when", kind="stable", ignore_index=True) if interleaved else frame
    (finding,) = order_of_rows(judged(frame))
    assert (finding.kind, finding.grade) == ("series", "wrong")
    assert "48 rows" in finding.text
    assert "data.series: shop (and data.time_column: when)" in finding.text
    assert names_of(order_of_rows(judged(frame, series=("shop",)))) == [("time", "doubtful")]


def test_blocks_of_names_without_times_are_doubtful():
    frame = pd.DataFrame({"y": temperatures(60), "shop": ["A"] * 20 + ["B"] * 25 + ["C"] * 15})
    (finding,) = order_of_rows(judged(frame))
    assert (finding.kind, finding.grade) == ("series", "doubtful")
    assert "3 blocks" in finding.text
    frame["shop"] = ["A", "B", "C"] * 20
    assert order_of_rows(judged(frame)) == []


def wide(names, rows=6):
    frame = pd.DataFrame(np.arange(rows * len(names)).reshape(rows, -1), columns=names)
    frame.insert(0, "item", [f"item {n}" for n in range(rows)])
    return frame


@pytest.mark.parametrize(
    ("names", "pattern", "dated"),
    [
        ([f"d_{n}" for n in range(1, 31)], "d_*", False),
        ([str(day.date()) for day in pd.date_range("2021-01-01", periods=40)], "2021-0*", True),
        ([f"W{n}" for n in range(10)], "W*", False),
    ],
)
def test_a_row_a_series_is_wide(names, pattern, dated):
    found = wide_form(wide(names))
    assert (found.pattern, found.series, found.dated) == (pattern, "item", dated)
    (finding,) = judge_form(judged(wide(names), targets=(names[-1],)))
    assert f'data.wide: "{pattern}" and data.series: item' in finding.text


def test_many_columns_of_one_series_are_not_wide():
    sensors = wide([f"s{n}" for n in range(1, 20)], rows=48)
    sensors["item"] = HOURS.astype(str)
    assert wide_form(sensors) is None
    assert wide_form(wide([f"s{n}" for n in range(1, 5)])) is None
