"""Which fold of which trial of a worker has which slot of which pack.

A trial joins a pack of its structure that has a free slot, or opens one; of data with folds, one
pack for each. An empty pack is let go. Packs are built when a turn comes to them, since building
one takes time and memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweep.work.held import HeldFold, HeldTrial, OpenPack
from sweep.work.protocol import WorkerSettings
from trainers.network.recurrence import Wanted
from trainers.packs.memory import free_bytes
from trainers.packs.pack import Pack

if TYPE_CHECKING:
    from trainers.config.train_config import Structure, TrainConfig
    from trainers.data.choices import DataChoices


class OpenPacks:
    """The packs of one worker.

    Attributes:
        slots: Trials that a new pack takes.
    """

    def __init__(self, data: DataChoices, settings: WorkerSettings) -> None:
        """Begin without any pack."""
        self.slots = max(settings.pack, 1)
        self.objective = settings.objective
        self._data = data
        self._settings = settings
        self._chosen: dict[Structure, Wanted] = {}
        self._open_packs: list[OpenPack] = []
        self._turns = 0

    def give_slots(self, trial: HeldTrial) -> None:
        """Give each fold of a trial a slot, from the trial's checkpoint where it has one.

        Raises:
            TrainerError: the trial does not fit, its checkpoint is damaged, or memory is out.
        """
        if trial.has_slots:
            return
        try:
            for fold in trial.folds:
                self._give_slot(fold)
        except BaseException:
            self.free_slots(trial)
            raise
        trial.rests_at = None

    def _give_slot(self, fold: HeldFold) -> None:
        order, structure = fold.trial.order, fold.config.structure()
        open_pack = next((one for one in self._open_packs if _has_room(one, structure)), None)
        open_pack = open_pack or self._open(fold)
        slot = next(i for i in range(open_pack.pack.slots) if i not in open_pack.taken)
        checkpoint = Path(order.checkpoint) if order.checkpoint else None
        try:
            open_pack.pack.admit(
                slot,
                fold.config,
                checkpoint,
                fold=fold.number,
                first_weights=None if checkpoint else self._given(fold.config),
            )
        except BaseException:
            self._close_if_empty(open_pack)
            raise
        open_pack.taken[slot] = fold
        fold.in_pack, fold.slot = open_pack, slot

    def free_slots(self, trial: HeldTrial) -> None:
        """Free the slots of a trial's folds."""
        for fold in trial.folds:
            open_pack = fold.in_pack
            if open_pack is None:
                continue
            open_pack.pack.drop(fold.slot)
            del open_pack.taken[fold.slot]
            open_pack.suspects.discard(fold.slot)
            fold.in_pack = None
            self._close_if_empty(open_pack)

    def take_turn(self, open_pack: OpenPack) -> None:
        """Note that a pack is about to train: the one that has waited longest comes first."""
        self._turns += 1
        open_pack.turn = self._turns

    def halve(self) -> int:
        """Make new packs half as large; return their size."""
        self.slots = max(self.slots // 2, 1)
        return self.slots

    def _given(self, config: TrainConfig) -> Path | None:
        """Return the file of first weights that a trial's settings name, if they do."""
        if config.first_weights is None:
            return None
        return Path(self._settings.checkpoint_folder).parent / config.first_weights

    def _open(self, fold: HeldFold) -> OpenPack:
        settings, structure = self._settings, fold.config.structure()
        backend: Wanted = settings.backend
        if settings.pack == 0:
            backend = self._choose(fold.trial)
        pack = Pack(
            structure,
            self._data.of(structure.data_choice),
            self.objective,
            slots=self.slots,
            device=settings.device,
            backend=backend,
            asked=settings.asked,
            judges=len(fold.trial.folds) == 1,
        )
        open_pack = OpenPack(pack)
        self._open_packs.append(open_pack)
        return open_pack

    def _choose(self, trial: HeldTrial) -> Wanted:
        """Measure how many trials of this structure pay, and on which backend; once for each.

        Packs of all folds share the memory; the last fold, the largest, tells for all.
        """
        from trainers.packs.choice import choose_pack

        structure, device = trial.order.config.structure(), self._settings.device
        if structure not in self._chosen:
            data, folds = self._data.of(structure.data_choice), len(trial.folds)
            free = free_bytes(device) // folds if folds > 1 else None
            choice = choose_pack(
                structure, data, self.objective, device, free=free, asked=self._settings.asked
            )
            self._chosen[structure] = choice.backend
            self.slots = choice.slots
        return self._chosen[structure]

    def _close_if_empty(self, open_pack: OpenPack) -> None:
        if not open_pack.taken and open_pack in self._open_packs:
            self._open_packs.remove(open_pack)


def _has_room(open_pack: OpenPack, structure: Structure) -> bool:
    pack = open_pack.pack
    return pack.structure == structure and len(open_pack.taken) < pack.slots
