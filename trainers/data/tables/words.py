"""Why a column is none of numbers, in one line with the option that mends it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.tables.cells import kind_of
from trainers.data.tables.numbers import forms_of, has_sign, is_number
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 3
_LONGEST = 299
_SIMPLE = re.compile(r"[^\W\d][\w.]*( [\w.]+)*")


def listed(name: str) -> str:
    """Return a column's name as it stands in a list of a sweep file."""
    return name if _SIMPLE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def is_nested(value: object) -> bool:
    """Whether a value holds others, as a list in JSON or Parquet does."""
    return isinstance(value, list | dict | tuple | set | np.ndarray)


def no_numbers(name: str, column: pd.Series[Any]) -> DataError:
    """Return the error for a column that is used as numbers but does not hold them."""
    import pandas as pd

    out = f"leave the column out with data.drop: [{listed(name)}]"
    if column.dtype == object and column.dropna().map(lambda value: not is_nested(value)).all():
        column = column.astype("str")
    if not isinstance(column.dtype, pd.StringDtype):
        first = column.dropna().iloc[:1].tolist()
        got = f"{first[0]!r} ({column.dtype})" if first else str(column.dtype)
        return DataError(f"column {name!r} must hold numbers, but got {got}; {out}.")
    there = column.notna().to_numpy()
    wrong = np.flatnonzero(there & ~is_number(column))
    if len(wrong):
        return _words(name, column, wrong, out)
    return _otherwise(name, column, out)


def _words(name: str, column: pd.Series[Any], wrong: Any, out: str) -> DataError:
    """Some values are words."""
    words = [str(word) for word in column.iloc[wrong].drop_duplicates().iloc[:_SHOWN]]
    first = str(column.iloc[wrong[0]])
    got = f"got {first[:40]!r} in data row {wrong[0]} (counted from 0)"
    count = f"{len(wrong)} of {len(column)} are none"
    if len(words) > 1:
        count += f" ({', '.join(repr(word[:20]) for word in words)})"
    marks = json.dumps(words, ensure_ascii=False)
    missing = (
        f"if that is a missing value, set data.reading.missing_values: {marks} and data.missing: "
        "mask, or "
    )
    if has_sign(column.iloc[wrong[:1]]).any():
        missing = "take such signs out of the file, or "
    elif len(marks) > 60 or (2 * len(wrong) > len(column) and kind_of(first) != "mark"):
        missing = ""
    law = f"column {name!r} must hold numbers, but {got}; {count}; "
    if len(law + missing + out) >= _LONGEST and missing:
        return DataError(f"{law}{missing.removesuffix(', or ')}.")
    return DataError(f"{law}{missing}{out}.")


def _otherwise(name: str, column: pd.Series[Any], out: str) -> DataError:
    """All values are numbers, but written in a way that can be read differently."""
    counts = forms_of(column).counts
    texts = [str(text) for text in column.dropna().iloc[:1_000]]
    for mark, kind in ((",", "comma"), (".", "point")):
        shown = next((text for text in texts if mark in text), None)
        if not counts[kind] + counts[f"grouped_{kind}"] or shown is None:
            continue
        row = int(np.flatnonzero(column.eq(shown).to_numpy())[0])
        two = counts[kind] == counts[f"either_{kind}"] and not counts[f"grouped_{kind}"]
        why = "can be read in two ways" if two else "is not written as the file's other numbers"
        return DataError(
            f"column {name!r} must hold numbers, but {shown!r} in data row {row} (counted from 0) "
            f"{why}; set data.reading.decimal: '{mark}' or data.reading.thousands: '{mark}', or "
            f"{out}."
        )
    first = str(column.dropna().iloc[0])
    return DataError(
        f"column {name!r} must hold numbers, but holds texts, as {first[:40]!r}; make numbers of "
        f"them in the file, or {out}."
    )
