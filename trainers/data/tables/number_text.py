"""Numbers written as text: the values of one row of UCR, .ts and .tsf files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainers.data.contract import Array
from trainers.errors import DataError

MISSING_MARKS = frozenset(("", "?", "na", "nan", "null"))


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING_MARKS


def is_number(cell: str) -> bool:
    """Whether a cell is a number, or says that there is none."""
    try:
        float(cell)
    except ValueError:
        return is_missing(cell)
    return True


def parse_numbers(cells: Sequence[str], where: str) -> Array:
    """Return float64 `(values,)`, NaN where a value is missing.

    Args:
        cells: One text a value.
        where: File and line, for the message.

    Raises:
        DataError: a cell is neither a finite number nor a mark of a missing one.
    """
    try:
        values = np.array(list(map(float, cells)), dtype=np.float64)
    except ValueError:
        values = np.array([_number(cell) for cell in cells])
    wrong = np.flatnonzero(np.isinf(values))
    if len(wrong):
        raise DataError(
            f"{where}: values must be finite numbers, or ? where missing, but value "
            f"{wrong[0] + 1} is {cells[wrong[0]].strip()!r}; correct the file."
        )
    return values


def _number(cell: str) -> float:
    """Return the cell's number, NaN for a missing one, and infinity for what is none."""
    try:
        return float(cell)
    except ValueError:
        return np.nan if is_missing(cell) else np.inf
