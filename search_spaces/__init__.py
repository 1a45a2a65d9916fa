"""What to try: search spaces, pure Optuna. Names are resolved lazily by `get_space`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.errors import SpaceError, UnknownSpaceError

if TYPE_CHECKING:
    from search_spaces.space import Space

__all__ = ["SpaceError", "UnknownSpaceError", "build_space", "get_space", "space_names"]

_READY = {"recurrent": "search_spaces.recurrent", "smoke": "search_spaces.smoke"}


def space_names() -> tuple[str, ...]:
    """Return the names of the ready spaces; `path.py:function` is a space as well."""
    return tuple(sorted(_READY))


def get_space(name: str, base_dir: Path) -> Space:
    """Return a ready space by name, or the user's own `path.py:function`.

    Args:
        name: A name among `space_names()`, or `path.py:function`.
        base_dir: Folder that a relative path starts from (the sweep file's).

    Raises:
        UnknownSpaceError: no ready space, file or function has that name.
        SpaceError: the user's file fails.
    """
    if name.rpartition(":")[0].endswith(".py"):
        from search_spaces.function import load_function_space

        return load_function_space(name, base_dir)
    if name not in _READY:
        import difflib

        near = difflib.get_close_matches(name, _READY, n=1, cutoff=0.5)
        hint = f" did you mean {near[0]!r}?" if near else ""
        raise UnknownSpaceError(
            f"search space {name!r} is unknown;{hint} valid spaces are: "
            f"{', '.join(space_names())}, or path.py:function."
        )
    space: Space = import_module(_READY[name]).SPACE
    return space


def build_space(base: str | None, parameters: Mapping[str, Any], base_dir: Path) -> Space:
    """Return the space that a sweep file describes: a base, narrowed by its parameters.

    Args:
        base: As `get_space` takes it; None starts from nothing.
        parameters: Overrides by name, see `SearchSpace.narrowed`.
        base_dir: Folder that a relative path starts from.

    Raises:
        SpaceError: the base is unknown, an override breaks a law, or nothing is left to try.
    """
    if base is not None:
        return get_space(base, base_dir).narrowed(parameters)
    from search_spaces.overrides import dimension_from
    from search_spaces.space import SearchSpace

    dimensions = {name: dimension_from(name, written) for name, written in parameters.items()}
    return SearchSpace("own", dimensions)
