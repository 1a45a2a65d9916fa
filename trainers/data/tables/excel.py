"""Excel workbooks, where openpyxl is installed: one sheet, its table wherever it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainers.data.tables.gathering import typed_objects
from trainers.data.tables.layout import Layout, find_layout
from trainers.data.tables.marks import with_missing
from trainers.data.tables.naming import named, without_unnamed
from trainers.data.tables.request import Request, TableRead
from trainers.data.tables.texts import finish_texts
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_AT = 300


@dataclass(frozen=True)
class _Sheet:
    """A sheet's cells as they are, and the names of all sheets."""

    cells: pd.DataFrame
    names: tuple[str, ...]


def read_excel(request: Request) -> TableRead:
    """Read a sheet of a workbook.

    Raises:
        DataError: openpyxl is not installed, or there is no such sheet.
    """
    reading = request.reading
    sheet = _sheet(request)
    first = sheet.cells.iloc[:_LOOKED_AT].astype(object)
    rows = first.where(first.notna(), "").astype(str).to_numpy().tolist()
    layout = find_layout(rows, reading, reading.skip_rows or 0)
    names = named(layout.names, request)
    frame = sheet.cells.iloc[layout.data :, : len(names)].dropna(how="all")
    total = len(frame)
    if request.limit is not None:
        frame = frame.iloc[-request.limit :] if request.last else frame.iloc[: request.limit]
    frame = frame.reset_index(drop=True)
    frame.columns = names
    frame = typed_objects(with_missing(frame[request.kept(names)], reading.missing_values))
    rows_left = len(frame)
    frame, unnamed = without_unnamed(frame, reading.index) if rows_left else (frame, [])
    found = finish_texts(
        frame, reading.decimal, reading.thousands, usual_marks=reading.usual_missing_values
    )
    notes = (*_said(request, layout, sheet), *unnamed, *found.notes)
    resolved = replace(
        reading,
        format="excel",
        skip_rows=layout.data if layout.header is None else layout.header,
        header=layout.header is not None,
        units_rows=layout.units,
        sheet=sheet.names[0] if reading.sheet is None else reading.sheet,
    )
    return TableRead(frame, (*notes, *request.limit_note(rows_left, total)), resolved)


def _sheet(request: Request) -> _Sheet:
    import pandas as pd

    wanted = request.reading.sheet if request.reading.sheet is not None else 0
    try:
        book = pd.ExcelFile(request.path, engine="openpyxl")
    except ImportError as error:
        raise DataError(
            f"{request.path.name} is an Excel workbook, which openpyxl reads, but that is not "
            "installed; pip install openpyxl."
        ) from error
    with book:
        names = tuple(str(name) for name in book.sheet_names)
        known = wanted in names if isinstance(wanted, str) else 0 <= wanted < len(names)
        if not known:
            raise DataError(
                f"{request.path.name} has no sheet {wanted!r}; set data.reading.sheet to one of "
                f"{', '.join(names)}."
            )
        cells = pd.read_excel(
            book,
            sheet_name=wanted,
            header=None,
            dtype=object,
            keep_default_na=False,
            na_values=[""],
        )
    return _Sheet(cells, names)


def _said(request: Request, layout: Layout, sheet: _Sheet) -> Iterator[str]:
    given, parts = request.reading, []
    before = layout.data if layout.header is None else layout.header
    if given.sheet is None and len(sheet.names) > 1:
        parts.append(f"sheet {sheet.names[0]!r} of {', '.join(sheet.names)}")
    parts += layout.said(given, before, "row")
    if parts:
        yield f"read as: {', '.join(parts)} (data.reading)"
