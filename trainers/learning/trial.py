"""One trial in a slot: its counters, its rows of the pack's flat buffers, the end of its epochs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData
from trainers.learning import optim
from trainers.learning.buffers import Buffers
from trainers.learning.checkpoint import Checkpoint
from trainers.learning.metrics import Tally
from trainers.learning.reports import EpochReport, Outcome
from trainers.network.dropout import DropoutKey
from trainers.network.masks import Array
from trainers.network.parameters import Layout, Weights, weights_of
from trainers.network.segment import StackState


@dataclass
class Counters:
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
        unjudged: The report of the newest epoch, where somebody else has yet to judge it.
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
    unjudged: dict[str, Any] | None = None


class Trial:
    """The trial of one slot: a configuration, its rows, its counters and the state it carries."""

    def __init__(self, config: TrainConfig, rows: Buffers, layout: Layout, tally: Tally) -> None:
        self.config = config
        self.rows = rows
        self.weights: Weights = weights_of(layout, rows.weights, rows.gradient)
        # Kernels fold products by `requires_grad`, which moves last bits: passes without gradient
        # take plain views, of the newest weights as of the best.
        self.newest: Weights = weights_of(layout, rows.weights)
        self.best: Weights = weights_of(layout, rows.best)
        self.tally = tally
        self.counters = Counters()
        self.state: StackState | None = None

    @property
    def diverged(self) -> bool:
        """Whether a loss, gradient or validation metric was not finite."""
        return self.counters.outcome == "diverged"

    @property
    def chosen(self) -> Weights:
        """The weights that it is evaluated by: its best; its newest before the first epoch."""
        return self.best if self.counters.best_epoch else self.newest

    def dropout_key(self) -> DropoutKey:
        """Return what this segment's masks are drawn from."""
        return DropoutKey(self.config, self.counters.segments, self.counters.epoch)

    def learning_rate(self) -> float:
        """Return the rate of the next optimizer step."""
        done = self.counters
        return optim.learning_rate(
            self.config, done.optimizer_steps, done.epoch, done.plateau_reductions
        )

    def count_step(self, norm: float) -> None:
        """Count an optimizer step and the norm of its gradient."""
        self.counters.optimizer_steps += 1
        self.counters.epoch_steps += 1
        self.counters.epoch_norms += norm

    def next_batch(self) -> None:
        """Move on to the epoch's next batch, which begins with zero state."""
        self.counters.batch += 1
        self.counters.segment, self.state = 0, None

    def end_epoch(
        self,
        slot: int,
        validation: dict[str, float],
        objective: Objective | None,
        total_squares: Array | None,
    ) -> EpochReport:
        """Close the epoch: judge it unless the trial has diverged in it, and begin the next.

        Args:
            slot: Where the trial is, for the report.
            validation: Metrics of the newest weights; empty where the trial has diverged.
            objective: Which of them decides; None: `judge` is called with what decides, before
                the trial trains on.
            total_squares: SST of the training part, for r2.
        """
        counters = self.counters
        train = self.tally.result(total_squares)
        counters.epoch += 1
        if not self.diverged:
            if objective is not None:
                self._judge(validation, objective)
            elif not _all_finite(validation):
                counters.outcome = "diverged"
        report = EpochReport(
            slot=slot,
            epoch=counters.epoch,
            outcome=counters.outcome,
            train=finite(train),
            validation=finite(validation),
            best_epoch=counters.best_epoch,
            best_validation=dict(counters.best_validation),
            learning_rate=counters.learning_rate,
            gradient_norm=counters.epoch_norms / max(counters.epoch_steps, 1),
            optimizer_steps=counters.optimizer_steps,
            train_seconds=counters.epoch_seconds,
        )
        self._begin_epoch()
        if objective is None:
            counters.unjudged = asdict(report)
        return report

    def judge(self, validation: dict[str, float], objective: Objective) -> EpochReport:
        """Judge the newest epoch by metrics that others have a share in; return what became of it.

        Args:
            validation: What decides, and is kept as the best epoch's; the trial diverges where
                the objective is not in it.
            objective: Which of them decides.
        """
        report, counters = self.unjudged, self.counters
        assert report is not None
        counters.unjudged = None
        if not self.diverged:
            self._judge(validation, objective)
        return replace(
            report,
            outcome=counters.outcome,
            best_epoch=counters.best_epoch,
            best_validation=dict(counters.best_validation),
        )

    @property
    def unjudged(self) -> EpochReport | None:
        """The newest epoch's report, where it has yet to be judged."""
        told = self.counters.unjudged
        return None if told is None else EpochReport(**{**told, "folds": ()})

    def _judge(self, validation: dict[str, float], objective: Objective) -> None:
        """Best weights, patience, the end of the trial."""
        counters = self.counters
        value = validation.get(objective.metric, math.nan)
        if not _all_finite(validation) or not math.isfinite(value):
            counters.outcome = "diverged"
            return
        if objective.better(value, counters.best_value):
            counters.best_epoch, counters.best_value = counters.epoch, value
            counters.best_validation = validation
            counters.epochs_without_better = counters.plateau_epochs = 0
            with torch.no_grad():
                self.rows.best.copy_(self.rows.weights)
        else:
            counters.epochs_without_better += 1
            counters.plateau_epochs += 1
            if counters.plateau_epochs > self.config.lr_plateau_patience:
                # As torch's ReduceLROnPlateau counts; felt with lr_decay=plateau only.
                counters.plateau_reductions += 1
                counters.plateau_epochs = 0
        patience = self.config.patience
        if counters.epoch >= self.config.max_epochs:
            counters.outcome = "completed"
        elif patience is not None and counters.epochs_without_better >= patience:
            counters.outcome = "stopped_early"

    def _begin_epoch(self) -> None:
        """Set what is counted per epoch to its beginning; the next epoch starts from zero state."""
        counters = self.counters
        counters.batch = counters.segment = counters.epoch_steps = 0
        counters.epoch_seconds = counters.epoch_norms = 0.0
        self.state = None
        self.tally.clear()


