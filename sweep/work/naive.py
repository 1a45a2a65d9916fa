"""Naive forecasts of a sweep's data, computed beside its workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainers.config.measured import Asked
    from trainers.config.train_config import Structure
    from trainers.data.choices import DataChoices
    from trainers.data.naive.outcome import NaiveMetrics


def judge_naive(choices: DataChoices, structure: Structure, asked: Asked) -> NaiveMetrics:
    """Fit and judge them on the first choice: all choices are judged on the same targets.

    Of data with folds, validation has means over them, as trials' have.
    """
    from trainers.packs.naive import naive_metrics

    folds = choices.folds_of(next(iter(choices.by_key)))
    return over_folds([naive_metrics(data, structure, asked) for data in folds.values()])


def over_folds(found: Sequence[NaiveMetrics]) -> NaiveMetrics:
    """Return what naive forecasts came to over all folds; pure.

    Only forecasts that every fold has are compared. The test part is the last fold's, whose model
    is kept.
    """
    from trainers.packs.folds import means

    last = found[-1]
    if len(found) == 1:
        return last
    common = [name for name in last.metrics if all(name in one.metrics for one in found)]
    left_out = {name: why for one in found for name, why in one.left_out.items()}
    return replace(
        last,
        metrics={
            name: last.metrics[name]
            | {"validation": means([one.metrics[name]["validation"] for one in found])}
            for name in common
        },
        left_out=left_out,
        seconds=sum(one.seconds for one in found),
    )
