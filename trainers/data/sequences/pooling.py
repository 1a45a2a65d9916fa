"""Folds of any source of whole sequences: its training and validation parts divided anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainers.data.common_targets import taken
from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.folds import Folds, fold_line, held_out, rows_of_folds, told
from trainers.errors import DataError


def over_sequences(
    data: SequenceData, folds: Folds, source: str, options: Mapping[str, Any]
) -> list[SequenceData]:
    """Divide the training and validation sequences of a data set anew, once for each fold.

    Scaling and vocabulary stay those of the source; a note says so. Nothing is copied for a fold.

    Raises:
        DataError: the data are a stream, or have fewer sequences than folds.
    """
    if data.walk == "stream":
        raise DataError(
            f"data.folds={folds.count} divides rows in time or whole sequences, but source "
            f"{source!r} is one stream, which has no folds; leave data.folds out."
        )
    folds.check_sequences(source)
    pool = joined(data.train, data.validation)
    seed = options.get("seed", 0)
    groups = held_out(len(pool), folds, seed if type(seed) is int else 0, _classes(data, pool))
    ids = (*data.ids.get("train", ()), *data.ids.get("validation", ()))
    found, lines = [], []
    for train, judged in rows_of_folds(groups):
        named = {"train": train, "validation": judged} if ids else {}
        own = {part: tuple(ids[row] for row in rows) for part, rows in named.items()}
        one = dataclasses.replace(
            data,
            train=taken(pool, train),
            validation=taken(pool, judged),
            ids={**data.ids, **own},
        )
        found.append(one)
        lines.append(fold_line(train, judged))
    note = f"scaling and vocabulary of all folds are those that source {source!r} has fitted once"
    found[-1] = dataclasses.replace(found[-1], notes=(*found[-1].notes, note))
    return told(found, lines=lines)


def joined(first: SequenceSet, second: SequenceSet) -> SequenceSet:
    """Return the sequences of both parts, the shorter ones padded under masks."""
    steps = max(first.time_steps, second.time_steps)
    parts = first, second
    padded = any(part.time_steps < steps for part in parts)
    inputs = [np.asarray(part.inputs) for part in parts]
    masks = None
    if padded or any(part.input_mask is not None for part in parts):
        masks = [_mask(part.input_mask, part) for part in parts]
    shown = None
    if any(part.target_mask is not None for part in parts):
        shown = _as_deep([_shown(part) for part in parts], first.targets.shape)
    arrays: dict[str, Any] = {
        "inputs": _stacked(inputs, steps),
        "targets": _stacked([np.asarray(part.targets) for part in parts], steps),
        "input_mask": None if masks is None else _stacked(masks, steps),
        "target_mask": None if shown is None else _stacked(shown, steps),
    }
    if any(part.resets is not None for part in parts):
        none = [np.zeros(part.inputs.shape[:2], dtype=np.bool_) for part in parts]
        resets = [
            n if p.resets is None else np.asarray(p.resets)
            for p, n in zip(parts, none, strict=True)
        ]
        arrays["resets"] = _stacked(resets, steps)
    for name in ("origins", "series", "rescale", "ahead", "latest", "season_ago"):
        own = [getattr(part, name) for part in parts]
        if all(each is not None for each in own):
            arrays[name] = np.concatenate([np.asarray(each) for each in own])
    return SequenceSet(**arrays)


def _stacked(arrays: list[Array], steps: int) -> Array:
    return np.concatenate(
        [
            np.pad(one, [(0, 0), (0, steps - one.shape[1]), *[(0, 0)] * (one.ndim - 2)])
            for one in arrays
        ]
    )


def _mask(mask: Any, part: SequenceSet) -> Array:
    return np.ones(part.inputs.shape[:2], dtype=np.bool_) if mask is None else np.asarray(mask)


def _shown(part: SequenceSet) -> Array:
    return _mask(part.input_mask if part.target_mask is None else part.target_mask, part)


def _as_deep(masks: list[Array], shape: tuple[int, ...]) -> list[Array]:
    """Masks by output where one of them is."""
    if all(mask.ndim == 2 for mask in masks):
        return masks
    return [
        mask if mask.ndim == 3 else np.repeat(mask[..., None], shape[2], axis=2) for mask in masks
    ]


def _classes(data: SequenceData, pool: SequenceSet) -> Array | None:
    """The one class of each sequence, `(sequences,)`; None where they have none, or several."""
    if data.task != "classification" or not data.one_target or pool.targets.ndim != 2:
        return None
    shown = _shown(pool)
    last = shown.shape[1] - 1 - shown[:, ::-1].argmax(axis=1)
    return np.asarray(np.asarray(pool.targets)[np.arange(len(last)), last])
