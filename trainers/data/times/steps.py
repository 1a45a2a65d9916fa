"""The step from one row to the next: regular, regular in months, or irregular.

Days and months are those of the local clock, so that 23 hours in spring are a day like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.civil import days_in_month, month_start, months_of
from trainers.data.times.clocks import DAY, HOUR, MINUTE, SECOND, local_of, utc_of
from trainers.data.times.instants import Instants
from trainers.data.times.rows import differences
from trainers.data.times.summer_time import missing_hour
from trainers.errors import DataError

Kind = Literal["regular", "months", "irregular", "single"]

# An irregular step's usual one is the median; a regular one's is shared by at least half.
_USUAL_SHARE = 0.5
# From here on a step may be of days or months by a clock.
_NEARLY_A_DAY = 23 * HOUR
_NEARLY_A_MONTH = 27 * DAY
_MONTH_NS = 30 * DAY

_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "min": MINUTE, "h": HOUR}
_DAYS = {"D": 1, "d": 1, "W": 7}
_MONTHS = {"M": 1, "MS": 1, "Q": 3, "QS": 3, "Y": 12, "YS": 12}


@dataclass(frozen=True)
class Step:
    """The usual step of a table's rows, and how far the rows keep to it; plain values.

    Attributes:
        kind: "regular": all steps are whole multiples of the usual one, which at least half are;
            "months": the same in calendar months; "irregular": anything else; "single": no series
            has two rows.
        nanoseconds: The usual step; of months a nominal one, 0 where there is none.
        months: The usual step in calendar months, 0 for other kinds.
        month_day: Of months, the day they begin on; the last day where it is more than they have.
        by_clock: Whether `nanoseconds` are whole days of the local clock.
        zone: The local clock's zone, if known.
        offset: Nanoseconds that the clock is ahead of UTC, where no zone is known.
        steps: How many steps there are.
        odd: How many of them are not the usual one.
        absent: How many rows are missing inside, where steps are regular or in months.
        shortest: The shortest step in nanoseconds.
        longest: The longest one.
        skipped_hour: The hour in spring that a clock without a known zone seems to have skipped.
    """

    kind: Kind
    nanoseconds: int
    months: int = 0
    month_day: int = 1
    by_clock: bool = False
    zone: str | None = None
    offset: int = 0
    steps: int = 0
    odd: int = 0
    absent: int = 0
    shortest: int = 0
    longest: int = 0
    skipped_hour: str | None = None

    @property
    def text(self) -> str:
        """The usual step for people, as "10 min" or "1 month"."""
        return _months_text(self.months) if self.months else duration_text(self.nanoseconds)

    @property
    def rule(self) -> str:
        """The usual step as `data.resample` takes it, as "10min" or "1MS"; a round one above."""
        if self.kind == "irregular":
            return self._coarse_rule()
        if self.months:
            return f"{self.months}MS"
        return self.text.replace(" ", "").replace("days", "D").replace("day", "D")

    def note(self) -> str | None:
        """One line on steps that are not the usual one, and the options; None when all are."""
        if self.skipped_hour is not None:
            return (
                f"the hour from {self.skipped_hour} is missing, as where summer time begins: is "
                "this a local clock? Then set data.time_zone, to Europe/Berlin, say"
            )
        if self.kind == "irregular":
            return (
                f"steps are irregular, {duration_text(self.shortest)} to "
                f"{duration_text(self.longest)}, half of them up to {self.text}: a grid with "
                f"data.resample: {self.rule}, or the time since the last row as an input "
                "with data.elapsed: true"
            )
        if self.odd:
            return (
                f"{self.odd} of {self.steps} steps differ from the usual {self.text} (absent rows: "
                f"{self.absent}); windows span them, or gaps are made of them with data.resample: "
                f"{self.rule}"
            )
        return None

    def _coarse_rule(self) -> str:
        """The next round length of time, for a grid."""
        rounds = [("1s", SECOND), ("1min", MINUTE), ("10min", 10 * MINUTE), ("1h", HOUR)]
        rounds += [("1D", DAY), ("1W", 7 * DAY)]
        found = (rule for rule, size in rounds if size >= self.nanoseconds)
        return next(found, "1MS")

    def ahead(self, utc: Array, count: Array | int) -> Array:
        """Instants `count` steps later, int64 nanoseconds `(rows,)`; days and months by the clock.

        Of irregular steps this is an estimate: so many usual ones.

        Raises:
            DataError: there is no usual step.
        """
        if self.kind == "single":
            raise DataError(
                "the time between rows must be known, but no series has two rows; bring more rows."
            )
        if not self.months and not self.by_clock:
            return np.asarray(utc + np.asarray(count) * self.nanoseconds)
        local = utc + self.offset if self.zone is None else local_of(utc, self.zone)
        later = self._later(local, count)
        return later - self.offset if self.zone is None else utc_of(later, self.zone)

    def _later(self, local: Array, count: Array | int) -> Array:
        if not self.months:
            return np.asarray(local + np.asarray(count) * self.nanoseconds)
        months = months_of(local) + np.asarray(count) * self.months
        day = np.minimum(self.month_day, days_in_month(months))
        return np.asarray((month_start(months) + day - 1) * DAY + local % DAY)


def step_of(instants: Instants, codes: Array | None = None) -> Step:
    """Measure the steps of rows in order of time; several series have one usual step together."""
    utc_steps = differences(instants.utc, codes)
    if len(utc_steps) == 0:
        return Step("single", 0, zone=instants.zone)
    usual, share = _usual(utc_steps)
    if usual < _NEARLY_A_DAY:
        step = _measured(utc_steps, usual, share)
        found = missing_hour(instants, codes, usual)
        return replace(step, zone=instants.zone, offset=_offset(instants), skipped_hour=found)
    local = _local_days(instants)
    steps = differences(local, codes)
    if usual >= _NEARLY_A_MONTH:
        in_months = _in_months(local, steps, codes)
        if in_months is not None:
            return replace(in_months, zone=instants.zone, offset=_offset(instants))
    usual, share = _usual(steps)
    if usual % DAY:
        usual, share = _usual(utc_steps)
        steps = utc_steps
    step = _measured(steps, usual, share)
    by_clock = step.kind == "regular" and usual % DAY == 0
    return replace(step, by_clock=by_clock, zone=instants.zone, offset=_offset(instants))


def _local_days(instants: Instants) -> Array:
    """Local times, 00:00 for the first moment of a day whose first hour the clock skipped."""
    local = instants.local()
    if instants.zone is None:
        return local
    midnight = local // DAY * DAY
    return np.where(utc_of(midnight, instants.zone) == instants.utc, midnight, local)


def _offset(instants: Instants) -> int:
    return 0 if instants.offsets is None else int(instants.offsets[-1])


def _usual(steps: Array) -> tuple[int, float]:
    """The step most frequent, or the median where that is less than half; and the share it has."""
    lengths, counts = np.unique(steps[:10_000], return_counts=True)
    likely = int(lengths[counts.argmax()])
    share = float((steps == likely).mean())
    if share < _USUAL_SHARE:
        lengths, counts = np.unique(steps, return_counts=True)
        likely, share = int(lengths[counts.argmax()]), float(counts.max() / len(steps))
    if share < _USUAL_SHARE:
        likely = int(np.median(steps))
    return likely, share


def _measured(steps: Array, usual: int, share: float) -> Step:
    odd = steps[steps != usual]
    regular = share >= _USUAL_SHARE and usual > 0 and not (odd % usual).any()
    return Step(
        "regular" if regular else "irregular",
        usual,
        steps=len(steps),
        odd=len(odd),
        absent=int((odd // usual - 1).sum()) if regular else 0,
        shortest=int(steps.min()),
        longest=int(steps.max()),
    )


def _in_months(local: Array, steps: Array, codes: Array | None) -> Step | None:
    """Measure steps in calendar months; None: rows do not keep to one day and time of the month."""
    months = months_of(local)
    day = local // DAY - month_start(months) + 1
    anchor = int(day.max())
    if (local % DAY != local[0] % DAY).any() or (
        day != np.minimum(anchor, days_in_month(months))
    ).any():
        return None
    # The last day of February or April is that of every month where all rows are last days.
    anchor = 31 if (day == days_in_month(months)).all() else anchor
    counts = differences(months, codes)
    usual, share = _usual(counts)
    measured = _measured(counts, usual, share)
    if measured.kind != "regular":
        return None
    return replace(
        measured,
        kind="months",
        nanoseconds=usual * _MONTH_NS,
        months=usual,
        month_day=anchor,
        shortest=int(steps.min()),
        longest=int(steps.max()),
    )


def step_from(rule: str, instants: Instants) -> Step:
    """Return the step that a text such as 1h, 10min, 1D, 1W or 1MS names.

    Raises:
        DataError: it names none.
    """
    found = re.fullmatch(r"(\d*) *([A-Za-z]+)", rule.strip())
    count, unit = (int(found[1] or 1), found[2]) if found else (0, "")
    zone, offset = instants.zone, _offset(instants)
    if count > 0 and unit in _UNITS:
        return Step("regular", count * _UNITS[unit], zone=zone, offset=offset)
    if count > 0 and unit in _DAYS:
        size = count * _DAYS[unit] * DAY
        return Step("regular", size, by_clock=True, zone=zone, offset=offset)
    if count > 0 and unit in _MONTHS:
        months = count * _MONTHS[unit]
        return Step("months", months * _MONTH_NS, months=months, zone=zone, offset=offset)
    raise DataError(
        f"data.resample must be a length of time, but got {rule!r}; write 10min, 1h, 1D, 1W, 1M, "
        "1Q or 1Y."
    )


def duration_text(nanoseconds: int) -> str:
    """Write a duration in its largest whole unit, as "10 min"."""
    units = [("h", HOUR), ("min", MINUTE), ("s", SECOND), ("ms", 1_000_000), ("us", 1_000)]
    if nanoseconds and nanoseconds % DAY == 0:
        days = nanoseconds // DAY
        return f"{days} day{'s' if days > 1 else ''}"
    for unit, size in units:
        if nanoseconds and nanoseconds % size == 0:
            return f"{nanoseconds // size} {unit}"
    for unit, size in (("day", DAY), *units):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds} ns"


def _months_text(months: int) -> str:
    count, unit = (months // 12, "year") if months % 12 == 0 else (months, "month")
    return f"{count} {unit}{'s' if count > 1 else ''}"
