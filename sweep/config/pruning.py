"""`search.pruning`: which rules there are, and what each says of itself.

The rules themselves lie in `sweep/pruning`, one a file. An installed package adds one by an entry
point of the group `rnn_sweep.pruning_rules`; `sweep.pruning.conformance` holds it to the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from sweep.config.section import Section
from trainers.registry import Registry


class PruningSection(Section):
    """When to stop a trial that does badly: the keys that every rule has."""

    rule: str = Field("none", description="which trials a rung stops, or pauses")
    audit: Annotated[int, Field(ge=0)] = Field(
        0, description="pruned trials to run to the end, to see what pruning cost"
    )


@dataclass(frozen=True)
class PruningRule:
    """What a pruning rule says of itself to the rest of the house.

    Attributes:
        section: Its keys in the file.
        build: Returns the rule, a `StoppingRule` or `PausingRule` of `sweep.pruning.verdicts`, from
            its section and a sign: -1 where more is better.
        prunes: Whether it ever does; then a sweep must have one objective.
        one_by_one: Whether it judges one report after the other, not a rung's trials as a set; then
            a sweep must have run.pack=1 and run.order=free.
    """

    section: type[PruningSection]
    build: Callable[[Any, float], object]
    prunes: bool = True
    one_by_one: bool = False


RULES: Registry[PruningRule] = Registry(
    "rnn_sweep.pruning_rules",
    "search.pruning.rule",
    PruningRule,
    {
        "none": "sweep.pruning.none:NONE",
        "median": "sweep.pruning.median:MEDIAN",
        "halving": "sweep.pruning.halving:HALVING",
        "hyperband": "sweep.pruning.hyperband:HYPERBAND",
        "optuna": "sweep.pruning.optuna_rule:OPTUNA",
    },
)
