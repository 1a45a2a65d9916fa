"""`search.sampler`: which samplers there are, and what each says of itself.

The samplers themselves lie in `sweep/search`, one a file. An installed package adds one by an entry
point of the group `rnn_sweep.samplers`; `sweep.search.conformance` holds it to the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sweep.config.section import Section
from trainers.registry import Registry

if TYPE_CHECKING:
    from search_spaces.space import Space


class SamplerSection(Section):
    """The sampler's name; in a file the name alone may stand for a section that says no more."""

    name: str = Field("tpe", description="what chooses the next trial")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class SamplerEntry:
    """What a sampler says of itself to the rest of the house.

    Attributes:
        section: Its keys in the file.
        build: Returns the sampler, a `sweep.search.sampler.Sampler`, from its section, the space
            and the sweep's seed; raises ConfigProblem or SpaceError where the space won't do.
    """

    section: type[SamplerSection]
    build: Callable[[Any, Space, int], object]


SAMPLERS: Registry[SamplerEntry] = Registry(
    "rnn_sweep.samplers",
    "search.sampler",
    SamplerEntry,
    {
        "tpe": "sweep.search.tpe:TPE",
        "gp": "sweep.search.gp:GP",
        "random": "sweep.search.independent:RANDOM",
        "grid": "sweep.search.grid:GRID",
        "qmc": "sweep.search.qmc:QMC",
    },
)
