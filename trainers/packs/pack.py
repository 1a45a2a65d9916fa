"""Pack: trials of one structure, trained together; a trial's numbers do not depend on the others.

Slot by slot, on torch's native kernels, a trial in a pack is bit-equal to the same trial alone.
Fused (more than one slot and backend `stepwise` or `graph`), one program runs all trials, equal to
the trial alone but for rounding.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import torch

from trainers.config.fitting import check_structure
from trainers.config.train_config import Structure, TrainConfig
from trainers.data.contract import SequenceData
from trainers.errors import ConfigError, DataError
from trainers.learning import optim
from trainers.learning.batches import Part
from trainers.learning.checkpoint import Checkpoint, check_fits, read_checkpoint, write_checkpoint
from trainers.learning.lanes import StreamPart, part_of
from trainers.learning.metrics import Objective, Tally, check_objective, total_squares
from trainers.learning.reports import EpochReport
from trainers.learning.spans import Walk
from trainers.learning.training import train_segment
from trainers.learning.trial import Buffers, Trial, restore
from trainers.network.dropout import evaluation_keys
from trainers.network.initialisation import initialise
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import Layout, Weights, weights_of
from trainers.network.recurrence import Wanted, choose_backend
from trainers.packs.evaluation import confusion_matrix, evaluate, evaluate_together
from trainers.packs.fused import Fused
from trainers.packs.graph import Graph
from trainers.packs.judging import Judge
from trainers.packs.memory import out_of_memory_named
from trainers.packs.resident import fits_device

PartName = Literal["train", "validation", "test"]


class Pack:
    """K trials of one structure on one data set; a slot is one place.

    Args:
        structure: What the trials have in common.
        data: What they learn from.
        objective: Which validation metric decides about best epoch and patience.
        slots: K.
        device: `cpu` or a torch device.
        backend: `auto` takes the fastest that is exact for the cell, slot by slot.

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
    ) -> None:
        check_structure(structure, data)
        check_objective(objective, data, structure)
        self._structure = structure
        self._data = data
        self._objective = objective
        layout = Layout.of(structure, data.input_size, data.output_size)
        chosen = choose_backend(backend, structure.cell, 1, device)
        self._model = Model(structure, layout, chosen)
        like = torch.empty(0, dtype=getattr(torch, structure.dtype), device=device)
        moments = optim.MOMENTS[structure.optimizer]
        self._device = like.device
        with out_of_memory_named(slots, like.device):
            self._buffers = Buffers.zeros(slots, layout.size, moments, like)
        self._trials: list[Trial | None] = [None] * slots
        self._parts: dict[PartName, Part | StreamPart] = {}
        self._total_squares: dict[PartName, Array] = {}
        self._fused = self._together(backend)
        self._judge: Judge | None = None
        if objective.metric == "r2":
            self._require_variance()

    @property
    def parameter_count(self) -> int:
        """Trained numbers of one trial."""
        return self._model.layout.parameter_count

    @property
    def row_bytes(self) -> int:
        """Bytes of one slot's weights, gradient, best weights and moments."""
        rows = self._buffers
        tensors = (rows.weights, rows.gradient, rows.best, rows.moments)
        return sum(tensor.nbytes for tensor in tensors) // len(self._trials)

    @property
    def segments(self) -> int:
        """Segments that the trials now in it have done."""
        return sum(trial.progress.segments for trial in self._trials if trial is not None)

    def epoch(self, slot: int) -> int:
        """Return the epochs that the trial in `slot` has done."""
        return self._trial(slot).progress.epoch

    def admit(self, slot: int, config: TrainConfig, checkpoint: Path | None = None) -> None:
        """Put a trial into a slot: from its first weights, or from where a checkpoint left it.

        Raises:
            ConfigError: the configuration is of another structure.
            CheckpointError: the checkpoint is damaged or of another trial or other data.
        """
        if config.structure() != self._structure:
            raise ConfigError(
                f"trials of a pack must share {self._structure}, but got {config.structure()}."
            )
        rows = self._buffers.lane(slot)
        tally = Tally(self._data, self._structure, rows.weights.device)
        trial = Trial(config, rows, self._model.layout, tally)
        if checkpoint is None:
            initialise(self._model.layout, rows.weights[0], config)
            rows.best.copy_(rows.weights)
            rows.moments.zero_()
        else:
            saved = read_checkpoint(checkpoint)
            check_fits(saved, config, self._data.digest, checkpoint)
            restore(trial, saved)
        self._trials[slot] = trial

    def drop(self, slot: int) -> None:
        """Free a slot."""
        self._trials[slot] = None

    def train_epoch(self) -> list[EpochReport]:
        """Train every occupied, unfinished slot to the end of its epoch."""
        left = [
            slot
            for slot, trial in enumerate(self._trials)
            if trial is not None and trial.progress.outcome == "training"
        ]
        reports: list[EpochReport] = []
        while left:
            reports += self.advance(left)
            left = [slot for slot in left if slot not in {report.slot for report in reports}]
        return sorted(reports, key=lambda report: report.slot)

    def advance(self, slots: Sequence[int], seconds: float | None = None) -> list[EpochReport]:
        """Train some slots for about `seconds`, at most to the end of an epoch.

        Slot by slot the one that is farthest behind comes first, so that trials of a pack advance
        together. Fused, each goes to the end of its own epoch and waits there for the others, so
        that one program validates them; one that diverged is reported at once.

        Returns:
            Reports of the epochs that ended; none when the time ran out first.

        Raises:
            ConfigError: a slot is empty, or its trial has ended.
            OutOfMemory: memory does not suffice; all trials can still be saved.
        """
        torch.set_flush_denormal(True)  # per thread; denormals slow CPU kernels up to ninefold
        trials = {slot: self._in_training(slot) for slot in sorted(slots)}
        with out_of_memory_named(len(self._trials), self._device):
            if self._fused is not None:
                return self._advance_fused(self._fused, trials, seconds)
            slot = min(trials, key=lambda s: (trials[s].progress.epoch, s))
            report = self._train_alone(slot, trials[slot], seconds)
            return [] if report is None else [report]

    def train(self, slot: int, seconds: float | None = None) -> EpochReport | None:
        """Train one slot: `advance` of one; its report, or None when the time ran out first."""
        reports = self.advance([slot], seconds)
        return reports[0] if reports else None

    def _train_alone(self, slot: int, trial: Trial, seconds: float | None) -> EpochReport | None:
        began = time.perf_counter()
        progress, part = trial.progress, self._part("train")
        seed, epoch = trial.config.seed, progress.epoch
        batches = part.epoch(seed, epoch)
        while progress.batch < len(batches):
            batch = batches[progress.batch]
            walk = Walk.of(self._structure, batch.time_steps, seed, epoch)
            while progress.segment < len(walk):
                train_segment(self._model, trial, batch, walk, self._data.input_size)
                if trial.diverged:
                    return self._report(trial, slot, began)
                if seconds is not None and time.perf_counter() - began >= seconds:
                    progress.epoch_seconds += time.perf_counter() - began
                    return None
            progress.batch, progress.segment, trial.state = progress.batch + 1, 0, None
        return self._report(trial, slot, began)

    def _together(self, backend: Wanted) -> Fused | Graph | None:
        """Return what steps all slots as one program; None where they go slot by slot."""
        part, slots = self._part("train"), len(self._trials)
        if backend in ("graph", "eager") and fits_device(self._structure, part):
            with out_of_memory_named(slots, self._device):
                return Graph(self._model, self._buffers, part, self._data)
        if backend in ("stepwise", "graph", "eager") and slots > 1:
            return Fused(self._model, self._buffers, part, self._data.input_size)
        return None

    def _advance_fused(
        self, fused: Fused | Graph, trials: dict[int, Trial], seconds: float | None
    ) -> list[EpochReport]:
        """Let those that end their epoch first wait for the others: one validation for all."""
        began = time.perf_counter()
        ended: set[int] = set()
        try:
            while len(ended) < len(trials):
                ended |= set(fused.step({s: t for s, t in trials.items() if s not in ended}))
                if any(trial.diverged for trial in trials.values()):
                    break
                if seconds is not None and time.perf_counter() - began >= seconds:
                    break
        finally:
            fused.settle()
            share = (time.perf_counter() - began) / len(trials)
            for trial in trials.values():
                trial.progress.epoch_seconds += share
        if len(ended) < len(trials):
            ended = {slot for slot, trial in trials.items() if trial.diverged}
        return self._reports({slot: trials[slot] for slot in sorted(ended)}) if ended else []

    def _reports(self, ended: dict[int, Trial]) -> list[EpochReport]:
        """Close epochs that ended together: one program validates them."""
        began = time.perf_counter()
        finite = [slot for slot, trial in ended.items() if not trial.diverged]
        results = self._validated(finite) if finite else {}
        for trial in ended.values():
            trial.progress.epoch_seconds += (time.perf_counter() - began) / len(ended)
        now = time.perf_counter()
        return [self._report(t, slot, now, results.get(slot)) for slot, t in ended.items()]

    def _validated(self, slots: list[int]) -> dict[int, dict[str, float]]:
        part, squares = self._part("validation"), self._squares("validation")
        keys = evaluation_keys(*(self._trial(slot).config for slot in slots))
        captured = isinstance(self._fused, Graph) and fits_device(self._structure, part)
        if captured and keys is None and 4 * len(slots) >= len(self._trials):
            if self._judge is None:
                assert isinstance(part, Part)
                self._judge = Judge(self._model, self._buffers, part, self._data, squares)
            everyone = self._judge.metrics()
            return {slot: everyone[slot] for slot in slots}
        weights = weights_of(self._model.layout, self._buffers.weights[slots])
        found = evaluate_together(self._model, weights, self._data, part, squares, keys)
        return dict(zip(slots, found, strict=True))

    def evaluate(self, slot: int, part: PartName) -> dict[str, float]:
        """Return the metrics of the trial's best weights (its newest before the first epoch)."""
        trial = self._trial(slot)
        weights = trial.best if trial.progress.best_epoch else trial.newest
        return _finite(self._evaluate(trial, weights, part))

    def confusion_matrix(self, slot: int, part: PartName) -> Array:
        """Return `(classes, classes)` counts of the trial's best weights: actual by predicted.

        Raises:
            ConfigError: the targets are no class ids.
        """
        trial = self._trial(slot)
        weights = trial.best if trial.progress.best_epoch else trial.newest
        keys = evaluation_keys(trial.config)
        return confusion_matrix(self._model, weights, self._data, self._part(part), keys)

    def save(self, slot: int, path: Path) -> None:
        """Write everything that continues the trial bit-equal; atomic, also inside an epoch."""
        trial = self._trial(slot)
        tally = trial.tally
        progress = asdict(trial.progress) | {"tally": tally.numbers()}
        tensors = {
            "weights": trial.rows.weights[0],
            "best": trial.rows.best[0],
            "moments": trial.rows.moments[:, 0],
            "sums": tally.sums,
        }
        for layer, state in enumerate(trial.state or ()):
            tensors |= {f"state.{layer}.{i}": tensor for i, tensor in enumerate(state)}
        saved = Checkpoint(
            trial.config,
            self._data.digest,
            self._data.input_size,
            self._data.output_size,
            progress,
            [(e.name, list(e.shape), e.start) for e in self._model.layout.entries],
            tensors,
        )
        write_checkpoint(saved, path)

    def _report(
        self,
        trial: Trial,
        slot: int,
        began: float,
        validation: dict[str, float] | None = None,
    ) -> EpochReport:
        """Close the epoch: validate where that is still to do, judge, report."""
        progress = trial.progress
        train = trial.tally.result(self._squares("train"))
        if progress.outcome == "training" and validation is None:
            validation = self._evaluate(trial, trial.newest, "validation")
        progress.epoch += 1
        if progress.outcome == "training":
            trial.judge(validation or {}, self._objective)
        seconds = progress.epoch_seconds + time.perf_counter() - began
        report = EpochReport(
            slot=slot,
            epoch=progress.epoch,
            outcome=progress.outcome,
            train=_finite(train),
            validation=_finite(validation or {}),
            best_epoch=progress.best_epoch,
            best_validation=dict(progress.best_validation),
            learning_rate=progress.learning_rate,
            gradient_norm=progress.epoch_norms / max(progress.epoch_steps, 1),
            optimizer_steps=progress.optimizer_steps,
            train_seconds=seconds,
        )
        trial.begin_epoch()
        return report

    def _evaluate(self, trial: Trial, weights: Weights, name: PartName) -> dict[str, float]:
        torch.set_flush_denormal(True)
        part, squares = self._part(name), self._squares(name)
        keys = evaluation_keys(trial.config)
        return evaluate(self._model, weights, self._data, part, squares, keys)

    def _require_variance(self) -> None:
        squares = self._squares("validation")
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
        if trial.progress.outcome != "training":
            raise ConfigError(
                f"a trial must be in training, but slot {slot} is {trial.progress.outcome}."
            )
        return trial

    def _part(self, name: PartName) -> Part | StreamPart:
        if name not in self._parts:
            data = getattr(self._data, name)
            if data is None:
                raise DataError(f"data {self._data.name!r} has no {name} part.")
            self._parts[name] = part_of(self._data, data, self._structure)
        return self._parts[name]

    def _squares(self, name: PartName) -> Array | None:
        """SST of a part, for r2; computed once."""
        if self._data.task != "regression":
            return None
        if name not in self._total_squares:
            self._total_squares[name] = total_squares(self._part(name))
        return self._total_squares[name]


def evaluate_checkpoint(
    path: Path, data: SequenceData, part: PartName, objective: Objective
) -> dict[str, float]:
    """Return the metrics of a saved trial's best weights on one part.

    Raises:
        CheckpointError: the checkpoint is damaged, or of other data.
    """
    config = read_checkpoint(path, tensors=False).config
    pack = Pack(config.structure(), data, objective)
    pack.admit(0, config, path)
    return pack.evaluate(0, part)


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
