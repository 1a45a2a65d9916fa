"""Which rows, or which sequences, are in which part."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.inspection import Inspection

if TYPE_CHECKING:
    from trainers.data.contract import SequenceSet
    from trainers.data.features.rows import Rows


@dataclass(frozen=True)
class Run:
    """Sequences of a part that follow one another.

    Attributes:
        series: The series' name, or the sequence's id; empty for one series.
        first: The first target row of windows, times where there are some; otherwise the first
            sequence's number, from 0.
        last: The last one, inclusive.
        sequences: Windows, or whole sequences.
    """

    part: str
    series: str
    first: Any
    last: Any
    sequences: int


def runs_of(found: Inspection) -> Iterator[Run]:
    """Yield each part's windows as ranges of target rows, its sequences one by one."""
    if found.data is None:
        return
    for name, part in found.data.parts().items():
        ids = found.data.ids.get(name)
        if ids is not None:
            yield from (Run(name, one, place, place, 1) for place, one in enumerate(ids))
        elif part.origins is None:
            yield Run(name, "", 0, len(part) - 1, len(part))
        else:
            yield from _of_windows(name, part, found)


def _of_windows(name: str, part: SequenceSet, found: Inspection) -> Iterator[Run]:
    assert found.data is not None
    rows = found.rows
    origins = np.asarray(part.origins)
    series = np.zeros(len(origins), dtype=np.int64) if part.series is None else part.series
    more = int(found.options.get("output_steps", 1)) - 1
    stride = int(found.options.get("stride", 1))
    order = np.lexsort((origins, series))
    origins, series = origins[order], series[order]
    cuts = 1 + np.flatnonzero((np.diff(origins) > stride) | (np.diff(series) != 0))
    starts, stops = [0, *cuts.tolist()], [*cuts.tolist(), len(origins)]
    for start, stop in zip(starts, stops, strict=True):
        first, last = int(origins[start]), int(origins[stop - 1]) + more
        named = found.data.series
        own = named[series[start]] if named else ""
        yield Run(name, own, _row(rows, first), _row(rows, last), stop - start)


def _row(rows: Rows | None, row: int) -> Any:
    return row if rows is None or rows.instants is None else rows.said(row)


def as_csv(found: Inspection) -> str:
    """Return the runs as CSV with a header."""
    text = io.StringIO()
    names = [field.name for field in dataclasses.fields(Run)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for run in runs_of(found):
        writer.writerow(dataclasses.asdict(run))
    return text.getvalue()
