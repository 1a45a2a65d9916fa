"""Functions of torch as nodes: what a cell's code or a loss's point does, whoever wrote it.

A function is run once on examples, and what it asked of torch is translated call by call. Its
branches are taken as the examples take them, so it must not look at values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from trainers.errors import ConfigError
from trainers.use.onnx_graph.graph import Graph, Value

Function = Callable[..., tuple[Tensor, ...]]
_ROWS = 1009  # of examples: a number that no other axis has

_UNARY = {
    "abs": "Abs", "cos": "Cos", "exp": "Exp", "log": "Log", "logical_not": "Not", "neg": "Neg",
    "reciprocal": "Reciprocal", "relu": "Relu", "sigmoid": "Sigmoid", "sign": "Sign",
    "sin": "Sin", "sqrt": "Sqrt", "tanh": "Tanh",
    "alias": "Identity", "clone": "Identity", "contiguous": "Identity", "detach": "Identity",
}  # fmt: skip
_BINARY = {
    "add": "Add", "div": "Div", "eq": "Equal", "ge": "GreaterOrEqual", "gt": "Greater",
    "le": "LessOrEqual", "logical_and": "And", "logical_or": "Or", "lt": "Less",
    "maximum": "Max", "minimum": "Min", "mul": "Mul", "pow": "Pow", "sub": "Sub",
    "bmm": "MatMul", "matmul": "MatMul", "mm": "MatMul",
}  # fmt: skip


def example(features: int, dtype: torch.dtype) -> Tensor:
    """Return rows to run a function on, `(rows, features)`: any number of rows may come later."""
    return torch.ones(_ROWS, features, dtype=dtype)


def add_function(
    graph: Graph, function: Function, examples: Sequence[Tensor], inputs: Sequence[Value], what: str
) -> list[Value]:
    """Add the nodes of a function.

    Args:
        graph: Where to.
        function: From tensors to a tuple of tensors; tensors that it closes over are constants.
        examples: What to run it on, rows first; see `example`.
        inputs: The values it is applied to.
        what: The function, for messages.

    Returns:
        Its results.

    Raises:
        ConfigError: it uses a function of torch that is not translated.
    """
    with torch.no_grad():
        program = make_fx(function, pre_dispatch=True)(*examples)
    waiting = iter(inputs)
    values: dict[fx.Node, Any] = {}

    def known(argument: Any) -> Any:
        return fx.node.map_arg(argument, lambda node: _value(graph, values, node))

    for node in program.graph.nodes:
        if node.op == "placeholder":
            values[node] = next(waiting)
        elif node.op == "get_attr":
            values[node] = getattr(program, node.target)
        elif node.op == "output":
            return [*known(node.args[0])]
        elif node.all_input_nodes and all(_is_constant(values[n]) for n in node.all_input_nodes):
            constants = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
            values[node] = node.target(*constants[0], **constants[1])
        elif node.target is operator.getitem:
            values[node] = values[node.args[0]][node.args[1]]
        else:
            values[node] = _translated(graph, node, known, what)
    raise AssertionError("a program ends in its output")


def _is_constant(value: Any) -> bool:
    return isinstance(value, Tensor) or (
        isinstance(value, list | tuple) and all(isinstance(one, Tensor) for one in value)
    )


def _value(graph: Graph, values: dict[fx.Node, Any], node: fx.Node) -> Any:
    """A node's value in the graph; weights, and what follows from them alone, are constants."""
    if isinstance(values[node], Tensor):
        values[node] = graph.constant(values[node].numpy(), "weight")
    return values[node]


def _translated(graph: Graph, node: fx.Node, known: Callable[[Any], Any], what: str) -> Any:
    full = node.target.name() if hasattr(node.target, "name") else str(node.target)
    name = full.partition("::")[2].partition(".")[0]
    arguments = [known(argument) for argument in node.args]
    options = known(dict(node.kwargs))
    here = graph.in_precision(_precision(node, graph))
    if name in _UNARY:
        return here.op(_UNARY[name], arguments[0])
    if name in _BINARY and options.get("alpha", 1) == 1 and not options.get("rounding_mode"):
        return here.op(_BINARY[name], *(_operand(here, one) for one in arguments[:2]))
    if name in _BY_SHAPE:
        return _BY_SHAPE[name](here, node.meta["val"], *arguments, **options)
    if name not in _OTHERS:
        raise ConfigError(
            f"ONNX export needs functions of torch that it can translate, but {what} calls {full}; "
            "add it to trainers/use/onnx_graph/traced.py."
        )
    return _OTHERS[name](here, *arguments, **options)


