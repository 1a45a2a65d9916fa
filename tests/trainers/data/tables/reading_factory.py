"""How tests write a table and read it."""

from __future__ import annotations

from pathlib import Path

from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.request import TableRead
from trainers.data.tables.table import read_table


def read(
    folder: Path,
    content: str | bytes,
    name: str = "t.csv",
    encoding: str = "utf-8",
    **options: object,
) -> TableRead:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return read_table(path, ReadingOptions(**options))  # type: ignore[arg-type]


def hours(count: int, row: str) -> str:
    """Rows `2021-01-01 00:00<row>`, an hour apart; `{n}` is the row's number."""
    lines = [f"2021-01-{1 + n // 24:02d} {n % 24:02d}:00" + row.format(n=n) for n in range(count)]
    return "\n".join(lines) + "\n"
