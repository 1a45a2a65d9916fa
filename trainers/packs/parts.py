"""The parts of a data set, bound to a structure when they are first asked for."""

from __future__ import annotations

from typing import Literal

from trainers.config.measured import NOTHING, Asked, epoch_metrics, train_metrics
from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData
from trainers.errors import DataError
from trainers.learning.batches import Part
from trainers.learning.lanes import StreamPart, part_of
from trainers.learning.metrics import total_squares
from trainers.network.masks import Array

PartName = Literal["train", "validation", "test"]


class Parts:
    """What trials of a structure learn from and are evaluated on.

    Attributes:
        data: The whole.
        asked: What is measured beside what every epoch has.
        metrics: What is measured at each epoch, by name.
        train_metrics: Of these what training tells: what every epoch has, and what the sums of
            that tell.

    Raises:
        ConfigError: something is asked for that the data or the loss don't have.
    """

    def __init__(self, data: SequenceData, structure: Structure, asked: Asked = NOTHING) -> None:
        self.data, self.asked = data, asked
        self.metrics = epoch_metrics(data, structure.loss, asked)
        self.train_metrics = train_metrics(self.metrics)
        self._structure = structure
        self._bound: dict[PartName, Part | StreamPart] = {}
        self._total_squares: dict[PartName, Array] = {}

    def part(self, name: PartName) -> Part | StreamPart:
        """Return a part as the structure walks it.

        Raises:
            DataError: the data have no such part.
        """
        if name not in self._bound:
            part = getattr(self.data, name)
            if part is None:
                raise DataError(f"data {self.data.name!r} has no {name} part.")
            self._bound[name] = part_of(self.data, part, self._structure)
        return self._bound[name]

    def total_squares(self, name: PartName) -> Array | None:
        """Return SST per output `(outputs,)` of a part, for r2; None but for regression."""
        if self.data.task != "regression":
            return None
        if name not in self._total_squares:
            self._total_squares[name] = total_squares(self.part(name), self.data)
        return self._total_squares[name]
