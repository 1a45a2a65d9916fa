"""Where a table lies in a file's first rows: its header, rows of units, its first row of data.

Works on rows of texts, whatever the file's format. Every find can be overruled by an option.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from trainers.data.tables.cells import Kind, kind_of, usual_kind
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.units import is_unit

Rows = Sequence[Sequence[str]]
_COMMENTS = ("#", "%", "//", "!")
_DIGITS = re.compile(r"(?:1[89]|20)\d{6}(?:\d{2}){0,3}")


@dataclass(frozen=True)
class Layout:
    """Which of the first rows is what.

    Attributes:
        header: Number of the row that names the columns; None where none does.
        data: Number of the first row of data; may be that after the last row.
        units: How many rows of units lie between.
        names: The columns' names as they stand there, "" where one has none.
        doubtful: Whether the header may as well be data: it is 0, 1, 2, ... or the like.
    """

    header: int | None
    data: int
    units: int
    names: tuple[str, ...]
    doubtful: bool = False

    def said(self, given: ReadingOptions, before: int, what: str) -> list[str]:
        """What was found, in words, where the user did not say it.

        Args:
            given: What the user said.
            before: How many lines or rows stand before the table.
            what: Which of the two.
        """
        parts = []
        if given.skip_rows is None and before:
            table = "header" if self.header is not None else "data"
            parts.append(f"{before} {what}{'s' * (before > 1)} before the {table}")
        if given.header is None and self.header is None:
            parts.append("no header (header: true if the first line has the names)")
        if given.header is None and self.doubtful:
            names = ", ".join([name for name in self.names if name][:3])
            parts.append(f"header {names} ... (header: false if these are data)")
        if given.units_rows is None and self.units:
            parts.append(f"{self.units} row{'s' * (self.units > 1)} of units")
        return parts


@dataclass(frozen=True)
class _Body:
    """What most rows are: how many cells they have, and of which kind each is."""

    kinds: tuple[Kind, ...]

    @property
    def width(self) -> int:
        return len(self.kinds)

    def told(self, row: Sequence[str]) -> list[tuple[Kind, Kind]]:
        """The kinds of a row's cells beside those of their columns, texts' columns left out."""
        pairs = zip(row, self.kinds, strict=False)
        return [(_as(kind, cell), kind) for cell, kind in pairs if kind in ("number", "date")]

    def holds(self, row: Sequence[str]) -> bool:
        """Whether a row is surely data: whole, each cell of its column's kind or missing."""
        told = self.told(row)
        fits = all(own in ("empty", "mark", kind) for own, kind in told)
        return len(row) == self.width and fits and any(own == kind for own, kind in told)

    def names(self, row: Sequence[str]) -> bool:
        """Whether a row may name the columns, or their units: other kinds stand in most cells."""
        if len(row) < max(1, self.width - 1) or is_comment(row):
            return False
        telling = sum(kind in ("number", "date") for kind in self.kinds)
        if not telling:
            return 2 * _filled(row) >= self.width
        told = self.told(row)
        others = sum(own not in ("empty", "mark", kind) for own, kind in told)
        return 2 * others >= telling and not any(own == kind for own, kind in told)


def find_layout(rows: Rows, options: ReadingOptions, first: int = 0) -> Layout:
    """Find the table in a file's first rows.

    Args:
        rows: The rows' cells; a row without any is a blank line.
        options: What the user says of header, units and names.
        first: The row to begin with, where the user says it.
    """
    found = _found(rows, options, first)
    if options.columns is None or len(options.columns) < len(found.names):
        return found
    return replace(found, names=options.columns)


def _found(rows: Rows, options: ReadingOptions, first: int) -> Layout:
    body = _body(rows)
    start = next((n for n in range(first, len(rows)) if body.holds(rows[n])), len(rows))
    named = [number for number in range(first, start) if body.names(rows[number])]
    if not any(kind in ("number", "date") for kind in body.kinds):
        named = named[:1]
    if not named and start > first and _counts(rows, start - 1, body):
        start -= 1
    if options.header is False:
        start = named[-1] + 1 if named and options.skip_rows is None else start
        return Layout(None, start, 0, _numbered(body.width))
    if named:
        return _with_header(rows, named, start, body, options)
    if start < len(rows) and (options.header or _counts(rows, start, body)):
        return Layout(start, start + 1, 0, _names(rows[start]), doubtful=options.header is None)
    comment = _comment_of_names(rows, start, first, body)
    if comment is not None:
        return Layout(comment, start, 0, _names(rows[comment]))
    if start == len(rows):  # a header alone, or nothing
        above = next((n for n in range(first, len(rows)) if rows[n]), len(rows))
        return Layout(above, above + 1, 0, _names(rows[above]) if above < len(rows) else ())
    return Layout(None, start, 0, _numbered(body.width))


