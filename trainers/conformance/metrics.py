"""What every metric must keep: masks, batches and packs change nothing, files go on with it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.metrics import METRICS, metric_names
from trainers.conformance.examples import (
    CONFIG,
    OUTPUTS,
    assert_packed_is_solo,
    data_of,
    finished,
    pack_of,
    saved,
)
from trainers.data.contract import SequenceData
from trainers.learning.metrics import Tally

_WANTED = 12


def value_of(
    name: str, loss: str, outputs: Tensor, targets: Tensor, mask: Tensor | None = None, **data: Any
) -> float | None:
    """Return a metric of some predictions, to be held against a number worked out by hand.

    Args:
        name: The metric's.
        loss: A loss that it goes with.
        outputs: `(wanted, outputs)`, as the network gives them.
        targets: Alike, or class ids `(wanted,)`.
        mask: `(wanted, outputs)`, True where an element counts.
        data: Fields of `SequenceData`, as `target_scale`.
    """
    made = data_of(LOSSES[loss].targets, output_size=outputs.shape[-1], **data)
    tally = _tally(made, loss)
    tally.add(outputs[None], targets[None], None if mask is None else mask[None])
    return tally.result(np.full(outputs.shape[-1], float(len(outputs)))).get(name)


def check_masks(name: str) -> None:
    """Leave elements out, whatever they hold, or do not have them at all: it is the same number."""
    for loss, data in _homes(name):
        outputs, targets = _drawn(loss, data)
        keep = torch.arange(_WANTED) % 3 > 0
        mask = keep[:, None].expand(-1, 1 if targets.dim() == 1 else OUTPUTS)
        wild = torch.where(keep[:, None], outputs, torch.nan)
        masked, without = _tally(data, loss), _tally(data, loss)
        masked.add(wild[None], targets[None], mask[None])
        without.add(outputs[None, keep], targets[None, keep])
        _assert_same(name, masked, without)


def check_batches(name: str) -> None:
    """Add predictions up in one go or some at a time: it is the same number."""
    for loss, data in _homes(name):
        outputs, targets = _drawn(loss, data)
        whole, parts = _tally(data, loss), _tally(data, loss)
        whole.add(outputs[None], targets[None])
        for some in (slice(0, 1), slice(1, 7), slice(7, None)):
            parts.add(outputs[None, some], targets[None, some])
        _assert_same(name, whole, parts)


def check_packed(name: str) -> None:
    """Report the same whether trials run as one program or alone, and go on from a file."""
    for loss, data in list(_homes(name))[:1]:
        base = replace(CONFIG, loss=loss, max_epochs=1)
        fields = {"vocabulary_size": data.vocabulary_size, "target_scale": data.target_scale}
        masked = data_of(LOSSES[loss].targets, "gaps", **fields)
        assert_packed_is_solo([base, replace(base, seed=1)], masked)
        assert_packed_is_solo([base, replace(base, seed=1)], data, "eager")
        assert name in finished(pack_of([base], data))[0][0].validation


def check_checkpoint(name: str) -> None:
    """Save within an epoch, and go on elsewhere with the same sums."""
    for loss, data in list(_homes(name))[:1]:
        config = replace(CONFIG, loss=loss)
        pack, after = pack_of([config], data), pack_of([config], data)
        pack.train(0, 0.0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trial.safetensors"
            pack.save(0, path)
            after.admit(0, config, path)
        one, other = saved(pack), saved(after)
        torch.testing.assert_close(one.tensors, other.tensors, rtol=0, atol=0)
        assert one.progress["tally"] == other.progress["tally"]


CHECKS: tuple[Callable[[str], None], ...] = (
    check_masks,
    check_batches,
    check_packed,
    check_checkpoint,
)


def _homes(name: str) -> Iterator[tuple[str, SequenceData]]:
    """Yield the losses that have a metric, and data of each; classes are the vocabulary as well."""
    kinds = METRICS[name].targets
    for loss, facts in LOSSES.items():
        data = data_of(facts.targets, target_scale=np.array([2.0, 0.5]), vocabulary_size=OUTPUTS)
        if name in metric_names(data, loss):
            kinds = ()
            yield loss, data
    assert not kinds, f"{name} is of targets that are {kinds}, but no loss has it"


def _drawn(loss: str, data: SequenceData) -> tuple[Tensor, Tensor]:
    """Return outputs `(wanted, ·)` of one trial's head, and targets."""
    targets = torch.from_numpy(data.train.targets[:2])
    targets = targets.reshape(-1, *targets.shape[2:])[:_WANTED]
    width = OUTPUTS * LOSSES[loss].width(replace(CONFIG, loss=loss).structure())
    generator = torch.Generator().manual_seed(0)
    return torch.randn(_WANTED, width, generator=generator, dtype=torch.float64), targets


def _tally(data: SequenceData, loss: str) -> Tally:
    tally = Tally(data, replace(CONFIG, loss=loss).structure())
    tally.loss_sum = tally.loss_count = tally.plain_loss = 1.0
    return tally


def _assert_same(name: str, one: Tally, other: Tally) -> None:
    mine, theirs = (tally.result(np.ones(OUTPUTS)) for tally in (one, other))
    assert name in mine, f"{name} has no value"
    np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-12, err_msg=name)
