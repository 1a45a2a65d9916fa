"""Calendar inputs: sine and cosine of the local time of day, of week, of month and of year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.civil import days_in_month, month_start, months_of
from trainers.data.times.clocks import DAY
from trainers.data.times.instants import Instants
from trainers.data.times.steps import Step
from trainers.errors import DataError

Cycle = Literal["hour", "week", "month", "year"]
CYCLES: tuple[Cycle, ...] = get_args(Cycle)

_SECONDS_PER_DAY = 86_400
_DAYS_PER_WEEK = 7
_NAMES = {
    "hour": "time_of_day",
    "week": "time_of_week",
    "month": "time_of_month",
    "year": "time_of_year",
}
# A cycle makes sense for steps shorter than this; that of the year up to a quarter.
_LONGEST_STEP = {"hour": DAY, "week": 7 * DAY, "month": 28 * DAY, "year": 93 * DAY}
_TWO_YEARS = 2 * 365 * DAY


@dataclass(frozen=True)
class Calendar:
    """The cycles whose phase is an input, in the order of `CYCLES`; plain values."""

    cycles: tuple[Cycle, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs, two a cycle."""
        return tuple(f"{_NAMES[cycle]}_{wave}" for cycle in self.cycles for wave in ("sin", "cos"))

    def features(self, instants: Instants) -> Array:
        """Sine and cosine of each cycle by the local clock: float64 `(rows, 2 * cycles)`."""
        local = instants.local()
        phases = [_phase(local, cycle) for cycle in self.cycles]
        waves = [wave(phase) for phase in phases for wave in (np.sin, np.cos)]
        return np.column_stack(waves) if waves else np.empty((len(local), 0))


def calendar_of(
    wanted: bool | Sequence[Cycle], step: Step, instants: Instants
) -> tuple[Calendar, list[str]]:
    """Return the calendar that an option asks for, and notes.

    `True` takes the cycles that make sense for the step; that of the year where the data span two
    of them, that of the month never. A list takes exactly its own.

    Raises:
        DataError: a cycle of the list makes no sense for the step.
    """
    if isinstance(wanted, bool):
        cycles = tuple(c for c in CYCLES if wanted and c != "month" and _fits(c, step))
        if "year" in cycles and not _spans_two_years(step, instants):
            cycles = tuple(c for c in cycles if c != "year")
        if wanted and not cycles:
            why = f"data.calendar: true adds no input, since steps are {step.text}"
            year = (
                " and the data span less than two years (data.calendar: [year] adds the time of "
                "year all the same)"
            )
            return Calendar(()), [why + (year if _fits("year", step) else "")]
        return Calendar(cycles), []
    for cycle in wanted:
        if cycle not in CYCLES:
            raise DataError(
                f"data.calendar must name cycles of {', '.join(CYCLES)}, but got {cycle!r}; write "
                "data.calendar: [hour, week], or true."
            )
        if not _fits(cycle, step):
            fitting = ", ".join(other for other in CYCLES if _fits(other, step))
            raise DataError(
                f"data.calendar names {cycle}, which says nothing where steps are {step.text}; "
                + (f"what makes sense is of [{fitting}]." if fitting else "leave it out.")
            )
    return Calendar(tuple(cycle for cycle in CYCLES if cycle in wanted)), []


def _fits(cycle: Cycle, step: Step) -> bool:
    if cycle == "year":
        return step.nanoseconds <= _LONGEST_STEP[cycle] and step.months <= 3
    return step.nanoseconds < _LONGEST_STEP[cycle] and not step.months


def _spans_two_years(step: Step, instants: Instants) -> bool:
    if step.kind == "single":
        return False
    end = step.ahead(instants.utc.max(keepdims=True), 1)
    return int(end[0] - instants.utc.min()) >= _TWO_YEARS


def _phase(local: Array, cycle: Cycle) -> Array:
    """How far its cycle has come, float64 `(rows,)` in 0..2 pi."""
    day = local / 1e9 / _SECONDS_PER_DAY
    if cycle == "hour":
        return np.asarray(2 * np.pi * (day % 1))
    if cycle == "week":
        # 1 January 1970 was a Thursday, three days after a Monday.
        return np.asarray(2 * np.pi * ((day + 3) % _DAYS_PER_WEEK) / _DAYS_PER_WEEK)
    months = months_of(local)
    if cycle == "month":
        return np.asarray(2 * np.pi * ((day - month_start(months)) / days_in_month(months)))
    january = months // 12 * 12
    start = month_start(january)
    return np.asarray(2 * np.pi * ((day - start) / (month_start(january + 12) - start)))
