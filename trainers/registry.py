"""Entries by name: our own, those that installed packages add, and `module:object`.

An entry carries everything that is asked of it. Our own may be given as `module:object`, loaded
when it is first used. An installed package adds one under its own name by an entry point of the
registry's group, in its pyproject.toml:

    [project.entry-points."rnn_sweep.cells"]
    my_cell = "my_package.my_cell:MY_CELL"

A name that is itself `module:object` is loaded from there.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from operator import attrgetter
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class UnknownEntry(KeyError):
    """No entry has this name; the message says which there are, and the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])


class Registry(Mapping[str, T], Generic[T]):
    """A read-only mapping from names to entries of one kind.

    Args:
        group: The entry points' group, `rnn_sweep.…`.
        what: What an entry is, for messages: a cell, a metric.
        kind: The entries' class.
        entries: Our own, as objects or `module:object`; they win over an installed package's.
    """

    def __init__(
        self, group: str, what: str, kind: type[T], entries: Mapping[str, T | str]
    ) -> None:
        self.group = group
        self._what = what
        self._kind = kind
        self._own = dict(entries)
        self._loaded: dict[str, T] = {}
        self._scanned: tuple[tuple[str, ...], dict[str, str]] = ((), {})

    def __getitem__(self, name: str) -> T:
        """Return an entry.

        Raises:
            UnknownEntry: there is none, or what was loaded is of another kind.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._own, **self._installed})

    def __len__(self) -> int:
        return len({**self._own, **self._installed})

    def __contains__(self, name: object) -> bool:
        """Return whether there is such an entry; `module:object` is looked for."""
        if name in self._own or name in self._installed or name in self._loaded:
            return True
        if not isinstance(name, str) or ":" not in name:
            return False
        try:
            self[name]
        except UnknownEntry:
            return False
        return True

    def is_own(self, name: str) -> bool:
        """Return whether the entry is one of ours, not of an installed package."""
        return name in self._own

    @property
    def _installed(self) -> dict[str, str]:
        path = tuple(sys.path)  # what is installed depends on it, and a scan takes milliseconds
        if self._scanned[0] != path:
            found = {point.name: point.value for point in entry_points(group=self.group)}
            self._scanned = (path, found)
        return self._scanned[1]

    def _load(self, name: str) -> T:
        given = self._own.get(name) or self._installed.get(name)
        if given is None and ":" in name:
            given = name
        if given is None:
            near = difflib.get_close_matches(name, list(self), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnknownEntry(
                f"{self._what} must be one of {', '.join(self)}, but got {name!r}{hint}"
            )
        found = load_object(given) if isinstance(given, str) else given
        if not isinstance(found, self._kind):
            raise UnknownEntry(
                f"{self._what} {name!r} must be a {self._kind.__name__}, but {given} is a "
                f"{type(found).__name__}."
            )
        return found


def load_object(place: str) -> object:
    """Return what `module:object` names; the object may be `Class.function`.

    Raises:
        UnknownEntry: there is no such module, or it has no such object.
    """
    module, _, name = place.partition(":")
    try:
        return cast(object, attrgetter(name)(import_module(module)))
    except (ImportError, AttributeError) as error:
        raise UnknownEntry(f"{place} can't be loaded: {error}") from error
