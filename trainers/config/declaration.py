"""How a setting is declared: what it means, its default, its range and its unit, in one place."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, get_args

from trainers.annotations import Misfit, conform, words
from trainers.errors import ConfigError
from trainers.registry import Registry, UnknownEntry

Group = Literal[
    "network", "truncated BPTT", "loss", "optimizer", "learning rate", "dropout", "regularisation",
    "first weights", "training",
]  # fmt: skip


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may have, every item of a list alike.

    Attributes:
        low: The least; `above` if it is not one of them itself.
        high: The most; `below` if it is not one of them itself.
    """

    low: float
    high: float | None = None
    above: bool = False
    below: bool = False

    def holds(self, value: Any) -> bool:
        """Return whether a number, or every number of a tuple, lies within; null does."""
        if isinstance(value, tuple):
            return all(map(self.holds, value))
        if value is None:
            return True
        if value <= self.low if self.above else value < self.low:
            return False
        return self.high is None or (value < self.high if self.below else value <= self.high)

    def law(self, name: str) -> str:
        """Return the range as a law of the name: `0 <= momentum < 1`."""
        if self.high is None:
            return f"{name} {'>' if self.above else '>='} {self.low:g}"
        low, high = "<" if self.above else "<=", "<" if self.below else "<="
        return f"{self.low:g} {low} {name} {high} {self.high:g}"

    def bounds(self) -> dict[str, float]:
        """Return the range in JSON schema's words."""
        found = {"exclusiveMinimum" if self.above else "minimum": self.low}
        if self.high is not None:
            found["exclusiveMaximum" if self.below else "maximum"] = self.high
        return found


COUNT = Range(1)
PROBABILITY = Range(0, 1, below=True)
AMOUNT = Range(0)


@dataclass(frozen=True)
class Setting:
    """One training setting.

    Attributes:
        hint: Its annotation.
        structural: Whether trials that differ in it can't share a pack.
        typical: Values that are often tried: the ends of an interval, or a list of choices.
        choices: The texts that it may be; any value of its annotation where it is empty. Of a
            registry, `module:object` as well.
    """

    name: str
    hint: Any
    default: Any
    structural: bool
    choices: Collection[str]
    group: Group
    sentence: str
    unit: str
    within: Range | None
    typical: tuple[Any, ...]

    @property
    def law(self) -> str:
        """What its values must be, in one line."""
        if self.choices:
            return f"one of {', '.join(self.choices)}{' or module:object' if self.is_open else ''}"
        if self.within is None:
            return words(self.hint)
        return self.within.law(self.name) + (" or null" if self._may_be_null else "")

    def check(self, value: Any) -> None:
        """Check a value by itself: its type, its range, its choices.

        Raises:
            ConfigError: it breaks one of them.
        """
        if self.choices:
            self._check_choice(value)
        try:
            conform(self.hint, value)
        except Misfit as error:
            raise ConfigError(f"{self.name} {error}") from error
        if self.within is not None and not self.within.holds(hashable(value)):
            raise ConfigError(f"`{self.law}` must hold, but got {self.name}={value!r}.")

    @property
    def is_open(self) -> bool:
        """Whether its choices are a registry's: `module:object` is one of them, too."""
        return isinstance(self.choices, Registry)

    def _check_choice(self, value: Any) -> None:
        if isinstance(value, str) and isinstance(self.choices, Registry):
            try:
                self.choices[value]
            except UnknownEntry as error:
                raise ConfigError(f"{error}.") from error
        elif not isinstance(value, str) or value not in self.choices:
            raise ConfigError(f"{self.name} must be {self.law}, but got {value!r}.")

    @property
    def _may_be_null(self) -> bool:
        return type(None) in get_args(self.hint)


def setting(
    group: Group,
    default: Any,
    sentence: str,
    *,
    unit: str = "",
    within: Range | None = None,
    typical: tuple[Any, ...] = (),
) -> Any:
    """Return a dataclass field that declares a setting; see `Setting`."""
    metadata = {
        "group": group, "sentence": sentence, "unit": unit, "within": within, "typical": typical,
    }  # fmt: skip
    return dataclasses.field(default=default, metadata=metadata)


def hashable(value: Any) -> Any:
    """Return the lists that YAML and JSON have, also within lists, as tuples: as settings hold."""
    return tuple(map(hashable, value)) if isinstance(value, list | tuple) else value


def plain(value: Any) -> Any:
    """Return a value as YAML and JSON have it, the reverse of `hashable`."""
    return list(map(plain, value)) if isinstance(value, tuple) else value
