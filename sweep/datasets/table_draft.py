"""How a table is best taken: rows of long series, of whole sequences, or a row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweep.datasets.draft import Draft
from sweep.datasets.opened_table import (
    TRAIN_SHARE,
    Table,
    columns_said,
    listed,
    missing_of,
    require_named,
)
from sweep.datasets.window_draft import draft_wide, draft_windows
from sweep.errors import ConfigProblem
from trainers.data.findings.time_columns import find_times
from trainers.data.findings.wide import WideForm, wide_form
from trainers.data.tables.columns import numeric_columns

if TYPE_CHECKING:
    import pandas as pd

_FEW_CLASSES = 20


def draft_table(table: Table) -> Draft:
    """Draft the data section for a table.

    Raises:
        ConfigProblem: there is no target, or it is no column.
        DataError: a column can't be read as it is asked.
    """
    wide = wide_form(table.frame) if not table.wishes.options.get("wide") else None
    target, why = _target(table, wide)
    if wide is not None and set(target).isdisjoint(table.frame.columns):
        return draft_wide(table, wide, target)
    require_named(table.frame, target, "--target")
    require_named(table.frame, table.wishes.series, "--series")
    labelled = _labelled_rows(table, target, wide) or _whole_sequences(table, target)
    if labelled is not None:
        return labelled
    return draft_windows(table, target, why)


def _target(table: Table, wide: WideForm | None) -> tuple[tuple[str, ...], str]:
    """The target, and a comment where nobody named it."""
    given = table.wishes.target or listed(table.wishes.options.get("target"))
    if given:
        return given, ""
    if wide is not None:
        return ("value",), "the name that the values of all steps get"
    times = find_times(table.frame)
    left_out = {*(times.options.columns if times else ()), *table.wishes.time, *table.wishes.series}
    numbers = [name for name in numeric_columns(table.frame) if name not in left_out]
    if len(numbers) == 1:
        return (numbers[0],), "the only column of numbers"
    raise ConfigProblem(
        f"init needs --target, the column to predict; {table.path.name} has: "
        f"{columns_said(table.frame)}."
    )


def _labelled_rows(table: Table, target: Sequence[str], wide: WideForm | None) -> Draft | None:
    """A sequence a row, its label in a column: source `sequences`."""
    wide = wide or _unnamed_rows(table.frame, target)
    if wide is None or len(target) > 1:
        return None
    return Draft(
        source="sequences",
        kind="regression" if table.wishes.task == "regression" else "classification",
        options={
            "path": str(table.path),
            "format": "rows",
            "target": target[0],
            "steps": [wide.pattern],
            **({"task": table.wishes.task} if table.wishes.task else {}),
        },
        why={"steps": f"{wide.steps} columns, one a step; a row is a sequence"},
        examples=int(TRAIN_SHARE * len(table.frame)),
    )


def _unnamed_rows(frame: pd.DataFrame, target: Sequence[str]) -> WideForm | None:
    """Rows of steps and a label, which nothing else names."""
    if len(target) != 1 or target[0] not in frame.columns:
        return None
    label = frame[target[0]]
    if 2 * label.nunique() > len(frame) or len(frame.columns) < 8:
        return None
    named = frame.drop(columns=list(target)).assign(_row=[f"row {n}" for n in range(len(frame))])
    found = wide_form(named)
    # Columns of one table that only count up are steps where they are all that there is.
    return found if found is not None and found.steps >= len(frame.columns) - 2 else None


def _whole_sequences(table: Table, target: Sequence[str]) -> Draft | None:
    """Rows of sequences that have one label each: source `table`."""
    series = table.wishes.series
    if len(series) != 1 or len(target) != 1 or table.wishes.ahead is not None:
        return None
    groups = table.frame.groupby(series[0], sort=False, observed=True)[target[0]]
    if not (groups.nunique() == 1).all():
        return None
    task = table.wishes.task or task_of(table.frame[target[0]], target[0])
    order = table.wishes.time or ordering(table.frame.drop(columns=series[0]))
    return Draft(
        source="table",
        kind="regression" if task == "regression" else "classification",
        options={
            "path": str(table.path),
            "sequence": series[0],
            **({"order": order[0]} if len(order) == 1 else {}),
            "target": target[0],
            "task": task,
            "alignment": "one_label",
            **missing_of(table.frame, numeric_columns(table.frame)),
        },
        why={"alignment": f"{target[0]} is the same in all rows of each {series[0]}"},
        examples=int(TRAIN_SHARE * groups.ngroups),
    )


def task_of(label: pd.Series[Any], target: str) -> str:
    """What the labels of whole sequences are.

    Raises:
        ConfigProblem: they are few whole numbers, which may be either.
    """
    if not numeric_columns(label.to_frame(target)):
        return "classification"
    values = label.dropna().unique()
    if len(values) <= _FEW_CLASSES and all(float(value).is_integer() for value in values):
        held = ", ".join(f"{value:g}" for value in sorted(values)[:4])
        raise ConfigProblem(
            f"target {target!r} holds {len(values)} whole numbers ({held} …): say --task "
            "classification (a class) or --task regression (a number)."
        )
    return "regression"


def ordering(frame: pd.DataFrame) -> tuple[str, ...]:
    """The column that tells the order of a sequence's rows; empty where none does."""
    found = find_times(frame)
    return found.options.columns if found is not None and found.problem is None else ()
