"""Rows of a season, as the step from row to row suggests: a day, a week or a year."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.clocks import DAY
from trainers.data.times.instants import Instants
from trainers.data.times.steps import Step

_ROWS = 1 << 16  # of a series that are looked at
_WEEK, _YEAR = 7 * DAY, 364 * DAY  # a year of whole weeks


def season_of(step: Step, instants: Instants, bounds: Array) -> int | None:
    """Return the rows from one row to that a season later, 2 or more; None where there is none.

    A season of steps below a day is a day, of days a week, of weeks 52 weeks, of months a year.
    Where rows are absent it is the distance that most rows have, so six where Sundays are.

    Args:
        step: From row to row.
        instants: The rows' times, one series after another.
        bounds: `(series + 1,)` the row at which each series begins, and the number of rows.
    """
    if step.kind == "months":
        return 12 // step.months if 12 % step.months == 0 and step.months < 12 else None
    if step.kind != "regular":
        return None
    size = step.nanoseconds
    period = DAY if size < DAY else _WEEK if size < _WEEK else _YEAR
    if period % size or period == size:
        return None
    if not step.absent:
        return period // size
    longest = int(np.diff(bounds).argmax())
    begin, end = bounds[longest : longest + 2].tolist()
    times = instants.local() if step.by_clock else instants.utc
    return _usual_distance(times[begin:end][:_ROWS], period)


def _usual_distance(times: Array, period: int) -> int | None:
    """Rows between two that are a period apart, as most are; None where few are."""
    before = np.searchsorted(times, times - period)
    apart = (np.arange(len(times)) - before)[times[before] == times - period]
    if len(apart) < len(times) // 4:
        return None
    found = int(np.bincount(apart).argmax())
    return found if found > 1 else None
