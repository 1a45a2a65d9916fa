"""Tables and texts without targets, as the sequences that a trained network is asked about.

Columns are found by the names that the network was trained with, whatever else a table holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.files import find_files, read_text
from trainers.data.interface import Interface
from trainers.data.reading import CaseReading, PairReading, Reading, TextReading
from trainers.data.sequences.asking import asked_sequences
from trainers.data.sequences.formats import read_asked
from trainers.data.sequences.grouping import (
    TABLE_ENDINGS,
    Groups,
    Table,
    columns_of,
    group,
    read_folder,
    values_of,
)
from trainers.data.sequences.reading import TableReading
from trainers.data.series.asking import windows_of_table
from trainers.data.series.reading import WindowReading
from trainers.data.tables.columns import numeric_columns, require_columns
from trainers.data.tables.formats import is_table, table_stem
from trainers.data.tables.reader import TableReader
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.table import read_table
from trainers.data.texts.vocabulary import split_text
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SEQUENCE_COLUMN = "sequence"
TEXT_COLUMN = "text"
LABEL_COLUMN = "label"
REQUEST = "inputs"


@dataclass(frozen=True)
class Unlabelled:
    """One sequence to be asked about.

    Attributes:
        record: As `trainers.use.records` reads it.
        key: What tells its answer from others', by column.
        steps: What tells its steps apart, by column; empty where only the last step's answer
            counts.
        targets: What names each row that is forecast, by column; empty where the answer is of the
            sequence itself.
        forecasts: The columns that are forecast there.
    """

    record: dict[str, Any]
    key: dict[str, Any]
    steps: dict[str, list[Any]] = field(default_factory=dict)
    targets: tuple[dict[str, Any], ...] = ()
    forecasts: tuple[str, ...] = ()


def read_unlabelled(
    path: Path,
    interface: Interface,
    *,
    last: bool = False,
    tell: Callable[[str], object] = lambda line: None,
) -> list[Unlabelled]:
    """Read a table, a file of cases, a text, or JSON records, as the network's data were read.

    Args:
        path: The file.
        interface: Of the network's data.
        last: Whether only the last sequence is wanted; of series, the newest window of each.
        tell: Called with a line on what is left out.

    Raises:
        DataError: the file, a column or a value is not as it must be.
    """
    reading = interface.reading
    if holds_records(path, reading):
        return list(_records(path))
    if isinstance(reading, TextReading):
        return list(_texts(path, reading))
    if interface.ids:
        raise DataError(
            f"a network of token ids without a vocabulary reads JSON records, but got {path}; "
            'write [{"ids": [1, 2, 3]}].'
        )
    if isinstance(reading, CaseReading):
        return list(_cases(path, reading, interface))
    if isinstance(reading, WindowReading):
        return list(_windows(path, reading, last, tell))
    known = reading if isinstance(reading, TableReading) else None
    tables = _tables(path, ReadingOptions() if known is None else known.table, known)
    return list(_sequences(tables, known or _guessed(tables[0].frame, interface, path)))


def _tables(path: Path, terms: ReadingOptions, known: TableReading | None) -> list[Table]:
    """One table, or a folder of one file a sequence, for networks that were trained on such."""
    if known is not None and known.sequence is None and path.is_dir():
        files = find_files(str(path), Path(), "folder", TABLE_ENDINGS)
        return read_folder(files, terms, TableReader())
    return [Table(path, read_table(path, terms).frame, table_stem(path))]


def holds_records(path: Path, reading: Reading | None) -> bool:
    """Return whether a file is JSON records, as they are sent to a served model."""
    return path.suffix in (".json", ".jsonl") and not _are_rows(path, reading)


def _are_rows(path: Path, reading: Reading | None) -> bool:
    """Whether JSON objects are rows of a table with the network's columns, not records."""
    if isinstance(reading, WindowReading):
        columns = {column.name for column in reading.encoding.recipe.columns}
    elif isinstance(reading, TableReading):
        columns = {*reading.columns}
    else:
        return False
    try:
        return columns <= set(read_table(path, limit=1).frame.columns)
    except DataError:
        return False


def _records(path: Path) -> Iterator[Unlabelled]:
    text = read_text(path)
    try:
        lines = text.splitlines() if path.suffix == ".jsonl" else []
        found = [json.loads(line) for line in lines if line.strip()] if lines else json.loads(text)
    except ValueError as error:
        raise DataError(f"{path} must be JSON, but {error}.") from error
    if isinstance(found, dict) and list(found) == [REQUEST]:  # what is sent to a served model
        found = found[REQUEST]
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise DataError(f'{path} must be a list of records, as [{{"steps": [[1.0, 2.0]]}}].')
    for number, record in enumerate(found):
        content: Any = next((record[n] for n in ("steps", "ids") if record.get(n) is not None), [])
        steps = list(range(len(content))) if isinstance(content, list) else []
        yield Unlabelled(record, {"sequence": number}, {"step": steps})


