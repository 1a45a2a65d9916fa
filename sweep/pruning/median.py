"""The median stopping rule."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sweep.config.pruning import PruningRule, PruningSection
from sweep.config.section import PositiveInt

if TYPE_CHECKING:
    from sweep.pruning.verdicts import Rung


class MedianSection(PruningSection):
    """The rule's keys."""

    min_epochs: PositiveInt | None = Field(None, description="the first rung; null: 1")
    startup_trials: Annotated[int, Field(ge=0)] = Field(
        5, description="trials that must be complete before any is stopped"
    )
    interval_epochs: PositiveInt = Field(1, description="epochs from one rung to the next")


@dataclass(frozen=True)
class MedianRule:
    """Stop a trial whose best value is worse than the complete trials' median at its epoch.

    The median stopping rule of Vizier (Golovin et al. 2017, section 3.2.2), on best values.
    """

    min_epochs: int = 1
    interval_epochs: int = 1
    startup_trials: int = 5
    name: str = "median"

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return every `interval_epochs`-th epoch from `min_epochs` on, the last excepted."""
        return tuple(range(self.min_epochs, max_epochs, self.interval_epochs))

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return the one bracket."""
        return 0

    def kept(self, rung: Rung) -> set[int]:
        """Keep those at the median or below, and all until `startup_trials` are complete."""
        if len(rung.complete) < max(self.startup_trials, 1):
            return set(rung.candidates)
        median = statistics.median(rung.complete)
        return {trial for trial, value in rung.candidates.items() if value <= median}


def _build(section: MedianSection, sign: float) -> MedianRule:
    return MedianRule(section.min_epochs or 1, section.interval_epochs, section.startup_trials)


MEDIAN = PruningRule(MedianSection, _build)
