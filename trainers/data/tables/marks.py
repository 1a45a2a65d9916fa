"""The user's own marks for missing values, in tables whose cells have types already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def with_missing(frame: pd.DataFrame, marks: Sequence[str | int | float]) -> pd.DataFrame:
    """Return a table without the values that stand for missing ones.

    A mark that is a number stands for it in columns of numbers, written in any way.
    """
    import pandas as pd

    if not marks:
        return frame
    texts = [str(mark) for mark in marks]
    numbers = [number for number in map(_number, texts) if number is not None]
    changed = {}
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_bool_dtype(column.dtype) or isinstance(
            column.dtype, pd.CategoricalDtype
        ):
            found = column.astype(str).isin(texts)
        elif pd.api.types.is_numeric_dtype(column.dtype):
            found = column.isin(numbers)
        else:
            found = column.isin(texts)
        if found.any():
            changed[name] = column.mask(found)
    return frame.assign(**changed) if changed else frame


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
