"""How values look to a person: four significant digits, readable times, wide lines in files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

WIDE = 160
_WIDE_RATIO = 50.0  # positive values that spread wider than this are read on a log axis


def console(*, stderr: bool = False) -> Console:
    """Return a console; what is not a terminal gets wide lines, so that tables stay whole.

    Brackets are what they are, `data.inputs=[load, temp]`, never rich's markup.
    """
    stream = sys.stderr if stderr else sys.stdout
    wide = None if stream.isatty() or "COLUMNS" in os.environ else WIDE
    return Console(stderr=stderr, width=wide, highlight=False, soft_wrap=True, markup=False)


def short(value: Any) -> str:
    """Return a value as a person reads it: four significant digits, `-` for nothing."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def duration(seconds: float) -> str:
    """Return a time span as `12.3 s`, `3 min 05 s` or `2 h 07 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def counted(count: int, noun: str) -> str:
    """Return `1 worker`, `2 workers`, `3 classes`."""
    plural = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{plural}"


def repeated(repeats: Mapping[str, tuple[int, int]]) -> str:
    """Return how many trials repeat others: `1 audit, 2 of 6 replicates`.

    Args:
        repeats: By kind, how many have ended and how many there are.
    """
    return ", ".join(
        counted(every, kind) if ended == every else f"{ended} of {counted(every, kind)}"
        for kind, (ended, every) in sorted(repeats.items())
    )


def measure(value: float | None, unit: str) -> str:
    """Return a value with its unit; a share needs none."""
    return short(value) if value is None or unit in ("", "share") else f"{short(value)} {unit}"


def settings(params: Mapping[str, Any]) -> str:
    """Return parameters as `cell=lstm hidden_size=64 …`."""
    return " ".join(f"{name}={setting(value)}" for name, value in params.items())


def setting(value: Any) -> str:
    """Return a parameter's value as YAML has it, shortened."""
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else short(value)
    )


def is_wide(low: float, high: float) -> bool:
    """Whether positive values spread so wide that a logarithmic axis reads better."""
    return low > 0 and high / low >= _WIDE_RATIO


def same(one: Any, other: Any) -> bool:
    """Whether two settings are the same one: 1, 1.0 and true are not."""
    return type(one) is type(other) and bool(one == other)
