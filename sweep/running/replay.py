"""The certificate: one trial trained again, alone, and how far it is from what the log recorded.

On CPU a trial's numbers do not depend on its worker, its neighbours, its attempts or the slot it
sat in, so a replay agrees bit for bit. Elsewhere rounding grows with training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sweep.errors import UserError
from sweep.history.state import TrialState, load_state
from sweep.log.places import open_log
from sweep.results.results import open_results
from sweep.running.preparation import Prepared, prepare_again
from trainers.config.train_config import TrainConfig


@dataclass(frozen=True)
class Compared:
    """One metric of one epoch, as recorded and as replayed."""

    epoch: int
    metric: str
    recorded: float
    replayed: float

    @property
    def distance(self) -> float:
        """Return the difference relative to the recorded value."""
        scale = max(abs(self.recorded), 1e-30)
        return abs(self.replayed - self.recorded) / scale


@dataclass(frozen=True)
class Certificate:
    """How a replay compares with the record.

    Attributes:
        epochs: Epochs replayed.
        compared: Every metric of every epoch that the log holds.
    """

    trial: int
    epochs: int
    compared: tuple[Compared, ...]

    @property
    def bit_equal(self) -> bool:
        """Whether every recorded number came out again exactly."""
        return all(c.recorded == c.replayed for c in self.compared)

    @property
    def worst(self) -> Compared:
        """The number that is farthest from its record."""
        return max(self.compared, key=lambda c: c.distance)


def replay(directory: Path, name: str, number: int) -> Certificate:
    """Train trial `number` again, alone, for as many epochs as the log holds.

    Args:
        directory: The --dir folder.
        name: The sweep's name.
        number: The trial's number.

    Raises:
        UserError: no such sweep or trial, nothing recorded, or the data have changed.
    """
    config = open_results(name, directory).config
    log = open_log(directory / name)
    state = load_state(log, keep_reports=True)
    log.close()
    trial = state.trials.get(number)
    if trial is None:
        known = f"0 … {len(state.trials) - 1}" if state.trials else "none yet"
        raise UserError(f"a trial of {name} must be one of {known}, but got {number}.")
    if not trial.reports:
        raise UserError(f"a replay needs recorded epochs, but trial {number} has none.")
    assert state.first_opened is not None
    prepared = prepare_again(config, state.first_opened, "a replay")
    compared = tuple(_compare(prepared, trial, directory / name))
    return Certificate(number, len(trial.reports), compared)


def _compare(prepared: Prepared, trial: TrialState, folder: Path) -> Iterator[Compared]:
    import torch

    from trainers.packs.folds import FoldedTrial

    assert trial.reports is not None
    torch.set_num_threads(prepared.config.run.threads)
    config = TrainConfig.from_mapping(trial.config)
    given = None if config.first_weights is None else folder / config.first_weights
    alone = FoldedTrial(config, prepared.choices, prepared.goal.leading, prepared.asked, given)
    for epoch in sorted(trial.reports):
        report = alone.train_epoch()
        told = trial.reports[epoch]
        pairs = (("train", told.train, report.train), ("val", told.validation, report.validation))
        for part, recorded, replayed in pairs:
            for metric, value in recorded.items():
                yield Compared(epoch, f"{part}/{metric}", value, replayed.get(metric, math.nan))
