"""What accumulators see of some outputs of a network, each made once and only where one asks."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.metrics import Accumulator
from trainers.config.train_config import Structure
from trainers.learning import losses
from trainers.learning.losses.forecast import forecast
from trainers.learning.own_units import OwnForecast, OwnUnits


class Known(NamedTuple):
    """What is known of outputs without being made anew: the loss's elements, the answers."""

    elements: Tensor | None = None
    answers: Tensor | None = None


class Seen:
    """Outputs of a head `(trials, wanted, ·)`, and the targets that they are held against.

    Args:
        structure: Names the loss and has its settings.
        units: The way to own units.
        outputs: As the head gives them.
        targets: `(trials, wanted, outputs)`, or class ids `(trials, wanted)`.
        rescale: `(trials, wanted, 2, outputs)`, from each sequence's scale to the common one.
        known: What is known of them.
    """

    def __init__(
        self,
        structure: Structure,
        units: OwnUnits,
        outputs: Tensor,
        targets: Tensor,
        rescale: Tensor | None,
        known: Known | None = None,
    ) -> None:
        self._structure, self._units, self._known = structure, units, known or Known()
        self._outputs, self._targets, self._rescale = outputs, targets, rescale

    def by(self, accumulator: Accumulator) -> tuple[Any, Tensor]:
        """Return what an accumulator sees, and the targets in the same units."""
        if accumulator.of == "forecast":
            return self.forecast, self.own_targets
        if accumulator.of == "probabilities":
            return self.probabilities, self._targets
        if accumulator.of == "losses":
            return self.losses, self._targets
        if accumulator.own_units or not self._units.is_linear:
            return self.own_answers, self.own_targets
        return self._common(self._answers), self._common(self._targets)

    @cached_property
    def own_answers(self) -> Tensor:
        """`(trials, wanted, outputs)` in own units."""
        return self._units.of(self._answers, self._rescale)

    @cached_property
    def own_targets(self) -> Tensor:
        """`(trials, wanted, outputs)` in own units."""
        return self._units.of_targets(self._targets, self._rescale)

    @cached_property
    def probabilities(self) -> Tensor:
        """`(trials, wanted, classes)`, which add up to 1 for classes that exclude each other."""
        logits = self._answers.double()
        if LOSSES[self._structure.loss].targets == "ids":
            return torch.softmax(logits, dim=-1)
        return torch.sigmoid(logits)

    @cached_property
    def forecast(self) -> OwnForecast:
        """The distribution or quantiles, in own units."""
        found = forecast(self._structure, self._outputs)
        assert found is not None
        return OwnForecast(found, self._units, self._rescale)

    @cached_property
    def losses(self) -> tuple[Tensor, Tensor]:
        """The loss's elements, and the own unit of each, `(trials, wanted, outputs)` float64."""
        values = self._known.elements
        if values is None:
            values = losses.elements(self._structure, self._outputs, self._targets)
        values = values.detach().double()
        return values, self._units.sized(torch.ones_like(values), self._rescale)

    @cached_property
    def _answers(self) -> Tensor:
        known = self._known.answers
        return losses.point(self._structure, self._outputs) if known is None else known

    def _common(self, values: Tensor) -> Tensor:
        if self._rescale is None:
            return values
        factor, offset = self._rescale.unbind(2)
        return values * factor + offset
