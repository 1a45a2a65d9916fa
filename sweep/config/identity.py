"""What makes a sweep this sweep, and what a resume may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sweep.config.sweep_config import SweepConfig

# Resume may change these; everything else is the sweep's identity.
CHANGEABLE = (
    "budget", "run.workers", "run.address", "run.log", "run.hang_seconds", "cluster",
    "finalists.replicates", "finalists.ensemble", "tracking",
)  # fmt: skip


def identity(config: SweepConfig | Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that a resume must not change, as plain values."""
    if not isinstance(config, SweepConfig):
        config = SweepConfig.model_validate(dict(config))
    values = config.model_dump(mode="json")
    for key in CHANGEABLE:
        section, _, name = key.partition(".")
        if name:
            del values[section][name]
        else:
            del values[section]
    return values


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return one readable line per key that differs, as `search.seed: 0 → 1`."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    return [
        f"{key}: {_shown(before, key)} → {_shown(after, key)}"
        for key in dict.fromkeys([*before, *after])
        if _shown(before, key) != _shown(after, key)
    ]


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(leaves: dict[str, Any], key: str) -> str:
    return repr(leaves[key]) if key in leaves else "(not set)"
