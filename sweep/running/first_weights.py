"""Another model's weights that every trial of a sweep begins with, and whether they fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainers.errors import ConfigError

if TYPE_CHECKING:
    from trainers.config.train_config import Structure
    from trainers.data.contract import SequenceData


@dataclass(frozen=True)
class FirstWeights:
    """Weights that every trial of a sweep begins with.

    Attributes:
        content: The file's.
        name: The file's, relative to the sweep's folder.
        shapes: Of each parameter, by name.
        about: Cell, inputs, outputs and tokens of the model.
    """

    content: bytes
    name: str
    shapes: Mapping[str, tuple[int, ...]]
    about: Mapping[str, Any]

    @classmethod
    def of(cls, content: bytes) -> FirstWeights:
        """Read what `WeightsOf` returned."""
        from safetensors.torch import load

        from trainers.learning.given_weights import file_name

        shapes = {name: tuple(value.shape) for name, value in load(content).items()}
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = json.loads(header.get("__metadata__", {}).get("about", "{}"))
        return cls(content, file_name(content), shapes, about)

    def check(self, structure: Structure, data: SequenceData) -> None:
        """Check that a trial can begin with them.

        Raises:
            ConfigError: it is of another structure, or reads or says something else.
        """
        from trainers.data.interface import Interface
        from trainers.learning.given_weights import misfit
        from trainers.network.parameters import Layout

        layout = Layout.of(structure, data.input_size, data.output_size)
        why = misfit(layout, self.shapes)
        own = Interface.of(data)
        ours = {"cell": structure.cell, "inputs": own.input_names, "outputs": own.outputs}
        for what, wanted in {**ours, "tokens": own.tokens}.items():
            given = self.about.get(what)
            theirs = tuple(given) if isinstance(given, list) else given
            if why is None and theirs != wanted:
                why = f"its {what} {_differ(theirs, wanted)}"
        if why is not None:
            raise ConfigError(
                f"train.first_weights must fit every trial, but {why}; pin the model's structure "
                "in train, or leave first_weights out."
            )


def _differ(theirs: Any, ours: Any) -> str:
    if isinstance(theirs, tuple) and isinstance(ours, tuple):
        if len(theirs) != len(ours):
            return f"are {len(theirs)}, not {len(ours)}"
        pair = next((a, b) for a, b in zip(theirs, ours, strict=True) if a != b)
        return f"have {pair[0]!r} where these data have {pair[1]!r}"
    return f"is {theirs!r}, not {ours!r}"
