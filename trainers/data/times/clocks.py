"""Clocks: from instants to what a local clock shows, and back.

Every array is int64 nanoseconds since 1970: of UTC for instants, of the clock's own reading for
local times. A repeated hour in autumn is told by the order of rows, never guessed.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from datetime import timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_FIXED = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?")


def zone_of(name: str) -> tzinfo:
    """Return the time zone of an IANA name, or of an offset such as "+01:00".

    Raises:
        DataError: there is no such zone; the message names near ones.
    """
    fixed = _FIXED.fullmatch(name)
    if fixed:
        minutes = int(fixed[2]) * 60 + int(fixed[3] or 0)
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if fixed[1] == "-" else minutes))
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = _near_zones(name)
        hint = f"did you mean {' or '.join(near)}" if near else "write Europe/Berlin, say"
        raise DataError(
            f"data.time_zone must be an IANA name or an offset such as +01:00, but got {name!r}; "
            f"{hint}?"
        ) from None


def _near_zones(name: str) -> list[str]:
    zones = sorted(zoneinfo.available_timezones())
    wanted = name.strip().replace(" ", "_").casefold()
    exact = [zone for zone in zones if zone.casefold() == wanted]
    cities = [zone for zone in zones if zone.casefold().rpartition("/")[2] == wanted]
    return exact or cities[:2] or difflib.get_close_matches(name, zones, n=2, cutoff=0.6)


def local_of(utc: Array, zone: str) -> Array:
    """What the zone's clock shows at each instant."""
    return np.asarray(_index(utc, "UTC").tz_convert(zone_of(zone)).tz_localize(None).asi8)


def utc_of(local: Array, zone: str) -> Array:
    """Instants at which the clock shows this, first time round; a skipped hour's end for its hour.

    For times that are computed (bins, forecasts); what a file says goes through `utc_of_rows`.
    """
    first = np.ones(len(local), dtype=bool)
    index = _index(local).tz_localize(zone_of(zone), ambiguous=first, nonexistent="shift_forward")
    return np.asarray(index.asi8)


def utc_of_rows(
    local: Array, zone: str, codes: Array | None, repeated_hour: str | None, column: str
) -> Array:
    """Instants of a file's local times, `(rows,)`.

    The rows of each series (`codes`) tell by their order which of two repeated hours is meant;
    days without an hour begin when they begin.

    Raises:
        DataError: the clock never shows a time, or it is unclear which of two is meant.
    """
    if not (local % DAY).any():
        return utc_of(local, zone)
    second = np.zeros(len(local), dtype=bool)
    late = _index(local).tz_localize(zone_of(zone), ambiguous=second, nonexistent="NaT")
    early = _index(local).tz_localize(zone_of(zone), ambiguous=~second, nonexistent="NaT")
    skipped = np.flatnonzero(late.isna())
    if len(skipped):
        raise DataError(
            f"{_at(local, skipped[0], column)} does not exist in {zone}, where the clock is put "
            f"forward; {_winter_clock(zone)}."
        )
    unclear = early.asi8 != late.asi8
    if not unclear.any():
        return np.asarray(early.asi8)
    second, told = _told_by_order(local, unclear, codes)
    utc = np.asarray(np.where(second, late.asi8, early.asi8))
    untold = unclear & ~(told & _in_order(utc, local, codes))
    if repeated_hour is not None:
        wanted = early if repeated_hour == "first" else late
        return np.asarray(np.where(untold, wanted.asi8, utc))
    wrong = np.flatnonzero(untold)
    if len(wrong):
        raise DataError(
            f"{_at(local, wrong[0], column)} comes twice in {zone}, and the order of rows does not "
            f"tell which it is; choose data.repeated_hour: first (or second); "
            f"{_winter_clock(zone)}."
        )
    return utc


def _told_by_order(local: Array, unclear: Array, codes: Array | None) -> tuple[Array, Array]:
    """Rows `(rows,)` that are the second time round, and rows where the order tells that.

    Where the clock goes back once in a run of unclear rows, the second hour begins.
    """
    order = _forward(local, codes)
    clock, maybe = local[order], unclear[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = ~maybe[:-1] | (np.abs(np.diff(clock)) > DAY)
    if codes is not None:
        new[1:] |= np.diff(codes[order]) != 0
    back = np.zeros(len(order), dtype=bool)
    back[1:] = (np.diff(clock) <= 0) & ~new[1:]
    run = np.cumsum(new) - 1
    backs = np.cumsum(back & maybe)
    starts = np.flatnonzero(new)
    before: Array = backs[starts] - (back & maybe)[starts]
    passed: Array = backs - before[run]
    turns = np.bincount(run, weights=back & maybe)[run]
    second, told = np.zeros(len(order), dtype=bool), np.zeros(len(order), dtype=bool)
    second[order] = maybe & (passed > 0)
    told[order] = turns == 1
    return second, told


def _in_order(utc: Array, local: Array, codes: Array | None) -> Array:
    """`(rows,)`: whether each row's neighbours in its series agree with it on what came first."""
    order = _forward(local, codes)
    fits = np.diff(utc[order]) >= 0
    if codes is not None:
        fits |= np.diff(codes[order]) != 0
    good = np.ones(len(order), dtype=bool)
    good[order[1:]] &= fits
    good[order[:-1]] &= fits
    return good


def _forward(local: Array, codes: Array | None) -> Array:
    """Rows by series in the order of the file, or from its end where that runs newest first."""
    order = np.arange(len(local)) if codes is None else np.argsort(codes, kind="stable")
    steps = np.diff(local[order])
    if codes is not None:
        steps = steps[np.diff(codes[order]) == 0]
    return order[::-1] if np.sign(steps).sum() < 0 else order


def _at(local: Array, row: int, column: str) -> str:
    import pandas as pd

    return f"{pd.Timestamp(local[row])} in column {column!r} (data row {row}, counted from 0)"


def _winter_clock(zone: str) -> str:
    """How to say that the times know no summer time."""
    import pandas as pd

    shifts = [
        pd.Timestamp(f"2020-{month}-15", tz=zone_of(zone)).utcoffset() or timedelta()
        for month in ("01", "07")
    ]
    shown = offset_text(int(min(shifts).total_seconds()) * SECOND)
    return f'a clock without summer time is data.time_zone: "{shown}"'


def offset_text(offset: int) -> str:
    """Write an offset in nanoseconds as "+01:00"."""
    minutes = abs(offset) // MINUTE
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def _index(ns: Array, zone: str | None = None) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(np.asarray(ns, dtype=np.int64).view("datetime64[ns]"), tz=zone)
