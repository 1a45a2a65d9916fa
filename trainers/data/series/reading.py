"""What a model keeps of how its series were read, encoded and scaled, to be used alike."""

from __future__ import annotations

from dataclasses import dataclass, field

from trainers.data.series.encoded_reading import EncodedReading
from trainers.data.series.encoding import Encoding
from trainers.data.series.rows import RowOptions
from trainers.data.series.scales import Scale
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.times.steps import Step


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
    """

    rows: RowOptions
    encoding: Encoding
    input_steps: int
    targets: tuple[str, ...]
    table: ReadingOptions = field(default_factory=ReadingOptions)
    scales: tuple[Scale, ...] = ()
    step: Step | None = None

    @property
    def times(self) -> tuple[str, ...]:
        """Columns that the rows' times are read from; none where they have none."""
        return () if self.rows.times is None else self.rows.times.columns

    @property
    def is_plain(self) -> bool:
        """Whether a step's numbers need scaling only: as many features, in the same order."""
        return self.encoding.is_plain and all(scale.each is None for scale in self.scales)

    @property
    def raw_names(self) -> tuple[str, ...]:
        """What a step of a request brings, in order: times if needed, inputs, what is ahead."""
        recipe = self.encoding.recipe
        times = self.times if recipe.needs_times else ()
        own = tuple(column.name for column in recipe.columns)
        ahead = tuple(f"{c.name}+{step}" for step in recipe.ahead for c in recipe.known)
        return (*times, *own, *ahead)

    @property
    def middles(self) -> dict[str, float]:
        """Of each input column of numbers what is subtracted of it, over all series."""
        found, place = {}, 0
        for column in self.encoding.recipe.columns:
            if column.values is None:
                found[column.name] = self.encoding.scales[place].shift
            place += len(column.feature_names)
        return found
