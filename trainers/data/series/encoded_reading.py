"""What a model keeps whose inputs were made of columns: what a step brings, how it is encoded."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.reading import Reading
from trainers.data.series.encoding import Encoding
from trainers.data.series.rows import Rows

if TYPE_CHECKING:
    import pandas as pd


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
