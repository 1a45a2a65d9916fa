"""Naive forecasts judged by the formulas, and on exactly the targets, that trials are judged by."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch

from trainers.config.losses import LOSSES, losses_for, targets_of
from trainers.config.measured import NOTHING, Asked, end_metrics, epoch_metrics, find_metric
from trainers.config.metrics import Judged, MetricType
from trainers.config.train_config import Structure
from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.naive.choosing import naive_forecasts
from trainers.data.naive.forecast import NaiveForecast
from trainers.data.naive.outcome import Metrics, NaiveMetrics
from trainers.data.naive.places import Places, Truth, places_of, truth_at
from trainers.data.own_units import trained_units
from trainers.errors import ConfigError, DataError
from trainers.learning import losses
from trainers.learning.judged import answer_metrics, need_answers
from trainers.learning.judged import judged as as_judged
from trainers.learning.metrics import Tally
from trainers.packs.parts import PartName, Parts

JUDGED: tuple[PartName, ...] = ("validation", "test")
_BLOCK = 1 << 21  # answers at once


def naive_metrics(data: SequenceData, structure: Structure, asked: Asked = NOTHING) -> NaiveMetrics:
    """Fit the naive forecasts of a data set and judge them on validation and test.

    Args:
        data: The whole.
        structure: Of some trial: its readout says which targets count, its loss what is reported
            as `loss`, where a bare answer has one.
        asked: What a sweep wants to be measured beside; what a bare answer can't have is left out.

    Raises:
        DataError: memory does not suffice.
    """
    began = time.perf_counter()
    judge = replace(structure, loss=_loss(data, structure), dtype="float64")
    parts = Parts(data, judge)
    wanted = _wanted(data, judge.loss, asked) | _crps_of_points(data, structure, asked)
    if not _has_own_loss(data, structure):
        wanted.pop("loss", None)
    try:
        found, left_out = naive_forecasts(data, one_target=judge.one_target)
        there = [name for name in JUDGED if getattr(data, name) is not None]
        metrics: Metrics = {
            forecast.name: {
                str(name): judged(forecast, parts, name, judge, wanted) for name in there
            }
            for forecast in found
        }
    except MemoryError as error:
        raise DataError(f"naive forecasts need more memory than there is ({error}).") from error
    return NaiveMetrics(
        metrics,
        {forecast.name: forecast.about for forecast in found},
        {forecast.name: forecast.note for forecast in found if forecast.note},
        left_out,
        time.perf_counter() - began,
    )


def judged(
    forecast: NaiveForecast,
    parts: Parts,
    name: PartName,
    structure: Structure,
    metrics: Mapping[str, MetricType],
) -> dict[str, float]:
    """Return a forecast's metrics on a part, those that are finite."""
    data, part = parts.data, getattr(parts.data, name)
    tally = Tally(data, structure, metrics=metrics)
    kept: list[tuple[Array, Truth]] = []
    for at in _blocks(part, data, structure):
        truth = truth_at(part, at)
        answers = np.asarray(forecast.answer(part, at), dtype=np.float64)
        if targets_of(data) == "values":
            answers = trained_units(data, answers, truth.rescale)
        _add(tally, structure, answers, truth)
        if need_answers(metrics):
            kept.append((answers, truth))
    tally.loss_sum, tally.loss_count = tally.plain_loss, tally.elements
    found = tally.result(parts.total_squares(name))
    if kept:
        found |= answer_metrics(_together(kept, data, structure), metrics)
    return {metric: value for metric, value in found.items() if math.isfinite(value)}


def _add(tally: Tally, structure: Structure, answers: Array, truth: Truth) -> None:
    outputs = torch.from_numpy(answers)[None]
    ids = truth.targets.dtype.kind in "iu"
    targets = torch.from_numpy(truth.targets if ids else truth.targets.astype(np.float64))[None]
    mask, rescale = (
        None if given is None else torch.from_numpy(given)[None]
        for given in (truth.mask, truth.rescale)
    )
    values = losses.elements(structure, outputs, targets)
    tally.plain_loss += float((values if mask is None else values[mask]).sum())
    tally.add(outputs, targets, mask, rescale)


def _together(kept: list[tuple[Array, Truth]], data: SequenceData, structure: Structure) -> Judged:
    """Return all answers beside their targets; a part has masks and scales of its own or none."""
    truths = [truth for _, truth in kept]
    answers, targets = (
        np.concatenate(columns)
        for columns in ([own for own, _ in kept], [truth.targets for truth in truths])
    )
    mask, rescale = (
        _joined(columns)
        for columns in ([truth.mask for truth in truths], [truth.rescale for truth in truths])
    )
    return as_judged(answers, targets, mask, rescale, data, structure)


def _joined(blocks: list[Array | None]) -> Array | None:
    there = [block for block in blocks if block is not None]
    return np.concatenate(there) if there else None


def _wanted(data: SequenceData, loss: str, asked: Asked) -> dict[str, MetricType]:
    """Return what a bare answer has of what is measured of trials."""
    found = {**epoch_metrics(data, loss), **end_metrics(data, loss)}
    for name in (*asked.names, *(own.name for own in asked.own)):
        with suppress(ConfigError):  # of a distribution, say
            found[name] = find_metric(name, data, loss, asked)
    return found


def _crps_of_points(
    data: SequenceData, structure: Structure, asked: Asked
) -> dict[str, MetricType]:
    """Return CRPS, where trials have it, for bare answers: it is their absolute error.

    Gneiting & Raftery 2007, equation 21: of a point mass it is |y - point|.
    """
    if LOSSES[structure.loss].distribution is None:
        return {}
    names = ["crps", *(name for name in asked.names if name.startswith("crps/"))]
    bare = _loss(data, structure)
    return {name: find_metric(name.replace("crps", "mae", 1), data, bare) for name in names}


def _blocks(part: SequenceSet, data: SequenceData, structure: Structure) -> Iterator[Places]:
    places = places_of(part, one_target=structure.one_target)
    return places.blocks(_BLOCK // max(data.output_size, 1))


def _is_bare(structure: Structure) -> bool:
    """Return whether a loss is of an answer itself, not of a distribution about it."""
    loss = LOSSES[structure.loss]
    return loss.point is None and loss.width(structure) == 1


def _loss(data: SequenceData, structure: Structure) -> str:
    return structure.loss if _is_bare(structure) else losses_for(data)[0]


def _has_own_loss(data: SequenceData, structure: Structure) -> bool:
    """Return whether trials' `loss` is the plain mean of a bare answer's."""
    plain = structure.loss_reduction == "valid_step" and data.class_weights is None
    return plain and _is_bare(structure)
