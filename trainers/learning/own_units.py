"""From what a network was trained on to the targets' own units, and forecasts likewise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.data.contract import SequenceData
from trainers.learning.losses.forecast import EVEN_LEVELS, Forecast, crps_of_quantiles

_ROUNDING = 2.0**-22  # of numbers that were scaled in float32


class OwnUnits:
    """The way to own units of one data set's targets.

    Args:
        data: Its scale, shift and transform.
        device: Where numbers lie.

    Attributes:
        is_linear: Whether a distance is as long wherever it lies: nothing but scale and shift.
    """

    def __init__(self, data: SequenceData, device: torch.device | None = None) -> None:
        self._scale, self._shift = (
            None if given is None else torch.as_tensor(given, dtype=torch.float64, device=device)
            for given in (data.target_scale, data.target_shift)
        )
        self.is_linear = data.target_transform == "none"

    def of(self, values: Tensor, rescale: Tensor | None = None) -> Tensor:
        """Return numbers `(trials, wanted, outputs)` in own units.

        Args:
            values: As the network was trained on them.
            rescale: `(trials, wanted, 2, outputs)`, to the data's common scale first.
        """
        return self._undone(self._shifted(self._sized(values, rescale), rescale))

    def of_targets(self, targets: Tensor, rescale: Tensor | None = None) -> Tensor:
        """Return the same of targets; one that was 0 before it was scaled is exactly 0 again."""
        sized = self._sized(targets, rescale)
        own = self._shifted(sized, rescale)
        if self._shift is not None or rescale is not None:
            own = torch.where(own.abs() <= _ROUNDING * sized.abs(), 0.0, own)
        return self._undone(own)

    def back(self, own: Tensor, rescale: Tensor | None = None) -> Tensor:
        """Return numbers in own units as the network is trained on them."""
        own = own if self.is_linear else torch.log1p(own)
        values = own if self._shift is None else own - self._shift
        values = values if self._scale is None else values / self._scale
        if rescale is not None:
            factor, offset = rescale.unbind(-2)
            values = (values - offset) / factor
        return values

    def sized(self, values: Tensor, rescale: Tensor | None = None) -> Tensor:
        """Return distances `(trials, wanted, outputs)` in own units, where those are linear."""
        found = values if rescale is None else values * rescale[..., 0, :].abs()
        return found if self._scale is None else found * self._scale.abs()

    def _undone(self, values: Tensor) -> Tensor:
        return values if self.is_linear else torch.expm1(values)

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
        forecast: As the network was trained.
        units: The way to own units.
        rescale: `(trials, wanted, 2, outputs)`, to the data's common scale first.
    """

    forecast: Forecast
    units: OwnUnits
    rescale: Tensor | None = None

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Return `(trials, wanted, outputs, levels)`."""
        found = self.forecast.quantile(levels)
        return self.units.of(found.double().movedim(-1, 0), self.rescale).movedim(0, -1)

    def crps(self, targets: Tensor) -> Tensor:
        """Return the continuous ranked probability score of targets in own units, alike."""
        if not self.units.is_linear:
            return crps_of_quantiles(self.quantile(EVEN_LEVELS), targets)
        found = self.forecast.crps(self.units.back(targets, self.rescale))
        return self.units.sized(found.double(), self.rescale)
