"""A worker: holds trials, trains them in slices, answers with what happened.

It knows nothing of Ray, Optuna or MLflow. A call returns after about `slice_seconds`, or at once
when every trial it holds has ended or waits at an undecided rung.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from sweep.protocol import (
    Admit,
    Command,
    Continue,
    Crashed,
    Evaluate,
    Evaluated,
    Item,
    Reply,
    SaveAll,
    Saved,
    Stop,
    Trained,
    WorkerSettings,
)
from trainers.metrics import Objective
from trainers.pack import Pack, evaluate_checkpoint

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData
    from trainers.reports import EpochReport

_LOG = logging.getLogger(__name__)
_SLOT = 0


@dataclass
class _Resident:
    """A trial in this worker; `pack` is built when its turn comes."""

    order: Admit
    cleared: int
    pack: Pack | None = None
    seconds_since_checkpoint: float = 0.0

    @property
    def waits_at_rung(self) -> bool:
        if self.pack is None:
            return False
        epoch = self.pack.epoch(_SLOT)
        return epoch > self.cleared and epoch in self.order.rungs


class Worker:
    """Trains the trials it is given, oldest first, one at a time."""

    def __init__(self, name: str, data: SequenceData, settings: WorkerSettings) -> None:
        """Hold the data and limit torch to the threads given."""
        import torch

        torch.set_num_threads(settings.threads)
        self._name = name
        self._data = data
        self._settings = settings
        direction = cast(Literal["minimize", "maximize"], settings.direction)
        self._objective = Objective(settings.metric, direction)
        self._residents: dict[int, _Resident] = {}
        self._items: list[Item] = []

    def advance(self, commands: Sequence[Command]) -> Reply:
        """Carry out the commands, train for one slice, say what happened."""
        began = time.perf_counter()
        self._items = []
        for command in commands:
            self._obey(command)
        deadline = began + self._settings.slice_seconds
        worked = bool(self._items)
        saved_to_stop = any(isinstance(command, SaveAll) for command in commands)
        while not saved_to_stop and (resident := self._next()) is not None:
            worked = True
            self._train(resident, deadline)
            if time.perf_counter() >= deadline:
                break
        busy = time.perf_counter() - began if worked else 0.0
        return Reply(self._name, tuple(self._items), busy, tuple(self._residents))

    def _obey(self, command: Command) -> None:
        match command:
            case Admit():
                held = self._residents.get(command.trial)
                if held is None or held.order.attempt < command.attempt:
                    self._residents[command.trial] = _Resident(command, command.cleared)
            case Continue():
                held = self._held(command.trial, command.attempt)
                if held is not None:
                    held.cleared = max(held.cleared, command.epoch)
            case Stop():
                if self._held(command.trial, command.attempt) is not None:
                    del self._residents[command.trial]
            case SaveAll():
                for resident in self._residents.values():
                    if resident.pack is not None:
                        self._items.append(self._save(resident))
            case Evaluate():
                self._evaluate(command)

    def _held(self, trial: int, attempt: int) -> _Resident | None:
        resident = self._residents.get(trial)
        return resident if resident is not None and resident.order.attempt == attempt else None

    def _next(self) -> _Resident | None:
        ready = (r for r in self._residents.values() if not r.waits_at_rung)
        return next(ready, None)

    def _train(self, resident: _Resident, deadline: float) -> None:
        order = resident.order
        began = time.perf_counter()
        try:
            pack = resident.pack = resident.pack or self._build(order)
            if resident.waits_at_rung:
                return  # restored from a checkpoint that was written at the rung itself
            report = pack.train(_SLOT, max(deadline - began, 1e-3))
        except Exception as error:
            _LOG.exception(
                "trial %d (attempt %d) raised while training", order.trial, order.attempt
            )
            del self._residents[order.trial]
            message = f"{type(error).__name__}: {error}"
            self._items.append(Crashed(order.trial, order.attempt, message, time.time()))
            return
        resident.seconds_since_checkpoint += time.perf_counter() - began
        if report is not None:
            self._report(resident, report)
        elif self._checkpoint_due(resident):
            self._items.append(self._save(resident))

    def _report(self, resident: _Resident, report: EpochReport) -> None:
        assert resident.pack is not None
        order, parameters = resident.order, resident.pack.parameter_count
        final = None
        if report.ended:
            del self._residents[order.trial]
            final = None if report.outcome == "diverged" else self._save(resident)
        now = time.time()
        self._items.append(Trained(order.trial, order.attempt, report, parameters, now, final))
        if not report.ended and self._checkpoint_due(resident):
            self._items.append(self._save(resident))

    def _checkpoint_due(self, resident: _Resident) -> bool:
        return resident.seconds_since_checkpoint >= self._settings.checkpoint_seconds

    def _build(self, order: Admit) -> Pack:
        pack = Pack(order.config.structure(), self._data, self._objective)
        checkpoint = Path(order.checkpoint) if order.checkpoint else None
        pack.admit(_SLOT, order.config, checkpoint)
        return pack

    def _save(self, resident: _Resident) -> Saved:
        """Write a checkpoint whose name no other attempt and no later moment shares."""
        assert resident.pack is not None
        order, epoch = resident.order, resident.pack.epoch(_SLOT)
        stamp = time.time_ns() // 1000
        name = f"trial-{order.trial:05d}.a{order.attempt}.e{epoch:04d}.{stamp:x}.safetensors"
        path = Path(self._settings.checkpoint_folder) / name
        resident.pack.save(_SLOT, path)
        resident.seconds_since_checkpoint = 0.0
        size = path.stat().st_size
        return Saved(order.trial, order.attempt, epoch, str(path), size, time.time())

    def _evaluate(self, command: Evaluate) -> None:
        path = Path(command.checkpoint)
        test = evaluate_checkpoint(path, self._data, "test", self._objective)
        self._items.append(Evaluated(command.trial, test, time.time()))
