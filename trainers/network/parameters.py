"""Where a trial's parameters lie in its flat row.

All parameters of a pack are one buffer `(trials, P)`; named parameters are views of it with
torch's names and shapes behind the trial axis. So an optimizer step is a few elementwise
operations on flat rows, whatever the network.

Every parameter begins at a multiple of 64 bytes. Kernels choose their path by alignment, so
without it a trial's last bits would depend on its slot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from trainers.config.train_config import Structure
from trainers.network.cells import CELLS, AnyWeights, LayerWeights, NormedWeights

_ALIGNMENT = 16  # numbers; 64 bytes of float32
_NAMES = (
    "weight_ih", "weight_hh", "bias_ih", "bias_hh", "gain_ih", "gain_hh", "gain_cell", "bias_cell",
)  # fmt: skip


class Entry(NamedTuple):
    """One named parameter: its shape without the trial axis, and where it begins."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        """Where it ends in the flat row."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """The flat row's table of contents.

    Attributes:
        entries: In the row's order: embedding, stem, layer by layer forwards then backwards, head.
        size: P, the length of the flat row; the gaps between parameters hold zeros for ever.
    """

    entries: tuple[Entry, ...]
    size: int

    @property
    def parameter_count(self) -> int:
        """Trained numbers, gaps not counted."""
        return sum(math.prod(entry.shape) for entry in self.entries)

    @classmethod
    def of(cls, structure: Structure, input_size: int, output_size: int) -> Layout:
        """Lay out embedding, stem, recurrent stack, the head's hidden layers and its output."""
        entries: list[Entry] = []
        start = 0
        for name, shape in _shapes(structure, input_size, output_size):
            entries.append(Entry(name, shape, start))
            start = -(-entries[-1].stop // _ALIGNMENT) * _ALIGNMENT
        return cls(tuple(entries), start)

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """Return the named views `(trials, *shape)` of `flat (trials, P)`."""
        return {
            e.name: flat[:, e.start : e.stop].view(flat.shape[0], *e.shape) for e in self.entries
        }


def _shapes(
    structure: Structure, input_size: int, output_size: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    features = input_size
    if structure.embedding_size is not None:
        yield "embedding.weight", (input_size, features := structure.embedding_size)
    if structure.stem != "none":
        taps = (structure.stem_kernel,) if structure.stem == "conv" else ()
        yield "stem.weight", (structure.stem_size, features, *taps)
        yield "stem.bias", (features := structure.stem_size,)
    cell = CELLS[structure.cell]
    for layer, hidden in enumerate(structure.layer_sizes):
        gates = cell.gates * hidden
        shapes: tuple[tuple[int, ...], ...]
        shapes = ((gates, features), (gates, hidden), (gates,), (gates,))
        if cell.weights is NormedWeights:
            shapes = (*shapes, (gates,), (gates,), (hidden,), (hidden,))
        for suffix in ("", "_reverse") if structure.bidirectional else ("",):
            for name, shape in zip(_NAMES, shapes, strict=False):
                yield f"{name}_l{layer}{suffix}", shape
        features = hidden * _directions(structure)
    if structure.readout == "all_states":
        features = sum(structure.layer_sizes) * _directions(structure)
    for number, size in enumerate(structure.head_sizes):
        yield f"dense.{number}.weight", (size, features)
        yield f"dense.{number}.bias", (features := size,)
    yield "head.weight", (output_size, features)
    yield "head.bias", (output_size,)


def _directions(structure: Structure) -> int:
    """Return how many directions stand side by side in a layer's output."""
    return 2 if structure.bidirectional and structure.bidirectional_merge == "concat" else 1


class Weights(NamedTuple):
    """The named parameters, sorted for the forward pass.

    Attributes:
        layers: `layers[layer][direction]`.
        head_weight: `(trials, outputs, read)`.
        head_bias: `(trials, outputs)`.
        dense: Weight and bias of each hidden layer of the head.
        embedding: `(trials, vocabulary, embedding)`.
        stem: Weight `(trials, stem, features)` or `(trials, stem, features, kernel)`, and bias.
    """

    layers: tuple[tuple[AnyWeights, ...], ...]
    head_weight: Tensor
    head_bias: Tensor
    dense: tuple[tuple[Tensor, Tensor], ...] = ()
    embedding: Tensor | None = None
    stem: tuple[Tensor, Tensor] | None = None


def weights_of(layout: Layout, flat: Tensor, gradient: Tensor | None = None) -> Weights:
    """Return the weights as views of `flat (trials, P)`.

    With `gradient (trials, P)` they are leaves of autograd whose `.grad` are views of it.
    """
    views = layout.views(flat)
    if gradient is not None:
        gradients = layout.views(gradient)
        views = {name: view.detach().requires_grad_() for name, view in views.items()}
        for name, view in views.items():
            view.grad = gradients[name]
    dense = sum(name.startswith("dense.") for name in views) // 2
    return Weights(
        layers=_layers(views),
        head_weight=views["head.weight"],
        head_bias=views["head.bias"],
        dense=tuple((views[f"dense.{i}.weight"], views[f"dense.{i}.bias"]) for i in range(dense)),
        embedding=views.get("embedding.weight"),
        stem=(views["stem.weight"], views["stem.bias"]) if "stem.weight" in views else None,
    )


def _layers(views: dict[str, Tensor]) -> tuple[tuple[AnyWeights, ...], ...]:
    kind = NormedWeights if "gain_ih_l0" in views else LayerWeights
    suffixes = ("", "_reverse") if "weight_ih_l0_reverse" in views else ("",)
    count = sum(name.startswith("weight_hh_l") for name in views) // len(suffixes)
    return tuple(
        tuple(
            kind(*(views[f"{name}_l{layer}{suffix}"] for name in _NAMES[: len(kind._fields)]))
            for suffix in suffixes
        )
        for layer in range(count)
    )
