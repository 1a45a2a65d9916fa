"""Which trial of a worker has which slot of which pack.

A trial joins a pack of its structure that has a free slot, or opens one; an empty pack is let go.
Packs are built when a turn comes to them, since building one takes time and memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.work.protocol import Admit, WorkerSettings
from trainers.network.recurrence import Wanted
from trainers.packs.pack import Pack

if TYPE_CHECKING:
    from trainers.config.train_config import Structure
    from trainers.data.choices import DataChoices


@dataclass(eq=False)
class OpenPack:
    """One pack, and whose its slots are.

    Attributes:
        suspects: Slots to train one by one, since one of them makes the pack raise.
    """

    pack: Pack
    taken: dict[int, HeldTrial] = field(default_factory=dict)
    suspects: set[int] = field(default_factory=set)
    turn: int = 0


@dataclass(eq=False)
class HeldTrial:
    """A trial in a worker; it has a slot once its turn has come.

    Attributes:
        rests_at: The rung at which it gave its slot up to others, until it may go on; its
            checkpoint is then the order's.
    """

    order: Admit
    cleared: int
    in_pack: OpenPack | None = None
    slot: int = 0
    seconds_since_checkpoint: float = 0.0
    rests_at: int | None = None

    @property
    def epoch(self) -> int:
        """Epochs done; only of a trial that has a slot."""
        assert self.in_pack is not None
        return self.in_pack.pack.epoch(self.slot)

    @property
    def waits_at_rung(self) -> bool:
        """Whether a rung must decide before the trial trains on."""
        epoch = self.rests_at if self.in_pack is None else self.epoch
        return epoch is not None and epoch > self.cleared and epoch in self.order.rungs


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

    def give_slot(self, trial: HeldTrial) -> OpenPack:
        """Give a trial a slot, from its checkpoint where it has one.

        Raises:
            TrainerError: the trial does not fit, its checkpoint is damaged, or memory is out.
        """
        if trial.in_pack is not None:
            return trial.in_pack
        order = trial.order
        structure = order.config.structure()
        open_pack = next((one for one in self._open_packs if _has_room(one, structure)), None)
        open_pack = open_pack or self._open(structure)
        slot = next(i for i in range(open_pack.pack.slots) if i not in open_pack.taken)
        try:
            open_pack.pack.admit(
                slot, order.config, Path(order.checkpoint) if order.checkpoint else None
            )
        except BaseException:
            self._close_if_empty(open_pack)
            raise
        open_pack.taken[slot] = trial
        trial.in_pack, trial.slot, trial.rests_at = open_pack, slot, None
        return open_pack

    def free_slot(self, trial: HeldTrial) -> None:
        """Free a trial's slot."""
        open_pack = trial.in_pack
        if open_pack is None:
            return
        open_pack.pack.drop(trial.slot)
        del open_pack.taken[trial.slot]
        open_pack.suspects.discard(trial.slot)
        trial.in_pack = None
        self._close_if_empty(open_pack)

    def take_turn(self, open_pack: OpenPack) -> None:
        """Note that a pack is about to train: the one that has waited longest comes first."""
        self._turns += 1
        open_pack.turn = self._turns

    def halve(self) -> int:
        """Make new packs half as large; return their size."""
        self.slots = max(self.slots // 2, 1)
        return self.slots

    def _open(self, structure: Structure) -> OpenPack:
        settings = self._settings
        backend: Wanted = settings.backend
        if settings.pack == 0:
            backend = self._choose(structure)
        pack = Pack(
            structure,
            self._data.of(structure.data_choice),
            self.objective,
            slots=self.slots,
            device=settings.device,
            backend=backend,
            asked=settings.asked,
        )
        open_pack = OpenPack(pack)
        self._open_packs.append(open_pack)
        return open_pack

    def _choose(self, structure: Structure) -> Wanted:
        """Measure how many trials of this structure pay, and on which backend; once for each."""
        from trainers.packs.choice import choose_pack

        if structure not in self._chosen:
            data = self._data.of(structure.data_choice)
            choice = choose_pack(
                structure, data, self.objective, self._settings.device, asked=self._settings.asked
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
