"""Rolling origins: long series divided in time once for each fold.

Where `split` is shares, each series is divided in its own rows; where it is dates, all series at
the same times.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from trainers.data.contract import Array
from trainers.data.division import boundaries_of
from trainers.data.features.rows import Rows
from trainers.data.folds import Folds, held_out, rows_of_folds
from trainers.data.series.options import WindowOptions
from trainers.data.series.parts import TEST_MARK, first_instants, given_tests, parts_of
from trainers.data.series.spans import Edges, Extents, Parts, Span, edges_by_times
from trainers.errors import DataError


@dataclass(frozen=True)
class _Before:
    """The rows of one series before its test part, [begin, test), and the test part's."""

    begin: int
    test: int
    end: int
    test_floor: int


def fold_parts(rows: Rows, options: WindowOptions, folds: Folds) -> list[Parts]:
    """Divide the rows into train, validation and test, once for each fold.

    Raises:
        DataError: the options say which rows are in which part, the rows have no test part to
            lie in, or a fold gets no row to learn from or to judge by.
    """
    if isinstance(options.split, dict) and "column" in options.split:
        raise DataError(
            f"data.folds divides rows in time, but data.split names the column of their parts, "
            f"{options.split['column']!r}; give shares or dates, or leave data.folds out."
        )
    test = parts_of(rows, options)[2]
    if folds.within == "test" and not test:
        raise DataError("origins in the test part need one, but data.split leaves no rows for it.")
    if options.split_by == "series":
        return _over_series(rows, options, folds, test)
    series = _before_test(rows, options, test)
    if isinstance(options.split, dict):
        edges, starts = _edges_in_time(rows, series, folds)
    else:
        edges, starts = _edges_in_rows(series, folds)
    found: list[Parts] = []
    for number in range(folds.count):
        train, newest, judged = list[Span](), list[Span](), list[Span]()
        for place, (one, own) in enumerate(zip(series, edges, strict=True)):
            begin, origin, stop = starts[place][number], own[number], own[number + 1]
            if begin < origin:
                train.append(Span(place, begin, begin, origin))
            start = min(origin + options.embargo, stop)
            if start < stop:
                floor = one.test_floor if folds.within == "test" else one.begin
                judged.append(Span(place, floor, start, stop))
            if begin < origin:
                latest = max(begin, origin - max(stop - origin, 1))
                newest.append(Span(place, begin, latest, origin))
        _check(number, folds, train, judged, series)
        found.append(
            [train, judged, test] if folds.within == "before_test" else [train, newest, judged]
        )
    return found


def _before_test(rows: Rows, options: WindowOptions, test: list[Span]) -> list[_Before]:
    """Where each series' test part begins: at its first row, an embargo left out of it."""
    pairs = list(itertools.pairwise(rows.bounds.tolist()))
    if TEST_MARK in rows.frame.columns:
        given = given_tests(rows)
        return [_Before(b, t.start, e, t.floor) for (b, e), t in zip(pairs, given, strict=True)]
    if isinstance(options.split, tuple):
        shares = options.shares
        ends = [begin + boundaries_of(end - begin, shares)[2] for begin, end in pairs]
    else:
        assert rows.instants is not None
        at = first_instants(rows, options)[1]
        ends = [edges[1] for edges in edges_by_times(pairs, rows.instants.utc, [at])]
    return [_Before(b, end, e, b) for (b, e), end in zip(pairs, ends, strict=True)]


def _extents(series: list[_Before], folds: Folds) -> Extents:
    """The rows of each series that origins lie in."""
    if folds.within == "test":
        return [(one.test, one.end) for one in series]
    return [(one.begin, one.test) for one in series]


def _edges_in_rows(series: list[_Before], folds: Folds) -> tuple[Edges, Edges]:
    """Origins and the last end, `count + 1` a series, and each fold's first training row.

    All at the same shares of each series' rows.
    """
    edges = [
        [low + math.floor((high - low) * share + 1e-9) for share in folds.shares]
        for low, high in _extents(series, folds)
    ]
    starts = []
    for one, own in zip(series, edges, strict=True):
        length = own[0] - one.begin
        slides = folds.window == "sliding"
        starts.append([origin - length if slides else one.begin for origin in own[:-1]])
    return edges, starts


