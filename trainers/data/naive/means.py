"""What needs no fit but a mean: the newest value, that of a season ago, the training mean."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array, Picked, SequenceData, SequenceSet
from trainers.data.naive.forecast import NaiveForecast, NotPossible
from trainers.data.naive.places import Places, places_of, truth_at
from trainers.data.own_units import own_units

_BLOCK = 1 << 16


def persistence(data: SequenceData, *, one_target: bool) -> NaiveForecast:
    """Return the forecast that repeats the newest known value.

    Raises:
        NotPossible: the data don't tell it.
    """
    return _repeated(data, "persistence", one_target)


def seasonal(data: SequenceData, *, one_target: bool) -> NaiveForecast:
    """Return the forecast that repeats the newest value whole seasons before.

    Raises:
        NotPossible: the data have no season, or don't tell a target's past.
    """
    return _repeated(data, "seasonal", one_target)


def mean(data: SequenceData, *, one_target: bool) -> NaiveForecast:
    """Return the forecast that answers each output's training mean."""
    found = training_mean(data, one_target=one_target)
    return NaiveForecast(
        "mean", "the training part's mean", lambda part, at: np.tile(found, (len(at), 1))
    )


def training_mean(data: SequenceData, *, one_target: bool) -> Array:
    """Return the mean of each output over the training part's valid targets, in own units."""
    sums = counts = np.zeros(data.output_size)
    for places in places_of(data.train, one_target=one_target).blocks(_BLOCK):
        truth = truth_at(data.train, places)
        values = own_units(data, truth.targets.astype(np.float64), truth.rescale)
        shown = np.ones(values.shape, np.bool_) if truth.mask is None else truth.mask
        sums = sums + np.where(shown, values, 0.0).sum(axis=0)
        counts = counts + shown.sum(axis=0)
    return np.asarray(sums / np.maximum(counts, 1))


def _repeated(data: SequenceData, name: str, one_target: bool) -> NaiveForecast:
    judged = [part for part in (data.validation, data.test) if part is not None]
    told = [_known(part, name) for part in judged]
    if not one_target:
        raise NotPossible("each step has a target, but the past is told where a window ends")
    if name == "seasonal" and data.season is None and data.validation.latest is not None:
        raise NotPossible("the data have no season that their training part holds")
    if any(values is None for values in told):
        raise NotPossible("the data don't tell what was known of a target before it")
    fallback = training_mean(data, one_target=one_target)
    gaps = sum(int(np.isnan(np.asarray(values)).any(axis=1).sum()) for values in told)

    def answer(part: SequenceSet, places: Places) -> Array:
        values = _known(part, name)
        assert values is not None
        found = np.asarray(values[places.rows], dtype=np.float64)
        newest = found if part.latest is None else np.asarray(part.latest[places.rows])
        found = np.where(np.isnan(found), newest, found)
        return np.where(np.isnan(found), fallback, found)

    instead = "the training mean" if name == "persistence" else "the newest value"
    return NaiveForecast(
        name,
        "the newest known value"
        if name == "persistence"
        else f"the value {data.season} rows before, a season",
        answer,
        f"{gaps} targets had none known; {instead} stands for it" if gaps else "",
    )


def _known(part: SequenceSet, name: str) -> Array | Picked | None:
    return part.latest if name == "persistence" else part.season_ago
