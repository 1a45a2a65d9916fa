"""What a pack says after an epoch: plain, frozen values that may cross process boundaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["training", "completed", "stopped_early", "diverged"]


@dataclass(frozen=True)
class EpochReport:
    """One epoch of the trial in one slot.

    `train` and `validation` hold metrics by name (SEMANTICS: loss, rmse, accuracy …), in the
    target's own units where it was scaled. Values are finite, except when `outcome` is diverged.

    Attributes:
        slot: Place in the pack.
        epoch: Epochs done, counted from 1.
        outcome: `training` while the trial goes on; otherwise why it ended by itself.
        best_epoch: Epoch of the best objective so far (0 before the first).
        best_validation: Validation metrics of `best_epoch`.
        learning_rate: Rate of the epoch's last optimizer step.
        gradient_norm: Mean global gradient norm before clipping, over the epoch's steps.
        optimizer_steps: Optimizer steps since the trial began.
        train_seconds: Wall time spent in this epoch, evaluation included.
        folds: Validation metrics of each fold of the data in this epoch, where there are several:
            `validation` has their means.
    """

    slot: int
    epoch: int
    outcome: Outcome
    train: dict[str, float]
    validation: dict[str, float]
    best_epoch: int
    best_validation: dict[str, float] = field(default_factory=dict)
    learning_rate: float = 0.0
    gradient_norm: float = 0.0
    optimizer_steps: int = 0
    train_seconds: float = 0.0
    folds: tuple[dict[str, float], ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the trial is over and its slot can be freed."""
        return self.outcome != "training"
