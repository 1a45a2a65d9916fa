"""Naive forecasts judged by the formulas, and on exactly the targets, that trials are judged by."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from trainers.config.losses import LOSSES, losses_for, targets_of
from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.naive.choosing import naive_forecasts
from trainers.data.naive.forecast import NaiveForecast
from trainers.data.naive.outcome import Metrics, NaiveMetrics
from trainers.data.naive.places import Places, places_of, truth_at
from trainers.data.own_units import trained_units
from trainers.errors import DataError
from trainers.learning import losses
from trainers.learning.metrics import Tally
from trainers.packs.parts import PartName, Parts

JUDGED: tuple[PartName, ...] = ("validation", "test")
_BLOCK = 1 << 21  # answers at once


def naive_metrics(data: SequenceData, structure: Structure) -> NaiveMetrics:
    """Fit the naive forecasts of a data set and judge them on validation and test.

    Args:
        data: The whole.
        structure: Of some trial: its readout says which targets count, its loss what is reported
            as `loss`, where a bare answer has one.

    Raises:
        DataError: memory does not suffice.
    """
    began = time.perf_counter()
    judge = replace(structure, loss=_loss(data, structure), dtype="float64")
    parts = Parts(data, judge)
    try:
        found, left_out = naive_forecasts(data, one_target=judge.one_target)
        there = [name for name in JUDGED if getattr(data, name) is not None]
        metrics: Metrics = {
            forecast.name: {str(name): judged(forecast, parts, name, judge) for name in there}
            for forecast in found
        }
    except MemoryError as error:
        raise DataError(f"naive forecasts need more memory than there is ({error}).") from error
    if not _has_own_loss(data, structure):
        for by_part in metrics.values():
            for values in by_part.values():
                values.pop("loss", None)
    return NaiveMetrics(
        metrics,
        {forecast.name: forecast.about for forecast in found},
        {forecast.name: forecast.note for forecast in found if forecast.note},
        left_out,
        time.perf_counter() - began,
    )


def judged(
    forecast: NaiveForecast, parts: Parts, name: PartName, structure: Structure
) -> dict[str, float]:
    """Return a forecast's metrics on a part, those that are finite."""
    data, part = parts.data, getattr(parts.data, name)
    tally = Tally(data, structure)
    for at in _blocks(part, data, structure):
        truth = truth_at(part, at)
        answers = forecast.answer(part, at)
        if targets_of(data) == "values":
            answers = trained_units(data, answers, truth.rescale)
        outputs = torch.from_numpy(np.ascontiguousarray(answers, dtype=np.float64)).unsqueeze(0)
        targets, mask, rescale = (
            None if given is None else torch.from_numpy(np.array(given)).unsqueeze(0)
            for given in (truth.targets, truth.mask, truth.rescale)
        )
        assert targets is not None
        if targets.is_floating_point():
            targets = targets.double()
        values = losses.elements(structure, outputs, targets)
        tally.plain_loss += float((values if mask is None else values[mask]).sum())
        tally.add(outputs, targets, mask, rescale)
    tally.loss_sum, tally.loss_count = tally.plain_loss, tally.elements
    found = tally.result(parts.total_squares(name))
    return {metric: value for metric, value in found.items() if math.isfinite(value)}


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
