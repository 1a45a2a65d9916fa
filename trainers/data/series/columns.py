"""Which columns of a table are inputs, which of them are categories, and what the target asks for.

What is looked at here is the table as it was read, so that messages name its own rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainers.data.classes import label_name
from trainers.data.features.categories import (
    count_values,
    is_text,
    most_values,
    require_filled,
    taken_texts,
)
from trainers.data.series.options import WindowOptions
from trainers.data.tables.columns import matrix, numeric_columns, require_columns
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

MOST_VALUES = 1_000  # of a category that is taken without being asked for
_SHOWN = 6
_FEW = 10  # whole numbers that a target of classes may have
_OFTEN = 5  # times that a label comes on average


@dataclass(frozen=True)
class Chosen:
    """The columns that inputs are made of.

    Attributes:
        own: Input columns, in order.
        categories: Those of them, and of the columns known ahead, that hold names.
        notes: What was taken, or left out, without being asked.
    """

    own: tuple[str, ...]
    categories: frozenset[str]
    notes: tuple[str, ...]


def choose_columns(frame: pd.DataFrame, options: WindowOptions) -> Chosen:
    """Choose input columns, and check what they hold.

    Raises:
        DataError: a column is missing, holds what it must not, or none is left.
    """
    for option in ("target", "drop", "known_ahead", "categories", "static"):
        require_columns(frame, getattr(options, option) or (), option)
    left_out = _left_out(options)
    asked = {*(options.inputs or ()), *options.known_ahead} - {*options.drop}
    unused = (left_out if options.inputs is None else {*map(str, frame.columns)}) - asked
    numbers = numeric_columns(frame, {*unused, *options.categories_or_none})
    if options.inputs is not None:
        require_columns(frame, options.inputs, "inputs")
        own = [name for name in options.inputs if name not in {*options.drop}]
        candidates = {*own, *options.known_ahead}
        categories = {n for n in candidates if n not in numbers and is_text(frame[n])}
        notes: list[str] = []
    else:
        names = [str(name) for name in frame.columns if name not in {*left_out, *numbers}]
        counts = {name: count_values(frame[name]) for name in names}
        most = dict.fromkeys(names, most_values(len(frame)))
        texts, notes = taken_texts(counts, most, options.categories)
        own = [n for n in frame.columns if n in {*numbers, *texts} and n not in left_out]
        known = {n for n in options.known_ahead if n not in numbers and is_text(frame[n])}
        categories = {*texts, *known}
    categories |= {n for n in options.categories_or_none if n in {*own, *options.known_ahead}}
    _check_inputs(own, options, frame)
    notes += _few_values(frame, options)
    for name in dict.fromkeys((*own, *options.known_ahead)):
        if name not in categories:
            matrix(frame, [name], "error" if options.missing == "error" else "mask")
        elif options.missing == "error":
            require_filled(frame, name)
    return Chosen(tuple(own), frozenset(categories), tuple(notes))


def check_target(frame: pd.DataFrame, options: WindowOptions) -> None:
    """Check that targets are numbers, or that the task is said.

    Raises:
        DataError: a target holds classes, as it seems, and `data.task` is not said.
    """
    if options.task is not None:
        return
    for name in options.target:
        column = frame[name]
        kind = _looks_like_classes(column)
        if kind is not None:
            raise DataError(
                f"target {name!r} holds {kind}: set data.task to classification (a class for each "
                "window) or to regression (a number)."
            )


def _few_values(frame: pd.DataFrame, options: WindowOptions) -> list[str]:
    """A line on targets that are taken as numbers and might be classes."""
    import pandas as pd

    if options.task is not None or len(options.target) > 1:
        return []
    name = options.target[0]
    values = frame[name].dropna()
    if not pd.api.types.is_numeric_dtype(values) or len(values) < _OFTEN * _FEW:
        return []
    found = values.unique()
    if not 2 < len(found) <= _FEW or not all(float(value).is_integer() for value in found):
        return []
    return [f"target {name!r} is taken as numbers (data.task: classification makes its {len(found)}"
            " values classes)"]  # fmt: skip


def class_labels(frame: pd.DataFrame, name: str, *, error: bool) -> list[Any]:
    """Return a column's labels, None where one is missing.

    Raises:
        DataError: one is missing, and may not be.
    """
    if error:
        require_filled(frame, name)
    column = frame[name]
    return list(column.astype(object).where(column.notna(), None))


def _left_out(options: WindowOptions) -> set[str]:
    """Columns that are no inputs unless they are named."""
    left_out = {*options.drop, *(options.time_column or ()), *(options.series or ())}
    if isinstance(options.split, dict) and "column" in options.split:
        left_out.add(str(options.split["column"]))
    if options.task == "classification":
        left_out |= set(options.target)
    return left_out


def _looks_like_classes(column: pd.Series[Any]) -> str | None:
    """Say what classes a column seems to hold; None for numbers."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        return "true and false"
    if is_text(column):
        numbers = pd.to_numeric(column.dropna(), errors="coerce").notna()
        if len(numbers) and numbers.mean() >= 0.5:
            return None  # reading it as numbers says which are none
        first = [label_name(value) for value in column.dropna().unique()[:3]]
        return f"texts ({', '.join(first)} …)" if first else None
    if pd.api.types.is_numeric_dtype(column):
        there = column.dropna()
        found = sorted(there.unique().tolist())
        often = found == [0, 1] or len(there) >= _OFTEN * len(found)
        if len(found) == 2 and often and all(float(value).is_integer() for value in found):
            return f"only {found[0]:g} and {found[1]:g}"
    return None


def _check_inputs(own: Sequence[str], options: WindowOptions, frame: pd.DataFrame) -> None:
    if not own and not options.known_ahead:
        none = f"drop leaves none of {list(options.inputs)}" if options.inputs else "none is left"
        raise DataError(
            "at least one input column is needed, but "
            f"{none if len(numeric_columns(frame)) else 'no column is numeric'}."
        )
    leaks = [name for name in own if name in options.target and options.ahead == 0]
    if leaks:
        raise DataError(
            f"with steps_ahead=0 the target {leaks[0]!r} would be its own input; leave it out with "
            f"data.drop: [{leaks[0]}], or set data.steps_ahead to 1 or more."
        )
