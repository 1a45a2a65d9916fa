"""Code of a user's own, run from its text: it shadows no module and leaves no bytecode."""

from __future__ import annotations

import sys
from types import ModuleType


def module_of(path: str, code: str | bytes) -> ModuleType:
    """Run a file's text as a module of its own name; what it raises comes as it is.

    Args:
        path: Where the text is from; tracebacks name it.
        code: The text.
    """
    module = ModuleType(f"_own_code_{abs(hash(path))}")
    module.__file__ = path
    # Dataclasses look their module up by name while it is being run.
    sys.modules[module.__name__] = module
    try:
        exec(compile(code, path, "exec"), vars(module))
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def reason(path: str, error: Exception) -> str:
    """Return what an error of such code says, and on which line of it: `m.py:3: TypeError: …`."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    name = path.rpartition("/")[2]
    where = name if line is None else f"{name}:{line}"
    return f"{where}: {type(error).__name__}: {' '.join(str(error).split())}"
