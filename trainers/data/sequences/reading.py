"""What a model keeps of how its sequences were read and encoded, to be used alike."""

from __future__ import annotations

from dataclasses import dataclass

from trainers.data.features.encoding import Encoding
from trainers.data.features.reading import EncodedReading
from trainers.data.features.recipe import Recipe
from trainers.data.features.scales import Fit
from trainers.data.tables.reading_options import ReadingOptions

UNENCODED = Encoding(Recipe(()), (), Fit("none"))


@dataclass(frozen=True)
class TableReading(EncodedReading):
    """Sequences in long format, or one a file where `sequence` is None.

    Attributes:
        columns: Inputs, in order.
        table: How further files of the kind are read.
        encoding: What became of the columns. Without any, as in what earlier releases wrote, they
            are numbers that are only scaled, as the interface says.
    """

    columns: tuple[str, ...]
    sequence: str | None = None
    order: str | None = None
    table: ReadingOptions = ReadingOptions()
    encoding: Encoding = UNENCODED

    @property
    def raw_names(self) -> tuple[str, ...]:
        """What a step of a request brings, in order."""
        return self.columns