def _texts(path: Path, reading: TextReading) -> Iterator[Unlabelled]:
    texts: list[tuple[str, Any, str]]
    if is_table(path):
        frame = read_table(path, reading.table).frame
        named = reading.text_column if isinstance(reading, PairReading) else None
        require_columns(frame, [named or TEXT_COLUMN], TEXT_COLUMN)
        texts = [("row", n, str(text)) for n, text in enumerate(frame[named or TEXT_COLUMN])]
    elif reading.by_line:
        lines = enumerate(read_text(path).split("\n"), start=1)
        texts = [("line", n, line) for n, line in lines if line.strip()]
    else:
        texts = [("text", path.stem, read_text(path))]
    for column, number, text in texts:
        if isinstance(reading, PairReading):  # its answer may stand beside it
            yield Unlabelled({"text": text.partition("\t")[0]}, {column: number})
            continue
        tokens = split_text(text.lower() if reading.lowercase else text, reading.level)
        kept = tokens if reading.max_length is None else tokens[-reading.max_length :]
        steps: dict[str, list[Any]] = {"step": list(range(len(kept))), "token": list(kept)}
        yield Unlabelled({"text": text}, {column: number}, steps)


def _windows(
    path: Path, reading: WindowReading, last: bool, tell: Callable[[str], object]
) -> Iterator[Unlabelled]:
    """A window that ends in each row which has one, or the newest of each series."""
    for window in windows_of_table(path, reading, last=last, tell=tell):
        yield Unlabelled(
            {"asked": window.asked},
            window.key,
            targets=window.targets,
            forecasts=reading.targets,
        )


def _sequences(tables: Sequence[Table], reading: TableReading) -> Iterator[Unlabelled]:
    whole = [replace(table, sequence=None) if reading.sequence else table for table in tables]
    groups = group(whole, reading.sequence, reading.order)
    records = _records_of(whole, groups, reading)
    order = None if reading.order is None else values_of(whole, reading.order, "mask")
    for name, rows, record in zip(groups.names, groups.rows, records, strict=True):
        steps = {"step": list(range(len(rows)))}
        if order is not None:
            steps = {str(reading.order): [order[row] for row in rows]}
        yield Unlabelled(record, {reading.sequence or SEQUENCE_COLUMN: name}, steps)


def _records_of(
    tables: Sequence[Table], groups: Groups, reading: TableReading
) -> Iterator[dict[str, Any]]:
    """Steps of each sequence: raw numbers, or what was made of all their rows at once."""
    if reading.is_plain:
        values = columns_of(tables, reading.columns, "mask")
        yield from ({"steps": values[rows]} for rows in groups.rows)
        return
    for name, asked in zip(groups.names, asked_sequences(tables, groups, reading), strict=True):
        if not asked.present.any():
            raise DataError(f"sequence {name!r} needs a step that misses no input, but has none.")
        yield {"asked": asked}


def _cases(path: Path, reading: CaseReading, interface: Interface) -> Iterator[Unlabelled]:
    """Every case of a file in one of the field's formats; a label is told beside the answer."""
    cases = read_asked(path, reading, interface.input_size)
    for number, (values, label) in enumerate(zip(cases.values, cases.labels, strict=True)):
        if np.isnan(values).any(axis=1).all():
            raise DataError(
                f"{cases.where(number)}: a case needs a step without a gap, but has none."
            )
        told = {} if label is None else {reading.target or LABEL_COLUMN: label}
        steps: dict[str, list[Any]] = {"step": list(range(len(values)))}
        yield Unlabelled({"steps": values}, {SEQUENCE_COLUMN: number, **told}, steps)


def _guessed(frame: pd.DataFrame, interface: Interface, path: Path) -> TableReading:
    """Take the columns that bear the features' names, or all numeric ones where they have none."""
    ids = SEQUENCE_COLUMN if SEQUENCE_COLUMN in frame.columns else None
    names = interface.input_names
    if not names:
        names = tuple(numeric_columns(frame, (ids,)))
        if len(names) != interface.input_size:
            raise DataError(
                f"a step has {interface.input_size} numbers, but {path} has {len(names)} numeric "
                f"columns ({', '.join(names)}); bring one column a number, and perhaps "
                f"{SEQUENCE_COLUMN!r} for the sequences' ids."
            )
    return TableReading(names, ids)
