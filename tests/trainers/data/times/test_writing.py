"""A time that is made up for an example is read again as it was meant."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from trainers.data.times.instants import read_instants
from trainers.data.times.options import TimeOptions
from trainers.data.times.writing import written

HALF_PAST_SIX = datetime(2024, 1, 2, 6, 30)
SIX = datetime(2024, 1, 2, 6)
DAY = datetime(2024, 1, 2)


@pytest.mark.parametrize(
    ("time", "options", "values"),
    [
        (HALF_PAST_SIX, TimeOptions(("t",)), ("2024-01-02T06:30:00",)),
        (HALF_PAST_SIX, TimeOptions(("t",), format="%d.%m.%Y %H:%M"), ("02.01.2024 06:30",)),
        (HALF_PAST_SIX, TimeOptions(("t",), unit="s"), (1_704_177_000,)),
        (HALF_PAST_SIX, TimeOptions(("t",), unit="ms"), (1_704_177_000_000,)),
        (SIX, TimeOptions(("t",), unit="excel"), (45_293.25,)),
        (HALF_PAST_SIX, TimeOptions(("date", "time")), ("2024-01-02", "06:30")),
        (HALF_PAST_SIX, TimeOptions(("a", "b"), format="%d/%m/%Y %H:%M"), ("02/01/2024", "06:30")),
        (HALF_PAST_SIX, TimeOptions(("a", "b"), format="%d/%m/%Y"), ("02/01/2024", "06:30")),
        (SIX, TimeOptions(("year", "month", "day", "hour")), (2024, 1, 2, 6)),
        (HALF_PAST_SIX, TimeOptions(("day", "clock")), ("2024-01-02", "06:30")),
        (SIX, TimeOptions(("date", "hour")), ("2024-01-02", 6)),
        (DAY, TimeOptions(("year", "doy")), (2024, 2)),
    ],
)
def test_it_is_read_as_it_was_meant(
    time: datetime, options: TimeOptions, values: tuple[object, ...]
) -> None:
    assert written(time, options) == values
    frame = pd.DataFrame([values], columns=list(options.columns))
    assert read_instants(frame, options).local()[0] == pd.Timestamp(time).value


def test_a_zone_has_its_own_clock() -> None:
    options = TimeOptions(("t",), zone="Europe/Berlin")
    frame = pd.DataFrame({"t": written(SIX, options)})
    assert read_instants(frame, options).text(0) == "2024-01-02 06:00:00+01:00"
