"""What a sampler is to the search: it lists configurations, or draws them by a sampler of Optuna's.

Each ask has a sampler of its own, seeded from (sweep seed, trial number): a search rebuilt after a
restart proposes exactly what the undisturbed one would have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from sweep.config.sampling import SAMPLERS, SamplerSection
from sweep.errors import ConfigProblem

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from search_spaces.space import Space


@runtime_checkable
class Sampler(Protocol):
    """Proposes one sweep's configurations."""

    @property
    def count(self) -> int | None:
        """How many there are in all; None where there is no end."""
        ...

    @property
    def startup(self) -> int:
        """Free asks that are drawn at random where trials come in packs.

        Otherwise the first pack alone would end a sampler's own startup, and nothing would be known
        of any other structure.
        """
        ...

    def listed(self, place: int) -> dict[str, Any]:
        """Return the configuration at this place of a list or a sequence; empty where `ask` draws.

        Called once for every place, from 0 on; after a restart for those before as well.
        """
        ...

    def ask(self, seed: int) -> BaseSampler:
        """Return what draws the next trial from all that the study holds; made for one ask."""
        ...


def sampler_of(section: SamplerSection, space: Space, seed: int) -> Sampler:
    """Return the sampler that a sweep file names.

    Raises:
        ConfigProblem: it can't walk this space, or is no sampler.
        SpaceError: a dimension won't do.
    """
    sampler = SAMPLERS[section.name].build(section, space, seed)
    if not isinstance(sampler, Sampler):
        raise ConfigProblem(
            "a sampler must have what sweep.search.sampler.Sampler has, but "
            f"search.sampler={section} builds a {type(sampler).__name__}."
        )
    return sampler
