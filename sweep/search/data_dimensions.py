"""The data's options that a sweep searches, and what a trial drew of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweep.config.data_options import PREFIX, drawable, is_data_option, listed, spelled
from sweep.errors import ConfigProblem
from sweep.words.console import same
from trainers.errors import ConfigError


@dataclass(frozen=True)
class DataDimensions:
    """The choices of each option, as the data's source takes them.

    Attributes:
        values: By option, without `data.`.
    """

    values: Mapping[str, tuple[Any, ...]]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> DataDimensions:
        """Read them off a sweep file's `space.parameters`.

        Raises:
            ConfigProblem: an option has no finite number of choices.
            SpaceError: a range breaks a law.
        """
        return cls(
            {
                name.removeprefix(PREFIX): _values(name, written)
                for name, written in parameters.items()
                if is_data_option(name)
            }
        )

    def options(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a trial drew, lists as lists.

        Raises:
            ConfigError: an option, or its value, is none that was named beforehand.
        """
        drawn = {n.removeprefix(PREFIX): v for n, v in params.items() if is_data_option(n)}
        return {name: self._value(name, value) for name, value in drawn.items()}

    def _value(self, name: str, drawn: Any) -> Any:
        for value in self.values.get(name, ()):
            if same(spelled(value), drawn):
                return value
        raise ConfigError(
            f"data are loaded before anything is drawn, so space.parameters must list every choice "
            f"of data.{name}, but got {drawn!r}; list it there."
        )


def _values(name: str, written: Any) -> tuple[Any, ...]:
    from search_spaces.overrides import dimension_from

    choices = listed(written)
    if choices is not None:
        return tuple(choices)
    dimension = dimension_from(name, drawable({name: written})[name])
    values = dimension.values()
    if values is None or getattr(dimension, "log", False):
        raise ConfigProblem(
            f"space.parameters.{name} must name a finite number of choices, since data are loaded "
            f"for each, but got {written}; list them, or give low, high and step without log."
        )
    return tuple(values)
