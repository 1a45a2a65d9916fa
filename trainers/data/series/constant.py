"""Columns that never change in a series: they go on where a series does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.rows import Rows

if TYPE_CHECKING:
    import pandas as pd

_FIRST_ROWS = 1 << 12  # enough to see most columns change


def constant_columns(rows: Rows, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that hold one value over each series, whatever is missing."""
    return tuple(
        name
        for name in names
        if _is_constant(rows.frame[name][:_FIRST_ROWS], rows.codes[:_FIRST_ROWS])
        and _is_constant(rows.frame[name], rows.codes)
    )


def _is_constant(column: pd.Series[Any], codes: Array) -> bool:
    """Whether no value differs from the one before it in its series."""
    import pandas as pd

    values = pd.factorize(column)[0]
    there = values >= 0
    values, codes = values[there], codes[there]
    return not bool(np.any((values[1:] != values[:-1]) & (codes[1:] == codes[:-1])))
