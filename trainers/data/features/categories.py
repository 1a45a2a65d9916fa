"""Which columns hold names: texts with few values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.tables.words import is_nested
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

MOST_VALUES = 1_000  # of a category that is taken without being asked for
_SHOWN = 6


def most_values(rows: int) -> int:
    """How many values a category may have that nobody named, in so many rows."""
    return min(MOST_VALUES, max(rows // 4, 2))


def taken_texts(
    counts: Mapping[str, int], most: Mapping[str, int], asked: Collection[str] | None
) -> tuple[list[str], list[str]]:
    """Choose columns of texts with few values; also return notes on them and on the others.

    Args:
        counts: Each column's number of values.
        most: How many it may have; see `most_values`.
        asked: Those that are said to be categories, or None.
    """
    few = {name for name, count in counts.items() if 1 < count <= most[name]}
    taken = [name for name in counts if name in (few if asked is None else asked)]
    notes = []
    if taken:
        said = ", ".join(f"{name} ({counts[name]} values)" for name in taken[:_SHOWN])
        notes.append(f"categories, as inputs (data.categories): {said}")
    rest = [name for name in counts if name not in taken]
    if rest:
        notes.append(f"not numeric, so not inputs: {', '.join(rest)}")
    return taken, notes


def count_values(column: pd.Series[Any]) -> int:
    """How many values a column has; 0 for one of lists and the like, which are no names."""
    nested = column.dtype == object and column.dropna().iloc[:1].map(is_nested).any()
    return 0 if nested else int(column.nunique())


def is_text(column: pd.Series[Any]) -> bool:
    """Whether a column holds names: texts or categories, not numbers, truth values or times."""
    import pandas as pd

    types = pd.api.types
    return not (types.is_numeric_dtype(column) or types.is_datetime64_any_dtype(column))


def require_filled(frame: pd.DataFrame, name: str) -> None:
    """Check that no value of a column is missing.

    Raises:
        DataError: one is.
    """
    absent = np.flatnonzero(frame[name].isna().to_numpy())
    if len(absent):
        raise DataError(
            f"column {name!r} must be filled, but {len(absent)} of {len(frame)} values are "
            f"missing, the first in data row {absent[0]} (counted from 0); fill them in, make gaps "
            f"of them with data.missing: mask, or leave the column out with data.drop: [{name}]."
        )
