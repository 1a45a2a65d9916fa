"""What one run of a network draws: the same whether its steps are run at once or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from trainers.config.train_config import Structure
from trainers.network.cells.interface import cell_of
from trainers.network.dropout import (
    Counted,
    DrawnKeys,
    DropoutKey,
    RecurrentNoise,
    drops,
    happens,
    locked_mask,
    recurrent_noise,
    step_mask,
)
from trainers.network.sites import Site, recurrent_kernel


@dataclass(frozen=True)
class Draws:
    """Dropout of one run.

    Attributes:
        structure: What the trials have in common.
        keys: One dropout key per trial; None drops nothing.
        counted: How draws that are new at each step are counted.
        held: What was drawn for all steps, or made of it; shared by the steps of a run.
    """

    structure: Structure
    keys: Sequence[DropoutKey] | None
    counted: Counted
    held: dict[Site, Any] = field(default_factory=dict)

    def at(self, step: int) -> Draws:
        """Return the draws of a run's steps from `step` on."""
        return replace(self, counted=self.counted._replace(offset=step))

    def drops(self, site: Site) -> bool:
        """Return whether anything is dropped at a site."""
        return self.keys is not None and drops(self.keys, site)

    def certain(self, site: Site) -> bool:
        """Return whether what is drawn at a site is sure; never where a device alone knows it."""
        keys = self.keys
        if keys is None or isinstance(keys, DrawnKeys):
            return False
        return all(key.rate(site) == 1 for key in keys)

    def dropped(self, x: Tensor, site: Site) -> Tensor:
        """Drop out of `x (trials, batch, time, features)`."""
        mask = self.mask(x, site)
        return x if mask is None else x * mask

    def mask(self, like: Tensor, site: Site) -> Tensor | None:
        """Return the factors of `like (trials, batch, time, features)`, or of each of its steps.

        `(trials, batch, time or 1, features)`; None where nothing is dropped.
        """
        if self.keys is None:
            return None
        if self.structure.dropout_kind == "step":
            return step_mask(self.keys, site, like, self.counted)
        if site not in self.held:
            mask = locked_mask(self.keys, site, like.shape[1], like)
            self.held[site] = None if mask is None else mask.unsqueeze(2)
        found: Tensor | None = self.held[site]
        return found

    def happens(self, site: Site, shape: tuple[int, int], like: Tensor) -> Tensor | None:
        """Draw bools for `shape` steps and rows: `(trials, time, batch)`, None for none."""
        if self.keys is None:
            return None
        drawn = happens(self.keys, site, (*shape, 1), like, self.counted)
        return None if drawn is None else drawn.squeeze(-1)

    def weights(self, weights: Any, place: tuple[int, int]) -> Any:
        """Drop elements of W_hh, the same for all steps (Merity et al. 2018): kernels stay native.

        `weights` is a cell's NamedTuple, `place` its layer and direction.
        """
        name = cell_of(self.structure.cell).recurrent
        if self.keys is None or name is None:
            return weights
        site = recurrent_kernel(*place)
        if site not in self.held:
            kernel = getattr(weights, name)
            mask = locked_mask(self.keys, site, kernel.shape[1], kernel)
            self.held[site] = None if mask is None else kernel * mask
        kernel = self.held[site]
        return weights if kernel is None else weights._replace(**{name: kernel})

    def recurrence(
        self, place: tuple[int, int], state: Sequence[Tensor], time_steps: int
    ) -> RecurrentNoise | None:
        """Draw recurrent dropout and zoneout of one layer in one direction."""
        return recurrent_noise(self.keys, place, state, time_steps, self.counted)
