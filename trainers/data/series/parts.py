"""The rows of train, validation and test, as the options say."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.division import PARTS
from trainers.data.features.rows import Rows
from trainers.data.series.options import WindowOptions
from trainers.data.series.spans import (
    Extents,
    Parts,
    Span,
    by_column,
    by_series,
    by_shares,
    by_times,
)
from trainers.data.tables.columns import require_columns
from trainers.errors import DataError

TEST_MARK = "__test__"  # column of the rows that came from `test_path`


def parts_of(rows: Rows, options: WindowOptions) -> Parts:
    """Divide the rows into train, validation and test.

    Raises:
        DataError: a part has no row, or a date can't be read.
    """
    pairs = itertools.pairwise(rows.bounds.tolist())
    if TEST_MARK not in rows.frame.columns:
        return _divided(rows, list(pairs), options)
    tests = given_tests(rows)
    begins = rows.bounds[:-1].tolist()
    extents = [(begin, test.start) for begin, test in zip(begins, tests, strict=True)]
    parts = _divided(rows, extents, options)
    return [*parts[:2], [test for test in tests if test.stop > test.start]]


def training_rows(parts: Parts, rows: Rows) -> Array:
    """Rows of the training part, `(rows,)` bool."""
    train = np.zeros(len(rows.frame), dtype=np.bool_)
    for span in parts[0]:
        train[span.start : span.stop] = True
    return train


def _divided(rows: Rows, extents: Extents, options: WindowOptions) -> Parts:
    split = options.split
    if options.split_by == "series":
        return by_series(extents, options.shares, options.seed)
    if isinstance(split, tuple):
        return by_shares(extents, options.shares, options.embargo)
    if "column" in split:
        column = str(split["column"])
        require_columns(rows.frame, [column], "split")
        return by_column(extents, rows.frame[column].tolist(), column)
    assert rows.instants is not None
    firsts = first_instants(rows, options)
    if None not in firsts and firsts[1] <= firsts[0]:  # type: ignore[operator]
        raise DataError(
            "test must begin after validation, but got data.split="
            f"{{validation: {split['validation']}, test: {split['test']}}}."
        )
    return by_times(extents, rows.instants.utc, firsts, options.embargo)


def first_instants(rows: Rows, options: WindowOptions) -> list[int | None]:
    """Return the instants at which validation and test begin, as `split` dates them.

    Raises:
        DataError: a date can't be read.
    """
    assert isinstance(options.split, dict)
    named = ((part, options.split.get(part)) for part in PARTS[1:])
    return [_first(given, rows, f"data.split.{part}") for part, given in named]


def _first(given: Any, rows: Rows, option: str) -> int | None:
    """The instant at which a part begins, in the local clock of the data."""
    import pandas as pd

    if given is None:
        return None
    assert rows.instants is not None
    try:
        at = pd.Timestamp(str(given))
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{option} must be a date or a time, as 2021-03-01, but got {given!r}."
        ) from error
    if at.tzinfo is not None:
        return int(at.tz_convert("UTC").tz_localize(None).as_unit("ns").value)
    local = np.array([at.as_unit("ns").value], dtype=np.int64)
    return int(rows.instants.at_local(local).utc[0])


def given_tests(rows: Rows) -> list[Span]:
    """Return the rows of each series that came from `test_path`, perhaps none.

    Raises:
        DataError: one is not later than those of `path`.
    """
    pairs = itertools.pairwise(rows.bounds.tolist())
    return [_given_test(rows, series, *pair) for series, pair in enumerate(pairs)]


def _given_test(rows: Rows, series: int, begin: int, end: int) -> Span:
    """The rows of a series that came from `test_path`: its last ones.

    Inputs reach back before them only where the first follows the row before by one usual step.
    """
    marks = rows.frame[TEST_MARK].to_numpy()[begin:end].astype(bool)
    start = end - int(marks.sum())
    if not marks[start - begin :].all():
        row = begin + int(np.flatnonzero(marks)[0])
        raise DataError(
            f"rows of data.test_path must be later than those of data.path, but {rows.said(row)} "
            "is not; take the overlap out of one of the files."
        )
    follows = False
    if rows.step is not None and rows.instants is not None and begin < start < end:
        next_one = rows.step.ahead(rows.instants.utc[start - 1 : start], 1)
        follows = bool(next_one[0] == rows.instants.utc[start])
    return Span(series, begin if follows else start, start, end)