def _edges_in_time(rows: Rows, series: list[_Before], folds: Folds) -> tuple[Edges, Edges]:
    """The same at times that all series share."""
    assert rows.instants is not None
    times, extents = rows.instants.utc, _extents(series, folds)
    whole = [(one.begin, one.end) for one in series]
    low, high = _range(times, extents)
    origins = [low + math.floor((high - low) * share) for share in folds.shares[:-1]]
    edges = [own[1:] for own in edges_by_times(extents, times, origins)]
    if folds.window == "expanding":
        return edges, [[one.begin] * folds.count for one in series]
    length = origins[0] - _range(times, whole)[0]
    starts = edges_by_times(whole, times, [origin - length for origin in origins])
    return edges, [own[1:-1] for own in starts]


def _range(times: Array, extents: Extents) -> tuple[int, int]:
    """The first time of all, and the one after the last."""
    filled = [(low, high) for low, high in extents if low < high]
    if not filled:
        return 0, 0
    return min(int(times[low]) for low, _ in filled), max(int(times[h - 1]) for _, h in filled) + 1


def _over_series(rows: Rows, options: WindowOptions, folds: Folds, test: list[Span]) -> list[Parts]:
    """Hold out each series outside the test part once."""
    if folds.within == "test":
        raise DataError(
            "origins in the test part need one that is later than the rest, but data.split_by="
            "series makes it of whole series."
        )
    folds.check_sequences("csv, split_by: series")
    pairs = list(itertools.pairwise(rows.bounds.tolist()))
    tested = {span.series for span in test}
    pool = [n for n, (begin, end) in enumerate(pairs) if end > begin and n not in tested]

    def spans(places: Array) -> list[Span]:
        return [Span(n, pairs[n][0], *pairs[n]) for n in (pool[place] for place in places)]

    groups = held_out(len(pool), folds, options.seed)
    return [[spans(train), spans(judged), test] for train, judged in rows_of_folds(groups)]


def _check(
    number: int, folds: Folds, train: list[Span], judged: list[Span], series: list[_Before]
) -> None:
    """Refuse more folds than there are rows for."""
    for spans, what in ((train, "learn from"), (judged, "judge by")):
        if not spans:
            count = sum(high - low for low, high in _extents(series, folds))
            where = "in the test part" if folds.within == "test" else "before the test part"
            raise DataError(
                f"each {folds.noun} needs rows to learn from and to judge by, but {folds.noun} "
                f"{number} of {folds.count} has none to {what} ({count} rows {where}); "
                f"{folds.fewer}, or a smaller data.embargo."
            )


def origin_of(parts: Parts, rows: Rows, folds: Folds) -> str:
    """Return how the first row that a fold is judged by is named: of all series the earliest."""
    judged = parts[2] if folds.within == "test" else parts[1]
    firsts = [span.start for span in judged]
    if rows.instants is None:
        return rows.said(firsts[0])
    times = rows.instants.utc
    return rows.said(min(firsts, key=lambda row: int(times[row])))


def fold_line(parts: Parts, rows: Rows) -> str:
    """Say which target rows a fold learns from, and which it is judged by."""

    def where(spans: list[Span]) -> str:
        if len(rows.bounds) > 2:
            count = sum(span.stop - span.start for span in spans)
            return f"{count} rows of {len(spans)} series"
        first, last = spans[0].start, spans[-1].stop - 1
        named = f", {rows.said(first)} to {rows.said(last)}" if rows.instants is not None else ""
        return f"rows [{first}, {last + 1}){named}"

    return f"learns from {where(parts[0])}; judged by {where(parts[1])}"


def fold_error(number: int, folds: Folds, error: DataError) -> DataError:
    """Return what is wrong with one fold, which fewer folds might mend."""
    law = str(error).partition(";")[0].rstrip(".")
    return DataError(
        f"{folds.noun} {number} of {folds.count}: {law}; {folds.fewer}, or shorter windows "
        "(data.input_steps)."
    )
