"""A trained network as one graph.

Inputs: `inputs (batch, time, features)` float64 in own units, or `ids (batch, time)` int64;
`lengths (batch,)` where rows are padded on the right; state where it is carried. Outputs: `values`
in own units or `probabilities`, both float64; `raw_outputs` of the head; the state after the last
step. Every answer at a step that does not exist is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.data.interface import Interface
from trainers.learning import losses
from trainers.network.parameters import Layout, Weights, weights_of
from trainers.use.export import chosen_weights
from trainers.use.onnx_graph.description import Described, description, metadata
from trainers.use.onnx_graph.graph import Graph, Value
from trainers.use.onnx_graph.parts import Parts
from trainers.use.onnx_graph.sequences import Carried, Sequences
from trainers.use.onnx_graph.stack import read_out, stack
from trainers.use.onnx_graph.stem import dense, existing, scaled, stem, token_vectors
from trainers.use.onnx_graph.traced import add_function, example
from trainers.use.portable import PortableModel


def onnx_model(model: PortableModel, about: Mapping[str, Any]) -> onnx.ModelProto:
    """Return a trained network as ONNX.

    Args:
        model: The network and how its data are read.
        about: What the file says of its origin.

    Raises:
        ConfigError: a cell's or a loss's own code uses a function that is not translated.
    """
    config, interface = model.config, model.interface
    layout = Layout.of(config.structure(), interface.input_size, interface.output_size)
    weights = weights_of(layout, chosen_weights(model.saved).unsqueeze(0).clone())
    described = Described.of(model)
    graph = Graph(config.dtype)
    x, rows = _inputs(graph, interface, weights, described)
    carried = Carried(graph, rows.batch, shown=not config.bidirectional)
    net = Parts(graph, config, weights, rows, carried)
    table = weights.embedding
    x, features = stem(net, x, interface.input_size if table is None else table.shape[-1])
    read = read_out(net, stack(net, x, features))
    _answers(net, interface, _head(net, read), described)
    carried.add_outputs()
    return graph.model(interface.name, metadata(model, about), description(model))


def _inputs(
    graph: Graph, interface: Interface, weights: Weights, described: Described
) -> tuple[Value, Sequences]:
    """Add the inputs; `(time, batch, features)` scaled, and which steps exist."""
    size = interface.input_size
    if interface.ids:
        ids = graph.input("ids", ["batch", "time"], np.int64)
        rows = Sequences.of(graph, ids)
        return token_vectors(graph, ids, weights.embedding, size, rows), rows
    inputs = graph.input("inputs", ["batch", "time", size], np.float64)
    rows = Sequences.of(graph, inputs)
    scale, shift = _scales(graph, "input", interface.input_scale, interface.input_shift)
    if described.by_series:
        own = (_of_rows(graph, f"input_{kind}", size) for kind in ("scale", "shift"))
        scale, shift = (graph.op("Unsqueeze", one, graph.integers(1)) for one in own)
    return existing(graph, scaled(graph, inputs, scale, shift), rows), rows


def _of_rows(graph: Graph, name: str, size: int) -> Value:
    """Add an input that each row, or all of them, has one of: `(batch or 1, size)`."""
    return graph.input(name, [f"{name}_rows", size], np.float64)


def _scales(
    graph: Graph, what: str, scale: tuple[float, ...] | None, shift: tuple[float, ...] | None
) -> tuple[Value | None, Value | None]:
    return (
        None if scale is None else graph.constant(np.array(scale, np.float64), f"{what}_scale"),
        None if shift is None else graph.constant(np.array(shift, np.float64), f"{what}_shift"),
    )


def _head(net: Parts, read: Value) -> Value:
    """Add the head over `read (…, width)`."""
    for kernel, bias in net.weights.dense:
        activation = net.config.head_activation
        read = dense(net.graph, read, kernel[0].numpy(), bias[0].numpy(), activation)
    kernel, bias = net.weights.head_weight[0], net.weights.head_bias[0]
    return dense(net.graph, read, kernel.numpy(), bias.numpy(), "none")


def _answers(net: Parts, interface: Interface, raw: Value, described: Described) -> None:
    """Add the outputs from the head's `raw (time, batch, ·)`, or `(batch, ·)`."""
    graph, config, size = net.graph, net.config, interface.output_size
    answers = _own_units(net, interface, _point(net, raw, size), described)
    name = "values" if interface.task == "regression" else "probabilities"
    width = size * LOSSES[config.loss].width(config)
    _output(net, (name, answers, size), np.dtype(np.float64))
    _output(net, ("raw_outputs", raw, width), graph.dtype)


def _output(net: Parts, named: tuple[str, Value, int], dtype: np.dtype[Any]) -> None:
    """Add an output: its name, value and size; rows come first, where no step exists is NaN."""
    name, value, size = named
    if net.config.one_target:
        net.graph.output(name, value, ["batch", size], dtype)
        return
    blank = net.rows.blanked(net.graph, value, net.graph.constant(dtype.type(np.nan)))
    timely = net.graph.op("Transpose", blank, perm=[1, 0, 2])
    net.graph.output(name, timely, ["batch", "time", size], dtype)


def _point(net: Parts, raw: Value, size: int) -> Value:
    """The answer that metrics judge, `(…, outputs)`, of a head that gives several for each."""
    graph, config, structure = net.graph, net.config, net.config.structure()
    loss = LOSSES[config.loss]
    if loss.point is None:
        return raw

    def point(outputs: Tensor) -> tuple[Tensor]:
        return (losses.point(structure, outputs),)

    width = size * loss.width(structure)
    one = example(width, getattr(torch, config.dtype))
    flat = graph.reshape(raw, -1, width)
    answers = add_function(graph, point, [one], [flat], f"the point of loss {config.loss}")[0]
    if config.one_target:
        return answers
    return graph.reshape(answers, net.rows.steps, net.rows.batch, size)


def _own_units(net: Parts, interface: Interface, answers: Value, described: Described) -> Value:
    """Turn answers into what `records.values_of` gives: own units, or probabilities of logits."""
    graph, values = net.graph, net.graph.cast(answers, np.float64)
    if interface.task != "regression":
        if LOSSES[net.config.loss].targets == "labels":
            return graph.op("Sigmoid", values)
        return graph.op("Softmax", values, axis=-1)
    scale, shift = _scales(graph, "target", interface.target_scale, interface.target_shift)
    if described.by_series:
        names = "target_scale", "target_shift"
        scale, shift = (_of_rows(graph, name, interface.output_size) for name in names)
    values = values if scale is None else graph.op("Mul", values, scale)
    values = values if shift is None else graph.op("Add", values, shift)
    if interface.target_transform == "log1p":
        return graph.op("Sub", graph.op("Exp", values), graph.constant(np.float64(1)))
    return values
