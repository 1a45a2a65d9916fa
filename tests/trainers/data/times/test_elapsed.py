"""The time since the row before, in usual steps."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trainers.data.times.time_factory import hours, read
from trainers.data.times.elapsed import elapsed
from trainers.data.times.steps import step_of
from trainers.errors import DataError

HOURLY = step_of(read(hours(3)))


def test_time_since_the_row_before_in_usual_steps() -> None:
    rows = read(["2021-01-01 00:00", "2021-01-01 00:30", "2021-01-01 02:30"])
    assert elapsed(rows, HOURLY).tolist() == [1, 0.5, 2]


def test_a_series_begins_anew() -> None:
    rows = read(["2021-01-01 00:00", "2021-01-05 00:00", "2021-01-01 02:00", "2021-01-05 03:00"])
    assert elapsed(rows, HOURLY, np.asarray([0, 1, 0, 1])).tolist() == [1, 1, 2, 3]
    assert elapsed(
        rows.take(np.asarray([0, 2, 1, 3])), HOURLY, np.asarray([0, 0, 1, 1])
    ).tolist() == [
        1,
        2,
        1,
        3,
    ]


def test_hours_over_a_change_of_clock_are_hours() -> None:
    rows = read(["2021-03-28T01:00+01:00", "2021-03-28T03:00+02:00"])
    assert elapsed(rows, HOURLY).tolist() == [1, 1]


def test_without_a_usual_step_it_is_refused() -> None:
    rows = read(["2021-01-01"])
    with pytest.raises(DataError, match=r"data\.elapsed"):
        elapsed(rows, step_of(rows))
