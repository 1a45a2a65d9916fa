"""JSON lines, and JSON lists of rows: one object a row."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from trainers.data.tables.compression import open_bytes
from trainers.data.tables.gathering import typed_objects
from trainers.data.tables.marks import with_missing
from trainers.data.tables.request import Request, TableRead
from trainers.data.tables.words import is_nested
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def read_records(request: Request) -> TableRead:
    """Read objects, one a line, or a list of them; a key that a row lacks is missing there.

    Raises:
        DataError: what stands there are no such rows.
    """
    with open_bytes(request.path) as stream:
        start = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start not in (b"[", b"{"):
        raise DataError(
            f'{request.path} must hold rows as {{"load": 1.5}}, one a line or in a list, but '
            f"begins with {start.decode(errors='replace')!r}; see data.reading.format."
        )
    frame = _list(request) if start == b"[" else _lines(request)
    if len(frame) == 1 and frame.map(is_nested).all(axis=None):
        raise DataError(
            f"{request.path.name} must hold rows, one object a row, but is one object of columns; "
            'write rows: pandas\' to_json(orient="records", lines=True).'
        )
    counted = request.limit is None or request.last or start == b"[" or len(frame) <= request.limit
    total = len(frame) if counted else None
    if request.limit is not None:
        frame = frame.iloc[-request.limit :] if request.last else frame.iloc[: request.limit]
        frame = frame.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    frame = with_missing(frame[request.kept(frame.columns)], request.reading.missing_values)
    notes = tuple(request.limit_note(len(frame), total))
    return TableRead(frame, notes, replace(request.reading, format="jsonl"))


def _list(request: Request) -> pd.DataFrame:
    import pandas as pd

    with open_bytes(request.path) as stream:
        rows = json.load(stream)
    if not all(isinstance(row, dict) for row in rows):
        wrong = next(place for place, row in enumerate(rows) if not isinstance(row, dict))
        raise DataError(
            f"{request.path} must be a list of rows, each {{column: value}}, but row {wrong} is "
            f"{str(rows[wrong])[:40]!r}."
        )
    return typed_objects(pd.DataFrame(rows))


def _lines(request: Request) -> pd.DataFrame:
    """All rows; where a limit leaves the first ones, these and one more if there are more."""
    import pandas as pd

    limit = request.limit
    with open_bytes(request.path) as stream:
        frame: pd.DataFrame = pd.read_json(
            stream,
            lines=True,
            dtype=False,
            nrows=None if limit is None or request.last else limit + 1,
        )
    return typed_objects(frame)
