"""Aligned sequences, divided into parts, as one data set: scaled, padded, under masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainers.data.classes import ClassWeights, class_weights, missing_classes_note
from trainers.data.contract import Array, Category, SequenceData, SequenceSet, TargetTransform, Task
from trainers.data.padding import padded
from trainers.data.scaling import ColumnScaler, Scaling, fit_scaler, joined
from trainers.data.sequences.alignment import Aligned
from trainers.errors import DataError


@dataclass(frozen=True)
class Layout:
    """What the sequences are to become, beside their numbers.

    Attributes:
        targets: One name per output (regression) or per class (classification).
        one_target: Whether each sequence has a single target, at its last existing step.
        scaling: Of inputs, and of targets unless `scale_targets` is false.
        target_transform: What was done to targets.
    """

    name: str
    task: Task
    targets: tuple[str, ...]
    one_target: bool
    scaling: Scaling
    class_weights: ClassWeights
    units: str
    scale_targets: bool = True
    target_transform: TargetTransform = "none"


@dataclass(frozen=True)
class Inputs:
    """What sequences bring, as a network reads it.

    Attributes:
        values: By sequence `(time, features)`, scaled; 0 where there is nothing.
        names: One a feature.
        scale: `(features,)`; values are `(raw - shift) / scale`.
        shift: See `scale`.
        categories: Features that hold ids.
    """

    values: Sequence[Array]
    names: tuple[str, ...]
    scale: Array
    shift: Array
    categories: tuple[Category, ...] = ()


def scaled_inputs(
    names: tuple[str, ...], sequences: Sequence[Aligned], train: Array, scaling: Scaling
) -> Inputs:
    """Scale the inputs of sequences, fitted on the training ones.

    Args:
        names: One a feature.
        sequences: All of them.
        train: Numbers of the training ones.
        scaling: The formula.

    Raises:
        DataError: every training step misses an input.
    """
    own = [sequences[row] for row in train]
    steps = np.concatenate([one.inputs[one.brought & one.exists] for one in own])
    if len(steps) == 0:
        raise DataError("no training step is without a missing input; leave out a column.")
    scaler = fit_scaler(steps, scaling)
    values = [
        np.where(one.brought[:, None], np.nan_to_num(scaler.apply(one.inputs)), 0)
        for one in sequences
    ]
    return Inputs(values, names, scaler.scale, scaler.shift)


def assemble(
    layout: Layout,
    sequences: Sequence[Aligned],
    inputs: Inputs,
    rows: Mapping[str, Array],
    notes: Sequence[str],
) -> SequenceData:
    """Scale the targets and pad the sequences of every part.

    Args:
        layout: What they are to become.
        sequences: All of them.
        inputs: Of each of them.
        rows: Each part's, by number; train and validation are there, test may be.
        notes: What a person should know of them.

    Raises:
        DataError: nothing is left to fit the scaling to, or the class weights don't fit.
    """
    train = [sequences[row] for row in rows["train"]]
    target_scaler = _target_scaler(train, layout)
    sets = {
        part: _part(
            [sequences[row] for row in own], [inputs.values[row] for row in own], target_scaler
        )
        for part, own in rows.items()
    }
    is_regression = target_scaler is not None
    extra = [] if is_regression else missing_classes_note(sets["train"], layout.targets)
    return SequenceData(
        name=layout.name,
        task=layout.task,
        train=sets["train"],
        validation=sets["validation"],
        test=sets.get("test"),
        input_size=len(inputs.names),
        output_size=len(layout.targets),
        digest="",
        target_scale=target_scaler.scale if target_scaler is not None else None,
        target_shift=target_scaler.shift if target_scaler is not None else None,
        target_names=layout.targets,
        units=layout.units,
        target_transform=layout.target_transform,
        one_target=layout.one_target,
        notes=(*notes, *_counts(sets), *extra),
        class_weights=(
            None
            if is_regression
            else class_weights(layout.class_weights, sets["train"], layout.targets)
        ),
        input_scale=inputs.scale,
        input_shift=inputs.shift,
        input_names=inputs.names,
        categories=inputs.categories,
        ids={part: tuple(sequences[row].name for row in own) for part, own in rows.items()},
    )


def _target_scaler(train: Sequence[Aligned], layout: Layout) -> ColumnScaler | None:
    """Fit each output on its own valid targets; None for classes."""
    if layout.task == "classification":
        return None
    targets = np.concatenate([one.targets for one in train])
    scalers = []
    for name, column in zip(layout.targets, targets.T, strict=True):
        valid = column[~np.isnan(column)]
        if len(valid) == 0:
            raise DataError(f"target {name!r} is missing in the whole training part.")
        scaling = layout.scaling if layout.scale_targets else "none"
        scalers.append(fit_scaler(valid[:, None], scaling))
    return joined(scalers)


def _part(
    sequences: Sequence[Aligned], values: Sequence[Array], target_scaler: ColumnScaler | None
) -> SequenceSet:
    inputs, in_length = padded([one.astype(np.float32, copy=False) for one in values])
    exists, _ = padded([one.exists for one in sequences], fill=False)
    targets, _ = padded([one.targets for one in sequences], fill=np.nan)
    shown = ~np.isnan(targets)
    return SequenceSet(
        inputs=inputs,
        targets=_targets(targets, target_scaler),
        input_mask=None if in_length is None and exists.all() else exists,
        target_mask=_target_mask(shown),
    )


def _targets(values: Array, scaler: ColumnScaler | None) -> Array:
    if scaler is None:
        return np.nan_to_num(values[..., 0]).astype(np.int64)
    return np.nan_to_num(scaler.apply(values)).astype(np.float32)


def _target_mask(shown: Array) -> Array | None:
    """`(sequences, time)`, or by output where only some are missing; None when all are shown."""
    if shown.all():
        return None
    steps = np.asarray(shown.all(axis=2))
    return steps if (steps == shown.any(axis=2)).all() else shown


def _counts(sets: Mapping[str, SequenceSet]) -> list[str]:
    lines = []
    for name, part in sets.items():
        gaps = 0 if part.input_mask is None else _gaps(np.asarray(part.input_mask))
        tail = f", {gaps} of their steps are gaps" if gaps else ""
        lines.append(f"{name}: {len(part)} sequences of up to {part.time_steps} steps{tail}")
    return lines


def _gaps(mask: Array) -> int:
    """Masked steps before a row's last existing one."""
    steps = mask.shape[1]
    lengths = steps - mask[:, ::-1].argmax(axis=1)
    return int(lengths.sum() - mask.sum())
