"""Sweeps of recurrent networks: `from sweep import run_sweep, load_results`.

Names are imported when first used, so that a worker or `rnn-sweep --help` pays for nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.api import run_sweep
    from sweep.models.trained import load_streaming
    from sweep.results.rows import load_results

__all__ = ["load_results", "load_streaming", "run_sweep"]

_HOMES = {
    "load_results": "sweep.results.rows",
    "load_streaming": "sweep.models.trained",
    "run_sweep": "sweep.api",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'sweep' has no attribute {name!r}; it has {__all__}.")
    return getattr(import_module(_HOMES[name]), name)
