"""Rows taken as they come: columns that would tell their time, or tell several series apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.division import PARTS
from trainers.data.finding import Finding
from trainers.data.findings.judged import JudgedTable, evenly
from trainers.data.findings.time_columns import TimeColumns, find_times
from trainers.data.times.instants import Instants, read_instants
from trainers.data.times.order import series_columns
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_ROWS_READ = 50_000
_SHORTEST_BLOCK = 5
_MOST_BLOCKS = 0.2  # of the rows


def order_of_rows(table: JudgedTable) -> list[Finding]:
    """Judge columns that nobody named as times, or as series."""
    if table.times:
        return []
    found = find_times(table.frame)
    if found is None:
        return [] if table.series else _blocks(table.frame, ())
    if found.problem is not None:
        return [_time(found, _unread(found.problem))]
    # Neighbouring rows: order and repeated times show there, not in rows far apart.
    frame = table.frame.iloc[:_ROWS_READ]
    try:
        instants = read_instants(frame, found.options)
    except DataError as error:
        return [_time(found, _unread(str(error)))]
    findings = [] if table.series else _several(frame, instants, found)
    return findings or [_time(found, _said(table, instants, found))]


def _time(found: TimeColumns, text: str) -> Finding:
    return Finding(
        "time", "doubtful", f"column {' and '.join(map(repr, found.options.columns))} {text}"
    )


def _unread(problem: str) -> str:
    return f"looks like times, but rows are taken as they come; {problem.rstrip('.')}"


def _shown(found: TimeColumns) -> str:
    """The options that read the columns as times."""
    names = found.options.columns
    shown = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    unit = "" if found.options.unit is None else f" and data.time_unit: {found.options.unit}"
    return f"set data.time_column: {shown}{unit}"


def _said(table: JudgedTable, instants: Instants, found: TimeColumns) -> str:
    if table.series:
        return f"looks like times, but rows are taken as they come: {_shown(found)}"
    steps = np.diff(instants.utc)
    if len(steps) and (steps <= 0).all() and (steps < 0).any():
        return (
            f"says that rows run newest first, but they are taken as they come: {_shown(found)} "
            "and data.sort: true"
        )
    if (steps < 0).any():
        return f"says that rows are not in order of time: {_shown(found)} and data.sort: true"
    return f"looks like times, but rows are taken as they come: {_shown(found)}"


def _several(frame: pd.DataFrame, instants: Instants, found: TimeColumns) -> list[Finding]:
    """Times that come several times, once in each series."""
    repeated = len(frame) - len(np.unique(instants.utc))
    columns = series_columns(frame, instants) if repeated else []
    if not columns:
        return []
    names = columns[0]
    shown = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    text = (
        f"{repeated} rows have the time of another, once for each {'+'.join(names)}: these are "
        f"several series, set data.series: {shown} (and data.time_column: "
        f"{', '.join(found.options.columns)}), or windows run from one into the next"
    )
    return [Finding("series", "wrong", text)]


def _blocks(frame: pd.DataFrame, left_out: tuple[str, ...]) -> list[Finding]:
    """A column of names whose rows stand in one block each, as series under one another do."""
    for name in map(str, frame.columns):
        blocks = None if name in left_out else _block_count(frame[name])
        if blocks is not None:
            text = (
                f"rows of each {name!r} stand together ({blocks} blocks): if these are several "
                f"series, set data.series: {name}, or windows run from one into the next"
            )
            return [Finding("series", "doubtful", text)]
    return []


def _block_count(column: pd.Series[Any]) -> int | None:
    """How many blocks of equal names there are; None where a name has several, or they are few."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return None
    if column.iloc[evenly(len(column), 1_000)].nunique() < 2:
        return None
    codes, values = pd.factorize(column)
    blocks = 1 + int((np.diff(codes) != 0).sum())
    sizes = np.bincount(codes[codes >= 0])
    if {str(value) for value in values} <= set(PARTS):
        return None
    alone = blocks == len(values) and (codes >= 0).all()
    return blocks if alone and blocks > 1 and sizes.min() >= _SHORTEST_BLOCK else None
