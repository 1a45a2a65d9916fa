"""What is judged: a table as a data set uses it, and its columns as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 4


@dataclass(frozen=True)
class JudgedTable:
    """A table whose rows are time steps, in order, one series after another.

    Attributes:
        frame: All its columns, also those that are neither input nor target.
        targets: The columns to predict.
        inputs: The columns that a network sees; targets may be among them.
        known: Columns that are also seen at the rows to be predicted.
        times: The columns that tell the time; empty where rows are taken as they come.
        series: The columns that tell series apart; empty where there is one.
        bounds: `(series + 1,)` the row at which each series begins, and the number of rows; None
            for one series.
        ahead: Rows from the last input to the targets; None where targets are not rows ahead.
        input_steps: Rows of a window.
        classes: Whether the target holds classes.
        said: Names a row for people: its time, or its number.
    """

    frame: pd.DataFrame
    targets: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    bounds: Array | None = None
    ahead: range | None = None
    input_steps: int = 1
    classes: bool = False
    said: Callable[[int], str] | None = None

    @cached_property
    def edges(self) -> Array:
        """`bounds`, of one series too."""
        return np.array([0, len(self.frame)]) if self.bounds is None else self.bounds

    @property
    def used(self) -> tuple[str, ...]:
        """Inputs and targets, each once."""
        return tuple(dict.fromkeys((*self.inputs, *self.known, *self.targets)))

    def numbers(self) -> Iterator[tuple[str, Array]]:
        """Inputs and targets that hold numbers, one after another: `(rows,)`, NaN where missing."""
        for name in self.used:
            values = numbers_of(self.frame[name])
            if values is not None:
                yield name, values

    def row(self, number: int) -> str:
        """Name a row in a message."""
        if self.said is not None and self.times:
            return f"row {self.said(number)}"
        return f"data row {number} (counted from 0)"


def numbers_of(column: pd.Series[Any]) -> Array | None:
    """Return a column of numbers as float32 or float64 `(rows,)`; None where it holds others."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return None
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        return column.to_numpy()
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def evenly(count: int, most: int) -> Array:
    """Return at most so many row numbers, even steps apart."""
    return np.arange(0, count, max(1, -(-count // most)))


def shown(names: Sequence[str]) -> str:
    """Join names for a message, the first ones of many."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more


def number(value: float) -> str:
    """Write a number as a file would: -9999, not -9999.0."""
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:g}"
