"""A trained trial as plain `torch.nn` modules, weight for weight.

Parameters already have torch's names, shapes and gate order, so exporting is copying. Dropout is
left out: it is off when a trained network is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainers.config.cells import CELLS
from trainers.config.losses import LOSSES
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.learning.checkpoint import Checkpoint, read_checkpoint
from trainers.network.parameters import DECODER, Layout
from trainers.network.point import point
from trainers.network.stem import known_ids

Recurrent = nn.RNN | nn.GRU | nn.LSTM
ModuleState = Tensor | tuple[Tensor, Tensor]  # h, or h and c, as torch's modules have them

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "none": nn.Identity,
}
_OWN_NAMES = ("embedding", "category_embedding", "stem", "dense", "head")
_FELT_IN_USE = ("zoneout_hidden", "zoneout_cell")  # without parameters, yet evaluation feels them


class ExportedNetwork(nn.Module):
    """Embeddings, stem → recurrent stack → readout → head; parts that a trial lacks are None.

    Attributes:
        embedding: `nn.Embedding`, for ids; without it ids enter one-hot.
        category_embedding: One `nn.Embedding` for each categorical input, whose ids are whole
            numbers among the features; their vectors stand behind the other features.
        stem: `nn.Linear`, or `nn.Conv1d` that sees the past only.
        recurrent: One `nn.RNN`, `nn.GRU` or `nn.LSTM`, batch first; several, of one layer each,
            where layers differ in size or directions are summed.
        dense: Hidden layers of the head, each `nn.Linear` and its activation.
        head: `nn.Linear` to the outputs (logits for classification); with a decoder to those of
            one step.
        decoder: Of an encoder-decoder as `recurrent`, empty for others.
    """

    def __init__(self, config: TrainConfig, input_size: int, output_size: int) -> None:
        super().__init__()
        structure = config.structure()
        self.readout = config.readout
        self.input_size = input_size
        features = input_size
        self.embedding: nn.Embedding | None = None
        if structure.embedding_size is not None:
            self.embedding = nn.Embedding(input_size, features := structure.embedding_size)
        self._categories = structure.category_embeddings
        embedded = [feature for feature, _, _ in self._categories]
        self._numeric = [n for n in range(input_size) if n not in embedded]
        self.category_embedding = nn.ModuleList(
            nn.Embedding(rows, size) for _, rows, size in self._categories
        )
        features += sum(size - 1 for _, _, size in self._categories)
        self.stem: nn.Linear | nn.Conv1d | None = None
        if structure.stem == "dense":
            self.stem = nn.Linear(features, structure.stem_size)
        elif structure.stem == "conv":
            self.stem = nn.Conv1d(features, structure.stem_size, structure.stem_kernel)
        if self.stem is not None:
            features = structure.stem_size
        self.stem_activation = _ACTIVATIONS[structure.stem_activation]()
        self.summed = structure.bidirectional and structure.bidirectional_merge == "sum"
        sides = 2 if structure.bidirectional and not self.summed else 1
        self.recurrent = nn.ModuleList(_stack(config, features, sides))
        self._structure = structure
        self.decoder = nn.ModuleList()
        if structure.decodes:
            output_size //= structure.horizon
            self.decoder.extend(_stack(config, output_size + structure.ahead_size, sides))
        self._targets = output_size
        features = structure.layer_sizes[-1] * sides
        if self.readout == "all_states":
            features = sum(structure.layer_sizes) * sides
        self.dense = nn.ModuleList()
        for size in structure.head_sizes:
            self.dense.append(nn.Linear(features, size))
            features = size
        self.head_activation = _ACTIVATIONS[structure.head_activation]()
        self.head = nn.Linear(features, output_size * LOSSES[config.loss].width(structure))
        self.to(getattr(torch, config.dtype))

    def forward(
        self, inputs: Tensor, lengths: Tensor | None = None, ahead: Tensor | None = None
    ) -> Tensor:
        """Run sequences from zero state.

        Args:
            inputs: `(batch, time, features)`, or ids `(batch, time)`.
            lengths: `(batch,)` steps per row, where rows are padded on the right.
            ahead: `(batch, horizon, features)` what a decoder knows of the steps that it answers;
                needed where it was trained with any.

        Returns:
            `(batch, time, outputs)`, meant only where steps exist, or `(batch, outputs)`.
        """
        x = self._stem(inputs)
        finals, states = [], []
        for module in self.recurrent:
            x, layers, state = _run(module, x, lengths)
            if self.summed:
                x, *layers = (torch.stack(part.chunk(2, -1)).sum(0) for part in (x, *layers))
            finals.extend(layers)
            states.append(state)
        if len(self.decoder):
            return self._decode(inputs, lengths, ahead, states)
        return self._answer(self._read(x, finals, lengths))

    def _answer(self, x: Tensor) -> Tensor:
        for layer in self.dense:
            x = self.head_activation(layer(x))
        outputs: Tensor = self.head(x)
        return outputs

    def _decode(
        self,
        inputs: Tensor,
        lengths: Tensor | None,
        ahead: Tensor | None,
        states: list[ModuleState],
    ) -> Tensor:
        """Answer step by step, each step's input the answer before: `(batch, outputs)`."""
        structure, rows = self._structure, torch.arange(len(inputs))
        past = list(structure.past_targets)
        last = inputs.shape[1] - 1 if lengths is None else lengths - 1
        fed = self.head.weight.new_zeros(len(inputs), self._targets)
        fed = inputs[rows, last][:, past] if past else fed
        found = []
        for step in range(structure.horizon):
            x = fed if ahead is None else torch.cat([fed, ahead[:, step]], dim=-1)
            x = x.unsqueeze(1)
            for number, module in enumerate(self.decoder):
                x, states[number] = module(x, states[number])
            found.append(self._answer(x[:, 0]))
            fed = point(structure, found[-1])
        return torch.cat(found, dim=-1)

    def _stem(self, inputs: Tensor) -> Tensor:
        x = inputs
        if self.embedding is not None:
            x = self.embedding(x)
        elif not x.is_floating_point():
            x = F.one_hot(x.long(), self.input_size).to(self.head.weight.dtype)
        if self._categories:
            tables = zip(self._categories, self.category_embedding, strict=True)
            vectors = [table(known_ids(x[..., at], rows)) for (at, rows, _), table in tables]
            x = torch.cat([x[..., self._numeric], *vectors], dim=-1)
        if isinstance(self.stem, nn.Conv1d):
            past = self.stem.kernel_size[0] - 1
            x = self.stem(F.pad(x.transpose(1, 2), (past, 0))).transpose(1, 2)
        elif self.stem is not None:
            x = self.stem(x)
        return x if self.stem is None else self.stem_activation(x)

    def _read(self, x: Tensor, finals: list[Tensor], lengths: Tensor | None) -> Tensor:
        if self.readout == "every":
            return x
        if self.readout == "last":
            return finals[-1]
        if self.readout == "all_states":
            return torch.cat(finals, dim=-1)
        steps = torch.full((len(x),), x.shape[1]) if lengths is None else lengths
        here = (torch.arange(x.shape[1]) < steps[:, None]).unsqueeze(-1).to(x.device)
        if self.readout == "max":
            return torch.where(here, x, -torch.inf).amax(1)
        return torch.where(here, x, 0.0).sum(1) / steps[:, None].to(x)


