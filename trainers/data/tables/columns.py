"""Columns of a table: found by name, as numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainers.data.contract import Array
from trainers.data.options import nearest
from trainers.data.tables.cells import kind_of
from trainers.data.tables.naming import UNNAMED
from trainers.data.tables.numbers import forms_of, plain_numbers
from trainers.data.tables.texts import evenly
from trainers.data.tables.words import listed, no_numbers
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Missing = Literal["error", "mask"]

_HELD_BY_FLOAT32 = tuple(map(np.dtype, ("float32", "int8", "int16", "uint8", "uint16", "bool")))
_LINE = 60
_STEPS = 10


def require_columns(frame: pd.DataFrame, names: Sequence[str], option: str) -> None:
    """Check that the table has the columns that an option names.

    Raises:
        DataError: a column is missing; the message names the nearest one.
    """
    have = [str(name) for name in frame.columns]
    for name in names:
        # Row numbers that pandas wrote were left out when the file was read.
        if name not in have and not (option == "drop" and name.startswith(UNNAMED)):
            raise DataError(
                f"data.{option} names the column {name!r}, which the file lacks;"
                f"{nearest(name, have)} its columns are: {_shown(have)}"
                f"{_wide_hint(have) if option == 'target' else '.'}"
            )


def _shown(names: Sequence[str]) -> str:
    """Columns' names, no more than a line holds."""
    shown = ""
    for place, name in enumerate(names):
        if place and len(shown) + len(name) > _LINE:
            return f"{shown}, … ({len(names)} in all)"
        shown += f"{', ' if place else ''}{name}"
    return shown


def _wide_hint(names: Sequence[str]) -> str:
    """The way out where columns count up, as d_1, d_2, …: they are steps, a row is a series."""
    starts = Counter(found[1] for name in names if (found := re.fullmatch(r"(\D*)\d+", name)))
    start, count = starts.most_common(1)[0] if starts else ("", 0)
    if count < _STEPS:
        return "."
    return (
        f'; if {start}… are the steps of a series, set data.wide: "{start}*" and data.series to '
        f"the column of the series' names, as data.series: {listed(names[0])}."
    )


def numeric_columns(frame: pd.DataFrame, left_out: Collection[str | None] = ()) -> list[str]:
    """Names of the columns that hold numbers (true and false count as 1 and 0).

    Args:
        frame: As read.
        left_out: Columns that are no inputs anyway, so that nobody asks what they hold.

    Raises:
        DataError: at least half of a column's values are numbers, and others are not.
    """
    import pandas as pd

    found = []
    for name in [str(name) for name in frame.columns if str(name) not in left_out]:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column.dtype):
            found.append(name)
        elif isinstance(column.dtype, pd.StringDtype) and _means_numbers(column):
            if plain_numbers(column) is None:
                raise no_numbers(name, column)
            found.append(name)
    return found


def _means_numbers(column: pd.Series[Any]) -> bool:
    """Whether texts are numbers for the most part, or all but marks of missing values."""
    some = evenly(column)
    forms = forms_of(some)
    if forms.mostly or not forms.numbers:
        return forms.mostly
    return all(kind_of(str(text)) in ("number", "mark", "empty") for text in some.unique())


def matrix(frame: pd.DataFrame, names: Sequence[str], missing: Missing = "error") -> Array:
    """Return columns as `(rows, columns)`, finite; with "mask", NaN where one is missing.

    float64, or float32 where a large table's columns were read as that.

    Raises:
        DataError: a column holds something other than finite numbers.
    """
    narrow = all(frame[name].dtype in _HELD_BY_FLOAT32 for name in names)
    some_single = any(frame[name].dtype == np.float32 for name in names)
    dtype = np.float32 if narrow and some_single else np.float64
    values = np.empty((len(frame), len(names)), dtype=dtype)
    for place, name in enumerate(names):
        values[:, place] = _column(frame, name, missing)
    return values


def _column(frame: pd.DataFrame, name: str, missing: Missing) -> Array:
    import pandas as pd

    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        read = plain_numbers(column)
        if read is None:
            raise no_numbers(name, column)
        values = read
    elif isinstance(column.dtype, np.dtype):
        values = column.to_numpy()
    else:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if values.dtype.kind != "f":
        return values
    bad = np.flatnonzero(np.isinf(values) if missing == "mask" else ~np.isfinite(values))
    if len(bad):
        infinite = np.isinf(values[bad])
        kind = "infinite" if infinite.all() else "missing or infinite"
        kind = "missing" if not infinite.any() else kind
        way_out = "" if kind == "infinite" else ", make gaps of them with data.missing: mask"
        raise DataError(
            f"column {name!r} must hold finite numbers, but {len(bad)} of {len(values)} are "
            f"{kind}, the first in data row {bad[0]} (counted from 0); fill them in{way_out}, or "
            f"leave the column out with data.drop: [{listed(name)}]."
        )
    return values
