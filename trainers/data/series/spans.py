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
Edges = list[list[int]]  # of each series: where its parts begin, and where the last one ends
Extents = Sequence[tuple[int, int]]  # of each series: its first row, and the row after its last


def by_shares(extents: Extents, split: Sequence[float], embargo: int = 0) -> Parts:
    """Divide each series at the same shares of its rows.

    Args:
        extents: Of each series.
        split: Shares of train, validation and test; that of test may be 0.
        embargo: Rows left out after a boundary.
    """
    return _between(edges_by_shares(extents, split), embargo)


def edges_by_shares(extents: Extents, split: Sequence[float]) -> Edges:
    """Return where each series' parts begin, and where the last one ends."""
    edges = []
    for begin, end in extents:
        own = boundaries_of(end - begin, split)
        edges.append([begin + edge for edge in (*own, *[own[-1]] * (4 - len(own)))])
    return edges


def by_times(
    extents: Extents, times: Array, firsts: Sequence[int | None], embargo: int = 0
) -> Parts:
    """Divide each series where validation and test begin.

    Args:
        extents: Of each series.
        times: `(rows,)` int64, ascending within each series.
        firsts: The first time of validation and that of test; None for no test part.
        embargo: Rows left out after a boundary.

    Raises:
        DataError: a part gets no row.
    """
    parts = _between(edges_by_times(extents, times, firsts), embargo)
    for name, spans in zip(PARTS, parts, strict=True):
        if not spans and not (name == "test" and firsts[1] is None):
            raise DataError(
                f"the {name} part has no row: data.split gives dates that lie outside of the data; "
                "`rnn-sweep data FILE` shows the first and the last."
            )
    return parts


def edges_by_times(extents: Extents, times: Array, firsts: Sequence[int | None]) -> Edges:
    """Return the row of each series at which each time comes, between its first and its last.

    Args:
        extents: Of each series.
        times: `(rows,)` int64, ascending within each series.
        firsts: Ascending; None is the end.
    """
    edges = []
    for begin, end in extents:
        own = times[begin:end]
        inner = [end if at is None else begin + int(np.searchsorted(own, at)) for at in firsts]
        edges.append([begin, *inner, end])
    return edges


def by_column(extents: Extents, values: Sequence[object], column: str) -> Parts:
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
            f"{str(given[wrong[0]])!r} in data row {wrong[0]} (counted from 0)."
        )
    parts: Parts = [[], [], []]
    for series, (begin, end) in enumerate(extents):
        own = given[begin:end]
        edges = [0, *(np.flatnonzero(own[1:] != own[:-1]) + 1).tolist(), end - begin]
        for start, stop in itertools.pairwise(edges):
            part = PARTS.index(own[start])
            floor = begin if part else begin + start
            parts[part].append(Span(series, floor, begin + start, begin + stop))
    for name, spans in zip(PARTS[:2], parts[:2], strict=True):
        if not spans:
            raise DataError(f"no row of column {column!r} (data.split) is in the {name} part.")
    return parts


def by_series(extents: Extents, split: Sequence[float], seed: int) -> Parts:
    """Hold out whole series, at random by a seed.

    Raises:
        DataError: a part with a share above 0 gets no series.
    """
    filled = [series for series, (begin, end) in enumerate(extents) if end > begin]
    parts: Parts = [[], [], []]
    for part, chosen in zip(parts, divide(len(filled), split, seed), strict=False):
        for series in (filled[place] for place in chosen.tolist()):
            begin, end = extents[series]
            part.append(Span(series, begin, begin, end))
    return parts


def _between(edges: Sequence[Sequence[int]], embargo: int) -> Parts:
    """Spans between each series' four edges, without those that are empty."""
    parts: Parts = [[], [], []]
    for series, own in enumerate(edges):
        for part, (start, stop) in enumerate(itertools.pairwise(own)):
            begin = start if part == 0 else min(start + embargo, stop)
            if begin < stop:
                parts[part].append(Span(series, own[0], begin, stop))
    return parts
