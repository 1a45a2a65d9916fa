"""What a column of results is: one thing that is known of every trial, and how it is shown.

Whoever has one of their own makes a `Column` in a module of their own, lets it stand under the
group `rnn_sweep.columns` of their package's entry points, and holds it to
`sweep.results.conformance`. It is then in every table, file and export.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sweep.history.state import TrialState
from sweep.results.results import Results
from sweep.words.console import short

Place = Literal["table", "report", "mlflow", "comparison"]
"""Where people read columns. CSV, JSON, Parquet and the Optuna export always hold all of them."""
Reader = Callable[[Results, TrialState], Any]
PLACES: frozenset[Place] = frozenset(get_args(Place))
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()
"""Stands for a value that a trial does not have, where None would be a value."""


class Entry(ABC):
    """A column, or a family of them.

    Attributes:
        name: What it is called in files, and in the registry.
        about: One sentence on what it says.
    """

    name: str
    about: str

    @abstractmethod
    def columns(self, results: Results) -> tuple[Column, ...]:
        """Return the columns that this sweep has."""


@dataclass(frozen=True)
class Column(Entry):
    """One thing that is known of every trial.

    Attributes:
        name: `seconds`; within a family `params.cell`. JSON makes an object of each family.
        read: Returns the value: text, number, truth, None, or whatever else JSON knows.
        unit: Of the value, as "s"; empty for names, counts and pure numbers.
        header: How tables call it; by default its name.
        text: How a person reads the value.
        text_has_unit: Whether `text` names the unit itself.
        shown: Where people see it.
        leads: Whether it stands before others, and in tables however narrow the terminal is.
        applies: Whether a sweep has it.
        tracked: Where MLflow has it, as `metrics.epochs`; empty where it has not.
    """

    name: str
    about: str
    read: Reader
    unit: str = ""
    header: str = ""
    text: Callable[[Any], str] = short
    text_has_unit: bool = False
    shown: frozenset[Place] = PLACES
    leads: bool = False
    applies: Callable[[Results], bool] = lambda results: True
    tracked: str = ""

    def columns(self, results: Results) -> tuple[Column, ...]:
        """Return itself, where it applies."""
        return (self,) if self.applies(results) else ()

    def value(self, results: Results, trial: TrialState) -> Any:
        """Return the trial's value; None also where it has none."""
        found = self.read(results, trial)
        return None if found is ABSENT else found

    def cell(self, results: Results, trial: TrialState) -> str:
        """Return the value as a person reads it, in one line; `-` where the trial has none."""
        found = self.read(results, trial)
        return "-" if found is ABSENT else " ".join(self.text(found).splitlines())

    def title(self, *, raw: bool = False) -> str:
        """Return the heading, the unit in brackets where neither it nor the cells name it.

        Args:
            raw: Whether the cells are plain values.
        """
        header = self.header or self.name.replace("_", " ")
        named = self.unit in header or (self.text_has_unit and not raw)
        return header if named else f"{header} ({self.unit})"


@dataclass(frozen=True)
class Family(Entry):
    """Columns that depend on the sweep: its parameters, its metrics.

    Attributes:
        members: Returns them; their names are `NAME.member`.
        listed: Whether JSON has a list of their values, not a mapping.
    """

    name: str
    about: str
    members: Callable[[Results], Iterable[Column]]
    listed: bool = False

    def columns(self, results: Results) -> tuple[Column, ...]:
        """Return the sweep's members."""
        return tuple(self.members(results))
