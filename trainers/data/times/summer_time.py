"""Signs that times without a zone are those of a clock with summer time."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.clocks import DAY, HOUR
from trainers.data.times.instants import Instants
from trainers.data.times.rows import by_series, followers

# Clocks go forward on a Sunday in March, or south of the equator in September or October.
_MONTHS = (3, 9, 10)
_LAST_HOUR = 3
_SUNDAY = 3  # days since Thursday, 1 January 1970, modulo 7


def missing_hour(instants: Instants, codes: Array | None, usual: int) -> str | None:
    """The first hour that is missing in the night of a Sunday in spring; None: there is none.

    Only of times without zone or offset, in rows an hour apart or less.
    """
    if instants.aware or usual == 0 or HOUR % usual:
        return None
    order = by_series(codes)
    utc = instants.utc[order]
    holes = np.diff(utc) == usual + HOUR
    same = followers(codes, order)
    if not isinstance(same, slice):
        holes &= same
    hours = utc[:-1][holes] + usual
    months = np.asarray(hours // DAY).astype("datetime64[D]").astype("datetime64[M]")
    spring = np.isin(months.astype(np.int64) % 12 + 1, _MONTHS)
    night = (hours % HOUR == 0) & (hours % DAY <= _LAST_HOUR * HOUR) & (hours // DAY % 7 == _SUNDAY)
    found = hours[spring & night]
    return str(np.datetime64(int(found[0]), "ns"))[:16].replace("T", " ") if len(found) else None
