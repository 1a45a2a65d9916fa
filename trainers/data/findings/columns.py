"""Columns that say nothing, that count, or of which rows are missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.finding import Finding
from trainers.data.findings.judged import JudgedTable, evenly, numbers_of

_FEWEST_TO_COUNT = 12
_LOOKED_AT = 1_000
_ROWS_COMPARED = 20_000
_TIMES_THE_SPREAD = 20


def constant_columns(table: JudgedTable) -> list[Finding]:
    """Inputs with one value, or none, in all rows; a target with one value has nothing to learn."""
    found, same = [], []
    for name in table.used:
        value = _only_value(table.frame[name])
        if value is None:
            continue
        if name in table.targets:
            text = f"target {name!r} is {value} in all rows: there is nothing to learn"
            found.append(Finding("target", "wrong", f"{text}; set data.target to another column"))
        else:
            same.append((name, value))
    if same:
        said = ", ".join(f"{name!r} is always {value}" for name, value in same[:3])
        more = f" and {len(same) - 3} more" if len(same) > 3 else ""
        names = ", ".join(name for name, _ in same[:8])
        text = f"inputs that say nothing: {said}{more}; leave them out with data.drop: [{names}]"
        found.append(Finding("constant", "doubtful", text))
    return found


def _only_value(column: Any) -> str | None:
    """The value of all rows, for people; None where there are two."""
    values = numbers_of(column)
    if values is None:
        if column.iloc[:_LOOKED_AT].nunique() > 1 or column.nunique() > 1:
            return None
        present = column.dropna()
        return repr(str(present.iloc[0])) if len(present) else "missing"
    with np.errstate(invalid="ignore"):
        low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if np.isnan(low):
        return "missing"
    return f"{low:g}" if low == high else None


def counters(table: JudgedTable) -> list[Finding]:
    """Inputs that only count: 0, 1, 2, …, or numbers that grow in every row of every series."""
    found = []
    for name in dict.fromkeys((*table.inputs, *table.known)):
        values = None if name in table.targets else numbers_of(table.frame[name])
        if values is None or len(values) < _FEWEST_TO_COUNT:
            continue
        kind = _counting(values, table.edges)
        if kind is not None:
            text = (
                f"input {name!r} {kind}: the test part's values are never seen in training; leave "
                f"it out with data.drop: [{name}]"
            )
            found.append(Finding("counter", "doubtful", text))
    return found


def _counting(values: Array, edges: Array) -> str | None:
    beginning = np.diff(values[:_LOOKED_AT])
    inner = edges[1:-1][edges[1:-1] < _LOOKED_AT] - 1
    with np.errstate(invalid="ignore"):
        if not np.delete(beginning > 0, inner).all():
            return None
        steps = np.delete(np.diff(values), edges[1:-1] - 1)
        if not len(steps) or not (steps > 0).all():
            return None
        return "counts the rows" if (steps == steps[0]).all() else "grows in every row"


def duplicated_rows(table: JudgedTable) -> list[Finding]:
    """Rows that are whole copies of others, where rows have no times."""
    if table.times or not len(table.frame):
        return []
    some = table.frame.iloc[:_ROWS_COMPARED]
    copies = np.flatnonzero(some.duplicated().to_numpy())
    if 2 * len(copies) > len(some) or len(copies) == 0 or some.shape[1] < 2:
        return []  # a table of few values repeats itself
    of = "" if len(some) == len(table.frame) else f" of the first {len(some)}"
    text = (
        f"{len(copies)} rows{of} are copies of earlier ones, the first is {table.row(copies[0])}: "
        "was a piece of the file written twice?"
    )
    return [Finding("duplicates", "doubtful", text)]


def missing_values(table: JudgedTable) -> list[Finding]:
    """How many values each column lacks, and its longest hole."""
    found = []
    for name in table.used:
        absent = table.frame[name].isna().to_numpy()
        count = int(absent.sum())
        if not count:
            continue
        length, start = _longest(absent, table.edges)
        text = (
            f"column {name!r} misses {count} of {len(absent)} values, at most {length} in a row, "
            f"from {table.row(start)} on"
        )
        found.append(Finding("missing", "note", text))
    return found


def _longest(absent: Array, edges: Array) -> tuple[int, int]:
    """Length and first row of the longest run of True that crosses no edge."""
    turns = np.diff(np.concatenate([[0], absent.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(turns == 1), np.flatnonzero(turns == -1)
    cuts = edges[1:-1]
    cuts = cuts[absent[cuts] & absent[cuts - 1]] if len(cuts) else cuts
    begins, ends = np.sort([*begins, *cuts]), np.sort([*ends, *cuts])
    longest = int((ends - begins).argmax())
    return int(ends[longest] - begins[longest]), int(begins[longest])


def targets_with_tails(table: JudgedTable) -> list[Finding]:
    """Targets of which a few values are far from all others."""
    found = []
    for name in table.targets:
        values = None if table.classes else numbers_of(table.frame[name])
        if values is None:
            continue
        sample = values[evenly(len(values), _ROWS_COMPARED)].astype(np.float64)
        low, middle, high = np.nanquantile(sample, [0.05, 0.5, 0.95])
        farthest = max(np.nanmax(sample) - middle, middle - np.nanmin(sample))
        if high > low and farthest > _TIMES_THE_SPREAD * (high - low):
            text = (
                f"target {name!r} has a long tail: nine of ten values lie in {low:.4g} to "
                f"{high:.4g}, all in {np.nanmin(values):.4g} to {np.nanmax(values):.4g}"
            )
            found.append(Finding("target", "note", text))
    return found