def _precision(node: fx.Node, graph: Graph) -> np.dtype[Any]:
    """Of what a call is given, so of the numbers in it too."""
    for given in node.all_input_nodes:
        value = given.meta.get("val")
        if isinstance(value, Tensor) and value.is_floating_point():
            return _numpy(value.dtype)
    return graph.dtype


def _numpy(dtype: torch.dtype) -> np.dtype[Any]:
    return np.dtype(str(dtype).removeprefix("torch."))


def _operand(graph: Graph, argument: Any) -> Value:
    """A number beside a value, in the network's precision."""
    return argument if isinstance(argument, str) else graph.numbers(float(argument))


def _transpose(graph: Graph, result: Tensor, x: Value, first: int, second: int) -> Value:
    axes = list(range(result.dim()))
    axes[first], axes[second] = axes[second], axes[first]
    return graph.op("Transpose", x, perm=axes)


def _unbind(graph: Graph, results: Sequence[Tensor], x: Value, axis: int = 0) -> list[Value]:
    parts = _chunk(graph, x, len(results), axis)
    return [_squeeze(graph, part, axis) for part in parts]


_BY_SHAPE: Mapping[str, Callable[..., Any]] = {"transpose": _transpose, "unbind": _unbind}


def _rsub(graph: Graph, x: Value, other: Any, **_: Any) -> Value:
    return graph.op("Sub", _operand(graph, other), x)


def _affine(graph: Graph, bias: Value, x: Value, weight: Value, **_: Any) -> Value:
    return graph.op("Add", graph.op("MatMul", x, weight), bias)


def _linear(graph: Graph, x: Value, weight: Value, bias: Value | None = None) -> Value:
    product = graph.op("MatMul", x, graph.op("Transpose", weight, perm=[1, 0]))
    return product if bias is None else graph.op("Add", product, bias)


def _t(graph: Graph, x: Value) -> Value:
    return graph.op("Transpose", x, perm=[1, 0])


def _squeeze(graph: Graph, x: Value, axis: int) -> Value:
    return graph.op("Squeeze", x, graph.integers(axis))


def _unsqueeze(graph: Graph, x: Value, axis: int) -> Value:
    return graph.op("Unsqueeze", x, graph.integers(axis))


def _select(graph: Graph, x: Value, axis: int, index: int) -> Value:
    return graph.op("Gather", x, graph.constant(np.int64(index)), axis=axis)


def _slice(
    graph: Graph, x: Value, axis: int = 0, start: int | None = None, stop: int | None = None,
    step: int = 1,
) -> Value:  # fmt: skip
    ends = (start or 0, np.iinfo(np.int64).max if stop is None else stop)
    return graph.op("Slice", x, *(graph.integers(int(n)) for n in (*ends, axis, step)))


def _chunk(graph: Graph, x: Value, count: int, axis: int = 0) -> tuple[Value, ...]:
    return graph.ops("Split", x, count=count, axis=axis)


def _cat(graph: Graph, parts: Sequence[Value], axis: int = 0) -> Value:
    return graph.op("Concat", *parts, axis=axis)


def _stack(graph: Graph, parts: Sequence[Value], axis: int = 0) -> Value:
    return _cat(graph, [_unsqueeze(graph, part, axis) for part in parts], axis)


def _reshape(graph: Graph, x: Value, shape: Sequence[int]) -> Value:
    """Rows stay where they are: 0 is ONNX's word for that."""
    return graph.op("Reshape", x, graph.integers(*(0 if n == _ROWS else n for n in shape)))


def _layer_norm(
    graph: Graph, x: Value, shape: Sequence[int], weight: Value | None = None,
    bias: Value | None = None, eps: float = 1e-5, *_: Any,
) -> Value:  # fmt: skip
    """With the variance about the mean; onnxruntime's own operator subtracts large squares."""
    axes = list(range(-len(shape), 0))
    centred = graph.op("Sub", x, graph.op("ReduceMean", x, axes=axes))
    variance = graph.op("ReduceMean", graph.op("Mul", centred, centred), axes=axes)
    deviation = graph.op("Sqrt", graph.op("Add", variance, graph.numbers(eps)))
    y = graph.op("Div", centred, deviation)
    y = y if weight is None else graph.op("Mul", y, weight)
    return y if bias is None else graph.op("Add", y, bias)


