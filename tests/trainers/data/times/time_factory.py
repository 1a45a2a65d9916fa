"""How tests of times make a column, read it, and see what was understood."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trainers.data.times.instants import Instants, read_instants
from trainers.data.times.options import TimeOptions

HOUR = 3_600_000_000_000
DAY = 24 * HOUR


def column(values, **others) -> pd.DataFrame:
    return pd.DataFrame({"time": pd.Series(values), **others})


def read(values, codes=None, **options) -> Instants:
    frame = values if isinstance(values, pd.DataFrame) else column(values)
    return read_instants(frame, TimeOptions(("time",), **options), codes)


def texts(values, **options) -> list[str]:
    return read(values, **options).texts()


def joined(frame: dict, **options) -> Instants:
    table = pd.DataFrame(frame)
    return read_instants(table, TimeOptions(tuple(table.columns), **options))


def hours(count: int, start: str = "2021-01-01", every: str = "1h") -> pd.Series:
    return pd.Series(pd.date_range(start, periods=count, freq=every))


def local_hours(start: str, count: int, zone: str = "Europe/Berlin", every: str = "1h"):
    """What a clock of the zone shows every so often, without its zone."""
    return pd.Series(pd.date_range(start, periods=count, freq=every, tz=zone).tz_localize(None))


def series_of(counts: list[int]) -> np.ndarray:
    """Codes of series under one another with so many rows."""
    return np.repeat(np.arange(len(counts)), counts)
