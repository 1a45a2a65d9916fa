"""Trials beyond the search: pruned ones trained to their end, finalists trained on other seeds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sweep.history.state import Standing, SweepState
from sweep.search.seeds import ask_seed


@dataclass(frozen=True)
class Repeat:
    """A trial that repeats trial `of`: as an audit with its seed, as a replicate with another."""

    source: Literal["audit", "replicate"]
    of: int
    seed: int


def audits(state: SweepState, count: int, seed: int) -> list[Repeat]:
    """Return which pruned trials to train to their end, drawn by lot, so that pruning is audited.

    Those that the log holds already count; those that were recalled are at their end anyway.
    """
    known = {t.of for t in state.trials.values() if t.source == "audit"}
    audited = len(known)
    known |= {n for n, t in state.trials.items() if t.recalled}
    pruned = [
        n
        for n, t in state.trials.items()
        if (t.state is Standing.PRUNED or t.recalled) and t.of is None
    ]
    random.Random(ask_seed(seed, len(pruned), "audit")).shuffle(pruned)
    new = [number for number in pruned if number not in known]
    wanted = max(count - audited, 0)
    return [Repeat("audit", n, state.trials[n].seed) for n in sorted(new[:wanted])]


def replicates(
    state: SweepState, finalists: Sequence[int], count: int, seed: int
) -> Iterator[Repeat]:
    """Yield what is missing so that every finalist is trained on `count` seeds, its own included.

    The i-th replicate of every finalist has the same seed: so differences can be paired.
    """
    known = {(t.of, t.seed) for t in state.trials.values() if t.source == "replicate"}
    for finalist in finalists:
        for number in range(1, count):
            repeat = Repeat("replicate", finalist, ask_seed(seed, number, "replicate"))
            if (finalist, repeat.seed) not in known:
                yield repeat
