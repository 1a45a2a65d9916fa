"""What several trials say of the same targets, in one form: numbers in own units, or probabilities.

Trials may have been trained on other choices of the data, so with other scales, and with other
losses. Means are taken where they mean something: of answers in own units, of probabilities, of
quantiles of the same levels (Vincent's average). Of distributions only their points are averaged,
which gives the mixture's mean; its likelihood or CRPS is not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from trainers.config.losses import LOSSES
from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.own_units import own_units, trained_units
from trainers.errors import DataError
from trainers.learning import losses
from trainers.network.masks import Array
from trainers.packs.answers import Answers

_SMALLEST = 1e-12  # a probability that is 0 in every member would have no logarithm


@dataclass(frozen=True)
class Spoken:
    """What one trial says of a part.

    Attributes:
        answers: Its head's outputs for every target of the part.
        part: The part of its data.
        data: What it was trained on.
        structure: Its structure.
    """

    answers: Answers
    part: SequenceSet
    data: SequenceData
    structure: Structure


@dataclass(frozen=True)
class Predictions:
    """What trials say of the same targets, in the order of the targets' origins.

    Attributes:
        said: `(trials, targets, outputs · each)` float64, in own units, or probabilities; `each` is
            the number of quantiles where all trials have the same.
        targets: `(targets, outputs)` as the first trial's network is trained on them, or class ids.
        mask: `(targets, outputs)` where single outputs are masked, otherwise None.
        rows: `(targets,)` which sequence of the part each target is of.
        data: The first trial's.
        structure: The first trial's, with the loss whose outputs the means are.
    """

    said: Array
    targets: Array
    mask: Array | None
    rows: Array
    data: SequenceData
    structure: Structure

    @classmethod
    def of(cls, spoken: Sequence[Spoken]) -> Predictions:
        """Bring what trials say to one form.

        Raises:
            DataError: they are not about the same targets.
        """
        counts = {len(one.answers) for one in spoken}
        if len(counts) > 1:
            raise DataError(
                f"trials that are combined must judge the same targets, but have {sorted(counts)}."
            )
        structure = _common_structure([one.structure for one in spoken])
        whole = structure == spoken[0].structure
        orders = [_order(one) for one in spoken]
        said = [_said(one, whole)[order] for one, order in zip(spoken, orders, strict=True)]
        first, order = spoken[0], orders[0]
        mask, targets = first.answers.mask, first.answers.targets
        if first.data.task == "regression":
            own = own_units(first.data, targets.astype(np.float64), first.answers.rescale)
            targets = trained_units(first.data, own)
        return cls(
            np.stack(said),
            targets[order],
            None if mask is None else mask[order],
            first.answers.rows[order],
            first.data,
            structure,
        )

    def mean(self, counts: Array) -> Array:
        """Return the mean of what trials say, each counted so often: a head's outputs.

        Args:
            counts: `(trials,)`, their sum above 0.

        Returns:
            `(targets, outputs · each)` as the first trial's network would say it.
        """
        weights = np.asarray(counts, dtype=np.float64) / np.sum(counts)
        mean = np.tensordot(weights, self.said, axes=1)
        kind = LOSSES[self.structure.loss].targets
        if kind == "values":
            outputs = mean.reshape(len(mean), self.data.output_size, -1)
            by_level = [trained_units(self.data, one) for one in np.moveaxis(outputs, -1, 0)]
            return np.stack(by_level, axis=-1).reshape(mean.shape)
        logs: Array = np.log(np.clip(mean, _SMALLEST, None))
        return logs if kind == "ids" else logs - np.log(np.clip(1 - mean, _SMALLEST, None))


def _common_structure(structures: Sequence[Structure]) -> Structure:
    """Return the first structure, with the loss whose outputs are what means are taken of."""
    first = structures[0]
    loss = LOSSES[first.loss]
    alike = all((s.loss, loss.settings_of(s)) == (first.loss, loss.settings_of(first))
                for s in structures)  # fmt: skip
    if alike and (loss.point is None or first.loss == "quantile"):
        return first
    plain = {"values": "mse", "ids": "cross_entropy", "labels": "binary_cross_entropy"}
    return replace(first, loss=plain[loss.targets])


def _said(one: Spoken, whole: bool) -> Array:
    """Return `(targets, outputs · each)` in own units, or probabilities.

    Args:
        one: The trial.
        whole: Whether all outputs of its head are taken, not its points alone.
    """
    outputs, kind = torch.from_numpy(one.answers.outputs), LOSSES[one.structure.loss].targets
    if not whole or kind != "values":
        outputs = losses.point(one.structure, outputs)
    if kind != "values":
        logits = outputs.double()
        found = torch.softmax(logits, -1) if kind == "ids" else torch.sigmoid(logits)
        return np.asarray(found.numpy())
    if outputs.shape[-1] > one.data.output_size:
        outputs = outputs.reshape(len(outputs), one.data.output_size, -1).sort(-1).values
    values = outputs.double().numpy().reshape(len(outputs), one.data.output_size, -1)
    rescale = one.answers.rescale
    levels = [own_units(one.data, level, rescale) for level in np.moveaxis(values, -1, 0)]
    return np.stack(levels, axis=-1).reshape(len(values), -1)


def _order(one: Spoken) -> Array:
    """Return the targets' order by where they come from, which is the same for every trial."""
    rows, part = one.answers.rows, one.part
    origins = rows if part.origins is None else np.asarray(part.origins)[rows]
    series = np.zeros_like(rows) if part.series is None else np.asarray(part.series)[rows]
    return np.lexsort((one.answers.steps, series, origins))
