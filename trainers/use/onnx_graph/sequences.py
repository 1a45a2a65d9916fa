"""What the graph knows of the sequences it is given: how many, how long, which steps exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.use.onnx_graph.graph import Graph, Value

_ALL = np.array([np.iinfo(np.int32).max], dtype=np.int64)


@dataclass(frozen=True)
class Sequences:
    """Rows of steps, padded on the right. Inside the graph time comes first.

    Attributes:
        batch: `(1,)` how many rows.
        steps: `(1,)` of the longest, padding included.
        lengths: `(batch,)` existing steps of each.
        here: `(time, batch, 1)` bool, which steps exist.
    """

    batch: Value
    steps: Value
    lengths: Value
    here: Value

    @classmethod
    def of(cls, graph: Graph, inputs: Value) -> Sequences:
        """Read `inputs (batch, time, …)` and add the input `lengths`; without it all exist."""
        given = graph.input("lengths", ["lengths_rows"], np.int64, _ALL)
        batch, steps = graph.size(inputs, 0), graph.size(inputs, 1)
        lengths = graph.op("Expand", graph.op("Min", given, steps), batch)
        zero, one = (graph.constant(np.int64(n)) for n in (0, 1))
        count = graph.op("Squeeze", steps, graph.integers(0))
        times = graph.op("Unsqueeze", graph.op("Range", zero, count, one), graph.integers(1))
        exist = graph.op("Less", times, lengths)
        return cls(batch, steps, lengths, graph.op("Unsqueeze", exist, graph.integers(2)))

    def blanked(self, graph: Graph, x: Value, fill: Value) -> Value:
        """Put `fill` into `x (time, batch, …)` where no step exists."""
        return graph.op("Where", self.here, x, fill)

    def reversed(self, graph: Graph, x: Value) -> Value:
        """Reverse each row of `x (time, batch, …)` within its own steps."""
        return graph.op("ReverseSequence", x, self.lengths, time_axis=0, batch_axis=1)


class Carried:
    """State that goes in, zero where it is left out, and comes out for the next call.

    Args:
        graph: Its graph.
        batch: `(1,)` how many rows.
        shown: Whether it can be carried: not by a network that reads backwards too.
    """

    def __init__(self, graph: Graph, batch: Value, *, shown: bool) -> None:
        self._graph, self._batch, self._shown = graph, batch, shown
        self._after: list[tuple[str, Value, tuple[int, ...]]] = []

    def begin(self, name: str, *shape: int) -> Value:
        """Return a part of the state, `(batch, *shape)`."""
        graph, zero = self._graph, np.zeros((1, *shape), self._graph.dtype)
        if self._shown:
            value = graph.input(name, [f"{name}_rows", *shape], graph.dtype, zero)
        else:
            value = graph.numbers(zero)
        wanted = graph.op("Concat", self._batch, graph.integers(*shape), axis=0)
        return graph.op("Expand", value, wanted)

    def end(self, name: str, value: Value, *shape: int) -> None:
        """Keep a part as it is after the last step, to be an output."""
        self._after.append((name, value, shape))

    def add_outputs(self) -> None:
        """Add the outputs, after all others."""
        if self._shown:
            for name, value, shape in self._after:
                axes: list[str | int] = ["batch", *shape]
                self._graph.output(f"{name}_next", value, axes, self._graph.dtype)
