"""Windows over one long series, as views: nothing is copied per window (`cutting.py` cuts).

The series is divided in time *by target row*, and inputs of validation and test may reach back
into the part before, so that trials with different `input_steps` are judged on the same targets.
Scalers see training rows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.division import boundaries_of
from trainers.data.options import means, path_means, require
from trainers.data.reading import WindowReading
from trainers.data.scaling import ColumnScaler, fit_scaler, joined
from trainers.data.series.cutting import Geometry, Series, cut
from trainers.data.source import Source
from trainers.data.tables.columns import (
    CALENDAR_NAMES,
    Missing,
    calendar_features,
    gap_note,
    matrix,
    numeric_columns,
    parse_times,
    require_columns,
)
from trainers.data.tables.formats import table_stem
from trainers.data.tables.reading_options import ReadingOptions, carried
from trainers.data.tables.request import TableRead
from trainers.data.tables.table import read_table
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class WindowOptions:
    """Which file, which columns, and how windows are cut and scaled."""

    path: str = field(metadata=path_means("table of any format, one row a time step"))
    target: tuple[str, ...] = field(metadata=means("column(s) to predict"))
    inputs: tuple[str, ...] | None = field(
        default=None, metadata=means("input columns; null: every numeric one, the target's too")
    )
    drop: tuple[str, ...] = field(default=(), metadata=means("columns to leave out of inputs"))
    time_column: str | None = field(default=None, metadata=means("column of dates"))
    calendar: bool = field(
        default=False, metadata=means("add time of day and week, from time_column")
    )
    input_steps: int = field(default=24, metadata=means("length of a window in rows"))
    output_steps: int = field(default=1, metadata=means("rows predicted at once"))
    steps_ahead: int = field(
        default=1, metadata=means("rows from the last input to the first target; 0: the same row")
    )
    targets: Literal["last", "every"] = field(
        default="last", metadata=means("predict at a window's last step, or at every step")
    )
    known_ahead: tuple[str, ...] = field(
        default=(),
        metadata=means("columns known in advance: their values at the target rows are inputs too"),
    )
    missing: Missing = field(
        default="error",
        metadata=means("mask: a row with a missing input becomes a gap, a missing target none"),
    )
    stride: int = field(default=1, metadata=means("rows from one window to the next"))
    split: tuple[float, ...] = field(
        default=(0.7, 0.15, 0.15), metadata=means("shares of train, validation and test, in time")
    )
    scaling: Literal["minmax", "standard", "none"] = field(
        default="standard", metadata=means("fitted on training rows; metrics are in own units")
    )
    units: str = field(default="", metadata=means("the targets' unit, for tables"))
    reading: ReadingOptions = field(
        default=ReadingOptions(), metadata=means("how the file is to be understood")
    )

    def __post_init__(self) -> None:
        for name, least in (
            *(("input_steps", 1), ("output_steps", 1)),
            *(("steps_ahead", 0), ("stride", 1)),
        ):
            value = getattr(self, name)
            require(value >= least, f"{name} >= {least}", name, value)
        require(len(self.target) > 0, "at least one target", "target", list(self.target))
        if self.inputs is not None:
            require(len(self.inputs) > 0, "at least one input", "inputs", list(self.inputs))
        fits = len(self.split) == 3 and min(self.split) > 0 and abs(sum(self.split) - 1) < 1e-9
        require(fits, "split has three positive shares that sum to 1", "split", list(self.split))
        if self.calendar and self.time_column is None:
            raise DataError("data.calendar=true needs dates: set data.time_column to their column.")
        told = [name for name in self.known_ahead if name in self.target]
        if told:
            raise DataError(
                f"a target is not known ahead, but data.known_ahead names {told[0]!r}; leave it "
                "out."
            )

    @property
    def columns_used(self) -> set[str] | None:
        """The columns that are named; None where inputs are whatever the file has."""
        if self.inputs is None:
            return None
        times = [self.time_column] if self.time_column is not None else []
        return {*self.inputs, *self.target, *self.known_ahead, *self.drop, *times}

    @property
    def geometry(self) -> Geometry:
        """The windows' measures."""
        return Geometry(
            input_steps=self.input_steps,
            output_steps=self.output_steps,
            steps_ahead=self.steps_ahead,
            stride=self.stride,
            every_step=self.targets == "every",
        )


