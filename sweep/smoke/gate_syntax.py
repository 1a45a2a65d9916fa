"""The language of gates, `best/val_rmse > 0.9 * champion`: its tree, and the reader of it. Pure.

    gate       = all {"or" all}                 all     = one {"and" one}
    one        = "not" one | sum [compare sum]  compare = < <= > >= == !=
    sum        = product {(+ | -) product}      product = factor {(* | /) factor}
    factor     = "-" factor | number | name | "(" gate ")"

A name is a word, or two with a slash and no blanks between them. Comparisons give true or false,
everything else numbers, and the two don't mix; nothing is ever handed to Python.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sweep.errors import UserError

_LONGEST = 500
_DEEPEST = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>(?:(?:best|trials|champion)/)?[A-Za-z_]\w*)"
    r"|(?P<mark><=|>=|==|!=|[-+*/()<>]))",
    re.ASCII,
)
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_WORDS = ("and", "or", "not")


class GateError(UserError):
    """A gate is not written as it must be."""


@dataclass(frozen=True)
class Number:
    """A number, as written."""

    value: float
    text: str


@dataclass(frozen=True)
class Name:
    """A value of the sweep, or of the champion."""

    name: str


@dataclass(frozen=True)
class Sum:
    """Two numbers and one of + - * /; a minus sign is 0 - it."""

    mark: str
    left: Arithmetic
    right: Arithmetic


@dataclass(frozen=True)
class Relation:
    """Two numbers, and how they are to compare."""

    mark: str
    left: Arithmetic
    right: Arithmetic


@dataclass(frozen=True)
class Logic:
    """Truth values joined: and, or; `not` has one."""

    word: str
    parts: tuple[Truth, ...]


Arithmetic = Number | Name | Sum
Truth = Relation | Logic
_Part = Callable[[], Truth | Arithmetic]


def parse_truth(text: str) -> Truth:
    """Read a gate's text.

    Raises:
        GateError: it is no gate; one line says why.
    """
    return _Parser(text).gate()


class _Parser:
    """Recursive descent over tokens; depth is bounded, so no text exhausts the stack."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise GateError(f"a gate must have at most {_LONGEST} characters, but has {len(text)}.")
        self._text = " ".join(text.split())
        self._tokens = list(self._read(text))
        self._place = 0
        self._depth = 0

    def gate(self) -> Truth:
        found = self._any()
        if (left := self._next()) is not None:
            raise self._wrong(f"nothing may follow, but {left!r} does")
        if isinstance(found, Number | Name | Sum):
            raise self._wrong("it must compare, as in `best/val_rmse > 0.5`")
        return found

    def _read(self, text: str) -> Iterator[tuple[str, str]]:
        place, text = 0, text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                rest = text[place:].split()[0]
                raise self._wrong(f"no names, numbers or signs begin with {rest[:20]!r}")
            yield str(found.lastgroup), found[str(found.lastgroup)]
            place = found.end()

    def _wrong(self, why: str) -> GateError:
        return GateError(f"--fail-if {self._text!r} is no gate: {why}.")

    def _next(self) -> str | None:
        return self._tokens[self._place][1] if self._place < len(self._tokens) else None

    def _takes(self, *marks: str) -> str | None:
        token = self._next()
        if token not in marks:
            return None
        self._place += 1
        return token

    def _any(self) -> Truth | Arithmetic:
        return self._joined("or", self._all)

    def _all(self) -> Truth | Arithmetic:
        return self._joined("and", self._one)

    def _joined(self, word: str, part: _Part) -> Truth | Arithmetic:
        first = part()
        parts = [first]
        while self._takes(word):
            parts.append(part())
        return first if len(parts) == 1 else Logic(word, tuple(self._true(p) for p in parts))

    def _one(self) -> Truth | Arithmetic:
        if self._takes("not"):
            self._deeper()
            found = Logic("not", (self._true(self._one()),))
            self._depth -= 1
            return found
        left = self._sum()
        mark = self._takes(*_COMPARISONS)
        if mark is None:
            return left
        found_right = Relation(mark, self._number(left), self._number(self._sum()))
        if self._next() in _COMPARISONS:
            raise self._wrong("comparisons are joined by `and`, not in a chain")
        return found_right

    def _sum(self) -> Truth | Arithmetic:
        return self._operated(("+", "-"), self._product)

    def _product(self) -> Truth | Arithmetic:
        return self._operated(("*", "/"), self._factor)

    def _operated(self, marks: tuple[str, ...], part: _Part) -> Truth | Arithmetic:
        found = part()
        while mark := self._takes(*marks):
            found = Sum(mark, self._number(found), self._number(part()))
        return found

    def _factor(self) -> Truth | Arithmetic:
        self._deeper()
        try:
            if self._takes("-"):
                return Sum("-", Number(0.0, "0"), self._number(self._factor()))
            if self._takes("("):
                found = self._any()
                if not self._takes(")"):
                    raise self._wrong("a parenthesis is not closed")
                return found
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Arithmetic:
        kind, token = (*self._tokens[self._place :][:1], ("end", ""))[0]
        if kind not in ("number", "name") or token in _WORDS:
            found = repr(token) if token else "the end"
            raise self._wrong(f"a number or a name must stand where {found} stands")
        self._place += 1
        if kind == "name":
            return Name(token)
        if not math.isfinite(float(token)):
            raise self._wrong(f"numbers must be finite, but {token} is not")
        return Number(float(token), token)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong(f"it is nested more than {_DEEPEST} deep")

    def _number(self, found: Truth | Arithmetic) -> Arithmetic:
        if isinstance(found, Relation | Logic):
            raise self._wrong("a comparison is no number to compare or reckon with")
        return found

    def _true(self, found: Truth | Arithmetic) -> Truth:
        if isinstance(found, Relation | Logic):
            return found
        raise self._wrong("and, or, not join comparisons, not numbers")
