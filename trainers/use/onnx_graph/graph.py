"""An ONNX graph in the making. A value is its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from trainers.data.contract import Array

OPSET = 17  # of 2022: every onnxruntime since 1.12 runs it
_IR = 8  # the file format of its time
_SHARED = 8  # constants of so many numbers at most stand in the file once

Value = str
Axis = str | int


class Graph:
    """Nodes, constants, inputs and outputs.

    Args:
        dtype: Of the network's arithmetic.
        outer: The graph whose Scan has this one as its body; constants are the outer one's.
    """

    def __init__(self, dtype: np.dtype[Any] | type | str, outer: Graph | None = None) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._known: dict[Any, Value] = {}
        self._names: Counter[str] = Counter()
        if outer is not None:
            self._constants, self._known, self._names = (
                outer._constants, outer._known, outer._names,
            )  # fmt: skip

    def in_precision(self, dtype: np.dtype[Any]) -> Graph:
        """Return the same graph for arithmetic in another precision."""
        other = copy(self)
        other.dtype = dtype
        return other

    def op(self, kind: str, *inputs: Value, **attributes: Any) -> Value:
        """Add a node with one output, and return that; "" stands for an input that is left out."""
        return self.ops(kind, *inputs, count=1, **attributes)[0]

    def ops(self, kind: str, *inputs: Value, count: int, **attributes: Any) -> tuple[Value, ...]:
        """Add a node with several outputs."""
        outputs = tuple(self._new(kind.lower()) for _ in range(count))
        self._nodes.append(helper.make_node(kind, inputs, outputs, outputs[0], **attributes))
        return outputs

    def constant(self, values: Any, hint: str = "constant") -> Value:
        """Add an array as it is; a short one stands once."""
        array = np.asarray(values)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= _SHARED else None
        if key is not None and key in self._known:
            return self._known[key]
        name = self._new(hint)
        self._constants[name] = numpy_helper.from_array(np.array(array, order="C"), name)
        if key is not None:
            self._known[key] = name
        return name

    def numbers(self, values: Any, hint: str = "number") -> Value:
        """Add a constant in the network's precision."""
        return self.constant(np.asarray(values, dtype=self.dtype), hint)

    def integers(self, *values: int) -> Value:
        """Add a row of whole numbers: axes, shapes, places."""
        return self.constant(np.array(values, dtype=np.int64), "integers")

    def cast(self, value: Value, dtype: np.dtype[Any] | type | str) -> Value:
        """Turn a value into another type."""
        return self.op("Cast", value, to=_element(dtype))

    def size(self, value: Value, axis: int) -> Value:
        """Return the length of an axis, `(1,)`."""
        return self.op("Shape", value, start=axis, end=axis + 1)

    def reshape(self, value: Value, *shape: Value | int) -> Value:
        """Give a value another shape; parts of it may be values `(1,)`."""
        parts = [self.integers(part) if isinstance(part, int) else part for part in shape]
        return self.op("Reshape", value, self.op("Concat", *parts, axis=0))

    def input(
        self, name: str, shape: Sequence[Axis], dtype: Any, default: Array | None = None
    ) -> Value:
        """Add an input; one with a default may be left out."""
        self._names[name] += 1
        self._inputs.append(helper.make_tensor_value_info(name, _element(dtype), shape))
        if default is not None:
            self._constants[name] = numpy_helper.from_array(default.astype(dtype), name)
        return name

    def output(self, name: str, value: Value, shape: Sequence[Axis], dtype: Any) -> None:
        """Name a value as an output."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name))
        self._outputs.append(helper.make_tensor_value_info(name, _element(dtype), shape))

    def body(self, inputs: Sequence[tuple[Value, Any]], outputs: Sequence[Value]) -> Any:
        """Return what a Scan runs at a step: inputs with their types, outputs in turn."""
        kinds = [helper.make_tensor_value_info(name, _element(t), None) for name, t in inputs]
        named = [self.op("Identity", value) for value in outputs]
        own = _element(self.dtype)
        results = [helper.make_tensor_value_info(name, own, None) for name in named]
        return helper.make_graph(self._nodes, "step", kinds, results)

    def new_input(self, hint: str) -> Value:
        """Return a name for an input of a body."""
        return self._new(hint)

    def model(self, name: str, about: dict[str, str], sentence: str) -> onnx.ModelProto:
        """Return the whole, checked.

        Args:
            name: Of the graph.
            about: The file's metadata.
            sentence: What it takes and answers, for people.
        """
        graph = helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, [*self._constants.values()]
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR,
            producer_name="rnn-sweep",
            doc_string=sentence,
        )
        helper.set_model_props(model, about)
        onnx.checker.check_model(model)
        return model

    def _new(self, hint: str) -> Value:
        self._names[hint] += 1
        return f"{hint}_{self._names[hint]}"


def _element(dtype: Any) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
