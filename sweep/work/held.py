"""A trial in a worker, and its folds: each has a slot of its own, in a pack of its own data.

Without folds a trial is its only fold. What a rung decides, a checkpoint holds and a report says is
the whole trial's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.work.protocol import Admit
from trainers.config.folds import fold_configs
from trainers.learning.checkpoint import write_checkpoint
from trainers.packs.folds import judge_together
from trainers.packs.pack import Pack

if TYPE_CHECKING:
    from trainers.config.train_config import TrainConfig
    from trainers.data.choices import DataChoices
    from trainers.learning.reports import EpochReport


@dataclass(eq=False)
class OpenPack:
    """One pack, and whose its slots are.

    Attributes:
        suspects: Slots to train one by one, since one of them makes the pack raise.
    """

    pack: Pack
    taken: dict[int, HeldFold] = field(default_factory=dict)
    suspects: set[int] = field(default_factory=set)
    turn: int = 0


@dataclass(eq=False)
class HeldFold:
    """One fold of a trial; it has a slot once its trial's turn has come.

    Attributes:
        number: Which of the earlier folds it is; None for the last one, or where it is all.
    """

    trial: HeldTrial
    config: TrainConfig
    number: int | None = None
    in_pack: OpenPack | None = None
    slot: int = 0

    @property
    def waits_for_others(self) -> bool:
        """Whether it has ended an epoch that other folds have not."""
        return self.in_pack is not None and self.in_pack.pack.unjudged(self.slot) is not None


@dataclass(eq=False)
class HeldTrial:
    """A trial in a worker; its folds have slots once its turn has come, all of them or none.

    Attributes:
        rests_at: The rung at which it gave its slots up to others, until it may go on; its
            checkpoint is then the order's.
    """

    order: Admit
    cleared: int
    folds: tuple[HeldFold, ...] = ()
    seconds_since_checkpoint: float = 0.0
    rests_at: int | None = None

    @classmethod
    def of(cls, order: Admit, data: DataChoices) -> HeldTrial:
        """Take a trial."""
        held = cls(order, order.cleared)
        *earlier, last = fold_configs(order.config, data.folds_of(order.config.data_choice))
        own = (HeldFold(held, config, number) for number, config in enumerate(earlier))
        held.folds = (*own, HeldFold(held, last))
        return held

    @property
    def has_slots(self) -> bool:
        """Whether its folds have slots."""
        return self.folds[-1].in_pack is not None

    @property
    def epoch(self) -> int:
        """Epochs that all folds have done; only of a trial that has slots."""
        return min(pack.epoch(slot) for pack, slot in self._slots())

    @property
    def parameters(self) -> int:
        """How many numbers its network trains: the last fold's, whose model is kept."""
        return self._slots()[-1][0].parameter_count

    @property
    def waits_at_rung(self) -> bool:
        """Whether a rung must decide before the trial trains on."""
        epoch = self.epoch if self.has_slots else self.rests_at
        return epoch is not None and epoch > self.cleared and epoch in self.order.rungs

    def judged(self, report: EpochReport) -> EpochReport | None:
        """Return the trial's report once its last fold has ended an epoch; None before that."""
        if len(self.folds) == 1:
            return report
        if not all(fold.waits_for_others for fold in self.folds):
            return None
        return judge_together(self._slots())

    def save(self, path: Path) -> None:
        """Write one checkpoint of all folds, whole or not at all."""
        *earlier, last = (pack.checkpoint(slot) for pack, slot in self._slots())
        write_checkpoint(last, path, earlier)

    def _slots(self) -> list[tuple[Pack, int]]:
        slots = [(fold.in_pack.pack, fold.slot) for fold in self.folds if fold.in_pack is not None]
        assert len(slots) == len(self.folds)
        return slots
