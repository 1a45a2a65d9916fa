"""Which of the field's formats a file has, and its cases."""

from __future__ import annotations

from collections.abc import Sequence
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from trainers.data.reading import CaseFormat, CaseReading
from trainers.data.sequences.cases import Cases
from trainers.data.sequences.rows import RowColumns, read_rows
from trainers.data.sequences.ts import read_ts
from trainers.data.sequences.ucr import read_ucr, split_cells
from trainers.data.tables.compression import open_bytes, plain_name
from trainers.data.tables.number_text import is_number
from trainers.errors import DataError

_LOOKED_AT = 100
_NAMED = 5


def format_of(path: Path) -> CaseFormat:
    """Tell a file's format by its ending and its first lines.

    A line of numbers behind a label is UCR; names of columns are a table's; @tags are .ts.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(f"there is no data file {path}; set data.path to one.")
    ending = Path(plain_name(path)).suffix
    if ending in (".ts", ".parquet"):
        return "ts" if ending == ".ts" else "rows"
    with open_bytes(path) as stream, TextIOWrapper(stream, "utf-8-sig", errors="replace") as file:
        lines = [line for line in islice(file, _LOOKED_AT) if line.strip()]
    content = [line for line in lines if not line.startswith("#")]
    if content and content[0].startswith("@"):
        return "ts"
    return "rows" if _has_names([split_cells(line) for line in content]) else "ucr"


def read_cases(path: Path, format: CaseFormat, columns: RowColumns) -> Cases:
    """Read labelled cases to train on; see `read_ts`, `read_ucr` and `read_rows`."""
    if format == "ts":
        return read_ts(path)
    return read_ucr(path) if format == "ucr" else read_rows(path, columns)


def read_asked(path: Path, reading: CaseReading, features: int) -> Cases:
    """Read cases, with or without labels, that a trained network is asked about.

    Args:
        path: The file.
        reading: What the network was trained on.
        features: Dimensions of a case.

    Raises:
        DataError: the file is not as it must be.
    """
    found = format_of(path)
    if found == "ts":
        return read_ts(path, features)
    if reading.format == "rows":
        return read_rows(path, RowColumns(reading.target, reading.columns, is_labelled=False))
    if found == "rows":
        raise DataError(
            f"the network was trained on a .{reading.format} file, but {path.name} is a table with "
            "names of columns; bring a .ts file, or rows of values without names."
        )
    return read_ucr(path, reading)


def _has_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: it holds texts, or counts from 0 or 1 on."""
    if not rows:
        return False
    label, *rest = rows[0]
    words = sum(not is_number(cell) for cell in rest)
    if 2 * words > len(rest) or (words and _count_up([label, *rest])):
        return True
    counted = [str(number) for number in range(len(rest) + 2)]
    counts = list(rest) in (counted[: len(rest)], counted[1 : len(rest) + 1])
    if not is_number(label):
        return counts and all(row[0] != label for row in rows[1:])
    return len(rest) >= _NAMED and rows[0] in (counted[: len(rest) + 1], counted[1:])


def _count_up(cells: Sequence[str]) -> bool:
    """Whether most cells are whole numbers, each one more than the one before."""
    counts = [int(cell) for cell in cells if cell.isdecimal()]
    even = counts == list(range(counts[0], counts[0] + len(counts))) if counts else False
    return even and 2 * len(counts) > len(cells)
