"""What a source reads its tables with: all of their rows or some, each file once or anew."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.request import TableRead
from trainers.data.tables.table import read_table
from trainers.errors import DataError


@dataclass(frozen=True)
class RowLimit:
    """Rows of a table that are read at all: so many of its first or its last."""

    rows: int
    which: Literal["first", "last"] = "first"

    def refused(self, reason: str) -> DataError:
        """Return that rows can't be left unread, because of something."""
        return DataError(
            f"data.limit.{self.which}={self.rows} counts rows of one table, but {reason}; keep so "
            f"many sequences of each part with data.limit: {self.rows}."
        )


class TableReader:
    """Reads tables.

    Attributes:
        limit: Of each table; None reads all.

    Args:
        limit: See there.
        keep: Whether a table that is asked for again is not read again. It stays in memory until
            then, and must not be changed in place.
    """

    def __init__(self, limit: RowLimit | None = None, *, keep: bool = False) -> None:
        self.limit, self._keep = limit, keep
        self._kept: dict[Any, TableRead] = {}

    def read(
        self,
        path: Path,
        reading: ReadingOptions = ReadingOptions(),
        *,
        columns_used: Collection[str] | None = None,
    ) -> TableRead:
        """Read a table; see `read_table`. The frame may be taken apart, column by column."""
        columns = None if columns_used is None else frozenset(columns_used)
        key = (path.resolve(), reading, columns)
        read = self._kept.get(key)
        if read is None:
            rows = None if self.limit is None else self.limit.rows
            last = self.limit is not None and self.limit.which == "last"
            read = read_table(path, reading, limit=rows, last=last, columns_used=columns_used)
            if not self._keep:
                return read
            self._kept[key] = read
        return replace(read, frame=read.frame.copy(deep=False))
