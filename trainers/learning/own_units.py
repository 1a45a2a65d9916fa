"""From what a network was trained on to the targets' own units, and forecasts likewise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainers.data.contract import SequenceData

_ROUNDING = 2.0**-22  # of numbers that were scaled in float32


class OwnUnits:
    """The way to own units of one data set's targets.

    Args:
        data: Its scale and shift.
        device: Where numbers lie.
    """

    def __init__(self, data: SequenceData, device: torch.device | None = None) -> None:
        self._scale, self._shift = (
            None if given is None else torch.as_tensor(given, dtype=torch.float64, device=device)
            for given in (data.target_scale, data.target_shift)
        )

    def of(self, values: Tensor, rescale: Tensor | None = None) -> Tensor:
        """Return numbers `(trials, wanted, outputs)` in own units.

        Args:
            values: As the network was trained on them.
            rescale: `(trials, wanted, 2, outputs)`, to the data's common scale first.
        """
        return self._shifted(self._sized(values, rescale), rescale)

    def of_targets(self, targets: Tensor, rescale: Tensor | None = None) -> Tensor:
        """Return the same of targets; one that was 0 before it was scaled is exactly 0 again."""
        sized = self._sized(targets, rescale)
        own = self._shifted(sized, rescale)
        if self._shift is None and rescale is None:
            return own
        return torch.where(own.abs() <= _ROUNDING * sized.abs(), 0.0, own)

    def back(self, own: Tensor, rescale: Tensor | None = None) -> Tensor:
        """Return numbers in own units as the network is trained on them."""
        values = own if self._shift is None else own - self._shift
        values = values if self._scale is None else values / self._scale
        if rescale is not None:
            factor, offset = rescale.unbind(-2)
            values = (values - offset) / factor
        return values

    def sized(self, values: Tensor, rescale: Tensor | None = None) -> Tensor:
        """Return distances `(trials, wanted, outputs)` in own units."""
        found = values if rescale is None else values * rescale[..., 0, :].abs()
        return found if self._scale is None else found * self._scale.abs()

    def _sized(self, values: Tensor, rescale: Tensor | None) -> Tensor:
        found = values if rescale is None else values * rescale[..., 0, :]
        return found if self._scale is None else found * self._scale

    def _shifted(self, sized: Tensor, rescale: Tensor | None) -> Tensor:
        if rescale is not None:
            offset = rescale[..., 1, :]
            sized = sized + (offset if self._scale is None else offset * self._scale)
        return sized if self._shift is None else sized + self._shift


@dataclass(frozen=True)
class OwnForecast:
    """What a head says of targets, in their own units.

    Attributes:
        forecast: A `trainers.learning.losses.forecast.Forecast`, as the network was trained.
        units: The way to own units.
        rescale: `(trials, wanted, 2, outputs)`, to the data's common scale first.
    """

    forecast: Any
    units: OwnUnits
    rescale: Tensor | None = None

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Return `(trials, wanted, outputs, levels)`."""
        found: Tensor = self.forecast.quantile(levels)
        own = [self.units.of(one.double(), self.rescale) for one in found.unbind(-1)]
        return torch.stack(own, dim=-1)

    def crps(self, targets: Tensor) -> Tensor:
        """Return the continuous ranked probability score of targets in own units, alike."""
        found: Tensor = self.forecast.crps(self.units.back(targets, self.rescale))
        return self.units.sized(found.double(), self.rescale)
