"""What is asked of a reader of tables, and what it answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.data.tables.reading_options import ReadingOptions

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Request:
    """A file to read.

    Attributes:
        path: The file, or a folder of Parquet files.
        reading: What the user says of it.
        limit: At most so many rows; None for all.
        last: Whether these are the last rows instead of the first.
        columns_used: Columns to keep; None for all.
    """

    path: Path
    reading: ReadingOptions = ReadingOptions()
    limit: int | None = None
    last: bool = False
    columns_used: Collection[str] | None = None

    def kept(self, names: Iterable[str]) -> list[str]:
        """Return which of a file's columns to keep.

        All of them where one that is asked for is not there, so that a message can name those that
        are.
        """
        have = list(names)
        if self.columns_used is None or not set(self.columns_used) <= set(have):
            return have
        return [name for name in have if name in self.columns_used]

    def limit_note(self, rows: int, total: int | None) -> list[str]:
        """One line on what of the file is read; none when it is all.

        Args:
            rows: How many rows were read.
            total: How many the file has; None where it has more, and nobody counted.
        """
        if self.limit is None or rows == total:
            return []
        which = "last" if self.last else "first"
        of = "" if total is None else f" of {total}"
        return [f"data.limit: the {which} {rows}{of} rows of {self.path.name} are read"]


@dataclass(frozen=True)
class TableRead:
    """A table as it was understood.

    Attributes:
        frame: Its columns, named by texts; index 0, 1, 2, ...
        notes: What was guessed or left out, each one line.
        reading: The options with what was found in the place of null.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]
    reading: ReadingOptions
