"""Tables as text, fields between separators.

The first lines tell how the file is written (`dialect.py`, `layout.py`); what was found is said in
one note. `text_file.py` then reads it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trainers.data.tables.compression import open_bytes
from trainers.data.tables.dialect import NO_SEPARATOR, find_dialect
from trainers.data.tables.encoding import UTF_8, encoding_of, first_guess
from trainers.data.tables.naming import named, without_empty_end, without_unnamed
from trainers.data.tables.numbers import Forms, forms_of
from trainers.data.tables.reading_options import WHITESPACE, Decimal, ReadingOptions
from trainers.data.tables.request import Request, TableRead
from trainers.data.tables.text_file import TextFile, opened
from trainers.data.tables.texts import Finished, finish_texts
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_HEAD = 262_144
_LONGEST_HEAD = 64 * 2**20


def read_delimited(request: Request) -> TableRead:
    """Read a table of text.

    Raises:
        DataError: it can't be read so, or its rows are unequal.
    """
    given = request.reading.encoding
    with open_bytes(request.path) as stream:
        encoding = given or first_guess(request.path, stream.read(_HEAD))
    try:
        try:
            return _read(request, encoding)
        except UnicodeDecodeError:
            if given is not None:
                raise
            return _read(request, encoding_of(request.path))
    except UnicodeError as error:
        raise DataError(
            f"{request.path} can't be read as a table: its text is not {given or encoding}; set "
            "data.reading.encoding, as cp1252."
        ) from error


def _read(request: Request, encoding: str) -> TableRead:
    file = _understood(request, encoding)
    kept = [file.names.index(name) for name in request.kept(file.names)]
    gathered, total = file.gathered(kept)
    frame = gathered.frame()
    if gathered.mixed:
        # Numbers and words in one column: these are read again, as they are written.
        mixed = [int(place) for place in gathered.mixed]
        file = replace(file, texts=file.texts | set(mixed))
        frame = frame.join(file.gathered(mixed)[0].frame())
    if list(frame.columns) != [str(place) for place in kept]:
        frame = frame[[str(place) for place in kept]]
    frame.columns = [file.names[place] for place in kept]
    rows = len(frame)
    frame, unnamed = without_unnamed(frame, request.reading.index) if rows else (frame, [])
    frame, empty = without_empty_end(frame)
    reading = request.reading
    found = finish_texts(
        frame, file.decimal, reading.thousands, usual_marks=reading.usual_missing_values
    )
    said = _Said(file, found)
    notes = (*said.notes(), *unnamed, *empty, *found.notes, *request.limit_note(rows, total))
    return TableRead(frame, notes, said.reading())


def _understood(request: Request, encoding: str) -> TextFile:
    head = _head(request, encoding)
    dialect = find_dialect(head, request.reading)
    names = tuple(named(dialect.layout.names, request))
    file = TextFile(request, encoding, dialect, names)
    every = range(len(names))
    raw = replace(file, texts=frozenset(every)).frame(head[dialect.start :], every)
    forms = {int(name): forms_of(raw[name]) for name in raw.columns}
    decimal = request.reading.decimal or _decimal(forms, request.reading.thousands)
    file = replace(file, decimal=decimal)
    typed = file.frame(head[dialect.start :], every)
    texts = {int(name) for name in typed.columns if _is_text(typed[name], raw[name])}
    if decimal is None:
        open_ = [place for place in every if forms[place].counts["either_point"]]
        if open_ and dialect.separator == ";":
            texts |= set(open_)  # where decimal commas are at home; `finish_texts` looks at them
        elif open_:
            values = raw[str(open_[0])].dropna()
            file = replace(file, doubtful=next(v for v in values if "." in v).strip())
    return replace(file, texts=frozenset(texts))


def _head(request: Request, encoding: str) -> str:
    """A file's first lines, whole ones."""
    with opened(request.path, encoding) as text:
        head = text.read(_HEAD)
        while head.count("\n") + head.count("\r") < 20 and len(head) < _LONGEST_HEAD:
            more = text.read(len(head) or 1)
            if not more:
                return head
            head += more
        if not text.read(1):
            return head
    return head[: max(head.rfind("\n"), head.rfind("\r")) + 1]


def _decimal(forms: dict[int, Forms], thousands: str | None) -> Decimal | None:
    """The decimal mark that most columns of numbers show; None where none shows one."""
    if thousands in (".", ","):
        return "," if thousands == "." else "."
    marks = [one.decimal for one in forms.values() if one.mostly]
    points, commas = marks.count("."), marks.count(",")
    if not points and not commas:
        return None
    return "," if commas > points else "."


def _is_text(column: pd.Series[Any], raw: pd.Series[Any]) -> bool:
    """Whether a column holds texts, be they nothing but words for missing values."""
    import pandas as pd

    if column.isna().all():
        return bool(raw.notna().any())
    if column.dtype == object:
        return pd.api.types.infer_dtype(column, skipna=True) not in ("boolean", "empty")
    return isinstance(column.dtype, pd.StringDtype) and bool(column.notna().any())


@dataclass(frozen=True)
class _Said:
    """What was found in a file, for people and as options."""

    file: TextFile
    found: Finished

    def notes(self) -> Iterator[str]:
        parts = list(self._parts())
        if parts:
            yield f"read as: {', '.join(parts)} (data.reading)"
        if self.file.doubtful is not None:
            yield (
                f"{self.file.doubtful!r} and its like are read with a decimal point; if it stands "
                "between thousands, set data.reading.thousands: '.'"
            )

    def _parts(self) -> Iterator[str]:
        file, given = self.file, self.file.reading
        words = {"\t": "tab", NO_SEPARATOR: "none, one column", WHITESPACE: WHITESPACE}
        separator = file.dialect.separator
        if given.separator is None and separator != ",":
            yield f"separator {words.get(separator, repr(separator))}"
        if given.decimal is None and self._decimal == ",":
            yield "decimal ','"
        if given.thousands is None:
            yield from (f"thousands {mark!r}" for mark in sorted(self.found.thousands))
        if given.encoding is None and file.encoding != UTF_8:
            yield f"encoding {file.encoding}"
        if given.quote is None and file.dialect.quote != '"':
            yield f"quote {file.dialect.quote!r}"
        yield from file.dialect.layout.said(given, file.dialect.lines, "line")

    @property
    def _decimal(self) -> Decimal | None:
        own = self.found.decimals
        return self.file.decimal or (own.copy().pop() if len(own) == 1 else None)

    def reading(self) -> ReadingOptions:
        dialect, given = self.file.dialect, self.file.reading
        marks = self.found.thousands
        return dataclasses.replace(
            given,
            format="csv",
            separator=None if dialect.separator == NO_SEPARATOR else dialect.separator,
            decimal=self._decimal,
            thousands=given.thousands if len(marks) != 1 else next(iter(marks)),
            encoding=self.file.encoding,
            quote=dialect.quote,
            skip_rows=dialect.lines,
            header=dialect.layout.header is not None,
            units_rows=dialect.layout.units,
        )
