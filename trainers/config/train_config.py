"""What one trial trains: a frozen, validated configuration.

`structure()` returns its structural part, which is hashable and is the key under which trials are
packed together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainers.config.declaration import hashable
from trainers.config.laws import LAWS
from trainers.config.settings import (
    StructuralSettings,
    TrainingSettings,
    check_names,
    settings,
    structural_fields,
)


@dataclass(frozen=True)
class Structure(StructuralSettings):
    """The structural part of a `TrainConfig`: what trials of one pack have in common."""


@dataclass(frozen=True)
class TrainConfig(TrainingSettings):
    """One trial's training settings; checked on construction.

    Raises:
        ConfigError: a value breaks the law of its field, or some fields one that spans them.
    """

    def __post_init__(self) -> None:
        for name, setting in settings().items():
            value = getattr(self, name)
            if value is not setting.default:
                setting.check(value)
                object.__setattr__(self, name, hashable(value))
        object.__setattr__(self, "past_targets", hashable(self.past_targets))
        for law in LAWS:
            law.check(self)
        if self.layer_dropout and self.num_layers == 1:
            # A search space draws both freely; with one layer there is nothing between layers.
            object.__setattr__(self, "layer_dropout", 0.0)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> TrainConfig:
        """Build a configuration from names and values; an unknown name is an error."""
        check_names(values)
        return cls(**dict(values))

    def structure(self) -> Structure:
        """Return the structural fields: the key under which trials share a pack."""
        return Structure(**{name: getattr(self, name) for name in structural_fields()})

    def to_dict(self) -> dict[str, Any]:
        """Return every field by name, as plain Python values."""
        return dataclasses.asdict(self)
