"""What the columns of a table hold, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainers.data.findings.judged import numbers_of

if TYPE_CHECKING:
    import pandas as pd

ColumnKind = Literal["number", "text", "time", "flag"]
_MOST_DISTINCT = 200_000  # rows that are looked at for different values


@dataclass(frozen=True)
class ColumnFacts:
    """One column.

    Attributes:
        missing: Rows without a value.
        low: The least value of numbers; None of other kinds, or where all are missing.
        example: The first value, as text.
        distinct: Different values of texts and flags, of the first rows of a long table.
    """

    name: str
    kind: ColumnKind
    missing: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    example: str = ""
    distinct: int | None = None


def facts_of(frame: pd.DataFrame) -> tuple[ColumnFacts, ...]:
    """Return the facts of every column."""
    return tuple(_facts(str(name), frame[name]) for name in frame.columns)


def _facts(name: str, column: pd.Series[Any]) -> ColumnFacts:
    missing = int(column.isna().sum())
    there = column.iloc[:_MOST_DISTINCT].dropna()
    example = str(there.iloc[0]) if len(there) else ""
    values = numbers_of(column)
    if values is None:
        kind = _kind(column)
        return ColumnFacts(name, kind, missing, example=example, distinct=int(there.nunique()))
    finite = values[np.isfinite(values)]
    if not len(finite):
        return ColumnFacts(name, "number", missing, example=example)
    return ColumnFacts(
        name=name,
        kind="number",
        missing=missing,
        low=float(finite.min()),
        high=float(finite.max()),
        mean=float(finite.mean(dtype=np.float64)),
        example=example,
    )


def _kind(column: pd.Series[Any]) -> ColumnKind:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return "time"
    return "flag" if pd.api.types.is_bool_dtype(column) else "text"
