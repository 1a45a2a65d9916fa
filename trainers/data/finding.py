"""What is suspicious about data: one kind, how grave it is, and one line with the way out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from trainers.errors import DataError

Grade = Literal["wrong", "doubtful", "note"]
GraveKind = Literal["sentinel", "leak", "target", "series"]
"""Kinds that may be wrong, and so may have to be accepted."""
Kind = (
    GraveKind | Literal["time", "counter", "constant", "duplicates", "classes", "shift", "missing"]
)
GRADES: tuple[Grade, ...] = get_args(Grade)
GRAVE_KINDS: tuple[GraveKind, ...] = get_args(GraveKind)


@dataclass(frozen=True)
class Finding:
    """One thing that a person should look at before anything is trained.

    Attributes:
        kind: What it is about; `data.accept` names it.
        grade: "wrong" is refused unless it is accepted; "doubtful" may be meant.
        text: One line: column, row, value, and the option that mends it.
    """

    kind: Kind
    grade: Grade
    text: str


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by grade; those of one grade keep their order."""
    return tuple(sorted(findings, key=lambda finding: GRADES.index(finding.grade)))


def grave(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return those that a person should see before a run, not notes."""
    return tuple(finding for finding in findings if finding.grade != "note")


def require_accepted(findings: Iterable[Finding], accept: Collection[str]) -> None:
    """Refuse data with a wrong finding that nobody accepted.

    Raises:
        DataError: there is one; the message is its line, and how to accept it.
    """
    refused = [f for f in findings if f.grade == "wrong" and f.kind not in accept]
    if refused:
        first = refused[0]
        others = len({f.text for f in refused}) - 1
        more = f" ({others} more: rnn-sweep data)" if others else ""
        kinds = list(dict.fromkeys([*accept, *(f.kind for f in refused)]))
        raise DataError(f"{first.text}; or accept it with data.accept: [{', '.join(kinds)}]{more}.")
