"""The files beside a portable model's config.json: its weights, perhaps its calibration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from trainers.config.train_config import TrainConfig
from trainers.data.interface import Interface
from trainers.errors import CheckpointError, ConfigError
from trainers.learning.checkpoint import Checkpoint
from trainers.network.parameters import Layout
from trainers.use.intervals import Calibration

WEIGHTS_FILE = "weights.safetensors"
CALIBRATION_FILE = "calibration.json"


def calibration_in(folder: Path) -> Calibration | None:
    """Read how a model was calibrated; None where it was not."""
    path = folder / CALIBRATION_FILE
    return Calibration.read(path) if path.is_file() else None


def network_in(folder: Path, values: Mapping[str, Any]) -> tuple[Checkpoint, Interface]:
    """Read a model's weights, as a checkpoint that was never trained on.

    Args:
        folder: The model's.
        values: What its config.json says.

    Raises:
        CheckpointError: the two don't go together, or one is damaged.
    """
    try:
        interface = Interface.from_dict(values["data"])
        config = TrainConfig.from_mapping(values["training"])
        layout = Layout.of(config.structure(), interface.input_size, interface.output_size)
        named = load_file(folder / WEIGHTS_FILE)
        flat = torch.zeros(1, layout.size, dtype=getattr(torch, config.dtype))
        for name, view in layout.views(flat).items():
            if named[name].shape != view[0].shape:
                raise ValueError(f"{name} has shape {tuple(named[name].shape)}")
            view[0].copy_(named[name])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, ConfigError) as error:
        raise CheckpointError(f"the model in {folder} can't be read: {error!r}.") from error
    saved = Checkpoint(
        config=config,
        data_digest=interface.digest,
        input_size=interface.input_size,
        output_size=interface.output_size,
        progress={"best_epoch": 0},
        layout=[],
        tensors={"weights": flat[0]},
    )
    return saved, interface
