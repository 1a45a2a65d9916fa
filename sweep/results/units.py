"""The unit that a metric is in."""

from __future__ import annotations

from trainers.config.metrics import METRICS


def metric_unit(metric: str, task: str, own: str, given: str | None = None) -> str:
    """Return a metric's unit, as "nats"; empty for a pure number, or where it is not known.

    Args:
        metric: Its name.
        task: Of the data. A loss on classes is in nats, one on numbers that were scaled in none.
        own: The targets' unit; empty where they have none.
        given: What a metric of one's own says.
    """
    base = metric.partition("/")[0]
    unit = given or (METRICS[base].unit if base in METRICS else "number")
    said = {"loss": "nats" if task == "classification" else "", "number": ""}
    said |= {"target": own, "target²": own and f"{own}²"}
    return said.get(unit, unit)
