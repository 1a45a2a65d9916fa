"""A trial on data with folds: one slot a fold, each in a pack of its own data, judged together.

Best epoch, patience, plateaus and the end are the trial's: they go by the means over its folds, and
every fold has the weights of the same best epoch.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trainers.config.folds import fold_configs
from trainers.config.measured import NOTHING, Asked
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.choices import DataChoices
from trainers.learning.reports import EpochReport
from trainers.packs.pack import Pack

Slot = tuple[Pack, int]


def judge_together(slots: Sequence[Slot]) -> EpochReport:
    """Judge an epoch that every fold of a trial has ended, in packs that do not judge themselves.

    A trial diverges where one of its folds does.

    Args:
        slots: Pack and slot of each fold, in order.

    Returns:
        The trial's report.
    """
    reports = [report for pack, slot in slots if (report := pack.unjudged(slot)) is not None]
    assert len(reports) == len(slots)
    whole = together(reports)
    validation = {} if whole.outcome == "diverged" else whole.validation
    judged = [pack.judge(slot, validation) for pack, slot in slots]
    last = judged[-1]
    diverged = any(report.outcome == "diverged" for report in judged)
    return replace(
        whole,
        outcome="diverged" if diverged else last.outcome,
        best_epoch=last.best_epoch,
        best_validation=last.best_validation,
    )


def together(reports: Sequence[EpochReport]) -> EpochReport:
    """Return one report of an epoch's folds, before it is judged; pure.

    Metrics and the gradient's norm are means over all folds: one that a fold lacks is absent. Steps
    and time are summed, the learning rate is the last fold's.
    """
    last = reports[-1]
    diverged = any(report.outcome == "diverged" for report in reports)
    return replace(
        last,
        outcome="diverged" if diverged else last.outcome,
        train=means([report.train for report in reports]),
        validation=means([report.validation for report in reports]),
        gradient_norm=statistics.fmean(report.gradient_norm for report in reports),
        optimizer_steps=sum(report.optimizer_steps for report in reports),
        train_seconds=sum(report.train_seconds for report in reports),
        folds=tuple(report.validation for report in reports),
    )


def means(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each number that all have."""
    return {
        name: statistics.fmean(own[name] for own in found)
        for name in found[0]
        if all(name in own for own in found)
    }


class FoldedTrial:
    """A trial that is trained alone, on all folds of its data.

    Args:
        config: Its settings.
        choices: What it learns from.
        objective: Which mean decides.
        asked: What is measured at each epoch beside the usual.
        first_weights: The file that its settings name, if they do.
    """

    def __init__(
        self,
        config: TrainConfig,
        choices: DataChoices,
        objective: Objective,
        asked: Asked = NOTHING,
        first_weights: Path | None = None,
    ) -> None:
        folds = choices.folds_of(config.data_choice)
        self._judges = len(folds) == 1
        self._slots: list[Slot] = []
        for own, data in zip(fold_configs(config, folds), folds.values(), strict=True):
            pack = Pack(own.structure(), data, objective, asked=asked, judges=self._judges)
            pack.admit(0, own, first_weights=first_weights)
            self._slots.append((pack, 0))

    def train_epoch(self) -> EpochReport:
        """Train each fold to the end of its epoch; return the trial's report."""
        reports = [pack.train(slot) for pack, slot in self._slots]
        own = reports[-1]
        assert own is not None
        return own if self._judges else judge_together(self._slots)
