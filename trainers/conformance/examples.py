"""Small data and packs that the checks share: float64, so that what differs is no rounding."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from trainers.config.measured import NOTHING, Asked
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.learning.checkpoint import Checkpoint, read_checkpoint
from trainers.learning.reports import EpochReport
from trainers.packs.pack import Pack

Pattern = Literal["none", "prefix", "gaps"]
PATTERNS: tuple[Pattern, ...] = ("none", "prefix", "gaps")
FEATURES, OUTPUTS, ROWS, STEPS = 3, 2, 14, 9
CONFIG = TrainConfig(
    hidden_size=4, num_layers=2, batch_size=5, max_epochs=2, readout="every", dtype="float64",
    tbptt_forward_steps=4, learning_rate=0.02,
)  # fmt: skip


def mask_of(pattern: Pattern) -> Array | None:
    """Return `(rows, steps)`: all steps, padding on the right, or gaps and late starts too."""
    if pattern == "none":
        return None
    mask: Array = np.arange(STEPS) < (np.arange(ROWS) % STEPS + 1)[:, None]
    if pattern == "gaps":
        mask[3, 1:3] = mask[7, :5] = False
    return mask


def data_of(targets: str = "values", pattern: Pattern = "none", **fields: Any) -> SequenceData:
    """Return sequences whose targets follow from their inputs; what is masked holds NaN.

    Args:
        targets: `values`, class `ids` or `labels`, as `LossType.targets`; or `counts`.
        pattern: How steps are masked; the last batch is short.
        fields: Of `SequenceData`.
    """
    task: Any = "regression" if targets in ("values", "counts") else "classification"
    train, validation = (_part(targets, mask_of(pattern), seed) for seed in (0, 1))
    data = SequenceData(
        "example", task, train, validation, None, FEATURES, OUTPUTS, digest="digest"
    )
    return replace(data, **fields)


def _part(targets: str, mask: Array | None, seed: int) -> SequenceSet:
    inputs = np.random.default_rng(seed).normal(size=(ROWS, STEPS, FEATURES))
    values = np.cumsum(inputs[..., :OUTPUTS], axis=1) * 0.3
    if targets == "ids":
        return SequenceSet(_blank(inputs, mask), values.argmax(-1), mask, mask)
    if targets == "counts":
        values = np.abs(values * 5).round()
    if targets == "labels":
        values = (values > 0).astype(np.float64)
    return SequenceSet(_blank(inputs, mask), _blank(values, mask), mask, mask)


def _blank(values: Array, mask: Array | None) -> Array:
    return values if mask is None else np.where(mask[..., None], values, np.nan)


def pack_of(configs: Sequence[TrainConfig], data: SequenceData, **options: Any) -> Pack:
    """Return a pack that holds these trials, slot by slot."""
    objective = Objective("loss", "minimize")
    pack = Pack(configs[0].structure(), data, objective, slots=len(configs), **options)
    for slot, config in enumerate(configs):
        pack.admit(slot, config)
    return pack


def finished(pack: Pack) -> dict[int, list[EpochReport]]:
    """Train every slot to its end; return its reports, without times."""
    reports: dict[int, list[EpochReport]] = {}
    while ended := pack.train_epoch():
        for report in ended:
            own = replace(report, train_seconds=0.0, slot=0)
            reports.setdefault(report.slot, []).append(own)
    return reports


def saved(pack: Pack, slot: int = 0) -> Checkpoint:
    """Return what a slot's checkpoint holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.safetensors"
        pack.save(slot, path)
        return read_checkpoint(path)


def assert_packed_is_solo(
    configs: Sequence[TrainConfig],
    data: SequenceData,
    backend: str = "stepwise",
    asked: Asked = NOTHING,
) -> None:
    """Train configurations as one program, and each alone: weights and reports must agree."""
    pack = pack_of(configs, data, backend=backend, asked=asked)
    together = finished(pack)
    for slot, config in enumerate(configs):
        solo = pack_of([config], data, asked=asked)
        reports = finished(solo)[0]
        mine, alone = (saved(*of).tensors["weights"] for of in ((pack, slot), (solo, 0)))
        torch.testing.assert_close(mine, alone, rtol=1e-8, atol=1e-9)
        for one, other in zip(together[slot], reports, strict=True):
            torch.testing.assert_close(_numbers(one), _numbers(other), rtol=1e-7, atol=1e-9)


def _numbers(report: EpochReport) -> dict[str, Any]:
    values = {name: v for name, v in asdict(report).items() if isinstance(v, int | float | dict)}
    return {name: v for name, v in values.items() if not isinstance(v, bool)}
