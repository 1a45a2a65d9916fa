"""When each row of a table was: instants that are compared, and the local clock of calendars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array
from trainers.data.tables.columns import require_columns
from trainers.data.times.clocks import local_of, offset_text, utc_of, utc_of_rows
from trainers.data.times.columns import read_column
from trainers.data.times.joined import read_joined
from trainers.data.times.options import TimeOptions
from trainers.data.times.reads import Read

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Instants:
    """The time of each row.

    Attributes:
        utc: Nanoseconds since 1970 in UTC, int64 `(rows,)`; the clock's own reading where neither
            a zone nor an offset is known.
        options: What the times were read by, with what the file settled: keep it, so that
            further files are read alike.
        offsets: Each value's own offset in nanoseconds, int64 `(rows,)`; None where a zone is
            known, or where values have none.
        notes: What was taken for granted, and the option that changes it.
    """

    utc: Array
    options: TimeOptions
    offsets: Array | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.utc)

    @property
    def zone(self) -> str | None:
        """The zone of the local clock, if one is known."""
        return self.options.zone

    @property
    def name(self) -> str:
        """The time column, or several joined by a plus sign."""
        return "+".join(self.options.columns)

    @property
    def aware(self) -> bool:
        """Whether these are instants, not just what some clock showed."""
        return self.zone is not None or self.offsets is not None

    def local(self) -> Array:
        """Nanoseconds since 1970 by the local clock, int64 `(rows,)`: for calendars."""
        if self.zone is not None:
            return local_of(self.utc, self.zone)
        return self.utc if self.offsets is None else self.utc + self.offsets

    def take(self, rows: Array | slice) -> Instants:
        """The same for some rows, in this order."""
        offsets = None if self.offsets is None else self.offsets[rows]
        return replace(self, utc=self.utc[rows], offsets=offsets)

    def at(self, utc: Array) -> Instants:
        """Other instants on this clock; offsets are those of the last row before (or the first)."""
        if self.offsets is None:
            return replace(self, utc=utc)
        return replace(self, utc=utc, offsets=_last_before(self.utc, self.offsets, utc))

    def at_local(self, local: Array) -> Instants:
        """Instants at which this clock shows given times; offsets as in `at`."""
        if self.zone is not None:
            return replace(self, utc=utc_of(local, self.zone))
        if self.offsets is None:
            return replace(self, utc=local)
        offsets = _last_before(self.local(), self.offsets, local)
        return replace(self, utc=local - offsets, offsets=offsets)

    def text(self, row: int) -> str:
        """The local time of a row for people, with its offset where one is known."""
        return self.take(np.asarray([row])).texts()[0]

    def texts(self) -> list[str]:
        """Local times of all rows for people, as "2021-03-28 02:00:00+01:00"."""
        import pandas as pd

        local = self.local()
        shown = [str(time) for time in pd.DatetimeIndex(local.view("datetime64[ns]"))]
        if not self.aware:
            return shown
        offsets = (local - self.utc).tolist()
        return [text + offset_text(offset) for text, offset in zip(shown, offsets, strict=True)]


def _last_before(times: Array, values: Array, wanted: Array) -> Array:
    """Return the value of the last time that is not after each wanted one, or the first value."""
    order = np.argsort(times, kind="stable")
    places = np.searchsorted(times[order], wanted, side="right") - 1
    return np.asarray(values[order][np.maximum(places, 0)])


def read_instants(
    frame: pd.DataFrame, options: TimeOptions, codes: Array | None = None
) -> Instants:
    """Read the time of each row from the columns that the options name.

    `codes (rows,)` tell the series of each row: within one, the order of rows tells which of two
    hours is meant that a clock shows twice in autumn.

    Raises:
        DataError: a value is missing, is no time, or could be several.
    """
    require_columns(frame, options.columns, "time_column")
    if len(options.columns) == 1:
        name = options.columns[0]
        read = read_column(frame[name], name, options)
    else:
        read = read_joined(frame, options)
    return _instants(read, options, codes)


def _instants(read: Read, options: TimeOptions, codes: Array | None) -> Instants:
    name = "+".join(options.columns)
    settled = replace(options, zone=options.zone or read.zone, format=options.format or read.format)
    notes = list(read.notes)
    if read.offsets is not None:
        utc = read.local - read.offsets
        offsets = None if settled.zone else read.offsets
        if settled.zone is None or (options.zone is None and settled.zone == "UTC"):
            notes.append(_clock_note(name, read.offsets))
        return Instants(utc, settled, offsets, tuple(notes))
    if options.zone is None:
        return Instants(read.local, settled, None, tuple(notes))
    utc = utc_of_rows(read.local, options.zone, codes, options.repeated_hour, name)
    return Instants(utc, settled, None, tuple(notes))


def _clock_note(name: str, offsets: Array) -> str:
    """What clock a calendar follows that knows offsets but no zone."""
    if (offsets == offsets[0]).all():
        return (
            f"{name!r} has the offset {offset_text(int(offsets[0]))} throughout, which a calendar "
            "follows too (data.time_zone: Europe/Berlin would be a local clock)"
        )
    return (
        f"offsets of {name!r} change; a calendar follows each value's own clock "
        "(data.time_zone: Europe/Berlin would name it)"
    )
