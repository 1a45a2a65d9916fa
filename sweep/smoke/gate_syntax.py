"""The language of gates, `best/val_rmse > 0.9 * champion`: a small part of Python's. Pure.

A gate compares numbers, reckoned by + - * / from numbers and names, and joins comparisons by and,
or, not; comparisons and numbers don't mix. A name is a word, or two with a slash and no blanks
between them, and beyond a metric `/h3` for a step ahead; of f1, precision and recall a class, of
coverage and width a level. Python's parser makes the tree, which is held against a list of the
nodes that there may be; nothing is ever handed to Python to evaluate.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sweep.errors import UserError

_LONGEST = 500
_DEEPEST = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<word>(?:and|or|not)\b)"
    r"|(?P<name>(?:baseline/[A-Za-z]\w*/(?=(?:val|test)_)|(?:best|trials|champion|baseline)/)?"
    r"(?:(?:val|test)_(?:(?:f1|precision|recall)/[\w.]+|(?:coverage|width)/0?\.\d+)"
    r"|[A-Za-z_]\w*)(?:/h[1-9]\d*)?)"
    r"|(?P<mark><=|>=|==|!=|[-+*/()<>]))",
    re.ASCII,
)


class GateError(UserError):
    """A gate is not written as it must be."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse_truth(text: str) -> ast.expr:
    """Return a gate's tree; the `id` of an `ast.Name` is the name, slash and all.

    Raises:
        GateError: it is no gate; one line says why.
    """
    if len(text) > _LONGEST:
        raise GateError(f"a gate must have at most {_LONGEST} characters, but has {len(text)}.")
    try:
        tokens = list(_tokens(text))
        _check_order(tokens)
        names = [token.text for token in tokens if token.kind == "name"]
        tree = ast.parse(" ".join(_in_python(tokens, names)), mode="eval").body
        _check_node(tree, truth=True)
    except ValueError as problem:
        shown = " ".join(text.split())
        raise GateError(f"--fail-if {shown!r} is no gate: {problem}.") from problem
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names[int(node.id[1:])]
    return tree


def _tokens(text: str) -> Iterator[_Token]:
    place, text = 0, text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            rest = text[place:].split()[0]
            raise ValueError(f"no names, numbers or signs begin with {rest[:20]!r}")
        token = _Token(str(found.lastgroup), found[str(found.lastgroup)])
        if token.kind == "number" and not math.isfinite(float(token.text)):
            raise ValueError(f"numbers must be finite, but {token.text} is not")
        yield token
        place = found.end()


def _in_python(tokens: list[_Token], names: list[str]) -> Iterator[str]:
    for token in tokens:
        if token.kind == "name":
            yield f"n{names.index(token.text)}"
        else:
            yield repr(float(token.text)) if token.kind == "number" else token.text


def _check_order(tokens: list[_Token]) -> None:
    """Check what may follow what, and how deep: then Python's parser has nothing to refuse."""
    before, opened, prefixes, ended = "(", 0, 0, False
    for token in tokens:
        text = token.text
        if ended and text == ")" and opened:
            opened -= 1
        elif ended:
            if text in ("(", ")", "not") or token.kind in ("name", "number"):
                raise ValueError(f"nothing may follow, but {text!r} does")
            ended = False
        elif text in ("(", "-") or (text == "not" and before in ("(", "and", "or", "not")):
            opened, prefixes = (opened + 1, 0) if text == "(" else (opened, prefixes + 1)
            if opened + prefixes > _DEEPEST:
                raise ValueError(f"it is nested more than {_DEEPEST} deep")
        elif token.kind in ("name", "number"):
            ended, prefixes = True, 0
        else:
            raise ValueError(f"a number or a name must stand where {text!r} stands")
        before = text
    if not ended:
        raise ValueError("a number or a name must stand where the end stands")
    if opened:
        raise ValueError("a parenthesis is not closed")


def _check_node(node: ast.expr, *, truth: bool, root: bool = True) -> None:
    """Check that a node is one that there may be, and that it is a truth value or a number."""
    negates = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    if (isinstance(node, ast.Compare | ast.BoolOp) or negates) != truth:
        if root:
            raise ValueError("it must compare, as in `best/val_rmse > 0.5`")
        joined = "and, or, not join comparisons, not numbers"
        raise ValueError(joined if truth else "a comparison is no number to compare or reckon with")
    match node:
        case ast.Compare(left=left, comparators=[right]):
            parts, truth = [left, right], False
        case ast.Compare():
            raise ValueError("comparisons are joined by `and`, not in a chain")
        case ast.BoolOp(values=parts):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=part):
            parts = [part]
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            parts = [left, right]
        case ast.Name() | ast.Constant(value=float()):
            parts = []
        case _:
            raise ValueError(f"there is no {type(node).__name__} in a gate")
    for part in parts:
        _check_node(part, truth=truth, root=False)