def _all_finite(metrics: dict[str, float]) -> bool:
    return all(math.isfinite(value) for value in metrics.values())


def finite(metrics: dict[str, float]) -> dict[str, float]:
    """Return the metrics that are finite."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def checkpoint_of(trial: Trial, layout: Layout, data: SequenceData) -> Checkpoint:
    """Return everything that continues a trial bit-equal, also inside an epoch."""
    tensors = {
        "weights": trial.rows.weights[0],
        "best": trial.rows.best[0],
        "moments": trial.rows.moments[:, 0],
        **trial.tally.tensors(),
    }
    for layer, state in enumerate(trial.state or ()):
        tensors |= {f"state.{layer}.{i}": tensor for i, tensor in enumerate(state)}
    return Checkpoint(
        trial.config,
        data.digest,
        data.input_size,
        data.output_size,
        asdict(trial.counters) | {"tally": trial.tally.numbers()},
        [(e.name, list(e.shape), e.start) for e in layout.entries],
        tensors,
    )


def restore(trial: Trial, saved: Checkpoint) -> None:
    """Continue a trial where its checkpoint left it."""
    tensors, rows, counters = saved.tensors, trial.rows, dict(saved.progress)
    trial.tally.restore(tensors, counters.pop("tally"))
    trial.counters = Counters(**counters)
    rows.weights[0].copy_(tensors["weights"])
    rows.best[0].copy_(tensors["best"])
    rows.moments[:, 0].copy_(tensors["moments"])
    layers: dict[int, list[Tensor]] = {}
    for name in sorted(n for n in tensors if n.startswith("state.")):
        # A copy lies at 64 bytes, as the state that was saved did; a file's content lies anywhere.
        own = tensors[name].to(rows.weights.device, copy=True)
        layers.setdefault(int(name.split(".")[1]), []).append(own)
    trial.state = tuple(tuple(layers[i]) for i in sorted(layers)) or None
