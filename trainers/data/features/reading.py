"""What a model keeps whose inputs were made of columns: what a step brings, how it is encoded."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.encoding import Encoding
from trainers.data.features.rows import Rows
from trainers.data.features.scales import Scale
from trainers.data.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

Scales = tuple[Array, Array]  # scale and shift, `(targets,)` each


class EncodedReading(Reading):
    """A reading with an `Encoding`: tables and requests bring raw values in columns."""

    encoding: Encoding

    @property
    @abstractmethod
    def raw_names(self) -> tuple[str, ...]:
        """What a step of a request brings, in order."""

    @property
    def is_plain(self) -> bool:
        """Whether a step's numbers need scaling only: as many features, in the same order."""
        return self.encoding.is_plain

    @property
    def needs_newest(self) -> bool:
        """Whether a forecast is added to the newest known value of its target."""
        return False

    @property
    def middles(self) -> dict[str, float]:
        """Of each input column of numbers what is subtracted of it, over all series."""
        found, place = {}, 0
        for column in self.encoding.recipe.columns:
            if column.values is None:
                found[column.name] = self.encoding.scales[place].shift
            place += len(column.feature_names)
        return found

    @property
    def all_scales(self) -> tuple[Scale, ...]:
        """Of targets and features, as far as series may have their own."""
        return self.encoding.scales

    def rows_of_steps(self, frame: pd.DataFrame, series: str | None) -> Rows:
        """Return the steps of one request as rows, one column for each of `raw_names`.

        Args:
            frame: The steps, in order.
            series: The name of theirs, where they have one.

        Raises:
            DataError: a value is not what it must be.
        """
        codes = np.zeros(len(frame), dtype=np.int64)
        return Rows(frame, codes, (), None, None, ())

    def window_scales(self, rows: Rows, series: int, row: int) -> Scales | None:
        """Return the scale of the targets of a window whose last row is this one."""
        return self.target_scales(rows, series)

    def target_scales(self, rows: Rows, series: int) -> Scales | None:
        """Return the scale of one series' targets; None where all share one."""
        return None