def _softplus(graph: Graph, x: Value, *_: Any) -> Value:
    """log(1 + exp x), without overflow, in any precision."""
    small = graph.op("Exp", graph.op("Neg", graph.op("Abs", x)))
    return graph.op("Add", graph.op("Relu", x), _log1p(graph, small))


def _log_sigmoid(graph: Graph, x: Value) -> Value:
    return graph.op("Neg", _softplus(graph, graph.op("Neg", x)))


def _to(graph: Graph, x: Value, dtype: torch.dtype, *_: Any, **__: Any) -> Value:
    return graph.cast(x, _numpy(dtype))


def _log1p(graph: Graph, x: Value) -> Value:
    return graph.op("Log", graph.op("Add", x, graph.numbers(1.0)))


def _expm1(graph: Graph, x: Value) -> Value:
    return graph.op("Sub", graph.op("Exp", x), graph.numbers(1.0))


def _square(graph: Graph, x: Value) -> Value:
    return graph.op("Mul", x, x)


def _softmax(graph: Graph, x: Value, axis: int, *_: Any) -> Value:
    return graph.op("Softmax", x, axis=axis)


def _log_softmax(graph: Graph, x: Value, axis: int, *_: Any) -> Value:
    return graph.op("LogSoftmax", x, axis=axis)


def _clamp(graph: Graph, x: Value, low: Any = None, high: Any = None, **named: Any) -> Value:
    low, high = named.get("min", low), named.get("max", high)
    x = x if low is None else graph.op("Max", x, _operand(graph, low))
    return x if high is None else graph.op("Min", x, _operand(graph, high))


def _clamp_max(graph: Graph, x: Value, high: Any) -> Value:
    return graph.op("Min", x, _operand(graph, high))


def _lerp(graph: Graph, start: Value, end: Value, weight: Any) -> Value:
    share = graph.op("Mul", graph.op("Sub", end, start), _operand(graph, weight))
    return graph.op("Add", start, share)


def _addcmul(graph: Graph, x: Value, first: Value, second: Value) -> Value:
    return graph.op("Add", x, graph.op("Mul", first, second))


def _where(graph: Graph, condition: Value, first: Any, second: Any) -> Value:
    return graph.op("Where", condition, _operand(graph, first), _operand(graph, second))


def _sum(graph: Graph, x: Value, axes: Any, keepdim: bool = False, **_: Any) -> Value:
    places = [axes] if isinstance(axes, int) else axes
    return graph.op("ReduceSum", x, graph.integers(*places), keepdims=int(keepdim))


def _mean(graph: Graph, x: Value, axes: Any, keepdim: bool = False, **_: Any) -> Value:
    places = [axes] if isinstance(axes, int) else [*axes]
    return graph.op("ReduceMean", x, axes=places, keepdims=int(keepdim))


def _sort(graph: Graph, x: Value, axis: int = -1, descending: bool = False) -> tuple[Value, ...]:
    count = graph.op("Gather", graph.op("Shape", x), graph.integers(axis))
    return graph.ops("TopK", x, count, count=2, axis=axis, largest=int(descending))


_OTHERS: Mapping[str, Callable[..., Any]] = {
    "addcmul": _addcmul, "addmm": _affine, "baddbmm": _affine, "cat": _cat, "chunk": _chunk,
    "clamp": _clamp, "clamp_max": _clamp_max, "clamp_min": _clamp, "expm1": _expm1,
    "layer_norm": _layer_norm,
    "lerp": _lerp, "linear": _linear, "log1p": _log1p, "log_sigmoid": _log_sigmoid,
    "log_softmax": _log_softmax,
    "mean": _mean, "reshape": _reshape, "rsub": _rsub, "select": _select, "slice": _slice,
    "softmax": _softmax, "softplus": _softplus, "sort": _sort, "square": _square,
    "squeeze": _squeeze, "stack": _stack, "sum": _sum, "t": _t, "to": _to,
    "unsqueeze": _unsqueeze, "view": _reshape, "where": _where,
}  # fmt: skip
