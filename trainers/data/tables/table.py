"""Files to tables: one entrance for every format, with what was understood."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.tables.compression import BROKEN, content_name
from trainers.data.tables.formats import FORMATS, format_of
from trainers.data.tables.gathering import release_freed
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.request import Request, TableRead
from trainers.data.tables.words import listed
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_EXACT = 2**53


def read_table(
    path: Path,
    reading: ReadingOptions = ReadingOptions(),
    *,
    limit: int | None = None,
    last: bool = False,
    columns_used: Collection[str] | None = None,
) -> TableRead:
    """Read a table of any format.

    Args:
        path: A file, perhaps compressed, or a folder of Parquet files.
        reading: What the user says of it; what is null there is found out and said in the notes.
        limit: Read only so many rows, at least 1; None reads all.
        last: Whether these are the last rows instead of the first.
        columns_used: Keep only these columns; None keeps all.

    Raises:
        DataError: there is no such file, it can't be read as a table, or it has no rows.
    """
    if not path.is_file() and not _is_dataset(path):
        but = ", it is a folder" if path.is_dir() else ""
        raise DataError(f"there is no data file {path}{but}; name a CSV or Parquet file.")
    request = Request(path, reading, limit, last, columns_used)
    known = reading.format
    try:
        known = format_of(path, content_name(path)) if known == "auto" else known
        module, _, name = FORMATS[known].reader.partition(":")
        read: TableRead = getattr(import_module(module), name)(request)
    except BROKEN as error:
        reason = (str(error).strip().splitlines() or [repr(error)])[0]
        raise DataError(
            f"{path} can't be read as a table ({known}): {reason}; if its format is another, name "
            "it in data.reading.format."
        ) from error
    release_freed()
    if read.frame.empty:
        raise DataError(f"{path} must have at least one row of data, but has none.")
    return replace(read, notes=(*read.notes, *_long_numbers(read.frame)))


def _is_dataset(path: Path) -> bool:
    return path.is_dir() and next(path.rglob("*.parquet"), None) is not None


def _long_numbers(frame: pd.DataFrame) -> list[str]:
    """One line on each column of whole numbers that a float64 does not hold exactly."""
    found = []
    for name in frame.columns:
        column: Any = frame[name]
        long = column.dtype in (np.dtype(np.int64), np.dtype(np.uint64))
        if long and max(-int(column.min()), int(column.max())) > _EXACT:
            found.append(
                f"column {name!r} has whole numbers beyond 2^53, which a network sees rounded; "
                f"if they are ids or instants, leave it out: data.drop: [{listed(name)}]"
            )
    return found
