"""No pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.config.pruning import PruningRule, PruningSection

if TYPE_CHECKING:
    from sweep.pruning.verdicts import Rung


@dataclass(frozen=True)
class NoPruning:
    """Every trial runs to its end."""

    name: str = "none"

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return no epoch at all."""
        return ()

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return the one bracket."""
        return 0

    def kept(self, rung: Rung) -> set[int]:
        """Keep everybody."""
        return set(rung.candidates)


NONE = PruningRule(PruningSection, lambda section, sign: NoPruning(), prunes=False)
