"""An ensemble, stepped: every member has its state in hand, answers are their mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainers.data.contract import Array
from trainers.errors import CheckpointError, DataError
from trainers.learning.checkpoint import write_atomically
from trainers.use.ensemble import EnsembleModel
from trainers.use.stepping import SteppedModel


class SteppedEnsemble:
    """What `SteppedModel` does, for several models; layers are counted through all of them.

    Args:
        model: The ensemble; it is left as it is.

    Raises:
        ConfigError: a member's network is bidirectional.
    """

    def __init__(self, model: EnsembleModel) -> None:
        self._members = [SteppedModel(member) for member in model.members]
        self._counts = model.counts

    @property
    def outputs(self) -> tuple[str, ...]:
        """One name per output, as `SteppedModel.outputs`."""
        return self._members[0].outputs

    @property
    def inputs(self) -> tuple[str, ...]:
        """One name per input feature, as `SteppedModel.inputs`."""
        return self._members[0].inputs

    @property
    def num_layers(self) -> int:
        """Recurrent layers of all members, each with a state."""
        return sum(member.num_layers for member in self._members)

    def step(self, x: Any, series: str | Sequence[str] | None = None) -> Array:
        """Advance every member; arguments, result and errors as `SteppedModel.step`.

        Where a member refuses the step, all states stay what they were.
        """
        before = [member.dump_state() for member in self._members]
        try:
            said = [member.step(x, series) for member in self._members]
        except DataError:
            for member, state in zip(self._members, before, strict=True):
                member.restore_state(state)
            raise
        return np.asarray(np.average(said, axis=0, weights=self._counts))

    def clear_state(self) -> None:
        """Forget everything: the next step begins with zero state and any batch size."""
        for member in self._members:
            member.clear_state()

    def get_state(self, layer: int) -> tuple[Array, ...] | None:
        """Return copies of a layer's state, as `SteppedModel.get_state`."""
        member, own = self._at(layer)
        return member.get_state(own)

    def set_state(self, layer: int, state: Sequence[Array]) -> None:
        """Set a layer's state, as `SteppedModel.set_state`."""
        member, own = self._at(layer)
        member.set_state(own, state)

    def save_state(self, path: str | Path) -> None:
        """Write the whole state, apart from the model (safetensors)."""
        tensors = {
            f"{number}/{name}": value
            for number, member in enumerate(self._members)
            for name, value in load(member.dump_state()).items()
        }
        write_atomically(save(tensors), Path(path))

    def load_state(self, path: str | Path) -> None:
        """Go on with a state that `save_state` wrote.

        Raises:
            CheckpointError: the file is damaged.
            DataError: the state is of another ensemble.
        """
        try:
            tensors = load(Path(path).read_bytes())
        except (OSError, SafetensorError) as error:
            raise CheckpointError(
                f"a state must be a whole safetensors file, but {path} is not ({error}); "
                "clear_state begins anew."
            ) from error
        own: list[dict[str, Tensor]] = [{} for _ in self._members]
        for name, value in tensors.items():
            number, slash, rest = name.partition("/")
            if not slash or not number.isdecimal() or int(number) >= len(own):
                raise DataError(
                    f"a state must be of an ensemble of {len(own)}, but {path} is of another model."
                )
            own[int(number)][rest] = value
        for member, state in zip(self._members, own, strict=True):
            member.restore_state(save(state))

    def _at(self, layer: int) -> tuple[SteppedModel, int]:
        for member in self._members:
            if layer < member.num_layers:
                return member, layer
            layer -= member.num_layers
        raise DataError(f"`0 <= layer < {self.num_layers}` must hold, but got one beyond it.")
