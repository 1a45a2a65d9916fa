"""A finalist on the test part: its metrics, intervals that hold what they say, its answers kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from sweep.log.finalists import answers_file, calibration_file
from sweep.work.protocol import WorkerSettings
from trainers.config.losses import LOSSES
from trainers.config.measured import is_language
from trainers.config.train_config import Structure
from trainers.data.contract import Array, SequenceData
from trainers.data.own_units import own_units
from trainers.learning import losses
from trainers.learning.checkpoint import write_atomically
from trainers.packs.answers import Answers
from trainers.packs.pack import pack_of_checkpoint
from trainers.use.intervals import Calibration, interval
from trainers.use.kept_answers import KeptAnswers

FAN = (0.5, 0.8, 0.9)
"""Levels whose intervals are kept for pictures, beside the one that is judged."""


def judge(
    checkpoint: Path, data: SequenceData, settings: WorkerSettings, kept: Path
) -> dict[str, float]:
    """Evaluate a saved trial's best weights on the test part, once.

    Args:
        checkpoint: The trial's.
        data: What it was trained on.
        settings: Of the sweep: what is measured, the level of the interval that is judged.
        kept: Where answers and calibration are written (`sweep.log.finalists`); whole or not at
            all.

    Returns:
        Metrics of the test part, in own units; of targets that are numbers also the calibrated
        interval's coverage and mean width, where validation has enough targets for the level.

    Raises:
        CheckpointError: the checkpoint is damaged, or of other data.
        ConfigError: a metric of one's own fails.
    """
    level = settings.interval
    pack = pack_of_checkpoint(checkpoint, data, settings.objective, settings.asked)
    test = pack.evaluate_finalist(0, "test")
    if is_language(data):
        return test  # as many probabilities a token as there are tokens
    kept.parent.mkdir(exist_ok=True)
    answers = pack.answers(0, "test")
    calibration = None
    if data.task == "regression":
        own = pack.answers(0, "validation")
        calibration = Calibration.of(pack.structure, own.outputs, own.targets, own.mask)
        write_atomically(calibration.to_bytes(), calibration_file(kept))
    found = _in_own_units(data, pack.structure, answers, calibration, level)
    write_atomically(found.newest().to_bytes(), answers_file(kept))
    return {**test, **_of_interval(found, level)}


def _in_own_units(
    data: SequenceData,
    structure: Structure,
    answers: Answers,
    calibration: Calibration | None,
    level: float,
) -> KeptAnswers:
    part = data.test
    assert part is not None
    origins = answers.rows if part.origins is None else np.asarray(part.origins)[answers.rows]
    head = torch.from_numpy(answers.outputs)
    point = losses.point(structure, head).numpy()
    levels, low, high = _ends(data, structure, answers, calibration, level)
    if data.task == "regression":
        point = own_units(data, point, answers.rescale)
    else:
        point = _probabilities(structure, point)
    return KeptAnswers(
        task=data.task,
        names=data.target_names,
        units=data.units,
        series=data.series,
        horizon=data.horizon,
        levels=levels,
        targets=own_units(data, answers.targets, answers.rescale),
        answers=point,
        origins=origins.astype(np.int64),
        steps=answers.steps.astype(np.int64),
        mask=answers.mask,
        low=low,
        high=high,
        series_of=None if part.series is None else np.asarray(part.series)[answers.rows],
        times=None if data.times is None else np.asarray(data.times)[origins],
    )


def _ends(
    data: SequenceData,
    structure: Structure,
    answers: Answers,
    calibration: Calibration | None,
    level: float,
) -> tuple[tuple[float, ...], Array | None, Array | None]:
    """Return levels that can be calibrated, ascending, and both ends `(levels, targets, ·)`."""
    if calibration is None:
        return (), None, None
    found: dict[float, tuple[Array, Array]] = {}
    for each in sorted({*FAN, level}):
        margin = calibration.margin(each)
        if margin is not None:
            ends = interval(structure, answers.outputs, each, margin)
            low, high = (own_units(data, end, answers.rescale) for end in ends)
            found[each] = low, high
    if not found:
        return (), None, None
    lows, highs = (np.stack(ends) for ends in zip(*found.values(), strict=True))
    return tuple(found), lows, highs


def _of_interval(answers: KeptAnswers, level: float) -> dict[str, float]:
    """Return the share of targets that the interval of a level holds, and its mean width."""
    if level not in answers.levels:
        return {}
    assert answers.low is not None
    assert answers.high is not None
    place = answers.levels.index(level)
    low, high = answers.low[place], answers.high[place]
    valid = np.ones(low.shape, np.bool_) if answers.mask is None else answers.mask
    holds = (low <= answers.targets) & (answers.targets <= high)
    return {
        "interval_coverage": float(holds[valid].mean()),
        "interval_width": float((high - low)[valid].mean()),
    }


def _probabilities(structure: Structure, logits: Array) -> Array:
    values = torch.from_numpy(logits).double()
    labels = LOSSES[structure.loss].targets == "labels"
    found = torch.sigmoid(values) if labels else torch.softmax(values, dim=-1)
    return np.asarray(found.float().numpy())
