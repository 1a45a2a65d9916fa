"""What to try: search spaces, pure Optuna. Names are resolved lazily by `get_space`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from search_spaces.errors import SpaceError, UnknownSpaceError

if TYPE_CHECKING:
    from search_spaces.space import Space

__all__ = ["SpaceError", "UnknownSpaceError", "build_space", "get_space", "space_names"]

_READY = {
    name: f"search_spaces.{name}"
    for name in ("classification", "forecasting", "language", "recurrent", "sentences", "smoke")
}


def space_names() -> tuple[str, ...]:
    """Return the names of the ready spaces; `path.py:function` is a space as well."""
    return tuple(sorted(_READY))


def get_space(name: str) -> Space:
    """Return a ready space by name.

    Raises:
        UnknownSpaceError: no ready space has that name.
    """
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


def build_space(
    base: str | None,
    parameters: Mapping[str, Any],
    function: Callable[[Any], Mapping[str, Any]] | None = None,
) -> Space:
    """Return the space that a sweep file describes: a base, narrowed by its parameters.

    Args:
        base: As `get_space` takes it; None starts from nothing; with `function` what to call that.
        parameters: Overrides by name, see `SearchSpace.narrowed`.
        function: A base of the user's own (`search_spaces.function`).

    Raises:
        SpaceError: the base is unknown, an override breaks a law, or nothing is left to try.
    """
    if function is not None:
        from search_spaces.function import FunctionSpace

        return FunctionSpace(str(base), function).narrowed(parameters)
    if base is not None:
        return get_space(base).narrowed(parameters)
    from search_spaces.overrides import dimension_from
    from search_spaces.space import SearchSpace

    dimensions = {name: dimension_from(name, written) for name, written in parameters.items()}
    return SearchSpace("own", dimensions)
