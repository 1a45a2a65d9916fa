"""A metric from outside the packages, with sums of its own: Σ|ŷ − y| / Σ|y| in own units."""

from trainers.config.metrics import Accumulator, MetricType


def add(outputs, targets, mask):
    import torch  # the coordinator reads this file, and does without

    errors, sizes = (outputs - targets).abs().double(), targets.abs().double()
    if mask is not None:
        errors, sizes = (torch.where(mask, part, 0.0) for part in (errors, sizes))
    return torch.stack([errors.sum(1), sizes.sum(1)], dim=1)


SUMS = Accumulator(("own_errors", "own_sizes"), add, own_units=True)


def value(sums, of):
    sizes = sums["own_sizes"].sum()
    return float(sums["own_errors"].sum() / sizes) if sizes else None


WAPE = MetricType(
    "weighted absolute percentage error", "minimize", "share", ("values",), value, (SUMS,)
)
