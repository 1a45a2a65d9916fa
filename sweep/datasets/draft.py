"""A draft: how a data file is best taken, before a sweep file is written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal["forecasting", "windows", "classification", "regression", "sentences", "language"]

_OWN_FLAGS = {"target": "--target", "time_column": "--time", "series": "--series", "task": "--task"}
_UNSAID = ("accept", "missing")  # the last resort, and what `init` sets by itself
_OPTION = re.compile(r"data\.([a-z_]+(?:\.[a-z_]+)*)(?:: (\"[^\"]*\"|\[[^\]]*\]|[\w.-]*\w))?")


@dataclass(frozen=True)
class Wishes:
    """What a person says beside the file.

    Attributes:
        ahead: Rows from the last input to the target; None: as usual.
        task: regression or classification; None: as the data say.
        options: Options of `data` by name, which go before everything that is found out.
    """

    target: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    ahead: int | None = None
    task: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """What the `data` section is to say, and why.

    Attributes:
        source: A data source's name.
        kind: What is learned; it chooses space and training settings.
        options: The source's options, in the order in which they are written.
        why: A comment for some of them.
        unused: Lines on what else could be said: `known_ahead: [price]`, and when.
        examples: Roughly how many training examples there are; None: not known.
    """

    source: str
    kind: Kind
    options: Mapping[str, Any]
    why: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    examples: int | None = None

    def with_options(self, wanted: Mapping[str, Any]) -> Draft:
        """Return the draft with what a person said in the place of what was found out."""
        why = {name: text for name, text in self.why.items() if name not in wanted}
        return replace(self, options={**self.options, **wanted}, why=why)


def with_flags(message: str) -> str:
    """Return an error's line with how `init` takes the options that it names."""
    found = [(name, value) for name, value in _OPTION.findall(message) if name not in _UNSAID]
    named = dict(reversed(found))
    flags = [_flag(name, value) for name, value in reversed(named.items())]
    return f"{message} (init takes {' and '.join(flags)})" if flags else message


def _flag(name: str, value: str) -> str:
    """How an option is given on the command line, quoted where a shell would change it."""
    own = _OWN_FLAGS.get(name)
    if own is not None:
        return f"{own} {shlex.quote(value.strip('[]'))}" if value else own
    return f"--set {shlex.quote(f'data.{name}={value}')}" if value else f"--set data.{name}=VALUE"
