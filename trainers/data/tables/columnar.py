"""Parquet and Arrow: files with types of their own, kept as pandas has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainers.data.tables.compression import open_bytes
from trainers.data.tables.gathering import LARGE, narrowed
from trainers.data.tables.marks import with_missing
from trainers.data.tables.naming import require_unique, without_unnamed
from trainers.data.tables.request import Request, TableRead

if TYPE_CHECKING:
    import pandas as pd

_VALUES_AT_ONCE = 8_000_000
_INDEX = "__index_level_0__"


def read_parquet(request: Request) -> TableRead:
    """Read a Parquet file, or a folder of them one after another; hive partitions are columns.

    Raises:
        DataError: two columns have the same name.
    """
    import pyarrow.dataset as ds

    if request.path.is_dir():
        files = sorted(_parts(request.path), key=_natural)
        dataset = ds.dataset(
            [str(file) for file in files],
            format="parquet",
            partitioning=ds.partitioning(flavor="hive"),
            partition_base_dir=str(request.path),
        )
    else:
        dataset = _one_file(request.path)
    rows = dataset.count_rows()

    def read(names: Sequence[str]) -> Any:
        if request.limit is not None and not request.last:
            return dataset.head(request.limit, columns=list(names))
        return dataset.to_table(columns=list(names))

    return _assembled(request, "parquet", dataset.schema.names, rows, read)


def read_arrow(request: Request) -> TableRead:
    """Read an Arrow file, an Arrow stream, or a Feather file.

    Raises:
        DataError: two columns have the same name.
    """
    import pyarrow as pa
    from pyarrow import feather

    if request.path.suffix.lower() in (".arrow", ".feather", ".ipc"):
        source: Any = pa.memory_map(str(request.path))
    else:
        with open_bytes(request.path) as stream:
            source = pa.BufferReader(stream.read())
    try:
        table = feather.read_table(source)
    except pa.ArrowInvalid:
        source.seek(0)
        table = pa.ipc.open_stream(source).read_all()
    return _assembled(request, "arrow", table.schema.names, len(table), table.select)


def _one_file(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    if path.suffix.lower() in (".gz", ".bz2", ".xz", ".zst", ".zip"):
        with open_bytes(path) as stream:
            return ds.dataset(pq.read_table(pa.BufferReader(stream.read())))
    return ds.dataset(str(path), format="parquet")


def _parts(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*.parquet"):
        if not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts):
            yield file


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order that puts month=2 before month=10."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _assembled(
    request: Request,
    kind: str,
    names: Sequence[str],
    rows: int,
    read: Callable[[Sequence[str]], Any],
) -> TableRead:
    """Read a few columns at a time, so that no more than these are there twice."""
    import pandas as pd

    require_unique(list(names), request.path)
    kept = sorted(request.kept(names), key=lambda name: name != _INDEX)
    large = len(kept) * rows > LARGE
    at_once = max(1, _VALUES_AT_ONCE // max(1, rows))
    columns: dict[str, pd.Series[Any]] = {}
    for start in range(0, len(kept), at_once):
        table = read(kept[start : start + at_once])
        if request.limit is not None and len(table) > request.limit:
            table = table.slice(len(table) - request.limit) if request.last else table
        for name in table.column_names:
            column = _column(table[name])
            columns[name] = narrowed(column) if large else column
    frame, unnamed = without_unnamed(pd.DataFrame(columns, copy=False), request.reading.index)
    frame = with_missing(frame, request.reading.missing_values)
    frame = frame.rename(columns={_INDEX: "index"})
    notes = (*unnamed, *request.limit_note(len(frame), rows))
    return TableRead(frame, notes, replace(request.reading, format=kind))


def _column(values: Any) -> pd.Series[Any]:
    """An Arrow column as pandas has it: decimals as floats, days as instants, truths nullable."""
    import pandas as pd
    import pyarrow as pa

    kind = values.type
    if pa.types.is_decimal(kind):
        values = values.cast(pa.float64())
    elif pa.types.is_date(kind):
        values = values.cast(pa.timestamp("s"))
    elif pa.types.is_boolean(kind) and values.null_count:
        column: pd.Series[Any] = values.to_pandas(types_mapper={kind: pd.BooleanDtype()}.get)
        return column
    elif pa.types.is_null(kind):
        values = values.cast(pa.float64())
    found: pd.Series[Any] = values.to_pandas()
    return found
