"""What names a row of a series: its time as the file writes it, or its number."""

from __future__ import annotations

from typing import Any

from trainers.data.features.rows import Rows
from trainers.data.series.reading import WindowReading
from trainers.data.times.writing import written_like

ROW, TIME = "row", "time"


def place_of(rows: Rows, reading: WindowReading, row: int) -> dict[str, Any]:
    """Name a row: by its time as the file writes it, or by its number in its series."""
    if rows.instants is None:
        return {ROW: row - int(rows.bounds[rows.codes[row]])}
    column = name_of_time(reading)
    written = column in rows.frame.columns
    return {column: rows.frame[column].iloc[row] if written else rows.said(row)}


def name_of_time(reading: WindowReading) -> str:
    """The column that times are told in."""
    return reading.times[0] if len(reading.times) == 1 else TIME


def as_written(text: str, rows: Rows, reading: WindowReading) -> str:
    """Write a time beyond the file as the file writes its own, as far as that is plain."""
    import pandas as pd

    written = None if reading.rows.times is None else reading.rows.times.format
    if written is not None and len(reading.times) == 1:
        return pd.Timestamp(text).strftime(written)
    column = reading.times[0]
    first = rows.frame[column].iloc[0] if column in rows.frame.columns else None
    return written_like(text, first) if isinstance(first, str) else text
