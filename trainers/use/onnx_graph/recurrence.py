"""One recurrent layer in one direction: by ONNX's operator, or by a Scan over the cell's own code.

ONNX has torch's cells with the same equations (its GRU with `linear_before_reset`), in single
precision and without zoneout. Its order of gates is another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from trainers.config.cells import CELLS
from trainers.network.cells.interface import LayerWeights, cell_of
from trainers.use.onnx_graph.graph import Graph, Value
from trainers.use.onnx_graph.sequences import Sequences
from trainers.use.onnx_graph.traced import add_function, example

# The operator, and which of torch's gates stands at each place of its own.
_OPERATORS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "rnn_tanh": ("RNN", (0,), {"activations": ["Tanh"]}),
    "rnn_relu": ("RNN", (0,), {"activations": ["Relu"]}),
    "gru": ("GRU", (1, 0, 2), {"linear_before_reset": 1}),
    "lstm": ("LSTM", (0, 3, 1, 2), {}),
}


@dataclass(frozen=True)
class Layer:
    """One layer in one direction.

    Attributes:
        cell: Its name.
        weights: As the cell declares them, with a trial axis of 1.
        features: Of its inputs.
        hidden: Its units.
        backwards: Whether it reads each row from its end.
        kept: Per part of the state the share of the old value that stays: zoneout's expectation.
    """

    cell: str
    weights: LayerWeights
    features: int
    hidden: int
    backwards: bool
    kept: tuple[float, ...]


def has_operator(cell: str, kept: tuple[float, ...], dtype: np.dtype[Any]) -> bool:
    """Return whether ONNX's own operator gives exactly what the layer gives; pure."""
    return CELLS[cell].torch in _OPERATORS and not any(kept) and dtype == np.float32


def run_layer(
    graph: Graph, layer: Layer, x: Value, begin: tuple[Value, ...], rows: Sequences
) -> tuple[Value, tuple[Value, ...]]:
    """Add one layer.

    Args:
        graph: Where to.
        layer: Which.
        x: `(time, batch, features)`, finite everywhere.
        begin: The state's parts, `(batch, hidden)`.
        rows: Which steps exist; the state is held where none does.

    Returns:
        Outputs `(time, batch, hidden)`, meant where steps exist, and the state after the last.
    """
    if has_operator(layer.cell, layer.kept, graph.dtype):
        return _by_operator(graph, layer, x, begin, rows)
    if not layer.backwards:
        return _by_scan(graph, layer, x, begin, rows)
    outputs, state = _by_scan(graph, layer, rows.reversed(graph, x), begin, rows)
    return rows.reversed(graph, outputs), state


def _by_operator(
    graph: Graph, layer: Layer, x: Value, begin: tuple[Value, ...], rows: Sequences
) -> tuple[Value, tuple[Value, ...]]:
    kind, order, options = _OPERATORS[str(CELLS[layer.cell].torch)]
    kernel, recurrent, first, second = (_in_order(weight, order) for weight in layer.weights)
    weights = [
        graph.constant(array, hint)
        for array, hint in (
            (kernel, "input_kernel"),
            (recurrent, "recurrent_kernel"),
            (np.concatenate([first, second], axis=1), "biases"),
        )
    ]
    first_axis = graph.integers(0)
    state = [graph.op("Unsqueeze", part, first_axis) for part in begin]
    outputs, *after = graph.ops(
        kind, x, *weights, graph.cast(rows.lengths, np.int32), *state,
        count=1 + len(begin), hidden_size=layer.hidden,
        direction="reverse" if layer.backwards else "forward", **options,
    )  # fmt: skip
    # The operator forgets the state of a row without a step.
    some = graph.op("Greater", rows.lengths, graph.integers(0))
    begun = graph.op("Unsqueeze", some, graph.integers(1))
    held = (
        graph.op("Where", begun, graph.op("Squeeze", part, first_axis), old)
        for part, old in zip(after, begin, strict=True)
    )
    return graph.op("Squeeze", outputs, graph.integers(1)), tuple(held)


def _in_order(weight: Tensor, order: tuple[int, ...]) -> Any:
    """Return `weight (1, gates · hidden, …)` with its gates in another order."""
    gates = weight.chunk(len(order), dim=1)
    return torch.cat([gates[place] for place in order], dim=1).numpy()


def _by_scan(
    graph: Graph, layer: Layer, x: Value, begin: tuple[Value, ...], rows: Sequences
) -> tuple[Value, tuple[Value, ...]]:
    cell, weights, dtype = cell_of(layer.cell), layer.weights, layer.weights[0].dtype
    what = f"cell {layer.cell}"

    def share(inputs: Tensor) -> tuple[Tensor]:
        return (cell.from_input(inputs.unsqueeze(0), weights).squeeze(0),)

    def step(from_x: Tensor, here: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        old = tuple(part.unsqueeze(0) for part in state)
        new = cell.combine(from_x.unsqueeze(0), cell.from_hidden(old[0], weights), old, weights)
        pairs = zip(new, state, layer.kept, strict=True)
        felt = [torch.lerp(n.squeeze(0), o, kept) if kept else n.squeeze(0) for n, o, kept in pairs]
        return tuple(torch.where(here, n, o) for n, o in zip(felt, state, strict=True))

    one = example(layer.features, dtype)
    flat = graph.reshape(x, -1, layer.features)
    products = add_function(graph, share, [one], [flat], what)[0]
    from_x = graph.reshape(products, rows.steps, rows.batch, -1)
    inner = Graph(graph.dtype, graph)
    names = [inner.new_input(hint) for hint in (*CELLS[layer.cell].state, "from_input", "here")]
    states = [example(layer.hidden, dtype) for _ in begin]
    given = [share(one)[0], example(1, dtype) > 0, *states]
    after = add_function(inner, step, given, [*names[-2:], *names[:-2]], what)
    kinds: list[Any] = [graph.dtype] * (len(names) - 1) + [np.bool_]
    body = inner.body([*zip(names, kinds, strict=True)], [*after, after[0]])
    *state, outputs = graph.ops(
        "Scan", *begin, from_x, rows.here, count=len(begin) + 1, body=body, num_scan_inputs=2
    )
    return outputs, cast(tuple[Value, ...], tuple(state))
