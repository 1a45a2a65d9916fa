"""The unit that a metric is in."""

from __future__ import annotations

from trainers.config.metrics import METRICS


def metric_unit(metric: str, task: str, own: str) -> str:
    """Return a metric's unit, as "nats"; empty for a pure number, or where it is not known.

    Errors are in the target's own unit. The loss is not: its targets are scaled.

    Args:
        metric: Its name.
        task: Of the data.
        own: The targets' unit; empty where they have none.
    """
    match METRICS[metric].unit if metric in METRICS else "number":
        case "number":
            return ""
        case "loss":
            return "nats" if task == "classification" else ""
        case unit:
            return unit.replace("target", own) if own or "target" not in unit else ""
