"""Who has reached a rung, and in which order of values: kept up to date, not sorted anew.

A sweep of ten thousand trials judges a rung ten thousand times; a judgement looks at the cut and
at the paused trials next to it, never at all members.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

Entry = tuple[float, int]
"""A value, to be minimised, and the number of the trial that has it."""


class RungRecord:
    """Best values so far of the trials that have passed a rung, were paused there or ended there.

    Attributes:
        values: By trial; each enters once, since its value at this epoch is final.
        paused: The trials that may be promoted from here, best first.
    """

    def __init__(self) -> None:
        self.values: dict[int, float] = {}
        self.paused: list[Entry] = []
        self._ordered: list[Entry] | None = None

    def enter(self, number: int, value: float) -> None:
        """Add a trial; once it has entered, its value stands."""
        if number in self.values:
            return
        self.values[number] = value
        if self._ordered is not None:
            insort(self._ordered, (value, number))

    def pause(self, number: int) -> None:
        """Keep a trial, which has entered, for a later promotion."""
        insort(self.paused, (self.values[number], number))

    def release(self, number: int) -> None:
        """Forget a paused trial: it was promoted, or is over."""
        entry = self.values[number], number
        place = bisect_left(self.paused, entry)
        if self.paused[place : place + 1] == [entry]:
            del self.paused[place]

    def ordered(self) -> list[Entry]:
        """Return all members, best first; only rules that rank ask for it."""
        if self._ordered is None:
            self._ordered = sorted((value, number) for number, value in self.values.items())
        return self._ordered

    def paused_up_to(self, cut: float) -> list[Entry]:
        """Return the paused trials whose value is `cut` or better."""
        return self.paused[: bisect_right(self.paused, cut, key=_value)]

    def paused_beyond(self, cut: float) -> list[Entry]:
        """Return the paused trials whose value is worse than `cut`."""
        return self.paused[bisect_right(self.paused, cut, key=_value) :]


def value_at(ordered: Sequence[Entry], arrivals: Iterable[float], rank: int) -> float:
    """Return the value of the `rank`-th best (from 1) of sorted members and a few arrivals.

    So many members may be worse than none of the arrivals that only those around `rank` matter.
    """
    new = sorted(arrivals)
    first = max(0, rank - len(new) - 1)
    window = sorted([*(value for value, _ in ordered[first:rank]), *new])
    return window[rank - first - 1]


def _value(entry: Entry) -> float:
    return entry[0]
