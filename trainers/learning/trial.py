"""One trial in a slot: what it has done so far, and its rows of the pack's flat buffers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.learning.checkpoint import Checkpoint
from trainers.learning.metrics import Objective, Tally
from trainers.learning.reports import Outcome
from trainers.network.dropout import DropoutKey
from trainers.network.parameters import Layout, Weights, weights_of
from trainers.network.segment import StackState


@dataclass
class Progress:
    """Every counter of a trial: with the tensors, all that a checkpoint needs.

    Attributes:
        epoch: Epochs done.
        batch: Batches done in the epoch that is being trained.
        segment: Segments done in the batch that is being trained.
        optimizer_steps: Since the trial began; drives Adam and the learning rate's decay.
        segments: Since the trial began, those without a step included; drives dropout.
        best_epoch: Epoch of the best objective; 0 before the first.
        best_value: The best objective.
        best_validation: Validation metrics of `best_epoch`.
        epochs_without_better: Patience used up.
        plateau_epochs: Epochs without a better objective since the last reduction.
        plateau_reductions: How often the learning rate was reduced on a plateau.
        outcome: `training`, or why the trial ended.
        learning_rate: Of the last optimizer step.
        epoch_seconds: Wall time spent in the epoch that is being trained.
        epoch_steps: Optimizer steps in it.
        epoch_norms: Sum of its gradient norms.
    """

    epoch: int = 0
    batch: int = 0
    segment: int = 0
    optimizer_steps: int = 0
    segments: int = 0
    best_epoch: int = 0
    best_value: float | None = None
    best_validation: dict[str, float] = field(default_factory=dict)
    epochs_without_better: int = 0
    plateau_epochs: int = 0
    plateau_reductions: int = 0
    outcome: Outcome = "training"
    learning_rate: float = 0.0
    epoch_seconds: float = 0.0
    epoch_steps: int = 0
    epoch_norms: float = 0.0


@dataclass
class Buffers:
    """Flat rows, `(slots, P)` each: the parameters of all trials of a pack."""

    weights: Tensor
    gradient: Tensor
    best: Tensor
    moments: Tensor  # (MOMENTS, slots, P)

    @classmethod
    def zeros(cls, slots: int, size: int, moments: int, like: Tensor) -> Buffers:
        """Allocate with `like`'s dtype and device."""
        weights, gradient, best = (like.new_zeros(slots, size) for _ in range(3))
        return cls(weights, gradient, best, like.new_zeros(moments, slots, size))

    def lane(self, slot: int) -> Buffers:
        """Return one slot's rows, still with the trial axis."""
        return self.lanes(slot, slot + 1)

    def lanes(self, first: int, last: int) -> Buffers:
        """Return the rows of slots [first, last): views."""
        some = slice(first, last)
        return Buffers(
            self.weights[some], self.gradient[some], self.best[some], self.moments[:, some]
        )

    def copy_of(self, slots: Sequence[int]) -> Buffers:
        """Return copies of some slots' rows."""
        index = torch.tensor(slots, device=self.weights.device)
        weights, gradient, best = (
            rows.index_select(0, index) for rows in (self.weights, self.gradient, self.best)
        )
        return Buffers(weights, gradient, best, self.moments.index_select(1, index))

    def put(self, slots: Sequence[int], rows: Buffers) -> None:
        """Put weights and moments of some slots back."""
        index = torch.tensor(slots, device=self.weights.device)
        self.weights.index_copy_(0, index, rows.weights)
        self.moments.index_copy_(1, index, rows.moments)


class Trial:
    """A lane of one slot: a configuration, its rows, its progress and the state it carries."""

    def __init__(self, config: TrainConfig, rows: Buffers, layout: Layout, tally: Tally) -> None:
        self.config = config
        self.rows = rows
        self.weights: Weights = weights_of(layout, rows.weights, rows.gradient)
        # Kernels fold products by `requires_grad`, which moves last bits: passes without gradient
        # take plain views, of the newest weights as of the best.
        self.newest: Weights = weights_of(layout, rows.weights)
        self.best: Weights = weights_of(layout, rows.best)
        self.tally = tally
        self.progress = Progress()
        self.state: StackState | None = None

    @property
    def diverged(self) -> bool:
        """Whether a loss, gradient or validation metric was not finite."""
        return self.progress.outcome == "diverged"

    def dropout_key(self) -> DropoutKey:
        """Return what this segment's masks are drawn from."""
        return DropoutKey(self.config, self.progress.segments)

    def judge(self, validation: dict[str, float], objective: Objective) -> None:
        """Close an epoch: best weights, patience, the end of the trial."""
        progress = self.progress
        value = validation.get(objective.metric, math.nan)
        if not all(math.isfinite(v) for v in validation.values()) or not math.isfinite(value):
            progress.outcome = "diverged"
            return
        if objective.better(value, progress.best_value):
            progress.best_epoch, progress.best_value = progress.epoch, value
            progress.best_validation = validation
            progress.epochs_without_better = progress.plateau_epochs = 0
            with torch.no_grad():
                self.rows.best.copy_(self.rows.weights)
        else:
            progress.epochs_without_better += 1
            progress.plateau_epochs += 1
            if progress.plateau_epochs > self.config.lr_plateau_patience:
                # As torch's ReduceLROnPlateau counts; felt with lr_decay=plateau only.
                progress.plateau_reductions += 1
                progress.plateau_epochs = 0
        patience = self.config.patience
        if progress.epoch >= self.config.max_epochs:
            progress.outcome = "completed"
        elif patience is not None and progress.epochs_without_better >= patience:
            progress.outcome = "stopped_early"

    def begin_epoch(self) -> None:
        """Set what is counted per epoch to its beginning; the next epoch starts from zero state."""
        progress = self.progress
        progress.batch = progress.segment = progress.epoch_steps = 0
        progress.epoch_seconds = progress.epoch_norms = 0.0
        self.state = None
        self.tally.clear()


def restore(trial: Trial, saved: Checkpoint) -> None:
    """Continue a trial where its checkpoint left it."""
    tensors, rows, progress = saved.tensors, trial.rows, dict(saved.progress)
    trial.tally.restore(tensors["sums"], progress.pop("tally"))
    trial.progress = Progress(**progress)
    rows.weights[0].copy_(tensors["weights"])
    rows.best[0].copy_(tensors["best"])
    rows.moments[:, 0].copy_(tensors["moments"])
    layers: dict[int, list[Tensor]] = {}
    for name in sorted(n for n in tensors if n.startswith("state.")):
        # A copy lies at 64 bytes, as the state that was saved did; a file's content lies anywhere.
        own = tensors[name].to(rows.weights.device, copy=True)
        layers.setdefault(int(name.split(".")[1]), []).append(own)
    trial.state = tuple(tuple(layers[i]) for i in sorted(layers)) or None
