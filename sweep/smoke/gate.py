"""Gates: `--fail-if "best/val_rmse > 0.9 * champion"`, judged on a finished sweep. Pure."""

from __future__ import annotations

import ast
import difflib
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sweep.smoke.gate_syntax import GateError, parse_truth

CHAMPION, BASELINE = "champion", "baseline"
_JUDGED = ("best/val_", "best/test_")
_PARTS = ("val_", "test_")
_RECKON: dict[type[ast.operator], tuple[str, Callable[[float, float], float]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
}
_COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[float, float], bool]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}


@dataclass(frozen=True)
class Unknown:
    """Stands for a value that there is not.

    Attributes:
        reason: Why.
        passes: Whether a gate that hangs on it passes: there is no champion yet.
    """

    reason: str
    passes: bool = False


@dataclass(frozen=True)
class Gate:
    """A gate, parsed; a bare `champion` or `baseline` has the metric that it stands beside."""

    text: str
    truth: ast.expr

    @property
    def names(self) -> frozenset[str]:
        """The names that the gate reads."""
        return frozenset(name.id for name in _names(self.truth))


@dataclass(frozen=True)
class GateResult:
    """What a gate says of a finished sweep.

    Attributes:
        outcome: `fires` fails the smoke, and so does `unknown`; `no champion` passes.
        sides: Both values of every relation, as `0.51 > 0.45`; or why there are none.
    """

    gate: Gate
    outcome: Literal["passes", "fires", "no champion", "unknown"]
    sides: str

    @property
    def failed(self) -> bool:
        """Whether the smoke fails by it."""
        return self.outcome in ("fires", "unknown")


def parse_gate(text: str) -> Gate:
    """Read a gate.

    Raises:
        GateError: it is no gate, or `champion` or `baseline` has no metric; one line says why.
    """
    shown, truth = " ".join(text.split()), parse_truth(text)
    _give_metrics(truth, shown)
    return Gate(shown, truth)


def check_names(gate: Gate, known: Iterable[str]) -> None:
    """Refuse names that nothing will have a value for.

    Raises:
        GateError: a name is unknown; the line lists those that there are.
    """
    there = list(dict.fromkeys(known))
    for name in sorted(gate.names - set(there)):
        near = difflib.get_close_matches(name, there, n=1)
        hint = f" did you mean {near[0]}?" if near else ""
        # Of one naive forecast alone there are as many again as there are forecasts.
        shown = ", ".join(one for one in there if one.split("/")[:1] != [BASELINE] or _judges(one))
        raise GateError(
            f"--fail-if {gate.text!r} asks for {name}, which this sweep does not have;{hint} it "
            f"has {shown}."
        )


def result_of(gate: Gate, values: Mapping[str, float | Unknown]) -> GateResult:
    """Judge a gate; `values` must have all its names."""
    held = _truth(gate.truth, values)
    if isinstance(held, Unknown):
        return GateResult(gate, "no champion" if held.passes else "unknown", held.reason)
    sides = ", ".join(dict.fromkeys(_sides(gate.truth, values)))
    return GateResult(gate, "fires" if held else "passes", sides)


def _truth(node: ast.expr, values: Mapping[str, float | Unknown]) -> bool | Unknown:
    """Kleene's logic: what is not known matters only where it decides."""
    if isinstance(node, ast.Compare):
        left, right = _value(node.left, values), _value(node.comparators[0], values)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return _worse(left, right)
        return _COMPARE[type(node.ops[0])][1](left, right)
    parts = [_truth(part, values) for part in _joined(node)]
    if isinstance(node, ast.UnaryOp):
        return parts[0] if isinstance(parts[0], Unknown) else not parts[0]
    decides = isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)
    if decides in parts:
        return decides
    return _worse(*parts) if any(isinstance(part, Unknown) for part in parts) else not decides


def _worse(*parts: float | Unknown) -> Unknown:
    """Return the unknown that lets a gate fail, if there is one."""
    return min((p for p in parts if isinstance(p, Unknown)), key=lambda one: one.passes)


def _joined(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp):
        return node.values
    return [node.operand] if isinstance(node, ast.UnaryOp) else []


def _value(node: ast.expr, values: Mapping[str, float | Unknown]) -> float | Unknown:
    if isinstance(node, ast.BinOp):
        mark, reckon = _RECKON[type(node.op)]
        left, right = _value(node.left, values), _value(node.right, values)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return _worse(left, right)
        try:
            result = reckon(left, right)
        except ZeroDivisionError:
            return Unknown(f"{left:.6g} / 0 is no number")
        return result if math.isfinite(result) else Unknown(f"{left:.6g} {mark} {right:.6g}")
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, values)
        return inner if isinstance(inner, Unknown) else 0.0 - inner
    if isinstance(node, ast.Name):
        found = values[node.id]
        if isinstance(found, Unknown) or math.isfinite(found):
            return found
        return Unknown(f"{node.id} is {found}")
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, float)
    return node.value


def _sides(node: ast.expr, values: Mapping[str, float | Unknown]) -> Iterator[str]:
    if not isinstance(node, ast.Compare):
        for part in _joined(node):
            yield from _sides(part, values)
        return
    left, right = (_value(side, values) for side in (node.left, node.comparators[0]))
    shown = [side.reason if isinstance(side, Unknown) else f"{side:.6g}" for side in (left, right)]
    yield f"{shown[0]} {_COMPARE[type(node.ops[0])][0]} {shown[1]}"


def _names(node: ast.AST) -> Iterator[ast.Name]:
    return (part for part in ast.walk(node) if isinstance(part, ast.Name))


def _give_metrics(truth: ast.expr, text: str) -> None:
    """Give what names no metric the one that stands in the same comparison."""
    for node in ast.walk(truth):
        if not isinstance(node, ast.Compare):
            continue
        bare = [name for name in _names(node) if _is_bare(name.id)]
        judged = {name.id for name in _names(node) if name.id.startswith(_JUDGED)}
        metrics = sorted(name.removeprefix("best/") for name in judged)
        if bare and len(metrics) != 1:
            raise GateError(
                f"--fail-if {text!r}: {bare[0].id} stands for the one best/ metric in its "
                f"comparison, but got {', '.join(metrics) or 'none'}; say which, as in "
                f"{bare[0].id.partition('/')[0]}/val_rmse."
            )
        for name in bare:
            name.id = f"{name.id}/{metrics[0]}"


def _is_bare(name: str) -> bool:
    """Return whether a name leaves its metric open: `champion`, `baseline`, `baseline/ridge`."""
    first, *rest = name.split("/")
    open_ = first == BASELINE and len(rest) == 1 and not _judges(name)
    return name in (CHAMPION, BASELINE) or open_


def _judges(name: str) -> bool:
    """Return whether a part's metric follows the first word, as in `baseline/val_rmse`."""
    return name.partition("/")[2].startswith(_PARTS)
