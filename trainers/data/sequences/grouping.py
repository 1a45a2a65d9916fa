"""Tables as sequences: one long table with ids, or one file a sequence, named by its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.classes import label_name
from trainers.data.contract import Array
from trainers.data.tables.columns import Missing, matrix, require_columns
from trainers.data.tables.formats import FORMATS, table_stem
from trainers.data.tables.reader import TableReader
from trainers.data.tables.reading_options import ReadingOptions, carried
from trainers.data.tables.request import TableRead
from trainers.data.times.columns import read_column
from trainers.data.times.options import TimeOptions
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

TABLE_ENDINGS = tuple(
    ending for entry in FORMATS.values() for ending in entry.endings if ending != ".json"
)
"""What of a folder is a table; `.json` may be something about them."""


@dataclass(frozen=True)
class Table:
    """A table as read.

    Attributes:
        sequence: The id of its only sequence; None where a column has the ids.
        notes: What was guessed of its file.
        reading: How further files of the kind are read.
    """

    path: Path
    frame: pd.DataFrame
    sequence: str | None = None
    notes: tuple[str, ...] = ()
    reading: ReadingOptions = ReadingOptions()


@dataclass(frozen=True)
class Groups:
    """Which rows, of all tables one after another, make up which sequence.

    Attributes:
        names: The sequences' ids, in order of their first rows.
        rows: For each sequence its rows' numbers, in order.
    """

    names: tuple[str, ...]
    rows: tuple[Array, ...]


def read_long(path: Path, reading: ReadingOptions, reader: TableReader) -> list[Table]:
    """Read one table whose sequences are told apart by a column."""
    return [_table(path, reader.read(path, reading), reading, None)]


def read_folder(files: Sequence[Path], reading: ReadingOptions, reader: TableReader) -> list[Table]:
    """Read one table a sequence, named by its file without its ending; all on the same terms.

    Raises:
        DataError: rows are limited, which would cut every sequence.
    """
    if reader.limit is not None:
        raise reader.limit.refused("here is a file a sequence")
    tables: list[Table] = []
    for file in files:
        terms = tables[-1].reading if tables else reading
        tables.append(_table(file, reader.read(file, terms), reading, table_stem(file)))
    return tables


def notes_of(tables: Sequence[Table]) -> list[str]:
    """Return what was guessed of the tables' files, each line once."""
    return list(dict.fromkeys(note for table in tables for note in table.notes))


def _table(path: Path, read: TableRead, given: ReadingOptions, sequence: str | None) -> Table:
    return Table(path, read.frame, sequence, read.notes, carried(given, read.reading))


def group(tables: Sequence[Table], sequence: str | None, order: str | None) -> Groups:
    """Tell the sequences apart and put their rows in order.

    Args:
        tables: What was read.
        sequence: Column of sequence ids, for tables without an id of their own.
        order: Column of numbers or dates; None keeps the rows' order.

    Raises:
        DataError: an id or a place in the order is missing, or two rows have the same place.
    """
    ids: list[str] = []
    for table in tables:
        ids += _ids(table, sequence)
    codes, names = _factorized(ids)
    if order is None:
        rows = np.argsort(codes, kind="stable")
    else:
        places = np.concatenate([_places(table, order) for table in tables])
        rows = np.lexsort((places, codes))
        _check_no_ties(codes[rows], places[rows], names, order)
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    return Groups(tuple(names), tuple(np.split(rows, ends[:-1])))


def columns_of(tables: Sequence[Table], names: Sequence[str], missing: Missing) -> Array:
    """Return columns of all tables as float64 `(rows, columns)`; see `series.matrix`.

    Raises:
        DataError: a file lacks a column, or a column holds something else; the file is named.
    """
    parts = []
    for table in tables:
        try:
            require_columns(table.frame, names, "inputs or data.target")
            parts.append(matrix(table.frame, names, missing))
        except DataError as error:
            raise DataError(f"{table.path.name}: {error}") from error
    return np.concatenate(parts)


def values_of(tables: Sequence[Table], name: str, missing: Missing) -> list[Any]:
    """Return a column's values in all tables, None where one is missing.

    Raises:
        DataError: a file lacks the column, or a value is missing and may not be.
    """
    values: list[Any] = []
    for table in tables:
        require_columns(table.frame, [name], "target")
        column = table.frame[name]
        absent = np.flatnonzero(column.isna().to_numpy())
        if len(absent) and missing == "error":
            raise DataError(
                f"{table.path.name}: column {name!r} must be filled, but {len(absent)} of "
                f"{len(column)} are missing, the first in data row {absent[0]} (counted from 0); "
                "fill them in, or hide these targets with data.missing: mask."
            )
        values += column.astype(object).where(column.notna(), None).tolist()
    return values


def constant_of(groups: Groups, values: Sequence[Any], option: str, name: str) -> list[str]:
    """Return the one value that a column has over each sequence.

    Raises:
        DataError: a sequence has several.
    """
    found = []
    for sequence, rows in zip(groups.names, groups.rows, strict=True):
        distinct = sorted({label_name(values[row]) for row in rows})
        if len(distinct) > 1:
            raise DataError(
                f"data.{option}: column {name!r} must be the same over a sequence, but sequence "
                f"{sequence!r} has {' and '.join(distinct)}."
            )
        found.append(distinct[0])
    return found


def _ids(table: Table, column: str | None) -> list[str]:
    if table.sequence is not None:
        return [table.sequence] * len(table.frame)
    if column is None:
        raise DataError(
            f"{table.path.name} holds many sequences: set data.sequence to the column of their ids."
        )
    require_columns(table.frame, [column], "sequence")
    absent = np.flatnonzero(table.frame[column].isna().to_numpy())
    if len(absent):
        raise DataError(
            f"{table.path.name}: every row needs a sequence id, but column {column!r} misses "
            f"{len(absent)}, the first in data row {absent[0]} (counted from 0)."
        )
    return [label_name(value) for value in table.frame[column].tolist()]


def _factorized(ids: Sequence[str]) -> tuple[Array, list[str]]:
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in ids], dtype=np.int64)
    return codes, list(numbers)


def _places(table: Table, column: str) -> Array:
    """Values of the order column as float64; dates as nanoseconds."""
    import pandas as pd

    require_columns(table.frame, [column], "order")
    raw = table.frame[column]
    if not pd.api.types.is_numeric_dtype(raw):
        return _dates(table, column)
    places = raw.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(places))
    if len(wrong):
        raise DataError(
            f"{table.path.name}: order column {column!r} must hold numbers or dates, but got "
            f"{raw.iloc[wrong[0]]!r} in data row {wrong[0]} (counted from 0)."
        )
    return np.asarray(places)


def _dates(table: Table, column: str) -> Array:
    """Values of the order column as nanoseconds; days come first where that is sure."""
    try:
        read = read_column(table.frame[column], column, TimeOptions((column,)))
    except DataError as error:
        law = str(error).partition(";")[0].rstrip(".")
        raise DataError(
            f"{table.path.name}: data.order must be numbers or dates, but {law}; write dates as "
            "2021-12-31 23:45, or number the rows."
        ) from error
    return (read.local if read.offsets is None else read.local - read.offsets).astype(np.float64)


def _check_no_ties(codes: Array, places: Array, names: Sequence[str], column: str) -> None:
    tie = np.flatnonzero((np.diff(codes) == 0) & (np.diff(places) == 0))
    if len(tie):
        raise DataError(
            f"rows of a sequence must differ in {column!r}, but two of sequence "
            f"{names[codes[tie[0]]]!r} have the same value; set data.order to another column."
        )
