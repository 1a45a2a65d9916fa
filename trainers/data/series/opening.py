"""The table of the `csv` source, as it is read; the rows of `test_path` come last, marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trainers.data.series.options import WindowOptions
from trainers.data.series.parts import TEST_MARK
from trainers.data.tables.reader import TableReader
from trainers.data.tables.request import TableRead
from trainers.errors import DataError


def table_of(options: WindowOptions, base_dir: Path, tables: TableReader) -> TableRead:
    """Read the file, and after it that of the test part where it has its own.

    Raises:
        DataError: one can't be read, or they have other columns.
    """
    path = base_dir / Path(options.path).expanduser()
    read = tables.read(path, options.reading)
    if read.reading.format == "tsf" and options.series is None:
        _check_one_series(read, path)
    if options.test_path is None:
        return read
    test_path = base_dir / Path(options.test_path).expanduser()
    return _with_test(read, tables.read(test_path, options.reading), test_path)


def _check_one_series(read: TableRead, path: Path) -> None:
    """Refuse the series of a .tsf file as one: they aren't each other's continuation."""
    first = str(read.frame.columns[0])
    count = read.frame[first].nunique()
    if count > 1:
        raise DataError(
            f"{path.name} holds {count} series, which must be told apart: set data.series: {first}."
        )


def _with_test(read: TableRead, test: TableRead, path: Path) -> TableRead:
    """The table with the test part's rows after its own, marked."""
    import pandas as pd

    lacking = [name for name in read.frame.columns if name not in test.frame.columns]
    if lacking:
        raise DataError(
            f"both files need the same columns, but {path.name} (data.test_path) lacks "
            f"{', '.join(map(repr, lacking[:4]))}."
        )
    both = pd.concat([read.frame, test.frame[list(read.frame.columns)]], ignore_index=True)
    both[TEST_MARK] = np.arange(len(both)) >= len(read.frame)
    return TableRead(both, (*read.notes, *test.notes), read.reading)
