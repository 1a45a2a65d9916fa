"""Where a trial's parameters lie in its flat row.

All parameters of a pack are one buffer `(trials, P)`; named parameters are views of it with
torch's names and shapes behind the trial axis. So an optimizer step is a few elementwise
operations on flat rows, whatever the network.

Every parameter begins at a multiple of 64 bytes. Kernels choose their path by alignment, so
without it a trial's last bits would depend on its slot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.train_config import Structure
from trainers.network.cells.interface import LayerWeights, cell_of

DECODER = "decoder."  # what the names of its layers' weights begin with
DECODER_EMBEDDING = f"{DECODER}embedding.weight"
CATEGORIES = "category_embedding."  # what the names of categories' tables begin with
_ALIGNMENT = 16  # numbers; 64 bytes of float32


class Entry(NamedTuple):
    """One named parameter.

    Attributes:
        name: Torch's, where torch has it.
        shape: Without the trial axis.
        start: Where it begins in the flat row.
        fan: Its first weights are drawn from U(±1/√fan): the layer's hidden units, or its inputs.
    """

    name: str
    shape: tuple[int, ...]
    start: int
    fan: int

    @property
    def stop(self) -> int:
        """Where it ends in the flat row."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """The flat row's table of contents.

    Attributes:
        structure: Of the trials.
        entries: In the row's order: embeddings, stem, layer by layer forwards then backwards, the
            decoder's layers, head.
        size: P, the length of the flat row; the gaps between parameters always hold zeros.
    """

    structure: Structure
    entries: tuple[Entry, ...]
    size: int

    @property
    def parameter_count(self) -> int:
        """Trained numbers, gaps not counted."""
        return sum(math.prod(entry.shape) for entry in self.entries)

    @classmethod
    def of(cls, structure: Structure, input_size: int, output_size: int) -> Layout:
        """Lay out embeddings, stem, recurrent stack, decoder, the head's layers and its output."""
        entries: list[Entry] = []
        start = 0
        for name, shape, fan in _shapes(structure, input_size, output_size):
            entries.append(Entry(name, shape, start, fan))
            start = -(-entries[-1].stop // _ALIGNMENT) * _ALIGNMENT
        return cls(structure, tuple(entries), start)

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """Return the named views `(trials, *shape)` of `flat (trials, P)`."""
        return {
            e.name: flat[:, e.start : e.stop].view(flat.shape[0], *e.shape) for e in self.entries
        }


def _shapes(
    structure: Structure, input_size: int, output_size: int
) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Yield names, shapes and what the first draws' bounds are taken from."""
    features = input_size
    if structure.embedding_size is not None:
        features = structure.embedding_size
        yield "embedding.weight", (input_size, features), features
    for number, (_, rows, size) in enumerate(structure.category_embeddings):
        yield f"{CATEGORIES}{number}.weight", (rows, size), size
        features += size - 1
    if structure.stem != "none":
        taps = (structure.stem_kernel,) if structure.stem == "conv" else ()
        yield from _dense("stem", (structure.stem_size, features, *taps))
        features = structure.stem_size
    cell = cell_of(structure.cell)
    for layer, hidden in enumerate(structure.layer_sizes):
        for direction in _suffixes(structure):
            for name, shape in cell.shapes(features, hidden).items():
                yield f"{name}_l{layer}{direction}", shape, hidden
        features = hidden * _directions(structure)
    if structure.decodes:
        if not structure.pairs:
            output_size //= structure.horizon  # the head answers one step
        yield from _decoder_shapes(structure, output_size)
    if structure.readout == "all_states":
        features = sum(structure.layer_sizes) * _directions(structure)
    for number, size in enumerate(structure.head_sizes):
        yield from _dense(f"dense.{number}", (size, features))
        features = size
    each = LOSSES[structure.loss].width(structure)
    yield from _dense("head", (output_size * each, features))


def _decoder_shapes(
    structure: Structure, outputs: int
) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Yield those of the decoder, which is fed `outputs` answers, or the id of one."""
    features = outputs + structure.ahead_size
    if answers_ids(structure):
        features = outputs + 1  # the start symbol comes after the classes
        if structure.embedding_size is not None:
            features = structure.embedding_size
            yield DECODER_EMBEDDING, (outputs + 1, features), features
    for layer, hidden in enumerate(structure.layer_sizes):
        for name, shape in cell_of(structure.cell).shapes(features, hidden).items():
            yield f"{DECODER}{name}_l{layer}", shape, hidden
        features = hidden


def _dense(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Yield a kernel `(outputs, inputs, …)` and its bias."""
    inputs = math.prod(shape[1:])
    yield f"{name}.weight", shape, inputs
    yield f"{name}.bias", shape[:1], inputs


def _suffixes(structure: Structure) -> tuple[str, ...]:
    """Return what the names of each direction's weights end in, as torch has them."""
    return ("", "_reverse") if structure.bidirectional else ("",)


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
        categories: `(trials, rows, size)` of each embedded categorical input.
        decoder: As `layers`, of the decoder; empty without one.
        decoder_embedding: As `embedding`, of the answers that it is fed.
    """

    layers: tuple[tuple[LayerWeights, ...], ...]
    head_weight: Tensor
    head_bias: Tensor
    dense: tuple[tuple[Tensor, Tensor], ...] = ()
    embedding: Tensor | None = None
    stem: tuple[Tensor, Tensor] | None = None
    categories: tuple[Tensor, ...] = ()
    decoder: tuple[tuple[LayerWeights, ...], ...] = ()
    decoder_embedding: Tensor | None = None


def answers_ids(structure: Structure) -> bool:
    """Return whether answers are class ids, of which only the likeliest can be fed back."""
    return LOSSES[structure.loss].targets == "ids"


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
        layers=layer_weights(layout.structure, views),
        head_weight=views["head.weight"],
        head_bias=views["head.bias"],
        dense=tuple((views[f"dense.{i}.weight"], views[f"dense.{i}.bias"]) for i in range(dense)),
        embedding=views.get("embedding.weight"),
        stem=(views["stem.weight"], views["stem.bias"]) if "stem.weight" in views else None,
        categories=tuple(view for name, view in views.items() if name.startswith(CATEGORIES)),
        decoder=layer_weights(layout.structure, views, DECODER) if layout.structure.decodes else (),
        decoder_embedding=views.get(DECODER_EMBEDDING),
    )


def layer_weights(
    structure: Structure, views: Mapping[str, Tensor], prefix: str = ""
) -> tuple[tuple[LayerWeights, ...], ...]:
    """Return the named parameters as cells declare them, `[layer][direction]`.

    Those of the decoder have the prefix `DECODER`.
    """
    cell = cell_of(structure.cell)
    names = cell.shapes(1, 1)
    return tuple(
        tuple(
            cell.weights(*(views[f"{prefix}{name}_l{layer}{direction}"] for name in names))
            for direction in _suffixes(structure)
        )
        for layer in range(structure.num_layers)
    )
