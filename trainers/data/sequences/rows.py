"""A sequence a row of a table: a column of labels, the others are steps in their order."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.classes import label_name
from trainers.data.contract import Array
from trainers.data.sequences.cases import Cases, without_ends
from trainers.data.tables.columns import matrix, require_columns
from trainers.data.tables.table import read_table
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class RowColumns:
    """Which columns of a table are what.

    Attributes:
        target: Column of labels; None where rows have none.
        steps: Columns of the steps, by name or pattern; None for every other one of numbers.
        drop: Columns that are neither.
        is_labelled: Whether the column of labels must be there.
    """

    target: str | None
    steps: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    is_labelled: bool = True


def read_rows(path: Path, columns: RowColumns) -> Cases:
    """Read a table whose rows are sequences.

    Raises:
        DataError: a column is missing or out of order, or a value is no number.
    """
    read = read_table(path)
    frame = read.frame.replace("?", np.nan)
    require_columns(frame, columns.drop, "drop")
    target = columns.target if columns.is_labelled or columns.target in frame else None
    if target is not None:
        require_columns(frame, [target], "target")
    steps, notes = _steps(frame, columns, path)
    try:
        values = matrix(frame, steps, "mask")
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error
    cases = Cases(
        path=path,
        format="rows",
        values=tuple(row[:, None] for row in values),
        labels=_labels(frame, target),
        places=tuple(f"data row {row} (counted from 0)" for row in range(len(frame))),
        steps=len(steps),
        columns=tuple(steps),
        notes=(*read.notes, *notes),
    )
    return without_ends(cases)


def _labels(frame: pd.DataFrame, target: str | None) -> tuple[str | None, ...]:
    if target is None:
        return (None,) * len(frame)
    column = frame[target]
    raw = column.astype(object).where(column.notna(), None).tolist()
    return tuple(None if label is None else label_name(label) for label in raw)


def _steps(
    frame: pd.DataFrame, columns: RowColumns, path: Path
) -> tuple[list[str], tuple[str, ...]]:
    """The step columns in order, and what to say of them."""
    names = [name for name in frame.columns if name not in (columns.target, *columns.drop)]
    if columns.steps is not None and all(name in names for name in columns.steps):
        return list(columns.steps), ()
    texts = []
    if columns.steps is not None:
        steps = _matching(names, columns.steps, path)
    else:
        texts = [name for name in names if not _has_numbers(frame[name])]
        steps = [name for name in names if name not in texts]
        _check_alike(steps, path)
    if not steps:
        raise DataError(
            f"{path.name} must have a column of numbers for each step, but has none beside "
            f"{columns.target!r}; its columns are: {', '.join(names[:12])}."
        )
    _check_order(steps, path)
    notes = [f"{path.name}: steps are {len(steps)} columns, {_span(steps)}; or set data.steps"]
    if texts:
        notes.append(f"{path.name}: no steps, as they hold texts: {', '.join(texts[:12])}")
    return steps, tuple(notes)


def _matching(names: Sequence[str], patterns: Sequence[str], path: Path) -> list[str]:
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            raise DataError(
                f"data.steps names {pattern!r}, but no column of {path.name} fits; its columns "
                f"are: {', '.join(names[:12])}."
            )
    return [name for name in names if any(fnmatch.fnmatchcase(name, p) for p in patterns)]


def _has_numbers(column: pd.Series[Any]) -> bool:
    """Whether a column holds a number, or nothing at all."""
    import pandas as pd

    numbers: Array = pd.to_numeric(column, errors="coerce").notna().to_numpy()
    return bool(numbers.any() or column.isna().all())


def _check_alike(steps: Sequence[str], path: Path) -> None:
    """Refuse a column whose name is unlike the others', as an id's: `t0, t1, …` beside `id`."""
    kinds = Counter(_NUMBER.sub("#", name) for name in steps)
    if not kinds:
        return
    usual, count = kinds.most_common(1)[0]
    odd = [name for name in steps if _NUMBER.sub("#", name) != usual]
    if count > max(1, len(steps) // 2) and odd:
        like = next(name for name in steps if name not in odd)
        raise DataError(
            f"{path.name}: a step's column should be named as the others ({like!r}), but got "
            f"{odd[0]!r}; leave it out with data.drop: [{odd[0]}], or set data.steps: "
            f"'{usual.replace('#', '*')}'."
        )


def _check_order(steps: Sequence[str], path: Path) -> None:
    """Refuse columns that are numbered, but not in the order of their numbers."""
    found = [_NUMBER.findall(name) for name in steps]
    if any(len(numbers) != 1 for numbers in found):
        return
    for (one, before), (other, after) in pairwise(zip(steps, found, strict=True)):
        if int(after[0]) <= int(before[0]):
            raise DataError(
                f"{path.name}: step columns must be in the order of their numbers, but {other!r} "
                f"follows {one!r}; reorder them, or list all in order as data.steps."
            )


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
