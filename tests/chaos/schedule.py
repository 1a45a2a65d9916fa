"""When what is killed: a pure function of the seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

# How often each kind strikes, in a hundred; every kind that is asked for strikes at least once.
SHARES = {
    "worker": 36,
    "coordinator": 14,
    "raylet": 11,
    "freeze": 7,
    "drain": 7,
    "postgres": 6,
    "tracker": 5,
    "head": 5,
    "sink": 4,
    "hang": 3,
    "stall": 2,
}


@dataclass(frozen=True)
class Strike:
    """One disturbance to come.

    Attributes:
        kind: A key of `SHARES`.
        wait_seconds: From the moment of the strike before; exponential, so without memory.
        lot: In [0, 1), chooses among the targets.
        length_seconds: How long it lasts, where it does: a service stays down, a raylet or process
            stopped, a node draining until it is taken away.
    """

    kind: str
    wait_seconds: float
    lot: float
    length_seconds: float


def schedule(kills: int, every_seconds: float, kinds: Sequence[str], seed: int) -> list[Strike]:
    """Return the strikes of one run, in order."""
    dice = random.Random(seed)
    order = [kind for kind, count in _counts(kills, kinds).items() for _ in range(count)]
    dice.shuffle(order)
    return [
        Strike(kind, dice.expovariate(1 / every_seconds), dice.random(), _length(kind, dice))
        for kind in order
    ]


def _counts(kills: int, kinds: Sequence[str]) -> dict[str, int]:
    """Share out the strikes, largest remainders first."""
    total = sum(SHARES[kind] for kind in kinds)
    exact = {kind: kills * SHARES[kind] / total for kind in kinds}
    counts = {kind: int(share) or 1 for kind, share in exact.items()}
    by_need = sorted(kinds, key=lambda kind: counts[kind] - exact[kind])
    for step in range(kills - sum(counts.values())):
        counts[by_need[step % len(by_need)]] += 1
    while sum(counts.values()) > kills:  # few kills, many kinds: the commonest give way
        counts[max(counts, key=lambda kind: counts[kind])] -= 1
    return counts


def _length(kind: str, dice: random.Random) -> float:
    """Short freezes end before anybody calls the node dead, long ones after that."""
    match kind:
        case "freeze":
            return dice.uniform(2, 6) if dice.random() < 0.5 else dice.uniform(15, 25)
        case "drain":
            return dice.uniform(6, 15)
        case "hang" | "stall":  # longer than workers may be silent, by `workload.HANG_SECONDS`
            return dice.uniform(35, 45)
        case "postgres" | "tracker":
            return dice.uniform(0, 6)
        case _:
            return 0.0
