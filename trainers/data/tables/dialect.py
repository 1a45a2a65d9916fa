"""How a text of rows is written: separator, quotes, and where in it the table lies."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from trainers.data.tables.cells import kind_of
from trainers.data.tables.layout import Layout, find_layout
from trainers.data.tables.reading_options import WHITESPACE, ReadingOptions

_SEPARATORS = ("\t", ";", "|", ",", WHITESPACE)  # of equally good ones the first
NO_SEPARATOR = "\x1f"
"""Stands in for the separator of a table of one column."""
_MOST_CELLS = 50_000
_QUOTED = re.compile(r"(?:^|[,;\t|])\s*'[^'\n]*'\s*(?:$|[,;\t|])", re.MULTILINE)


@dataclass(frozen=True)
class Dialect:
    """How a text is written.

    Attributes:
        separator: One character, or `WHITESPACE`.
        quote: One character, "" for none.
        lines: How many lines stand before the header, or before the data where there is none.
        start: How many characters stand before the first row of data.
        layout: What the first rows are.
    """

    separator: str
    quote: str
    lines: int
    start: int
    layout: Layout


def find_dialect(head: str, options: ReadingOptions) -> Dialect:
    """Find how a text is written from its beginning, which ends with a whole line."""
    quote = options.quote if options.quote is not None else _quote(head)
    given = options.delimiter
    candidates = _SEPARATORS if given is None else (given,)
    found = [_Candidate.of(head, separator, quote, options) for separator in candidates]
    best = max(found, key=lambda candidate: candidate.score)
    if given is None and best.alone:
        separator = NO_SEPARATOR if any("," in row[0] for row in best.data) else ","
        best = _Candidate.of(head, separator, quote, options)
    return best.dialect(head, quote)


def rows_of(text: Iterator[str], separator: str, quote: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text: the number of the last line of each, from 1, and its cells."""
    blank = separator == WHITESPACE
    lines = (line.replace("\t", " ").rstrip() + "\n" for line in text) if blank else text
    reader = csv.reader(
        lines,
        delimiter=" " if blank else separator,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        skipinitialspace=True,
    )
    for row in reader:
        yield reader.line_num, row


@dataclass(frozen=True)
class _Candidate:
    """A separator tried: the first rows under it, and what table they make."""

    separator: str
    ends: tuple[int, ...]
    rows: tuple[list[str], ...]
    layout: Layout

    @classmethod
    def of(cls, head: str, separator: str, quote: str, options: ReadingOptions) -> _Candidate:
        ends, rows, cells = [], [], 0
        with contextlib.suppress(csv.Error):  # a field that never ends, under a wrong separator
            for end, row in rows_of(io.StringIO(head, newline=""), separator, quote):
                ends.append(end)
                rows.append(row)
                cells += len(row)
                if cells > _MOST_CELLS and len(rows) > 20:
                    break
        first = sum(end <= (options.skip_rows or 0) for end in ends)
        layout = find_layout(rows, options, first)
        own = cls(separator, tuple(ends), tuple(rows), layout)
        names = ("", *layout.names)
        return replace(own, layout=replace(layout, names=names)) if own.has_row_names(head) else own

    def has_row_names(self, head: str) -> bool:
        """Whether the header lacks a name for the first column, as R writes row names."""
        width = len(self.layout.names) + 1
        if self.separator == "," or self.layout.header is None or not self.data:
            return False
        longer = all(len(row) == width and row[-1].strip() for row in self.data)
        firsts = [row[0] for row in self.data] if longer else []
        counted = firsts == [str(number) for number in range(1, len(firsts) + 1)]
        lines = list(io.StringIO(head, newline=""))
        quoted = lines[self.ends[self.layout.data] - 1].startswith(('"', "'"))
        return longer and (counted or quoted)

    @property
    def data(self) -> list[list[str]]:
        return [row for row in self.rows[self.layout.data :] if row]

    @property
    def alone(self) -> bool:
        """Whether there is one column only."""
        return len(self.layout.names) <= 1 and all(len(row) == 1 for row in self.data)

    @property
    def fits(self) -> bool:
        """Whether there are several columns and nearly all rows have as many cells as names."""
        width = len(self.layout.names)
        alike = sum(len(row) == width or _ends_empty(row, width) for row in self.data)
        return width > 1 and (10 * alike >= 9 * len(self.data) or len(self.data) - alike == 1)

    @property
    def score(self) -> tuple[bool, bool, float]:
        """Fitting rows first, then a header; then the share of numbers, dates and missing ones."""
        cells = [kind_of(cell) for row in self.data[:200] for cell in row]
        told = sum(kind != "text" for kind in cells)
        headed = self.layout.header is not None and not self.layout.doubtful
        return self.fits, headed, round(told / max(1, len(cells)), 2)

    def dialect(self, head: str, quote: str) -> Dialect:
        layout = self.layout
        before = layout.data if layout.header is None else layout.header
        lines = list(io.StringIO(head, newline=""))
        ends = (0, *self.ends)
        past = ends[min(layout.data, len(self.ends))]
        start = sum(len(line) for line in lines[:past])
        return Dialect(self.separator, quote, ends[before], start, layout)


def _ends_empty(row: list[str], width: int) -> bool:
    return len(row) == width + 1 and not row[-1].strip()


def _quote(head: str) -> str:
    """Double quotes, or single ones where only these stand around fields."""
    return "'" if '"' not in head and len(_QUOTED.findall(head)) > 1 else '"'
