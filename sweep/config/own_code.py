"""Code of the user's own: a sweep file names it as `path.py:function`."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.errors import ConfigProblem

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
    """Run one file as a module of its own name: it shadows no module and leaves no bytecode."""
    module = ModuleType(f"_own_code_{path.stem}_{abs(hash(str(path)))}")
    module.__file__ = str(path)
    # Dataclasses look their module up by name while it is being run.
    sys.modules[module.__name__] = module
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except Exception as error:
        del sys.modules[module.__name__]
        raise _failed(key, path, error) from error
    return module


def _is_own(value: object, module: ModuleType) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _failed(key: str, path: Path, error: Exception) -> ConfigProblem:
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    where = path.name if line is None else f"{path.name}:{line}"
    reason = " ".join(str(error).split())
    return ConfigProblem(f"{key} fails at {where}: {type(error).__name__}: {reason}")
