"""Gates: `--fail-if "best/val_rmse > 0.9 * champion"`, judged on a finished sweep. Pure."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sweep.smoke.gate_syntax import (
    Arithmetic,
    GateError,
    Logic,
    Name,
    Number,
    Relation,
    Sum,
    Truth,
    parse_truth,
)

CHAMPION = "champion"
_JUDGED = ("best/val_", "best/test_")
_RECKON: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
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
    """A gate, parsed; a bare `champion` has been given the metric that it is compared with."""

    text: str
    truth: Truth

    @property
    def names(self) -> frozenset[str]:
        """The names that the gate reads."""
        return frozenset(_names(self.truth))


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
        GateError: it is no gate, or `champion` has no metric; one line says why.
    """
    shown = " ".join(text.split())
    return Gate(shown, _with_metric(parse_truth(text), shown))


def check_names(gate: Gate, known: Iterable[str]) -> None:
    """Refuse names that nothing will have a value for.

    Raises:
        GateError: a name is unknown; the line lists those that there are.
    """
    there = list(dict.fromkeys(known))
    for name in sorted(gate.names - set(there)):
        near = difflib.get_close_matches(name, there, n=1)
        hint = f" did you mean {near[0]}?" if near else ""
        raise GateError(
            f"--fail-if {gate.text!r} asks for {name}, which this sweep does not have;{hint} it "
            f"has {', '.join(there)}."
        )


def result_of(gate: Gate, values: Mapping[str, float | Unknown]) -> GateResult:
    """Judge a gate; `values` must have all its names."""
    held = _truth(gate.truth, values)
    if isinstance(held, Unknown):
        return GateResult(gate, "no champion" if held.passes else "unknown", held.reason)
    sides = ", ".join(dict.fromkeys(_sides(gate.truth, values)))
    return GateResult(gate, "fires" if held else "passes", sides)


def _truth(node: Truth, values: Mapping[str, float | Unknown]) -> bool | Unknown:
    """Kleene's logic: what is not known matters only where it decides."""
    if isinstance(node, Relation):
        sides = _value(node.left, values), _value(node.right, values)
        unknown = _worse([side for side in sides if isinstance(side, Unknown)])
        left, right = sides
        if unknown or isinstance(left, Unknown) or isinstance(right, Unknown):
            return unknown or Unknown("")
        return _COMPARE[node.mark](left, right)
    parts = [_truth(part, values) for part in node.parts]
    unknown = _worse([part for part in parts if isinstance(part, Unknown)])
    if node.word == "not":
        return unknown or not parts[0]
    decides = node.word == "or"
    if decides in parts:
        return decides
    return unknown or not decides


def _worse(unknown: list[Unknown]) -> Unknown | None:
    """Return the one that lets a gate fail, if there is one."""
    return min(unknown, key=lambda one: one.passes, default=None)


def _value(node: Arithmetic, values: Mapping[str, float | Unknown]) -> float | Unknown:
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        found = values[node.name]
        if isinstance(found, Unknown) or math.isfinite(found):
            return found
        return Unknown(f"{node.name} is {found}")
    left, right = _value(node.left, values), _value(node.right, values)
    unknown = _worse([side for side in (left, right) if isinstance(side, Unknown)])
    if unknown or isinstance(left, Unknown) or isinstance(right, Unknown):
        return unknown or Unknown("")
    try:
        result = _RECKON[node.mark](left, right)
    except ZeroDivisionError:
        return Unknown(f"{left:.6g} / 0 is no number")
    return result if math.isfinite(result) else Unknown(f"{left:.6g} {node.mark} {right:.6g}")


def _sides(node: Truth, values: Mapping[str, float | Unknown]) -> Iterator[str]:
    if isinstance(node, Logic):
        for part in node.parts:
            yield from _sides(part, values)
        return
    left, right = (_value(side, values) for side in (node.left, node.right))
    shown = [side.reason if isinstance(side, Unknown) else f"{side:.6g}" for side in (left, right)]
    yield f"{shown[0]} {node.mark} {shown[1]}"


def _names(node: Truth | Arithmetic) -> Iterator[str]:
    if isinstance(node, Name):
        yield node.name
    elif isinstance(node, Logic):
        for part in node.parts:
            yield from _names(part)
    elif not isinstance(node, Number):
        yield from _names(node.left)
        yield from _names(node.right)


def _with_metric(node: Truth, text: str) -> Truth:
    """Give a bare `champion` the metric that stands in the same comparison."""
    if isinstance(node, Logic):
        return Logic(node.word, tuple(_with_metric(part, text) for part in node.parts))
    names = set(_names(node))
    if CHAMPION not in names:
        return node
    metrics = {name.removeprefix("best/") for name in names if name.startswith(_JUDGED)}
    if len(metrics) != 1:
        raise GateError(
            f"--fail-if {text!r}: champion stands for the one best/ metric in its comparison, but "
            f"got {', '.join(sorted(metrics)) or 'none'}; say which, as in champion/val_rmse."
        )
    named = f"{CHAMPION}/{metrics.pop()}"
    return Relation(node.mark, _renamed(node.left, named), _renamed(node.right, named))


def _renamed(node: Arithmetic, champion: str) -> Arithmetic:
    if isinstance(node, Sum):
        return Sum(node.mark, _renamed(node.left, champion), _renamed(node.right, champion))
    return Name(champion) if node == Name(CHAMPION) else node
