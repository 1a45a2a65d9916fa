"""A table whose rows have a time each, sorted, and with one row a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.aggregation import How, aggregated, hows_of
from trainers.data.times.instants import Instants
from trainers.data.times.order import sorted_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TimedTable:
    """A table with the time of its rows.

    Attributes:
        frame: The columns, without those that tell the time.
        instants: The time of each row.
        codes: The series of each row, int `(rows,)`; None: one series.
    """

    frame: pd.DataFrame
    instants: Instants
    codes: Array | None = None

    def take(self, rows: Array) -> TimedTable:
        """The same for some rows, in this order."""
        codes = None if self.codes is None else self.codes[rows]
        frame = self.frame.iloc[rows].reset_index(drop=True)
        return TimedTable(frame, self.instants.take(rows), codes)

    def sorted(self) -> TimedTable:
        """The same by series and time; rows of one time stay in the order of the file."""
        if self._is_sorted():
            return self
        return self.take(sorted_rows(self.instants, self.codes))

    def _is_sorted(self) -> bool:
        later = np.diff(self.instants.utc) >= 0
        if self.codes is not None:
            steps = np.diff(self.codes)
            later = (steps > 0) | (later & (steps == 0))
        return bool(later.all())

    def begins(self) -> Array:
        """Rows that are of another series than the row before them, bool `(rows,)`."""
        new = np.zeros(len(self.instants), dtype=bool)
        new[:1] = True
        if self.codes is not None:
            new[1:] = np.diff(self.codes) != 0
        return new


def timed_table(frame: pd.DataFrame, instants: Instants, codes: Array | None = None) -> TimedTable:
    """Put a table and its times together; the columns that tell the time are left out."""
    others = frame.drop(columns=list(instants.options.columns)).reset_index(drop=True)
    return TimedTable(others, instants, codes)


def merged_duplicates(table: TimedTable, how: How | Mapping[str, How] = "mean") -> TimedTable:
    """Make one row of those of one series and time, sorted by both.

    Raises:
        DataError: a column can't be joined as it is asked.
    """
    hows = hows_of(table.frame, how, "duplicates")
    table = table.sorted()
    new = table.begins()
    new[1:] |= np.diff(table.instants.utc) != 0
    if new.all():
        return table
    joined = aggregated(table.frame, np.cumsum(new) - 1, hows)
    kept = table.take(np.flatnonzero(new))
    note = f"{len(new) - int(new.sum())} rows were joined with another of their time"
    instants = replace(kept.instants, notes=(*kept.instants.notes, note))
    return TimedTable(joined, instants, kept.codes)
