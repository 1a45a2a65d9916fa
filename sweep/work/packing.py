"""Which trial of a worker sits in which slot of which pack.

A trial joins a pack of its structure that has a free slot, or opens one; an empty pack is let go.
Packs are built when a turn comes to them, since building one takes time and memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from sweep.work.protocol import Admit, WorkerSettings
from trainers.learning.metrics import Objective
from trainers.network.recurrence import Wanted
from trainers.packs.pack import Pack

if TYPE_CHECKING:
    from trainers.config.train_config import Structure
    from trainers.data.contract import SequenceData


@dataclass(eq=False)
class Seat:
    """One pack and who sits in it.

    Attributes:
        suspects: Slots to train one by one, since one of them makes the pack raise.
    """

    structure: Structure
    pack: Pack
    slots: int
    taken: dict[int, Resident]
    suspects: set[int] = field(default_factory=set)
    turn: int = 0


@dataclass(eq=False)
class Resident:
    """A trial in a worker; it has a seat once its turn has come.

    Attributes:
        rests_at: The rung at which it gave its seat up to others, until it may go on; its
            checkpoint is then the order's.
    """

    order: Admit
    cleared: int
    seat: Seat | None = None
    slot: int = 0
    seconds_since_checkpoint: float = 0.0
    rests_at: int | None = None

    @property
    def epoch(self) -> int:
        """Epochs done; only of a trial that has a seat."""
        assert self.seat is not None
        return self.seat.pack.epoch(self.slot)

    @property
    def waits_at_rung(self) -> bool:
        """Whether a rung must decide before the trial trains on."""
        epoch = self.rests_at if self.seat is None else self.epoch
        return epoch is not None and epoch > self.cleared and epoch in self.order.rungs


class Seating:
    """The packs of one worker.

    Attributes:
        slots: Trials that a new pack takes.
    """

    def __init__(self, data: SequenceData, settings: WorkerSettings) -> None:
        """Begin without any pack."""
        self.slots = max(settings.pack, 1)
        self.objective = Objective(
            settings.metric, cast(Literal["minimize", "maximize"], settings.direction)
        )
        self._data = data
        self._settings = settings
        self._plans: dict[Structure, Wanted] = {}
        self._seats: list[Seat] = []
        self._turns = 0

    def settle(self, resident: Resident) -> Seat:
        """Give a trial a slot, from its checkpoint where it has one.

        Raises:
            TrainerError: the trial does not fit, its checkpoint is damaged, or memory is out.
        """
        if resident.seat is not None:
            return resident.seat
        order = resident.order
        structure = order.config.structure()
        seat = next((s for s in self._seats if _has_room(s, structure)), None)
        seat = seat or self._open(structure)
        slot = next(i for i in range(seat.slots) if i not in seat.taken)
        try:
            seat.pack.admit(
                slot, order.config, Path(order.checkpoint) if order.checkpoint else None
            )
        except BaseException:
            self._close_if_empty(seat)
            raise
        seat.taken[slot] = resident
        resident.seat, resident.slot, resident.rests_at = seat, slot, None
        return seat

    def leave(self, resident: Resident) -> None:
        """Free a trial's slot."""
        seat = resident.seat
        if seat is None:
            return
        seat.pack.drop(resident.slot)
        del seat.taken[resident.slot]
        seat.suspects.discard(resident.slot)
        resident.seat = None
        self._close_if_empty(seat)

    def take_turn(self, seat: Seat) -> None:
        """Note that a pack is about to train: the one that has waited longest comes first."""
        self._turns += 1
        seat.turn = self._turns

    def halve(self) -> int:
        """Make new packs half as large; return their size."""
        self.slots = max(self.slots // 2, 1)
        return self.slots

    def _open(self, structure: Structure) -> Seat:
        settings = self._settings
        backend: Wanted = settings.backend
        if settings.pack == 0:
            backend = self._plan(structure)
        pack = Pack(
            structure,
            self._data,
            self.objective,
            slots=self.slots,
            device=settings.device,
            backend=backend,
        )
        seat = Seat(structure, pack, self.slots, {})
        self._seats.append(seat)
        return seat

    def _plan(self, structure: Structure) -> Wanted:
        """Measure how many trials of this structure pay, and on which backend; once for each."""
        from trainers.packs.choice import choose_pack

        if structure not in self._plans:
            choice = choose_pack(structure, self._data, self.objective, self._settings.device)
            self._plans[structure] = choice.backend
            self.slots = choice.slots
        return self._plans[structure]

    def _close_if_empty(self, seat: Seat) -> None:
        if not seat.taken and seat in self._seats:
            self._seats.remove(seat)


def _has_room(seat: Seat, structure: Structure) -> bool:
    return seat.structure == structure and len(seat.taken) < seat.slots