def _body(rows: Rows) -> _Body:
    """Judge by the later half of the rows: what precedes may be notes."""
    later = [row for row in rows[len(rows) // 2 :] if row]
    lengths, all_lengths = (Counter(len(row) for row in some) for some in (later, rows))
    width = max(lengths, key=lambda n: (lengths[n], all_lengths[n], n), default=1)
    whole = [row for row in later if len(row) == width]
    return _Body(tuple(usual_kind([row[place] for row in whole]) for place in range(width)))


def _with_header(
    rows: Rows, named: Sequence[int], start: int, body: _Body, options: ReadingOptions
) -> Layout:
    """The first row of names after which only rows of units follow is the header."""
    if options.skip_rows is not None:
        place = 0
    elif options.units_rows is not None:
        place = max(0, len(named) - 1 - options.units_rows)
    else:
        units = [_are_units(rows[number], body) for number in named]
        place = next(place for place in range(len(named)) if all(units[place + 1 :]))
    header = named[place]
    below = itertools.takewhile(lambda row: _are_units(row, body), rows[header + 1 : start])
    count = sum(1 for _ in below) if options.units_rows is None else options.units_rows
    return Layout(header, header + 1 + count, count, _names(rows[header]))


def _are_units(row: Sequence[str], body: _Body) -> bool:
    """Whether a row names units: the columns of numbers have some, and nothing but."""
    cells = [cell for cell, kind in zip(row, body.kinds, strict=False) if kind == "number"]
    return any(cell.strip() for cell in cells) and all(is_unit(cell) for cell in cells)


def _counts(rows: Rows, number: int, body: _Body) -> bool:
    """Whether a row that looks like data names columns after all: 0, 1, 2, ... or years.

    As pandas writes the columns of an array, or a wide table those of a series' steps.
    """
    cells = [cell.strip() for cell in rows[number]]
    cells = cells[: max((n for n, cell in enumerate(cells, 1) if cell), default=0)]
    digits = [int(cell) for cell in cells if cell.isdecimal()]
    steps = {after - before for before, after in itertools.pairwise(digits)}
    even = steps == {1} or (len(steps) == 1 and 1800 < digits[0] < digits[-1] < 2200)
    dates = all(map(_DIGITS.fullmatch, map(str, digits))) and (min(steps, default=0) > 0)
    if not (even or dates) or number + 1 >= len(rows):
        return False
    if not cells[-1].isdecimal() and (kind_of(cells[-1]) != "text" or body.kinds[-1] == "text"):
        return False
    following = [int(cell) for cell in map(str.strip, rows[number + 1]) if cell.isdecimal()]
    if following == [digit + 1 for digit in digits]:
        return False
    whole = len(digits) == body.width and digits[0] in (0, 1)
    index = not cells[0] and len(digits) == body.width - 1 and digits[0] in (0, 1)
    return whole or index or 3 <= len(digits) < _filled(cells)


def _comment_of_names(rows: Rows, data: int, first: int, body: _Body) -> int | None:
    """The last comment before the data that has a name for each column, if there is one."""
    above = itertools.takewhile(lambda n: is_comment(rows[n]), range(data - 1, first - 1, -1))
    for number in above if data < len(rows) else ():
        names = _names(rows[number])
        if 1 < len(names) == body.width and all(kind_of(name) == "text" for name in names):
            return number
    return None


def _names(row: Sequence[str]) -> tuple[str, ...]:
    """A header's names; where it is a comment, without its sign."""
    names = [cell.strip() for cell in row]
    if is_comment(row):
        names[0] = names[0].lstrip("#%!/ ")
        names = names if names[0] else names[1:]
    return tuple(names)


def _numbered(width: int) -> tuple[str, ...]:
    return tuple(str(place) for place in range(width))


def _as(kind: Kind, cell: str) -> Kind:
    """The kind of a cell in a column of a kind: digits of a date are one among dates."""
    own = kind_of(cell)
    return "date" if kind == "date" and own == "number" and _DIGITS.fullmatch(cell.strip()) else own


def is_comment(row: Sequence[str]) -> bool:
    """Whether a row begins with the sign of a comment."""
    return bool(row) and row[0].lstrip().startswith(_COMMENTS)


def _filled(row: Iterable[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)
