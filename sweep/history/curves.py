"""A trial's loss curves, gathered from its events, for `trainers.learning.diagnosis`."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field

from sweep.log.event import Event
from sweep.log.kinds import Reported, Started
from trainers.learning.diagnosis import Diagnosis, diagnose


def _empty() -> array[float]:
    return array("d")


@dataclass(slots=True)
class LossCurves:
    """Training and validation loss by epoch (epoch 1 first) of the attempt that stands."""

    train: array[float] = field(default_factory=_empty)
    validation: array[float] = field(default_factory=_empty)

    def apply(self, event: Event) -> None:
        """Fold one event of this trial."""
        match event.what:
            case Started(from_epoch=epochs):
                self._keep(epochs)
            case Reported(train, validation):
                self._keep((event.epoch or 1) - 1)
                self.train.append(train.get("loss", math.nan))
                self.validation.append(validation.get("loss", math.nan))

    def judge(self) -> Diagnosis | None:
        """Return the diagnosis; None where the curves are too short, or have holes."""
        if any(map(math.isnan, (*self.train, *self.validation))):
            return None
        return diagnose(self.train, self.validation)

    def _keep(self, epochs: int) -> None:
        del self.train[epochs:], self.validation[epochs:]
