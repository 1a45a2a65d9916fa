"""Naive forecasts of a sweep's data, computed beside its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainers.config.train_config import Structure
    from trainers.data.choices import DataChoices
    from trainers.data.naive.outcome import NaiveMetrics


def judge_naive(choices: DataChoices, structure: Structure) -> NaiveMetrics:
    """Fit and judge them on the first choice: all choices are judged on the same targets."""
    from trainers.packs.naive import naive_metrics

    return naive_metrics(choices.default, structure)
