"""The sweep file that `init` writes: YAML with comments, in the order in which it is read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from sweep.datasets.draft import Draft
from sweep.datasets.settings import Settings

_WIDTH = 100
_COLUMN = 34  # where comments begin


@dataclass(frozen=True)
class SweepText:
    """What a sweep file says.

    Attributes:
        head: Lines of its first comment.
        trials: What suits this machine.
        max_epochs: The same; None: as the settings have it.
        budget: Why.
    """

    name: str
    draft: Draft
    settings: Settings
    head: Sequence[str]
    trials: int
    max_epochs: int | None = None
    budget: str = ""

    def render(self) -> str:
        """Return the whole file."""
        return "\n".join([*self._head(), *self._data(), *self._search()]) + "\n"

    def _head(self) -> Iterator[str]:
        for line in self.head:
            yield from textwrap.wrap(
                line, _WIDTH, initial_indent="# ", subsequent_indent="#   ",
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
        yield _entry("name", self.name)

    def _data(self) -> Iterator[str]:
        yield "data:"
        yield _entry("  source", self.draft.source)
        for name, value in self.draft.options.items():
            yield _entry(f"  {name}", value, self.draft.why.get(name, ""))
        for line in self.draft.unused:
            yield f"  # {line}"

    def _search(self) -> Iterator[str]:
        own = self.settings
        yield "space:"
        yield _entry("  base", own.base, f"{own.about} (rnn-sweep spaces)")
        yield "  # parameters: {hidden_size: [32, 64]}   narrows it; takes any training setting"
        yield "train:"
        for name, value in own.train.items():
            if name == "max_epochs" and self.max_epochs is not None:
                yield _entry(
                    "  max_epochs", self.max_epochs, "as many as this machine does in time"
                )
            else:
                yield _entry(f"  {name}", value)
        yield "search:"
        yield _entry("  sampler", "tpe")
        yield _entry("  seed", 0)
        yield _entry("  objectives", [{"metric": own.metric}], "judged on the validation part")
        pruning = {"rule": "halving", "min_epochs": min(own.min_epochs, self._epochs())}
        yield _entry("  pruning", pruning)
        if own.enqueue:
            yield _entry("  enqueue", list(own.enqueue), "tried first")
        yield "budget:"
        yield _entry("  trials", self.trials, self.budget)
        yield "finalists:"
        yield _entry("  count", own.finalists, "evaluated on the test part, once")

    def _epochs(self) -> int:
        return int(self.max_epochs or self.settings.train["max_epochs"])


def _entry(name: str, value: Any, why: str = "") -> str:
    line = f"{name}: {flow(value)}"
    if not why:
        return line
    indent = len(name) - len(name.lstrip())
    if max(len(line) + 2, _COLUMN) + len(why) + 2 <= _WIDTH:
        return f"{line:<{_COLUMN - 2}}  # {why}"
    mark = " " * indent + "# "
    above = textwrap.wrap(why, _WIDTH, initial_indent=mark, subsequent_indent=mark)
    return "\n".join([*above, line])


def flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    plain = _plain(value)
    text = yaml.safe_dump(
        plain, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value