def _stack(config: TrainConfig, features: int, sides: int) -> Iterator[Recurrent]:
    """Build one module for all layers where torch can, otherwise one for each."""
    sizes = config.structure().layer_sizes
    options: dict[str, Any] = {"batch_first": True, "bidirectional": config.bidirectional}
    name, _, nonlinearity = str(CELLS[config.cell].torch).partition("_")
    if nonlinearity:
        options["nonlinearity"] = nonlinearity
    kind: Callable[..., Recurrent] = getattr(nn, name.upper())
    if len(set(sizes)) == 1 and (sides == 2 or not config.bidirectional):
        yield kind(features, sizes[0], len(sizes), **options)
        return
    for size in sizes:
        yield kind(features, size, 1, **options)
        features = size * sides


def _run(
    module: nn.Module, x: Tensor, lengths: Tensor | None
) -> tuple[Tensor, list[Tensor], ModuleState]:
    """Return outputs, each layer's final h `(batch, directions · hidden)`, and torch's state."""
    if lengths is None:
        outputs, state = module(x)
    else:
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        outputs, state = module(packed)
        outputs, _ = nn.utils.rnn.pad_packed_sequence(
            outputs, batch_first=True, total_length=x.shape[1]
        )
    h = state[0] if isinstance(state, tuple) else state
    sides = 2 if module.bidirectional else 1
    return outputs, [torch.cat(tuple(layer), dim=-1) for layer in h.split(sides)], state


