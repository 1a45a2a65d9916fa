"""Which of three numbers is day, month and year: for the whole column, never value by value.

A reading is possible when every value is a date by it. Two possible readings are refused, even
where one of them alone would be in order of time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.civil import days_of
from trainers.errors import DataError

# As "dmy": the first number is the day, the last the year.
Order = str

_FORMAT = re.compile(
    r"%(?P<a>[dmy])(?P<p>[-/.]) ?%(?P<b>[dmy])(?P=p) ?%(?P<c>[dmYy])"
    r"(?:[ T_]%[HI]:%M(?::%S(?:[.,]%f)?)?(?: ?%p)?(?: ?%z)?)?"
)


def order_of_format(written: str) -> Order | None:
    """Return the order of day, month and year in a format of three numbers; None: it is another."""
    found = _FORMAT.fullmatch(written)
    if found is None:
        return None
    order = (found["a"] + found["b"] + found["c"]).lower()
    return order if sorted(order) == ["d", "m", "y"] else None


@dataclass(frozen=True)
class ThreeNumbers:
    """Dates of three numbers and a separator.

    Attributes:
        numbers: Three of int64 `(rows,)`.
        padded: Rows whose first number has two digits, `(rows,)`.
        short: Rows whose last number has two digits, `(rows,)`.
        separator: Between the numbers of the first value.
        clock: The format of the first value's time of day, "" where it has none.
        first: The first value as written.
    """

    numbers: tuple[Array, Array, Array]
    padded: Array
    short: Array
    separator: str
    clock: str
    first: str

    def days(self, order: Order) -> tuple[Array, Array]:
        """Days since 1970 by this order, and whether there is such a date."""
        parts = {letter: self.numbers[place] for place, letter in enumerate(order)}
        year = parts["y"]
        last = order[2] == "y"
        full = full_year(year)
        year = np.where(self.short, full, year) if last else full
        days, fits = days_of(year, parts["m"], parts["d"])
        return days, fits if last else fits & self.short & self.padded

    def format(self, order: Order) -> str:
        """How `strptime` writes this order."""
        year = "%y" if self.short[0] else "%Y"
        letters = [year if letter == "y" else f"%{letter}" for letter in order]
        return self.separator.join(letters) + self.clock


def full_year(two_digits: Array) -> Array:
    """Years 1969 to 2068 of two digits, as POSIX has it."""
    return np.asarray(two_digits + np.where(two_digits < 69, 2000, 1900))


def choose_order(dates: ThreeNumbers, known: Array, column: str) -> tuple[Order, str]:
    """Return the order by which all values of the column are dates, and what to say of it.

    `known (rows,)` leaves out values that are not of this kind at all. Where no order fits all
    values, the one that fits most is taken: its misfits are told by the reader.

    Raises:
        DataError: several orders are possible.
    """
    orders = ("dmy", "mdy", "ymd") if dates.short.any() else ("dmy", "mdy")
    misfits = {order: known & ~dates.days(order)[1] for order in orders}
    possible = [order for order in orders if not misfits[order].any()]
    if dates.separator == "." and "dmy" in possible:
        return "dmy", _note(dates, "dmy", column, "with dots the day comes first")
    if len(possible) > 1:
        formats = " or ".join(f'"{dates.format(order)}"' for order in possible)
        raise DataError(
            f"dates of column {column!r} must be read one way only, but {dates.first!r} (data row "
            f"0, counted from 0) and every other value can be read in {len(possible)}; choose "
            f"data.time_format: {formats}."
        )
    if possible:
        return possible[0], _note(dates, possible[0], column, "no other order fits all values")
    return min(orders, key=lambda order: int(misfits[order].sum())), ""


def _note(dates: ThreeNumbers, order: Order, column: str, reason: str) -> str:
    return f'{column!r} was read as data.time_format: "{dates.format(order)}" ({reason})'
