"""A worker: holds trials, trains them in slices, answers with what happened.

It knows nothing of Ray, Optuna or MLflow. A call returns after about `slice_seconds`, or at once
when every trial it holds has ended or waits at an undecided rung.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.log.checkpoints import checkpoint_name
from sweep.log.finalists import kept_place
from sweep.work.held import HeldFold, HeldTrial
from sweep.work.judging import judge
from sweep.work.packing import OpenPacks
from sweep.work.protocol import (
    Admit,
    Combine,
    Combined,
    Command,
    Continue,
    Crashed,
    Evaluate,
    Evaluated,
    Evicted,
    Item,
    Reply,
    SaveAll,
    Saved,
    Stop,
    Trained,
    Unreadable,
    WorkerSettings,
)
from sweep.work.shared_disk import check_shared_disk
from trainers.errors import CheckpointError, ConfigError, DeviceLost, OutOfMemory, TrainerError
from trainers.learning.checkpoint import read_checkpoint
from trainers.packs.folds import means
from trainers.packs.memory import is_device_lost

if TYPE_CHECKING:
    from trainers.data.choices import DataChoices
    from trainers.learning.reports import EpochReport

_LOG = logging.getLogger(__name__)


class Worker:
    """Trains the trials it is given: one after the other, oldest first, or in packs."""

    def __init__(self, name: str, data: DataChoices, settings: WorkerSettings) -> None:
        """Hold the data and limit torch to the threads given."""
        import torch

        torch.set_num_threads(settings.threads)
        self._name = name
        self._data = data
        self._settings = settings
        self._packs = OpenPacks(data, settings)
        self._trials: dict[int, HeldTrial] = {}
        self._items: list[Item] = []
        self._sees_disk = False

    def advance(self, commands: Sequence[Command]) -> Reply:
        """Carry out the commands, train for one slice, say what happened.

        Raises:
            DeviceLost: this process can use its device no more; another must take its place.
        """
        try:
            return self._advance(commands)
        except RuntimeError as error:  # CUDA's come late: a copy fails for a kernel's fault
            _raise_if_lost(error)
            raise

    def _advance(self, commands: Sequence[Command]) -> Reply:
        began = time.perf_counter()
        self._items = []
        if not self._sees_disk:
            check_shared_disk(
                Path(self._settings.checkpoint_folder).parent, self._settings.sweep_uid
            )
            self._sees_disk = True
        for command in commands:
            self._obey(command)
        deadline = began + self._settings.slice_seconds
        worked = bool(self._items)
        saved_to_stop = any(isinstance(command, SaveAll) for command in commands)
        while not saved_to_stop and (group := self._next()):
            worked = True
            self._train(group, deadline)
            if time.perf_counter() >= deadline:
                break
        busy = time.perf_counter() - began if worked else 0.0
        capacity = None if self._settings.pack == 1 else self._packs.slots
        return Reply(self._name, tuple(self._items), busy, tuple(self._trials), capacity)

    def _obey(self, command: Command) -> None:
        match command:
            case Admit():
                held = self._trials.get(command.trial)
                if held is None or held.order.attempt < command.attempt:
                    if held is not None:
                        self._drop(held)
                    self._trials[command.trial] = HeldTrial.of(command, self._data)
            case Continue():
                held = self._held(command.trial, command.attempt)
                if held is not None:
                    held.cleared = max(held.cleared, command.epoch)
            case Stop():
                held = self._held(command.trial, command.attempt)
                if held is not None:
                    self._drop(held)
            case SaveAll():
                for held in self._trials.values():
                    if held.has_slots:
                        self._items.append(self._save(held))
            case Evaluate() | Combine():
                self._judge(command)

    def _held(self, trial: int, attempt: int) -> HeldTrial | None:
        held = self._trials.get(trial)
        return held if held is not None and held.order.attempt == attempt else None

    def _drop(self, held: HeldTrial) -> None:
        del self._trials[held.order.trial]
        self._packs.free_slots(held)

    def _next(self) -> list[HeldFold]:
        """Return the folds that train together next; their trials are given slots here."""
        ready = [t for t in self._trials.values() if not t.waits_at_rung]
        if self._settings.pack == 1:
            trial = next((t for t in ready if self._takes_slots(t)), None)
            return [] if trial is None else _to_train([trial])[:1]
        group = _to_train([t for t in ready if self._takes_slots(t)])
        if not group:
            return []
        open_pack = min(
            (f.in_pack for f in group if f.in_pack is not None), key=lambda one: one.turn
        )
        self._packs.take_turn(open_pack)
        group = [f for f in group if f.in_pack is open_pack]
        return [f for f in group if f.slot in open_pack.suspects][:1] or group

    def _takes_slots(self, held: HeldTrial) -> bool:
        """Give a trial its slots; return whether it trains on from there."""
        order = held.order
        try:
            self._packs.give_slots(held)
        except OutOfMemory as error:
            self._evict([held], error)
            return False
        except CheckpointError as error:
            self._drop(held)
            self._items.append(Unreadable(order.trial, order.attempt, str(error), time.time()))
            return False
        except Exception as error:
            self._crash(held, error)
            return False
        return not held.waits_at_rung  # its checkpoint may have been written at the rung

    def _train(self, group: list[HeldFold], deadline: float) -> None:
        began = time.perf_counter()
        open_pack = group[0].in_pack
        assert open_pack is not None
        try:
            reports = open_pack.pack.advance([f.slot for f in group], max(deadline - began, 1e-3))
        except OutOfMemory as error:
            self._evict([fold.trial for fold in open_pack.taken.values()], error)
            return
        except Exception as error:
            if len(group) == 1:
                open_pack.suspects.clear()
                self._crash(group[0].trial, error)
            else:  # one after the other, until the culprit raises again
                _raise_if_lost(error)
                open_pack.suspects = {f.slot for f in group}
            return
        if len(group) == 1:
            open_pack.suspects.discard(group[0].slot)
        seconds = time.perf_counter() - began  # what each of them costs if the worker dies now
        trials = [fold.trial for fold in group]
        for held in trials:
            held.seconds_since_checkpoint += seconds
        for own in reports:
            held = open_pack.taken[own.slot].trial
            report = held.judged(own)
            if report is not None:
                self._report(held, report)
        for held in trials:
            if held.has_slots and self._checkpoint_due(held, seconds):
                self._items.append(self._save(held))

    def _crash(self, held: HeldTrial, error: Exception) -> None:
        _raise_if_lost(error)
        order = held.order
        _LOG.error(
            "trial %d (attempt %d) raised while training",
            order.trial,
            order.attempt,
            exc_info=error,
        )
        self._drop(held)
        message = f"{type(error).__name__}: {error}"
        self._items.append(Crashed(order.trial, order.attempt, message, time.time()))

    def _evict(self, trials: list[HeldTrial], error: OutOfMemory) -> None:
        """Make room: first by those who only wait, then by smaller packs.

        One that has no room alone has crashed.
        """
        others = [t for t in self._trials.values() if t.has_slots and t not in trials]
        waiting = [t for t in others if t.waits_at_rung]
        if waiting:
            for held in waiting:
                self._rest(held)
            return
        if len(trials) == 1 and not others:
            self._crash(trials[0], error)
            return
        slots = self._packs.halve()
        message = f"{error} From here on at most {slots} trials train together."
        _LOG.warning("%s: %s", self._name, message)
        for held in trials:
            order = held.order
            self._drop(held)
            self._items.append(Evicted(order.trial, order.attempt, message, time.time()))

    def _rest(self, held: HeldTrial) -> None:
        """Let a trial that waits at a rung wait on disk; it takes a slot again to go on."""
        epoch, saved = held.epoch, self._save(held)
        self._items.append(saved)
        self._packs.free_slots(held)
        held.order = replace(held.order, checkpoint=saved.path)
        held.rests_at = epoch

    def _report(self, held: HeldTrial, report: EpochReport) -> None:
        order, parameters = held.order, held.parameters
        final = None
        if report.ended:
            if report.outcome != "diverged":
                try:
                    report = _with_the_rest(held, report)
                except Exception as error:
                    self._crash(held, error)
                    return
                final = self._save(held)
            self._drop(held)
        now = time.time()
        self._items.append(Trained(order.trial, order.attempt, report, parameters, now, final))
        if not report.ended and order.saves_at_rungs and held.waits_at_rung:
            self._items.append(self._save(held))

    def _checkpoint_due(self, held: HeldTrial, slice_seconds: float) -> bool:
        """Return whether the next slice, as long as the last, would come too late for a death."""
        next_time = held.seconds_since_checkpoint + slice_seconds
        return next_time > self._settings.checkpoint_seconds

    def _save(self, held: HeldTrial) -> Saved:
        order, epoch = held.order, held.epoch
        name = checkpoint_name(order.trial, order.attempt, epoch)
        path = Path(self._settings.checkpoint_folder) / name
        held.save(path)
        held.seconds_since_checkpoint = 0.0
        size = path.stat().st_size
        return Saved(order.trial, order.attempt, epoch, str(path), size, time.time())

    def _judge(self, command: Evaluate | Combine) -> None:
        if isinstance(command, Combine):
            self._combine(command)
        else:
            self._evaluate(command)

    def _evaluate(self, command: Evaluate) -> None:
        path = Path(command.checkpoint)
        try:
            config = read_checkpoint(path, tensors=False).config
            data = self._data.of(config.data_choice)
            kept = kept_place(Path(self._settings.checkpoint_folder).parent, command.trial)
            test = judge(path, data, self._settings, kept)
        except (CheckpointError, ConfigError) as error:  # a metric of one's own may fail
            self._items.append(Unreadable(command.trial, 0, str(error), time.time()))
            return
        self._items.append(Evaluated(command.trial, test, time.time()))

    def _combine(self, command: Combine) -> None:
        from trainers.ensembles.finalists import combine

        numbers = [number for number, _ in command.members]
        try:
            found = combine(
                [Path(path) for _, path in command.members],
                self._data.of,
                self._packs.objective,
                command.seed,
                self._settings.asked,
            )
        except TrainerError as error:
            none = tuple((number, 0) for number in numbers)
            self._items.append(Combined(none, time.time(), reason=str(error)))
            return
        combined = Combined(
            tuple(zip(numbers, found.counts, strict=True)),
            time.time(),
            numbers[found.single],
            found.validation,
            found.test,
            found.difference or (),
            found.better,
        )
        self._items.append(combined)


def _with_the_rest(held: HeldTrial, report: EpochReport) -> EpochReport:
    """Return a trial's last report with the metrics that are measured once, at its end."""
    began = time.perf_counter()
    found = [
        fold.in_pack.pack.evaluate_at_end(fold.slot)
        for fold in held.folds
        if fold.in_pack is not None
    ]
    rest = means(found)
    return replace(
        report,
        best_validation=report.best_validation | rest,
        train_seconds=report.train_seconds + time.perf_counter() - began,
    )


def _to_train(trials: Sequence[HeldTrial]) -> list[HeldFold]:
    """The folds that have not ended the epoch that their trial is in."""
    return [fold for trial in trials for fold in trial.folds if not fold.waits_for_others]


def _raise_if_lost(error: Exception) -> None:
    """Leave it to whoever holds this worker to replace it, where its device has failed it.

    Raises:
        DeviceLost: it has.
    """
    if is_device_lost(error):
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise DeviceLost(f"its device has failed: {line}") from error
