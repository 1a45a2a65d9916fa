"""Which columns of many tables are inputs, and which of them are categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.categories import (
    count_values,
    is_text,
    most_values,
    require_filled,
    taken_texts,
)
from trainers.data.sequences.grouping import Table, columns_of
from trainers.data.sequences.table_options import TableOptions
from trainers.data.tables.columns import Missing, numeric_columns, require_columns
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ChosenInputs:
    """Input columns.

    Attributes:
        names: In order.
        categories: Those of them that hold names.
        notes: What was taken, or left out, without being asked.
    """

    names: tuple[str, ...]
    categories: frozenset[str]
    notes: tuple[str, ...] = ()


def choose_inputs(tables: Sequence[Table], codes: Array, options: TableOptions) -> ChosenInputs:
    """Choose input columns among those of the first table.

    Args:
        tables: All tables of inputs.
        codes: `(rows,)`, of which sequence each row is, of all tables one after another.
        options: See there.

    Raises:
        DataError: a column is missing, or none is left.
    """
    first = tables[0].frame
    for option in ("drop", "categories"):
        require_columns(first, getattr(options, option) or (), option)
    if isinstance(options.fill, dict):
        require_columns(first, list(options.fill), "fill")
    asked = options.categories or ()
    if options.inputs is not None:
        names = _named(options)
        require_columns(first, names, "inputs")
        texts = [n for n in names if n in asked or is_text(_telling(tables, n)[n])]
        categories = [n for n in texts if n in asked or not _is_number(tables, n)]
        return ChosenInputs(tuple(names), frozenset(categories))
    own_targets = options.target if options.labels is None else ()
    others = {options.sequence, options.order, options.split_column, options.group}
    others |= {*options.drop, *own_targets}
    free = [str(name) for name in first.columns if name not in others]
    numbers = [n for n in free if n not in asked and _is_number(tables, n)]
    taken, notes = _texts(tables, codes, [n for n in free if n not in numbers], options)
    names = [name for name in free if name in {*numbers, *taken}]
    if not names:
        raise DataError(
            f"at least one input column is needed, but {tables[0].path.name} has none of numbers, "
            "or of names with few values, beside ids, order and targets; name some in data.inputs."
        )
    return ChosenInputs(tuple(names), frozenset(taken), tuple(notes))


def input_frame(tables: Sequence[Table], chosen: ChosenInputs, missing: Missing) -> pd.DataFrame:
    """Return the input columns of all tables one after another, numbers as such.

    Raises:
        DataError: a file lacks a column, or holds what it must not; the file is named.
    """
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in chosen.names:
        if name in chosen.categories:
            columns[name] = _values(tables, name, missing)
        else:
            columns[name] = columns_of(tables, [name], missing)[:, 0]
    return pd.DataFrame(columns)


def _named(options: TableOptions) -> list[str]:
    inputs = options.inputs or ()
    leaks = [name for name in inputs if name in options.target]
    if leaks and options.labels is None:
        raise DataError(f"the target {leaks[0]!r} can't be its own input; leave it out.")
    names = [name for name in inputs if name not in options.drop]
    if not names:
        raise DataError(
            f"at least one input column is needed, but drop leaves none of {list(inputs)}."
        )
    return names


def _telling(tables: Sequence[Table], name: str) -> pd.DataFrame:
    """The first table that says what a column holds: not everything is missing there."""
    frames = (table.frame for table in tables if name in table.frame.columns)
    return next((frame for frame in frames if frame[name].notna().any()), tables[0].frame)


def _is_number(tables: Sequence[Table], name: str) -> bool:
    return bool(numeric_columns(_telling(tables, name)[[name]]))


def _texts(
    tables: Sequence[Table], codes: Array, names: Sequence[str], options: TableOptions
) -> tuple[list[str], list[str]]:
    """Columns of names with few values, and notes.

    A column that has one value a sequence tells them apart: few is for so many sequences, not rows.
    """
    import pandas as pd

    counts, most = {}, {}
    for name in names:
        column = _values(tables, name, "mask")
        counts[name] = count_values(column)
        most[name] = most_values(len(codes))
        if 1 < counts[name] <= most[name]:
            values = pd.factorize(column)[0]
            pairs = np.unique(np.stack([codes, values])[:, values >= 0], axis=1)
            is_static = len(np.unique(pairs[0])) == pairs.shape[1]
            most[name] = most_values(int(codes.max()) + 1) if is_static else most[name]
    return taken_texts(counts, most, options.categories)


def _values(tables: Sequence[Table], name: str, missing: Missing) -> pd.Series[Any]:
    import pandas as pd

    for table in tables:
        try:
            require_columns(table.frame, [name], "inputs")
            if missing == "error":
                require_filled(table.frame, name)
        except DataError as error:
            raise DataError(f"{table.path.name}: {error}") from error
    return pd.concat([table.frame[name].astype(object) for table in tables], ignore_index=True)
