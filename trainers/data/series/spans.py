"""Which target rows belong to which part: by shares, dates, a column, or whole series.

Divided in time, each series is cut at the same shares or dates, and inputs of validation and test
may reach back into the part before. An embargo leaves out the first target rows after a boundary.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array
from trainers.data.division import PARTS, boundaries_of, divide
from trainers.errors import DataError


@dataclass(frozen=True)
class Span:
    """Target rows [start, stop) of one series; inputs may begin at `floor` or later."""

    series: int
    floor: int
    start: int
    stop: int

    @property
    def rows(self) -> str:
        """The rows, for messages."""
        return f"[{self.start}, {self.stop})"


Parts = list[list[Span]]


def by_shares(bounds: Array, split: Sequence[float], embargo: int = 0) -> Parts:
    """Divide each series at the same shares of its rows.

    Args:
        bounds: `(series + 1,)` where each series begins.
        split: Shares of train, validation and test; that of test may be 0.
        embargo: Rows left out after a boundary.
    """
    edges = []
    for begin, end in itertools.pairwise(bounds.tolist()):
        own = boundaries_of(end - begin, split)
        edges.append([begin + edge for edge in (*own, *[own[-1]] * (4 - len(own)))])
    return _between(bounds, edges, embargo)


def by_times(bounds: Array, times: Array, firsts: Sequence[int | None], embargo: int = 0) -> Parts:
    """Divide each series where validation and test begin.

    Args:
        bounds: `(series + 1,)` where each series begins.
        times: `(rows,)` int64, ascending within each series.
        firsts: The first time of validation and that of test; None for no test part.
        embargo: Rows left out after a boundary.

    Raises:
        DataError: a part gets no row.
    """
    validation, test = firsts
    edges = []
    for begin, end in itertools.pairwise(bounds.tolist()):
        own = times[begin:end]
        inner = [end if at is None else begin + int(np.searchsorted(own, at)) for at in firsts]
        edges.append([begin, *inner, end])
    parts = _between(bounds, edges, embargo)
    for name, spans in zip(PARTS, parts, strict=True):
        if not spans and not (name == "test" and test is None):
            raise DataError(
                f"the {name} part has no row: data.split gives dates that lie outside of the data; "
                "`rnn-sweep data FILE` shows the first and the last."
            )
    del validation
    return parts


def by_column(bounds: Array, values: Sequence[object], column: str) -> Parts:
    """Divide by a column that says for each row train, validation or test.

    A training window lies in training rows; the others' inputs may reach back into any part.

    Raises:
        DataError: another value, or a part without a row.
    """
    given = np.array([str(value) for value in values])
    wrong = np.flatnonzero(~np.isin(given, PARTS))
    if len(wrong):
        raise DataError(
            f"column {column!r} of data.split must hold train, validation or test, but got "
            f"{given[wrong[0]]!r} in data row {wrong[0]} (counted from 0)."
        )
    parts: Parts = [[], [], []]
    changes = np.flatnonzero(given[1:] != given[:-1]) + 1
    edges = np.union1d(changes, bounds)
    owners = np.searchsorted(bounds, edges[:-1], side="right") - 1
    for owner, (start, stop) in zip(
        owners.tolist(), itertools.pairwise(edges.tolist()), strict=True
    ):
        part = PARTS.index(given[start])
        floor = start if part == 0 else int(bounds[owner])
        parts[part].append(Span(owner, floor, start, stop))
    for name, spans in zip(PARTS[:2], parts[:2], strict=True):
        if not spans:
            raise DataError(f"no row of column {column!r} (data.split) is in the {name} part.")
    return parts


def by_series(bounds: Array, split: Sequence[float], seed: int) -> Parts:
    """Hold out whole series, at random by a seed.

    Raises:
        DataError: a part with a share above 0 gets no series.
    """
    chosen = divide(len(bounds) - 1, split, seed)
    parts = [
        [Span(s, int(bounds[s]), int(bounds[s]), int(bounds[s + 1])) for s in rows.tolist()]
        for rows in chosen
    ]
    return [*parts, *[[] for _ in range(3 - len(parts))]]


def _between(bounds: Array, edges: Sequence[Sequence[int]], embargo: int) -> Parts:
    """Spans between each series' four edges, without those that are empty."""
    parts: Parts = [[], [], []]
    for series, own in enumerate(edges):
        for part, (start, stop) in enumerate(itertools.pairwise(own)):
            begin = start if part == 0 else min(start + embargo, stop)
            if begin < stop:
                parts[part].append(Span(series, int(bounds[series]), begin, stop))
    return parts
