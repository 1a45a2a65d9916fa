"""The unit that a metric is in."""

from __future__ import annotations

_UNITS = {
    "accuracy": "share",
    "macro_f1": "share",
    "cross_entropy": "nats",
    "nats": "nats",
    "bits_per_character": "bits",
}


def metric_unit(metric: str, task: str, own: str) -> str:
    """Return a metric's unit, as "nats"; empty for a pure number, or where it is not known.

    Errors are in the target's own unit. The loss is not: its targets are scaled.

    Args:
        metric: Its name.
        task: Of the data.
        own: The targets' unit; empty where they have none.
    """
    if metric == "loss" and task == "classification":
        return "nats"
    return {"mae": own, "rmse": own, "mse": own and f"{own}²"}.get(metric) or _UNITS.get(metric, "")
