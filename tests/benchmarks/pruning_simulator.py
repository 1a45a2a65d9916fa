"""What pruning saves: `python -m tests.benchmarks.pruning_simulator`.

Recorded, unpruned learning curves (`curves/`, see `record_curves`) are replayed through the
product's own rules and scheduler in 20 random orders. A rule is compared with the sweep of the same
order that prunes nothing: epochs spent in all, how far the winner's value is from the best of all,
and epochs until a trial had shown a value as good as that best, within one seed's deviation.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.pruning.halving import HalvingRule
from sweep.pruning.hyperband import HyperbandRule
from sweep.pruning.median import MedianRule
from sweep.pruning.none import NoPruning
from sweep.pruning.verdicts import Rule
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.benchmarks.recorded_curves import Recording, load, path_of
from tests.benchmarks.simulated_sweep import Spent, simulate

TASKS = ("digits", "digits-again", "adding")
WORKERS = 2
MANY = 16
ORDERS = 20
RULES: Mapping[str, Rule] = {
    "halving": HalvingRule(),
    "halving from epoch 1 on": HalvingRule(min_epochs=1),
    "hyperband": HyperbandRule(),
    "median": MedianRule(),
}


@dataclass(frozen=True)
class Compared:
    """One rule against no pruning, in one order.

    Attributes:
        spent: Epochs of the whole sweep, relative to no pruning's.
        to_as_good: Epochs until the value to reach, relative to all of no pruning's.
        own_way: The same, relative to what no pruning took until then.
        beyond: How far the winner is above the best of all, in one seed's standard deviations.
    """

    spent: float
    to_as_good: float
    own_way: float
    beyond: float


def measure(quick: bool) -> Sequence[Figure]:
    orders = 3 if quick else ORDERS
    found = []
    for task in TASKS:
        recording = load(path_of(task))
        for name, compared in compare(recording, RULES, orders).items():
            found += _figures(f"{task}, {name}", recording, compared, goal=name == "halving")
        halving = {"halving": RULES["halving"]}
        at_once = compare(recording, halving, orders, workers=MANY)["halving"]
        found += _figures(f"{task}, halving, {MANY} at once", recording, at_once, goal=False)
    return found


def compare(
    recording: Recording, rules: Mapping[str, Rule], orders: int, workers: int = WORKERS
) -> dict[str, list[Compared]]:
    """Replay a recording in random orders, the same for every rule."""
    curves = [[recording.sign * value for value in t.values] for t in recording.trials]
    best = min(min(curve) for curve in curves)
    deviation = recording.seed_deviation
    found: dict[str, list[Compared]] = {name: [] for name in rules}
    for order in range(orders):
        shuffled = random.Random(order).sample(curves, len(curves))
        unpruned = simulate(shuffled, recording.max_epochs, NoPruning(), workers)
        for name, rule in rules.items():
            pruned = simulate(shuffled, recording.max_epochs, rule, workers)
            found[name].append(_compared(pruned, unpruned, best, deviation))
    return found


def _compared(pruned: Spent, unpruned: Spent, best: float, deviation: float) -> Compared:
    reach = pruned.epochs_to(best + deviation)
    return Compared(
        spent=pruned.epochs / unpruned.epochs,
        to_as_good=reach / unpruned.epochs,
        own_way=reach / unpruned.epochs_to(best + deviation),
        beyond=(pruned.final - best) / deviation,
    )


def _figures(
    about: str, recording: Recording, compared: Sequence[Compared], *, goal: bool
) -> list[Figure]:
    """The rule that is to reach something gets a row for each part of it."""
    within = sum(c.beyond <= 1.0 for c in compared)
    beyond = _median([c.beyond for c in compared])
    details: dict[str, Any] = {
        "orders": len(compared),
        "trials": len(recording.trials),
        "max_epochs": recording.max_epochs,
        "least_and_most": [round(f(c.spent for c in compared), 3) for f in (min, max)],
        "winner_within_one_deviation": f"{within} of {len(compared)} orders",
    }
    third = 1 / 3 if goal else None
    spent = _median([c.spent for c in compared])
    rows = [Figure(f"{about}: epochs, against no pruning", spent, "x", third, "less", details)]
    if not goal:
        details["winner_beyond_the_best_in_deviations"] = beyond
        return rows
    to_as_good, own = (
        _median([getattr(c, n) for c in compared]) for n in ("to_as_good", "own_way")
    )
    deviation = {"one_seeds_deviation": float(f"{recording.seed_deviation:.3g}")}
    until = {"against_no_prunings_epochs_until_as_good": own}
    return [
        *rows,
        Figure(f"{about}: epochs until as good as its best", to_as_good, "x", third, "less", until),
        Figure(f"{about}: the winner, one seed's deviations off", beyond, "", 1, "less", deviation),
    ]


def _median(values: Sequence[float]) -> float:
    """Infinite where most orders never reach the value."""
    return round(statistics.median(values), 3)


if __name__ == "__main__":
    figures.main({"pruning_simulator": measure}, __doc__ or "")
