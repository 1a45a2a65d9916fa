"""The ensemble of a sweep's finalists, from their checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trainers.config.measured import NOTHING, Asked
from trainers.config.objective import Objective
from trainers.data.contract import SequenceData
from trainers.ensembles.judging import Judge, metrics_of
from trainers.ensembles.predictions import Predictions, Spoken
from trainers.ensembles.selection import interval, select
from trainers.errors import DataError
from trainers.learning.checkpoint import read_checkpoint
from trainers.packs.pack import Pack, pack_of_checkpoint
from trainers.packs.parts import PartName

_MOST_NUMBERS = 1 << 27  # of all members and both parts: a gibibyte


@dataclass(frozen=True)
class Ensemble:
    """What came of combining trials.

    Attributes:
        counts: How often each trial was taken, in their order; 0 for those that were not.
        single: The best trial alone, by its place.
        validation: Metrics of the members together.
        test: Likewise; empty where there is no test part.
        difference: 95 % interval of the objective's difference on the test part, members less the
            single trial; None where there is none.
        better: Whether the members are better on validation.
    """

    counts: tuple[int, ...]
    single: int
    validation: dict[str, float]
    test: dict[str, float] = field(default_factory=dict)
    difference: tuple[float, float] | None = None
    better: bool = False


def combine(
    checkpoints: Sequence[Path],
    data_of: Callable[[str], SequenceData],
    objective: Objective,
    seed: int,
    asked: Asked = NOTHING,
) -> Ensemble:
    """Choose an ensemble of saved trials by their validation predictions.

    Args:
        checkpoints: The trials'.
        data_of: The data of a choice (`TrainConfig.data_choice`).
        objective: What is to be best.
        seed: Of the interval's resamples.
        asked: What is measured beside what every sweep has.

    Raises:
        CheckpointError: one is damaged, or of other data.
        DataError: their predictions can't be combined; one line says why.
    """
    packs = [_pack(path, data_of, objective, asked) for path in checkpoints]
    _check_size([data for _, data in packs])
    judge = _judge(packs, "validation", asked)
    chosen = select(judge, len(packs), objective)
    if chosen is None:
        raise DataError(f"{objective.metric} is not defined for the mean of several trials.")
    found = tuple(int(count) for count in chosen.counts)
    if packs[0][1].test is None:
        return Ensemble(found, chosen.single, chosen.metrics, better=chosen.better)
    told = [place for place in range(len(packs)) if found[place] or place == chosen.single]
    judge = _judge([packs[place] for place in told], "test", asked)
    members, alone = chosen.counts[told], np.array([place == chosen.single for place in told])
    difference = None
    if chosen.better:
        difference = interval(judge, members, alone.astype(np.int64), objective.metric, seed)
    test = judge.metrics(members)
    return Ensemble(found, chosen.single, chosen.metrics, test, difference, chosen.better)


def _judge(packs: Sequence[tuple[Pack, SequenceData]], name: PartName, asked: Asked) -> Judge:
    spoken = [
        Spoken(pack.answers(0, name), data.parts()[name], data, pack.structure)
        for pack, data in packs
    ]
    predictions = Predictions.of(spoken)
    return Judge(predictions, metrics_of(predictions, asked))


def _pack(
    path: Path, data_of: Callable[[str], SequenceData], objective: Objective, asked: Asked
) -> tuple[Pack, SequenceData]:
    data = data_of(read_checkpoint(path, tensors=False).config.data_choice)
    return pack_of_checkpoint(path, data, objective, asked), data


def _check_size(of_trials: Sequence[SequenceData]) -> None:
    """Refuse what would not fit into memory.

    Raises:
        DataError: there are too many predictions.
    """
    numbers = 0
    for data in of_trials:
        for part in (data.validation, data.test):
            if part is not None:
                steps = 1 if data.one_target else part.time_steps
                numbers += len(part) * steps * data.output_size
    if numbers > _MOST_NUMBERS:
        raise DataError(
            f"predictions of all finalists must fit into memory at once, but are {numbers:,} "
            f"numbers, more than {_MOST_NUMBERS:,}."
        )
