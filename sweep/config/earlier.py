"""Sweeps that earlier releases recorded, read as this one would have recorded them.

A recorded sweep stands in its log, and as `sweep.yaml` on its page in MLflow.
"""

from __future__ import annotations

from typing import Any

from sweep.config.pruning import RULES

# Up to release 0.1 every rule had the keys of all, and they were recorded together.
_PRUNING_KEYS = frozenset(
    {"min_epochs", "reduction_factor", "startup_trials", "interval_epochs", "pruner", "options"}
)


def brought_up_to_date(values: Any) -> Any:
    """Return a sweep file's values; of keys that only an earlier release had, none is left.

    What a person writes stays as it is, and is judged as it is.
    """
    match values:
        case {"search": {"pruning": {"rule": str(rule), **keys}, **search}} if (
            keys.keys() >= _PRUNING_KEYS and rule in RULES
        ):
            foreign = _PRUNING_KEYS - RULES[rule].section.model_fields.keys()
            own = {name: value for name, value in keys.items() if name not in foreign}
            return {**values, "search": {**search, "pruning": {"rule": rule, **own}}}
    return values
