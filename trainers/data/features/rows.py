"""Rows of a table as series, or as sequences, one after another: what features are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.instants import Instants
from trainers.data.times.steps import Step

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Rows:
    """Rows of series, one series after another, each in order.

    Attributes:
        frame: The table, its rows in that order.
        codes: `(rows,)` int64, which series each row is of.
        names: The series' names; empty for one that has none.
        instants: The rows' times, or None.
        step: From row to row, where there are times.
        notes: What was understood and done.
        brings_ahead: Whether what is known ahead stands in columns of its own, as `price+1`, and
            not in later rows.
    """

    frame: pd.DataFrame
    codes: Array
    names: tuple[str, ...]
    instants: Instants | None
    step: Step | None
    notes: tuple[str, ...]
    brings_ahead: bool = False

    @cached_property
    def bounds(self) -> Array:
        """`(series + 1,)` the row at which each series begins, and the number of rows."""
        count = max(1, len(self.names))
        return np.searchsorted(self.codes, np.arange(count + 1))

    def said(self, row: int) -> str:
        """Name a row: its time, or its number."""
        return str(row) if self.instants is None else self.instants.text(row)

    def placed(self, row: int) -> str:
        """Name a row in a sentence: `data row 5 (counted from 0)`, of its series, or its time."""
        if self.instants is not None:
            where = f"the row of {self.instants.text(row)}"
        else:
            where = f"data row {row - self.bounds[self.codes[row]]} (counted from 0)"
        return f"{where} of series {self.names[self.codes[row]]!r}" if self.names else where
