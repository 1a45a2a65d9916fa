"""What a model keeps of how its series were read, encoded and scaled, to be used alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array, TargetTransform
from trainers.data.features.encoding import Encoding
from trainers.data.features.reading import EncodedReading, Scales
from trainers.data.features.rows import Rows
from trainers.data.features.scales import Scale
from trainers.data.series.past import newest_known
from trainers.data.series.rows import RowOptions, rows_of
from trainers.data.tables.columns import matrix
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.times.steps import Step
from trainers.data.transforms import transformed
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class WindowReading(EncodedReading):
    """Windows over long series; plain values.

    Attributes:
        rows: What makes rows of a table rows of series.
        table: How the file was read.
        encoding: What became of its columns.
        input_steps: Length of a window.
        targets: Columns that were predicted.
        scales: Of each target, in own units; empty for classes.
        step: From row to row; None without times.
        transform: What was done to targets before they were scaled.
        changes: Where targets are changes from the newest known value, the scale of each one's, in
            scaled units; otherwise empty.
        constant: Input columns that never changed in a series of the training data.
    """

    rows: RowOptions
    encoding: Encoding
    input_steps: int
    targets: tuple[str, ...]
    table: ReadingOptions = field(default_factory=ReadingOptions)
    scales: tuple[Scale, ...] = ()
    step: Step | None = None
    transform: TargetTransform = "none"
    changes: tuple[Scale, ...] = ()
    constant: tuple[str, ...] = ()

    @property
    def times(self) -> tuple[str, ...]:
        """Columns that the rows' times are read from; none where they have none."""
        return () if self.rows.times is None else self.rows.times.columns

    @property
    def is_plain(self) -> bool:
        """Whether a step's numbers need scaling only: as many features, in the same order."""
        shared = all(scale.each is None for scale in self.scales)
        return self.encoding.is_plain and shared and not self.changes

    @property
    def raw_names(self) -> tuple[str, ...]:
        """What a step of a request brings, in order: times if needed, inputs, what is ahead."""
        recipe = self.encoding.recipe
        times = self.times if recipe.needs_times else ()
        own = tuple(column.name for column in recipe.columns)
        ahead = tuple(f"{c.name}+{step}" for step in recipe.ahead for c in recipe.known)
        return (*times, *own, *ahead)

    @property
    def needs_newest(self) -> bool:
        """Whether a forecast is added to the newest known value of its target."""
        return bool(self.changes)

    @property
    def all_scales(self) -> tuple[Scale, ...]:
        """Of targets and features."""
        return (*self.scales, *self.encoding.scales)

    def rows_of_steps(self, frame: pd.DataFrame, series: str | None) -> Rows:
        """Return the steps of one request as rows; what is known ahead stands beside them.

        Raises:
            DataError: a time can't be read, or is not later than the one before.
        """
        times = self.rows.times if self.encoding.recipe.needs_times else None
        plain = replace(self.rows, times=times, series=None, resample=None, duplicates="error")
        for name in () if times is None else times.columns:
            frame[name] = frame[name].infer_objects()
        try:
            rows = rows_of(frame, plain, self.step)
        except (DataError, TypeError, OverflowError) as error:
            assert times is not None
            like = "" if times.format is None else f" ({times.format})"
            raise DataError(
                "each step must have a time later than the step's before as "
                f"{', '.join(map(repr, times.columns))}, written as in the training data{like}."
            ) from error
        names = () if self.rows.series is None else (str(series),)
        return replace(rows, names=names, brings_ahead=True)

    def target_scales(self, rows: Rows, series: int) -> Scales | None:
        """Return the scale of one series' targets; None where all share one."""
        if all(scale.each is None for scale in self.scales):
            return None
        scales = zip(self.targets, self.scales, strict=True)
        table = np.array([self._scale_of(name, scale, rows, series) for name, scale in scales])
        return table[:, 0], table[:, 1]

    def bases(self, rows: Rows) -> Array | None:
        """Return the newest known targets up to each row `(rows, targets)`; None without changes.

        NaN stands where none is known.
        """
        if not self.changes:
            return None
        values = matrix(rows.frame, list(self.targets), "mask")
        return newest_known(values, rows.bounds[:-1][rows.codes])

    def from_base(self, scales: Scales | None, base: Array) -> Scales:
        """Return the scale of changes from `base (targets,)`, given that of the series' targets.

        Raises:
            DataError: there is no value that they are from.
        """
        if (unknown := np.isnan(base)).any():
            raise DataError(
                f"a forecast is added to the newest value of {self.targets[unknown.argmax()]!r} "
                "(data.target_transform: difference), so a step must bring one."
            )
        scale = np.array([one.scale for one in self.scales]) if scales is None else scales[0]
        own = np.array([[one.scale, one.shift] for one in self.changes])
        return scale * own[:, 0], scale * own[:, 1] + base.astype(np.float32)

    def window_scales(self, rows: Rows, series: int, row: int) -> Scales | None:
        """Return the scale of the targets of a window whose last row is this one.

        Raises:
            DataError: its targets are changes, and there is no value that they are from.
        """
        scales, bases = self.target_scales(rows, series), self.bases(rows)
        return scales if bases is None else self.from_base(scales, bases[row])

    def _scale_of(self, name: str, scale: Scale, rows: Rows, series: int) -> tuple[float, float]:
        known = (scale.each or {}).get(rows.names[series])
        if known is not None:
            return known
        if name not in rows.frame.columns:
            return scale.scale, scale.shift
        raw = matrix(rows.frame, [name], "mask")
        values = transformed(raw, self.transform, [name], rows.placed)[:, 0]
        none = np.zeros(len(values), dtype=np.bool_)
        return self.encoding.fit.of_series(values, rows, none, scale)[series]