def load_windows(options: WindowOptions, base_dir: Path) -> SequenceData:
    """Read the file and cut it into windows.

    Raises:
        DataError: the file, a column or a value is not as it must be, or a part has no room.
    """
    path = base_dir / Path(options.path).expanduser()
    read = read_table(path, options.reading, columns_used=options.columns_used)
    return windows_from_table(read, options, name=table_stem(path))


def windows_from_table(read: TableRead, options: WindowOptions, name: str) -> SequenceData:
    """Cut a table that was read into windows, and keep how it was read."""
    data = windows_from_frame(read.frame, options, name)
    if not isinstance(data.reading, WindowReading):
        raise TypeError("windows leave a WindowReading")
    reading = replace(data.reading, table=carried(options.reading, read.reading))
    return replace(data, notes=(*read.notes, *data.notes), reading=reading)


def windows_from_frame(frame: pd.DataFrame, options: WindowOptions, name: str) -> SequenceData:
    """Cut a table whose rows are time steps into windows; see `load_windows`."""
    require_columns(frame, options.target, "target")
    boundaries = boundaries_of(len(frame), options.split)
    read = _inputs(frame, options, boundaries[1])
    targets = matrix(frame, options.target, options.missing)
    scaler = _fit("target", targets[: boundaries[1]], options)
    target_present = np.asarray(~np.isnan(targets).any(axis=1))
    series = Series(
        inputs=_filled(read.values),
        targets=_filled(scaler.apply(targets)),
        input_present=None if read.present.all() else read.present,
        target_present=None if target_present.all() else target_present,
    )
    parts, lines = cut(series, boundaries, options.geometry)
    return _assemble(name, options, parts, scaler, replace(read, notes=[*read.notes, *lines]))


@dataclass(frozen=True)
class _Inputs:
    """Scaled inputs `(rows, features)`, which rows are there `(rows,)`, and how they came about.

    Features: the input columns, the calendar's, then the columns known ahead, step by step.
    """

    values: Array
    present: Array
    columns: list[str]
    scaler: ColumnScaler
    notes: list[str]


def _inputs(frame: pd.DataFrame, options: WindowOptions, train_rows: int) -> _Inputs:
    names, notes = _input_names(frame, options)
    own = matrix(frame, names, options.missing)
    scalers = [_fit("input", own[:train_rows], options)]
    columns = [scalers[0].apply(own)]
    if options.time_column is not None:
        times = parse_times(frame, options.time_column)
        notes += [note for note in [gap_note(times)] if note]
        if options.calendar:
            columns.append(calendar_features(times))
            scalers.append(fit_scaler(columns[-1], "none"))
    if options.known_ahead:
        known, scaler = _known_ahead(frame, options, train_rows)
        columns.append(known)
        scalers += [scaler] * options.output_steps
    values = np.column_stack(columns)
    present = ~np.isnan(values).any(axis=1)
    if not present.all():
        notes.append(f"{int((~present).sum())} of {len(frame)} rows have gaps in their inputs")
    return _Inputs(values, present, names, joined(scalers), notes)


def _known_ahead(
    frame: pd.DataFrame, options: WindowOptions, train_rows: int
) -> tuple[Array, ColumnScaler]:
    """The columns' scaled values at the target rows of each row, `(rows, columns * output_steps)`.

    The last rows have no target rows, so no window ends there: zeros stand for what is not there.
    """
    require_columns(frame, options.known_ahead, "known_ahead")
    known = matrix(frame, options.known_ahead, options.missing)
    scaler = _fit("known_ahead", known[:train_rows], options)
    return rows_ahead(scaler.apply(known), options.steps_ahead, options.output_steps, 0.0), scaler


