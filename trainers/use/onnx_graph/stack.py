"""The recurrent layers, and what the head reads of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.config.cells import CELLS
from trainers.use.onnx_graph.graph import Graph, Value
from trainers.use.onnx_graph.parts import Parts
from trainers.use.onnx_graph.recurrence import Layer, run_layer


@dataclass(frozen=True)
class Read:
    """What the stack made of the sequences.

    Attributes:
        every: `(time, batch, width)` outputs of the last layer.
        finals: The last h of each layer, directions merged.
        width: Of the last layer's outputs.
    """

    every: Value
    finals: tuple[Value, ...]
    width: int


def stack(net: Parts, x: Value, features: int) -> Read:
    """Add all layers over `x (time, batch, features)`."""
    graph, config, carried = net.graph, net.config, net.carried
    parts = CELLS[config.cell].state
    kept = (config.zoneout_hidden, config.zoneout_cell)[: len(parts)]
    kept += (0.0,) * (len(parts) - len(kept))
    summed = config.bidirectional_merge == "sum"
    finals = []
    for number, directions in enumerate(net.weights.layers):
        hidden = config.structure().layer_sizes[number]
        names = [f"{part}_{number}" for part in parts]
        begin = tuple(carried.begin(name, hidden) for name in names)
        outputs, last = [], []
        for way, own in enumerate(directions):
            layer = Layer(config.cell, own, features, hidden, bool(way), kept)
            y, after = run_layer(graph, layer, x, begin, net.rows)
            outputs.append(y)
            last.append(after[0])
            if not way:
                for name, part in zip(names, after, strict=True):
                    carried.end(name, part, hidden)
        x = _merged(graph, outputs, summed=summed)
        finals.append(_merged(graph, last, summed=summed))
        features = hidden * (1 if summed else len(directions))
    return Read(x, tuple(finals), features)


def read_out(net: Parts, found: Read) -> Value:
    """Return what the head reads: `(time, batch, width)` for every step, else `(batch, width)`."""
    readout = net.config.readout
    if readout == "every":
        return found.every
    if readout == "last":
        return found.finals[-1]
    if readout == "all_states":
        return net.graph.op("Concat", *found.finals, axis=-1)
    return _pooled(net, readout, found)


def _pooled(net: Parts, readout: str, found: Read) -> Value:
    """The mean or maximum over the steps so far, earlier calls included."""
    graph, rows = net.graph, net.rows
    value = net.carried.begin("readout_value", found.width)
    seen = net.carried.begin("readout_steps", 1)
    lengths = graph.op("Unsqueeze", graph.cast(rows.lengths, graph.dtype), graph.integers(1))
    now = graph.op("Add", seen, lengths)
    zero, first = graph.numbers(0), graph.integers(0)
    if readout == "mean":
        blank = rows.blanked(graph, found.every, zero)
        value = graph.op("Add", value, graph.op("ReduceSum", blank, first, keepdims=0))
        answer = graph.op("Div", value, graph.op("Max", now, graph.numbers(1)))
    else:
        blank = rows.blanked(graph, found.every, graph.numbers(-np.inf))
        best = graph.op("ReduceMax", blank, axes=[0], keepdims=0)
        begun = graph.op("Greater", seen, zero)
        best = graph.op("Where", begun, graph.op("Max", best, value), best)
        value = answer = graph.op("Where", graph.op("Greater", now, zero), best, zero)
    net.carried.end("readout_value", value, found.width)
    net.carried.end("readout_steps", now, 1)
    return answer


def _merged(graph: Graph, directions: list[Value], *, summed: bool) -> Value:
    if len(directions) == 1:
        return directions[0]
    return graph.op("Add", *directions) if summed else graph.op("Concat", *directions, axis=-1)