def export_checkpoint(path: Path) -> ExportedNetwork:
    """Return a saved trial's best weights (its newest before the first epoch) as torch modules.

    Raises:
        CheckpointError: the checkpoint is damaged.
        ConfigError: `torch.nn` has no such cell, or evaluation is not the plain network.
    """
    saved = read_checkpoint(path)
    why = _foreign(saved.config)
    if why is not None:
        raise ConfigError(
            f"export needs cells that torch.nn has, but {path} has {why}; use "
            "trainers.use.streaming.StreamingModel, which runs every network."
        )
    network = ExportedNetwork(saved.config, saved.input_size, saved.output_size)
    several = len(network.recurrent) > 1
    network.load_state_dict(
        {_exported_name(name, several): view for name, view in named_weights(saved).items()}
    )
    return network.eval()


def _exported_name(name: str, several: bool) -> str:
    """Return a parameter's name in an `ExportedNetwork`: its module's, then torch's own."""
    if name.partition(".")[0] in _OWN_NAMES:
        return name
    stack = "decoder" if name.startswith(DECODER) else "recurrent"
    name = name.removeprefix(DECODER)
    parameter, _, place = name.partition("_l")
    layer, _, direction = place.partition("_")
    if not several:
        return f"{stack}.0.{name}"
    return f"{stack}.{layer}.{parameter}_l0{'_' + direction if direction else ''}"


def _foreign(config: TrainConfig) -> str | None:
    """Say what `torch.nn` does not have; None for nothing."""
    if CELLS[config.cell].torch is None:
        return f"cell={config.cell}"
    if config.pairs:
        return "answers of their own length (pairs)"
    felt = (name for name in _FELT_IN_USE if getattr(config, name, 0))
    return next((f"{name}={getattr(config, name)}" for name in felt), None)


def chosen_weights(saved: Checkpoint) -> Tensor:
    """Return the flat row `(P,)` to use: the best weights, the newest before the first epoch."""
    return saved.tensors["best" if saved.progress["best_epoch"] else "weights"]


def named_weights(saved: Checkpoint) -> dict[str, Tensor]:
    """Return the chosen weights by name, without the trial axis."""
    layout = Layout.of(saved.config.structure(), saved.input_size, saved.output_size)
    views = layout.views(chosen_weights(saved).unsqueeze(0))
    return {name: view[0] for name, view in views.items()}


def is_plain(config: TrainConfig) -> bool:
    """Return whether a network is a stack of torch's cells and a linear head, read at some step.

    Tokens may enter through an embedding.
    """
    return (
        _foreign(config) is None
        and config.readout in ("every", "last")
        and not config.bidirectional
        and config.architecture == "plain"
        and not config.category_embeddings
        and config.stem == "none"
        and not config.head_sizes
    )
