"""From what people give to what the recurrence reads: scales, embeddings, dense layer, convolution.

Inside the graph time comes first: `(time, batch, features)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from trainers.use.onnx_graph.graph import Graph, Value
from trainers.use.onnx_graph.parts import Parts
from trainers.use.onnx_graph.sequences import Sequences

_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "none": "Identity"}


def scaled(graph: Graph, inputs: Value, scale: Value | None, shift: Value | None) -> Value:
    """Scale `inputs (batch, time, features)` in double precision, as records are scaled."""
    x = inputs if shift is None else graph.op("Sub", inputs, shift)
    x = x if scale is None else graph.op("Div", x, scale)
    single = graph.cast(x, np.float32)
    return single if graph.dtype == np.float32 else graph.cast(single, graph.dtype)


def existing(graph: Graph, x: Value, rows: Sequences) -> Value:
    """Put time first in `x (batch, time, features)`; what padding holds becomes 0."""
    timely = graph.op("Transpose", x, perm=[1, 0, 2])
    return rows.blanked(graph, timely, graph.numbers(0))


def token_vectors(
    graph: Graph, ids: Value, table: Tensor | None, words: int, rows: Sequences
) -> Value:
    """Look `ids (batch, time)` up in `table (1, words, size)`; without one they enter one-hot."""
    timely = graph.op("Transpose", ids, perm=[1, 0])
    here = graph.op("Squeeze", rows.here, graph.integers(2))
    known = graph.op("Where", here, timely, graph.constant(np.int64(0)))
    if table is not None:
        return graph.op("Gather", graph.constant(table[0].numpy(), "embedding"), known)
    return graph.op("OneHot", known, graph.integers(words), graph.numbers([0, 1]), axis=-1)


def stem(net: Parts, x: Value, features: int) -> tuple[Value, int]:
    """Add what stands before the recurrence, behind scales and tokens.

    Args:
        net: The network.
        x: `(time, batch, features)`.
        features: How many.

    Returns:
        The recurrence's input, and how many features it has.
    """
    structure, weights = net.config.structure(), net.weights.stem
    if net.weights.categories:
        x = _categories(net, x, features)
        features += sum(size - 1 for _, _, size in structure.category_embeddings)
    if weights is None:
        return x, features
    kernel, bias = (weight[0].numpy() for weight in weights)
    if structure.stem == "conv":
        x = _windows(net, x, features)
        kernel = kernel.transpose(0, 2, 1).reshape(len(kernel), -1)
    return dense(net.graph, x, kernel, bias, structure.stem_activation), structure.stem_size


def dense(graph: Graph, x: Value, kernel: Any, bias: Any, activation: str) -> Value:
    """Add a dense layer, `kernel (out, in)`."""
    product = graph.op("MatMul", x, graph.constant(np.ascontiguousarray(kernel.T), "kernel"))
    y = graph.op("Add", product, graph.constant(bias, "bias"))
    return y if activation == "none" else graph.op(_ACTIVATIONS[activation], y)


def _categories(net: Parts, x: Value, features: int) -> Value:
    """Put vectors in the place of ids; an id that the table does not have is the unknown, 0."""
    graph, parts = net.graph, []
    zero = graph.numbers(0)
    embedded = [feature for feature, _, _ in net.config.category_embeddings]
    numeric = [n for n in range(features) if n not in embedded]
    if numeric:
        parts.append(graph.op("Gather", x, graph.integers(*numeric), axis=2))
    for at, table in zip(embedded, net.weights.categories, strict=True):
        ids = graph.op("Gather", x, graph.constant(np.int64(at)), axis=2)
        above = graph.op("GreaterOrEqual", ids, zero)
        below = graph.op("Less", ids, graph.numbers(table.shape[1]))
        known = graph.op("Where", graph.op("And", above, below), ids, zero)
        values = graph.constant(table[0].numpy(), "category_embedding")
        parts.append(graph.op("Gather", values, graph.cast(known, np.int64)))
    return graph.op("Concat", *parts, axis=-1)


def _windows(net: Parts, x: Value, features: int) -> Value:
    """Put each step's last `stem_kernel` inputs side by side: what a causal convolution sees.

    All but the last of them, as they are after each row's last step, are carried.
    """
    graph, before = net.graph, net.config.stem_kernel - 1
    if not before:
        return x
    past = net.carried.begin("stem_past", before, features)
    series = graph.op("Concat", graph.op("Transpose", past, perm=[1, 0, 2]), x, axis=0)
    shifted = [_slice(graph, series, tap, net.rows.steps) for tap in range(before + 1)]
    places = graph.op("Add", graph.constant(np.arange(before)[:, None]), net.rows.lengths)
    sizes = graph.integers(before), net.rows.batch, graph.integers(features)
    index = graph.op(
        "Expand",
        graph.op("Unsqueeze", places, graph.integers(2)),
        graph.op("Concat", *sizes, axis=0),
    )
    tail = graph.op("GatherElements", series, index, axis=0)
    after = graph.op("Transpose", tail, perm=[1, 0, 2])
    net.carried.end("stem_past", after, before, features)
    return graph.op("Concat", *shifted, axis=2)


def _slice(graph: Graph, series: Value, first: int, steps: Value) -> Value:
    """Take as many steps as there are inputs, from `first` on."""
    start = graph.integers(first)
    return graph.op("Slice", series, start, graph.op("Add", steps, start), graph.integers(0))
