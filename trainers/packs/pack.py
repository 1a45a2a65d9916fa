"""Pack: trials of one structure, trained together; a trial's numbers do not depend on the others.

How they are trained is the stepper's (`trainers.packs.selection`): one by one, bit-equal on a CPU
to the trial alone; or several as one program, equal to the trial alone but for rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from trainers.config.fitting import check_structure
from trainers.config.measured import NOTHING, Asked, end_metrics, finalist_metrics
from trainers.config.metrics import MetricType
from trainers.config.objective import Objective
from trainers.config.optimizers import OPTIMIZERS
from trainers.config.train_config import Structure, TrainConfig
from trainers.data.contract import SequenceData
from trainers.errors import ConfigError, DataError
from trainers.learning.buffers import Buffers
from trainers.learning.checkpoint import (
    Checkpoint,
    check_fits,
    read_checkpoint,
    write_checkpoint,
)
from trainers.learning.given_weights import copy_given, read_given
from trainers.learning.metrics import Tally, check_objective
from trainers.learning.reports import EpochReport
from trainers.learning.trial import Trial, checkpoint_of, finite, restore
from trainers.network.dropout import evaluation_keys
from trainers.network.initialisation import initialise
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import Layout
from trainers.network.recurrence import Wanted
from trainers.packs.answers import Answers, answers_of
from trainers.packs.by_series import SeriesMetrics, evaluate_by_series
from trainers.packs.evaluation import confusion_matrix, evaluate
from trainers.packs.memory import out_of_memory_named
from trainers.packs.parts import PartName, Parts
from trainers.packs.selection import make_stepper, select_stepper
from trainers.packs.stepper import timed


class Pack:
    """K trials of one structure on one data set, each in a slot.

    Attributes:
        structure: What the trials have in common.
        stepper: How the slots are trained, as `trainers.packs.selection` names it.

    Args:
        structure: What the trials have in common.
        data: What they learn from.
        objective: Which validation metric decides about best epoch and patience.
        slots: K.
        device: `cpu` or a torch device.
        backend: `auto` takes the fastest that is exact for the cell, slot by slot.
        asked: What is measured at each epoch beside what every epoch has.
        judges: Whether each epoch is judged by the pack's own data; otherwise `judge` must be
            called before a slot trains on.

    Raises:
        ConfigError: the structure does not fit the data or the objective.
        OutOfMemory: the slots do not fit into memory.
    """

    def __init__(
        self,
        structure: Structure,
        data: SequenceData,
        objective: Objective,
        *,
        slots: int = 1,
        device: str = "cpu",
        backend: Wanted = "auto",
        asked: Asked = NOTHING,
        judges: bool = True,
    ) -> None:
        check_structure(structure, data)
        self.structure, self._objective, self._judges = structure, objective, judges
        self._parts = Parts(data, structure, asked)
        check_objective(objective, self._parts.metrics, data)
        selected = select_stepper(backend, structure, self._parts.part("train"), device, slots)
        layout = Layout.of(structure, data.input_size, data.output_size)
        self._model = Model(structure, layout, selected.backend)
        self._trials: list[Trial | None] = [None] * slots
        like = torch.empty(0, dtype=getattr(torch, structure.dtype), device=device)
        with out_of_memory_named(slots, like.device):
            moments = OPTIMIZERS[structure.optimizer].moments
            self._buffers = Buffers.zeros(slots, layout.size, moments, like)
            self.stepper = selected.stepper
            self._stepper = make_stepper(self.stepper, self._model, self._buffers, self._parts)
        if objective.metric == "r2":
            self._require_variance()

    @property
    def slots(self) -> int:
        """K."""
        return len(self._trials)

    @property
    def parameter_count(self) -> int:
        """Trained numbers of one trial."""
        return self._model.layout.parameter_count

    @property
    def row_bytes(self) -> int:
        """Bytes of one slot's weights, gradient, best weights and moments."""
        return self._buffers.row_bytes

    @property
    def segments(self) -> int:
        """Segments that the trials now in it have done."""
        return sum(trial.counters.segments for trial in self._trials if trial is not None)

    def epoch(self, slot: int) -> int:
        """Return the epochs that the trial in `slot` has done."""
        return self._trial(slot).counters.epoch

    def admit(
        self,
        slot: int,
        config: TrainConfig,
        checkpoint: Path | None = None,
        *,
        fold: int | None = None,
        first_weights: Path | None = None,
    ) -> None:
        """Put a trial into a slot: from its first weights, or from where a checkpoint left it.

        Args:
            slot: Which.
            config: The trial's.
            checkpoint: Where to go on from.
            fold: Which earlier fold of the checkpoint's trial it is; None: the trial's own.
            first_weights: The file that the configuration's `first_weights` names, if it does.

        Raises:
            ConfigError: the configuration is of another structure, or its first weights are.
            CheckpointError: the checkpoint is damaged or of another trial or other data; or the
                first weights are damaged.
        """
        if config.structure() != self.structure:
            raise ConfigError(
                f"trials of a pack must share {self.structure}, but got {config.structure()}."
            )
        rows, data = self._buffers.views(slot, slot + 1), self._parts.data
        tally = Tally(data, self.structure, rows.weights.device, self._parts.train_metrics)
        trial = Trial(config, rows, self._model.layout, tally)
        if checkpoint is None:
            self._begin(rows.weights[0], config, first_weights)
            rows.best.copy_(rows.weights)
            rows.moments.zero_()
        else:
            saved = read_checkpoint(checkpoint, fold=fold)
            check_fits(saved, config, data.digest, checkpoint)
            restore(trial, saved)
        self._trials[slot] = trial

    def _begin(self, row: Tensor, config: TrainConfig, given: Path | None) -> None:
        """Write a trial's first weights into its row `(P,)`."""
        named = None if given is None else given.name
        if named != config.first_weights:
            raise ConfigError(
                f"a trial must begin with the first weights that it names, but it names "
                f"{config.first_weights} and was given {named}."
            )
        if given is None:
            initialise(self._model.layout, row, config)
        else:
            copy_given(self._model.layout, row, read_given(given))

    def drop(self, slot: int) -> None:
        """Free a slot."""
        self._trials[slot] = None

    def save(self, slot: int, path: Path) -> None:
        """Write everything that continues the trial bit-equal; atomic, also inside an epoch."""
        write_checkpoint(self.checkpoint(slot), path)

    def checkpoint(self, slot: int) -> Checkpoint:
        """Return what `save` writes; its tensors are the slot's own, until it trains on."""
        return checkpoint_of(self._trial(slot), self._model.layout, self._parts.data)

    def unjudged(self, slot: int) -> EpochReport | None:
        """Return the report of an epoch that `judge` has yet to judge."""
        return self._trial(slot).unjudged

    def judge(self, slot: int, validation: dict[str, float]) -> EpochReport:
        """Judge a slot's newest epoch, in a pack that does not, by the validation metrics given."""
        return self._trial(slot).judge(validation, self._objective)

    def train_epoch(self) -> list[EpochReport]:
        """Train every occupied, unfinished slot to the end of its epoch."""
        left = [
            slot
            for slot, trial in enumerate(self._trials)
            if trial is not None and trial.counters.outcome == "training"
        ]
        reports: list[EpochReport] = []
        while left:
            reports += self.advance(left)
            left = [slot for slot in left if slot not in {report.slot for report in reports}]
        return sorted(reports, key=lambda report: report.slot)

    def advance(self, slots: Sequence[int], seconds: float | None = None) -> list[EpochReport]:
        """Train some slots for about `seconds`, at most to the end of an epoch.

        One by one the slot that is farthest behind comes first, so that trials of a pack advance
        together. As one program, each goes to the end of its own epoch and waits there for the
        others, so that one program validates them; one that diverged is reported at once.

        Returns:
            Reports of the epochs that ended; none when the time ran out first.

        Raises:
            ConfigError: a slot is empty, or its trial has ended.
            OutOfMemory: memory does not suffice; all trials can still be saved.
        """
        torch.set_flush_denormal(True)  # per thread; denormals slow CPU kernels up to ninefold
        trials = {slot: self._in_training(slot) for slot in sorted(slots)}
        with out_of_memory_named(self.slots, self._buffers.weights.device):
            ended = self._stepper.advance(trials, seconds)
            return self._close_epochs({slot: trials[slot] for slot in ended}) if ended else []

    def train(self, slot: int, seconds: float | None = None) -> EpochReport | None:
        """Train one slot: `advance` of one; its report, or None when the time ran out first."""
        reports = self.advance([slot], seconds)
        return reports[0] if reports else None

    def evaluate(self, slot: int, part: PartName) -> dict[str, float]:
        """Return the metrics of the trial's best weights (its newest before the first epoch)."""
        torch.set_flush_denormal(True)
        trial = self._trial(slot)
        keys = evaluation_keys(trial.config)
        return finite(evaluate(self._model, trial.chosen, self._parts, part, keys))

    def evaluate_at_end(self, slot: int) -> dict[str, float]:
        """Return the validation metrics of its best weights that the epochs did not have."""
        wanted = end_metrics(self._parts.data, self.structure.loss, self._parts.asked)
        return self._evaluate_more(slot, "validation", wanted) if wanted else {}

    def evaluate_finalist(self, slot: int, part: PartName) -> dict[str, float]:
        """Return all metrics of its best weights, by step and by class too."""
        wanted = finalist_metrics(self._parts.data, self.structure.loss, self._parts.asked)
        return self._evaluate_more(slot, part, wanted)

    def _evaluate_more(
        self, slot: int, part: PartName, wanted: Mapping[str, MetricType]
    ) -> dict[str, float]:
        torch.set_flush_denormal(True)
        trial = self._trial(slot)
        keys = evaluation_keys(trial.config)
        return finite(evaluate(self._model, trial.chosen, self._parts, part, keys, wanted))

    def answers(self, slot: int, part: PartName) -> Answers:
        """Return what the trial's best weights say of every target of a part."""
        torch.set_flush_denormal(True)
        trial = self._trial(slot)
        keys = evaluation_keys(trial.config)
        return answers_of(self._model, trial.chosen, self._parts, part, keys)

    def evaluate_by_series(self, slot: int, part: PartName) -> list[SeriesMetrics]:
        """Return the same of each series that has windows and targets in the part.

        Raises:
            DataError: the data have a single series.
        """
        torch.set_flush_denormal(True)
        trial = self._trial(slot)
        keys = evaluation_keys(trial.config)
        return evaluate_by_series(self._model, trial.chosen, self._parts, part, keys)

    def confusion_matrix(self, slot: int, part: PartName) -> Array:
        """Return `(classes, classes)` counts of the trial's best weights: actual by predicted.

        Raises:
            ConfigError: the targets are no class ids.
        """
        trial = self._trial(slot)
        keys = evaluation_keys(trial.config)
        return confusion_matrix(self._model, trial.chosen, self._parts, part, keys)

    def _close_epochs(self, ended: dict[int, Trial]) -> list[EpochReport]:
        """Validate, judge and report trials whose epochs ended together."""
        finite_ones = {slot: trial for slot, trial in ended.items() if not trial.diverged}
        with timed(ended.values()):
            found = self._stepper.validate(finite_ones) if finite_ones else {}
        squares = self._parts.total_squares("train")
        objective = self._objective if self._judges else None
        return [
            trial.end_epoch(slot, found.get(slot, {}), objective, squares)
            for slot, trial in ended.items()
        ]

    def _require_variance(self) -> None:
        squares = self._parts.total_squares("validation")
        if squares is not None and not (squares > 0).any():
            raise DataError(
                "objective r2 needs validation targets that vary, but got constant ones; take rmse."
            )

    def _trial(self, slot: int) -> Trial:
        trial = self._trials[slot]
        if trial is None:
            raise ConfigError(
                f"a slot must hold a trial, but slot {slot} is empty; admit one first."
            )
        return trial

    def _in_training(self, slot: int) -> Trial:
        trial = self._trial(slot)
        outcome = "unjudged" if trial.counters.unjudged else trial.counters.outcome
        if outcome != "training":
            raise ConfigError(f"a trial must be in training, but slot {slot} is {outcome}.")
        return trial


def evaluate_checkpoint(
    path: Path,
    data: SequenceData,
    part: PartName,
    objective: Objective,
    asked: Asked = NOTHING,
) -> dict[str, float]:
    """Return all metrics of a saved trial's best weights on one part.

    Raises:
        CheckpointError: the checkpoint is damaged, or of other data.
    """
    return pack_of_checkpoint(path, data, objective, asked).evaluate_finalist(0, part)


def pack_of_checkpoint(
    path: Path, data: SequenceData, objective: Objective, asked: Asked = NOTHING
) -> Pack:
    """Return a pack whose slot 0 holds a saved trial.

    Raises:
        CheckpointError: the checkpoint is damaged, or of other data.
    """
    config = read_checkpoint(path, tensors=False).config
    pack = Pack(config.structure(), data, objective, asked=asked)
    pack.admit(0, config, path)
    return pack
