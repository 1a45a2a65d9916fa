"""Naive classification: the most frequent class, and logistic regression on simple features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.naive.forecast import NaiveForecast, NotPossible
from trainers.data.naive.places import Places, existing, places_of, truth_at
from trainers.data.naive.regression import fit_classes

_BLOCK = 1 << 21
_MOST_NUMBERS = 2e7  # rows times features of the training part
_MOST_LABELS = 50


def majority(data: SequenceData, *, one_target: bool) -> NaiveForecast:
    """Return the forecast that answers with the shares that training has of each class or label."""
    found = frequencies(data, one_target=one_target)
    if data.train.targets.ndim == 2:
        about, answer = "the most frequent class", np.log(found)
    else:
        about, answer = "whatever is more frequent of each label", np.log(found / (1 - found))
    return NaiveForecast("majority", about, lambda part, at: np.tile(answer, (len(at), 1)))


def frequencies(data: SequenceData, *, one_target: bool) -> Array:
    """Return the share of each class or label among training's targets, `(classes,)`.

    One is added to every count (Laplace), so that none is impossible.
    """
    counts, total = np.ones(data.output_size), 0.0
    ids = data.train.targets.ndim == 2
    for places in places_of(data.train, one_target=one_target).blocks(_BLOCK):
        truth = truth_at(data.train, places)
        if ids:
            counts += np.bincount(truth.targets, minlength=data.output_size)
        else:
            shown = True if truth.mask is None else truth.mask
            counts += (shown & (truth.targets > 0.5)).sum(axis=0)
            total = total + (len(places) if truth.mask is None else truth.mask.sum(axis=0))
    return np.asarray(counts / (counts.sum() if ids else total + 2.0))


def logistic(data: SequenceData, *, one_target: bool) -> NaiveForecast:
    """Return logistic regression on each sequence's mean and last inputs.

    Raises:
        NotPossible: inputs are token ids, each step has a target, or there is one class.
    """
    if data.train.inputs.ndim == 2:
        raise NotPossible("inputs are token ids")
    if not one_target:
        raise NotPossible("each step has a target")
    columns = np.setdiff1d(np.arange(data.input_size), [c.feature for c in data.categories])
    if not len(columns):
        raise NotPossible("no input is a number")

    def features(part: SequenceSet, places: Places) -> Array:
        return means_and_last(part, places, columns)

    places = places_of(data.train, one_target=True)
    used = places.thinned(max(int(_MOST_NUMBERS / (2 * len(columns))), 2))
    answer = fitted(data, used, features)
    note = "" if len(used) == len(places) else f"fitted on {len(used)} of {len(places)} sequences"
    about = "logistic regression on each sequence's mean and last inputs"
    return NaiveForecast("logistic", about, answer, note)


def means_and_last(part: SequenceSet, places: Places, columns: Array) -> Array:
    """Return `(targets, 2 · columns)`: means over the steps that exist, and the last of them."""
    found = np.empty((len(places), 2 * len(columns)))
    rows_at_once, done = max(1, _BLOCK // (part.time_steps * part.inputs.shape[2])), 0
    for block in places.blocks(rows_at_once):
        inputs = np.asarray(part.inputs[block.rows])[..., columns]
        shown = existing(part, block.rows)
        total = np.where(shown[..., None], inputs, 0.0).sum(axis=1, dtype=np.float64)
        last = shown.shape[1] - 1 - shown[:, ::-1].argmax(axis=1)
        own = found[done : done + len(block)]
        own[:, : len(columns)] = total / np.maximum(shown.sum(axis=1), 1)[:, None]
        own[:, len(columns) :] = inputs[np.arange(len(block)), last]
        done += len(block)
    return found


def fitted(
    data: SequenceData, places: Places, features: Callable[[SequenceSet, Places], Any]
) -> Callable[[SequenceSet, Places], Array]:
    """Fit classes, or each label, to features of training places; return what answers.

    Raises:
        NotPossible: training has one class only, or there are too many labels.
    """
    truth = truth_at(data.train, places)
    inputs = features(data.train, places)
    judged = places_of(data.validation, one_target=True)
    judged_inputs, judged_truth = (
        features(data.validation, judged),
        truth_at(data.validation, judged),
    )
    if truth.targets.ndim == 1:
        model = fit_classes((inputs, truth.targets), (judged_inputs, judged_truth.targets))
        least = np.log(1.0 / (len(places) + data.output_size))

        def classes(part: SequenceSet, at: Places) -> Array:
            found = np.full((len(at), data.output_size), least)
            found[:, model.classes_] = np.maximum(
                model.predict_log_proba(features(part, at)), least
            )
            return found

        return classes
    if data.output_size > _MOST_LABELS:
        raise NotPossible(f"there are more than {_MOST_LABELS} labels")
    models = []
    for label in range(data.output_size):
        shown, theirs = (
            np.ones(len(t.targets), np.bool_) if t.mask is None else t.mask[:, label]
            for t in (truth, judged_truth)
        )
        models.append(
            fit_classes(
                (inputs[shown], truth.targets[shown, label].astype(np.int64)),
                (judged_inputs[theirs], judged_truth.targets[theirs, label].astype(np.int64)),
            )
        )

    def labels(part: SequenceSet, at: Places) -> Array:
        own = features(part, at)
        return np.stack([model.decision_function(own) for model in models], axis=1)

    return labels