def rows_ahead(values: Array, steps_ahead: int, output_steps: int, fill: float) -> Array:
    """Put each row's target rows side by side, `(rows, output_steps * columns)`.

    `fill` stands for rows past the end.
    """
    padding = np.full((steps_ahead + output_steps, values.shape[1]), fill)
    longer = np.concatenate([values, padding])
    ahead = range(steps_ahead, steps_ahead + output_steps)
    return np.column_stack([longer[step : step + len(values)] for step in ahead])


def _fit(kind: str, train: Array, options: WindowOptions) -> ColumnScaler:
    """Fit a scaler on the training rows without a missing value.

    Raises:
        DataError: there is no such row.
    """
    present = train[~np.isnan(train).any(axis=1)]
    if len(present) == 0:
        raise DataError(
            f"every one of the {len(train)} training rows misses a value of the {kind} columns; "
            "leave out a column that is mostly missing, or give train a larger share of data.split."
        )
    return fit_scaler(present, options.scaling)


def _filled(values: Array) -> Array:
    """Contiguous float32, zeros for what is missing (masks hide it)."""
    return np.ascontiguousarray(np.nan_to_num(values), dtype=np.float32)


def _input_names(frame: pd.DataFrame, options: WindowOptions) -> tuple[list[str], list[str]]:
    """Names of the input columns, and a note on columns that are left out without being asked."""
    require_columns(frame, options.drop, "drop")
    left_out = {*options.drop, options.time_column}
    asked = numeric_columns(frame, left_out) if options.inputs is None else list(options.inputs)
    require_columns(frame, asked, "inputs")
    names = [name for name in asked if name not in left_out]
    if not names:
        raise DataError(
            "at least one input column is needed, but "
            f"{'no column is numeric' if not asked else f'drop leaves none of {asked}'}."
        )
    leaks = [name for name in names if name in options.target and options.steps_ahead == 0]
    if leaks:
        raise DataError(
            f"with steps_ahead=0 the target {leaks[0]!r} would be its own input; leave it out with "
            f"data.drop: [{leaks[0]}], or set data.steps_ahead to 1 or more."
        )
    others = [str(name) for name in frame.columns if name not in {*names, *left_out}]
    if options.inputs is not None or not others:
        return names, []
    return names, [f"not numeric, so not inputs: {', '.join(others)}"]


def _assemble(
    name: str,
    options: WindowOptions,
    parts: Sequence[SequenceSet],
    scaler: ColumnScaler,
    read: _Inputs,
) -> SequenceData:
    train, validation, test = parts
    horizons = options.output_steps
    ahead = range(options.steps_ahead, options.steps_ahead + horizons)
    known = [f"{column}+{step}" for step in ahead for column in options.known_ahead]
    return SequenceData(
        name=name,
        task="regression",
        train=train,
        validation=validation,
        test=test,
        input_size=train.inputs.shape[2],
        output_size=train.targets.shape[2],
        digest="",
        target_scale=np.tile(scaler.scale, horizons),
        target_shift=np.tile(scaler.shift, horizons),
        target_names=_target_names(options),
        units=options.units,
        one_target=options.targets == "last",
        notes=tuple(read.notes),
        input_scale=read.scaler.scale,
        input_shift=read.scaler.shift,
        input_names=(*read.columns, *(CALENDAR_NAMES if options.calendar else ()), *known),
        reading=WindowReading(
            columns=tuple(read.columns),
            input_steps=options.input_steps,
            output_steps=horizons,
            steps_ahead=options.steps_ahead,
            stamps=options.time_column,
            calendar=options.calendar,
            known_ahead=options.known_ahead,
        ),
    )


def _target_names(options: WindowOptions) -> tuple[str, ...]:
    if options.output_steps == 1:
        return options.target
    ahead = range(options.steps_ahead, options.steps_ahead + options.output_steps)
    return tuple(f"{name}+{step}" for step in ahead for name in options.target)


CSV = Source(WindowOptions, load_windows)
