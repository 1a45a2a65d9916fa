"""A trial's first weights: drawn on the CPU from its seed alone, whatever pack or device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.network.cells.interface import cell_of
from trainers.network.parameters import (
    CATEGORIES,
    DECODER,
    DECODER_EMBEDDING,
    Layout,
    layer_weights,
)


def initialise(layout: Layout, flat: Tensor, config: TrainConfig) -> None:
    """Draw one trial's first weights into `flat (P,)`.

    As torch does: U(±1/√hidden) for the recurrent layers, U(±1/√fan_in) for dense layers and
    convolutions, N(0, 1) for embeddings; then what the cell makes of its own, by
    `recurrent_init`, `forget_bias` and `chrono_time_steps`. A category's row 0, the unknown, which
    training may never see, begins at the mean of the others: 0.
    """
    generator = torch.Generator().manual_seed(config.seed)
    row = torch.zeros(1, layout.size, dtype=flat.dtype)
    named = {name: view[0] for name, view in layout.views(row).items()}
    for entry in layout.entries:
        bound = 1 / math.sqrt(entry.fan)
        named[entry.name].uniform_(-bound, bound, generator=generator)
    for name in ("embedding.weight", DECODER_EMBEDDING):
        if name in named:
            named[name].normal_(generator=generator)
    for name, table in named.items():
        if name.startswith(CATEGORIES):
            table.normal_(generator=generator)
            table[0] = 0
    cell = cell_of(config.cell)
    structure = layout.structure
    stacks = [layer_weights(structure, named)]
    if structure.decodes:
        stacks.append(layer_weights(structure, named, DECODER))
    layers = [one for stack in stacks for directions in stack for one in directions]
    for weights in layers:
        cell.first_weights(weights, config, generator)
    for weights in layers:
        cell.first_biases(weights, config, generator)
    flat.copy_(row[0])
