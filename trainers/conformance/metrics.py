"""What every metric must keep: masks, batches and packs change nothing, files go on with it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.measured import Asked, find_metric, metric_names
from trainers.config.metrics import METRICS
from trainers.config.train_config import Structure
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
from trainers.learning.judged import answer_metrics, judged, need_answers
from trainers.learning.metrics import Tally

_WANTED = 12
_FIELDS = ("vocabulary_size", "target_scale", "seasonal_errors")


def value_of(
    name: str, loss: str, outputs: Tensor, targets: Tensor, mask: Tensor | None = None, **data: Any
) -> float | None:
    """Return a metric of some predictions, to be held against a number worked out by hand.

    Args:
        name: The metric's, `rmse/h1` and the like too.
        loss: A loss that it goes with.
        outputs: `(wanted, ·)`, as the network gives them.
        targets: `(wanted, outputs)`, or class ids `(wanted,)`.
        mask: `(wanted, outputs)`, True where an element counts.
        data: Fields of `SequenceData`, as `target_scale`.
    """
    size = outputs.shape[-1] if targets.dim() == 1 else targets.shape[-1]
    made = data_of(LOSSES[loss].targets, **{"output_size": size, **data})
    return _measured(name, loss, made, [(outputs, targets, mask)], squares=float(len(outputs)))


def check_masks(name: str) -> None:
    """Leave elements out, whatever they hold, or do not have them at all: it is the same number."""
    for loss, data in _homes(name):
        outputs, targets = _drawn(loss, data)
        keep = torch.arange(_WANTED) % 3 > 0
        mask = keep[:, None].expand(-1, 1 if targets.dim() == 1 else OUTPUTS)
        wild = torch.where(keep[:, None], outputs, torch.nan)
        nowhere = targets if targets.dim() == 1 else torch.where(mask, targets, torch.nan)
        masked = _measured(name, loss, data, [(wild, nowhere, mask)])
        without = _measured(name, loss, data, [(outputs[keep], targets[keep], None)])
        _assert_same(name, masked, without)


def check_batches(name: str) -> None:
    """Add predictions up in one go or some at a time: it is the same number."""
    for loss, data in _homes(name):
        outputs, targets = _drawn(loss, data)
        parts = [
            (outputs[some], targets[some], None)
            for some in (slice(0, 1), slice(1, 7), slice(7, None))
        ]
        whole = _measured(name, loss, data, [(outputs, targets, None)])
        _assert_same(name, whole, _measured(name, loss, data, parts))


def check_steps(name: str) -> None:
    """Tell the steps of a horizon apart: each is what the metric is without the others."""
    for loss, data in _homes(name) if METRICS[name].by_step else ():
        outputs, targets = _drawn(loss, data)
        ahead = replace(data, horizon=OUTPUTS)
        for step in range(OUTPUTS):
            only = torch.arange(OUTPUTS).expand(_WANTED, -1) == step
            masked = _measured(name, loss, data, [(outputs, targets, only)], step)
            by_step = _measured(f"{name}/h{step + 1}", loss, ahead, [(outputs, targets, None)])
            _assert_same(name, by_step, masked)


def check_packed(name: str) -> None:
    """Report the same whether trials run as one program or alone, and go on from a file."""
    for loss, data in list(_homes(name))[:1]:
        base = replace(CONFIG, loss=loss, max_epochs=1)
        fields = {field: getattr(data, field) for field in _FIELDS}
        masked, asked = data_of(LOSSES[loss].targets, "gaps", **fields), Asked((name,))
        assert_packed_is_solo([base, replace(base, seed=1)], masked, asked=asked)
        assert_packed_is_solo([base, replace(base, seed=1)], data, "eager", asked)
        assert name in finished(pack_of([base], data, asked=asked))[0][0].validation


def check_checkpoint(name: str) -> None:
    """Save within an epoch, and go on elsewhere with the same sums."""
    for loss, data in list(_homes(name))[:1]:
        config, asked = replace(CONFIG, loss=loss), Asked((name,))
        pack, after = pack_of([config], data, asked=asked), pack_of([config], data, asked=asked)
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
    check_steps,
    check_packed,
    check_checkpoint,
)

_Part = tuple[Tensor, Tensor, Tensor | None]


def _homes(name: str) -> Iterator[tuple[str, SequenceData]]:
    """Yield the losses that have a metric, and data of each; classes are the vocabulary as well.

    They are no vocabulary where a metric is not of one.
    """
    if not METRICS[name].targets:
        return
    found = False
    for loss, facts in LOSSES.items():
        for vocabulary in (OUTPUTS, None):
            data = data_of(
                facts.targets,
                target_scale=np.array([2.0, 0.5]),
                vocabulary_size=vocabulary,
                seasonal_errors=np.array([[1.0, 2.0], [3.0, 4.0]]),
            )
            if name in metric_names(data, loss):
                found = True
                yield loss, data
                break
    assert found, f"{name} is of targets that are {METRICS[name].targets}, but no loss has it"


def _drawn(loss: str, data: SequenceData) -> tuple[Tensor, Tensor]:
    """Return outputs `(wanted, ·)` of one trial's head, and targets."""
    targets = torch.from_numpy(data.train.targets[:2])
    targets = targets.reshape(-1, *targets.shape[2:])[:_WANTED]
    width = OUTPUTS * LOSSES[loss].width(_structure(loss))
    generator = torch.Generator().manual_seed(0)
    return torch.randn(_WANTED, width, generator=generator, dtype=torch.float64), targets


def _structure(loss: str) -> Structure:
    return replace(CONFIG, loss=loss).structure()


def _measured(
    name: str,
    loss: str,
    data: SequenceData,
    parts: Sequence[_Part],
    step: int | None = None,
    squares: float = float(_WANTED),
) -> float | None:
    """Return a metric of outputs, targets and masks.

    Args:
        name: The metric's.
        loss: A loss that it goes with.
        data: Whose targets they are.
        parts: What is added up, one after the other.
        step: The only output that counts.
        squares: SST of each output.
    """
    metrics = {name: find_metric(name, data, loss)}
    if need_answers(metrics):
        said = torch.cat([outputs for outputs, _, _ in parts]).numpy()
        truth = torch.cat([targets for _, targets, _ in parts]).numpy()
        there = parts[0][2]
        hidden = None if there is None else there.numpy().reshape(truth.shape)
        answers = judged(said, truth, hidden, None, data, _structure(loss))
        return answer_metrics(answers, metrics).get(name)
    tally = Tally(data, _structure(loss), metrics=metrics)
    tally.loss_sum = tally.loss_count = tally.plain_loss = 1.0
    for outputs, targets, mask in parts:
        tally.add(outputs[None], targets[None], None if mask is None else mask[None])
    counts = np.full(data.output_size, step is None) | (np.arange(data.output_size) == step)
    return tally.result(np.where(counts, squares, 0.0)).get(name)


def _assert_same(name: str, one: float | None, other: float | None) -> None:
    assert one is not None, f"{name} has no value"
    assert other is not None, f"{name} has no value"
    np.testing.assert_allclose(one, other, rtol=1e-12, err_msg=name)
