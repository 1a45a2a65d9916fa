"""What a user says about the time of the rows: columns, format, zone, unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainers.data.times.clocks import zone_of
from trainers.errors import DataError

Unit = Literal["s", "ms", "us", "ns", "min", "h", "day", "excel"]


@dataclass(frozen=True)
class TimeOptions:
    """Plain values, as a sweep file holds them.

    Attributes:
        columns: One column, or several that make a time together (date and time; year, month, …).
        format: As `strptime` has it; of several columns, joined by one space. Without hours it
            is that of the first column.
        zone: An IANA name or an offset ("+01:00"). Values with offsets are instants, and the
            calendar follows this clock; values without are this clock's.
        unit: Of numbers, counted from 1970 in UTC; "excel": days from 1899-12-30, local.
        repeated_hour: Which of the two an hour is that the clock shows twice in autumn, where the
            order of rows does not tell.

    Raises:
        DataError: the zone does not exist, or the format has no directive.
    """

    columns: tuple[str, ...]
    format: str | None = None
    zone: str | None = None
    unit: Unit | None = None
    repeated_hour: Literal["first", "second"] | None = None

    def __post_init__(self) -> None:
        if not self.columns:
            raise DataError("data.time_column must name at least one column, but is empty.")
        if self.zone is not None:
            zone_of(self.zone)
        if self.format is not None and "%" not in self.format:
            raise DataError(
                f"data.time_format must be as strptime has it, but got {self.format!r}; write "
                'data.time_format: "%d/%m/%Y %H:%M".'
            )
        if self.format is not None and self.unit is not None:
            raise DataError(
                "a time has a unit or a format, but data.time_unit and data.time_format are both "
                "set; leave one out."
            )
