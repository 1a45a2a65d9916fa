"""Code of the user's own: a sweep file names it as `path.py:function`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.errors import ConfigProblem
from trainers.own_code import module_of, reason

_FUNCTION = re.compile(r"^(?P<path>.+\.py):(?P<name>[A-Za-z_]\w*)$")


def named_function(text: object) -> tuple[str, str] | None:
    """Return path and name where a text is `path.py:function`, else None."""
    match = _FUNCTION.match(text) if isinstance(text, str) else None
    return None if match is None else (match["path"], match["name"])


def own_function(key: str, text: str | None, folder: Path) -> Callable[..., Any] | None:
    """Import the function that a key of the sweep file names; None where it names something else.

    The file is read anew each time. What the function raises comes back as one line.

    Args:
        key: `data.source` or `space.base`.
        text: What stands there.
        folder: Where a relative path starts.

    Raises:
        ConfigProblem: there is no such file or function, or the file fails; the line names the
            file's last line on the error's way.
    """
    named = named_function(text)
    if named is None:
        return None
    path = (folder / Path(named[0]).expanduser()).resolve()
    if not path.is_file():
        raise ConfigProblem(f"{key} must name a file, but there is no file {path}.")
    module = _run(path, key)
    function = getattr(module, named[1], None)
    if not callable(function):
        own = sorted(n for n, v in vars(module).items() if _is_own(v, module))
        raise ConfigProblem(
            f"{key} must name a function of {path.name}, but it has no function {named[1]!r}; it "
            f"has: {', '.join(own) or 'none'}."
        )

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise _failed(key, path, error) from error

    return called


def _run(path: Path, key: str) -> ModuleType:
    try:
        return module_of(str(path), path.read_bytes())
    except Exception as error:
        raise _failed(key, path, error) from error


def _is_own(value: object, module: ModuleType) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _failed(key: str, path: Path, error: Exception) -> ConfigProblem:
    return ConfigProblem(f"{key} fails at {reason(str(path), error)}")
