"""A portable model, stepped: raw values in, own units or probabilities out, its state in hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainers.data.contract import Array
from trainers.errors import DataError
from trainers.use.generation import Generation
from trainers.use.portable import PortableModel

_STEP_KINDS = (list, tuple, Mapping, np.ndarray)


class SteppedModel:
    """What `trainers.use.streaming.StreamingModel` does, in the data's own terms.

    Args:
        model: The model; it is left as it is.

    Raises:
        ConfigError: the network is bidirectional.
    """

    def __init__(self, model: PortableModel) -> None:
        self._model = model
        self._network = model.streaming_model()

    @property
    def outputs(self) -> tuple[str, ...]:
        """One name per output: targets, or classes whose probabilities the outputs are."""
        return self._model.interface.outputs

    @property
    def inputs(self) -> tuple[str, ...]:
        """One name per input feature; empty where they have none, and for tokens."""
        return self._model.interface.raw_names

    @property
    def num_layers(self) -> int:
        """Recurrent layers, each with a state."""
        return self._network.num_layers

    def step(self, x: Any, series: str | Sequence[str] | None = None) -> Array:
        """Advance by one step or by several, and carry the state on.

        Args:
            x: Raw numbers `(batch, features)` or `(batch, time, features)`; ids `(batch,)` or
                `(batch, time)`; or a text, which is one row of as many steps as it has tokens.
                Where inputs are times or names of categories too, lists of the values in the
                order of `inputs`, or objects of them by name.
            series: Which series each row is of, or all are: needed where each has its own scale.

        Returns:
            `(batch, outputs)`, or `(batch, time, outputs)` where `x` has time: float64, in own
            units, or the classes' probabilities.

        Raises:
            DataError: the shape does not fit, or the batch size changed without `clear_state`.
        """
        if self._model.takes_raw_values and not isinstance(x, str):
            return self._step_of_raw_values(x, series)
        return self._model.values_of(self._network.step(self._tensor(x)).numpy())

    def generate(self, tokens: int, prompt: str = "", **how: Any) -> str:
        """Write a text: the prompt and so many tokens after it; the state in hand stays.

        Args:
            tokens: How many.
            prompt: What the text begins with.
            how: `temperature`, `top_k` and `seed` of `trainers.use.generation.Generation`.

        Raises:
            DataError: this is no language model, or a value breaks its law.
        """
        return self._model.writer().write(Generation(tokens, prompt, **how))[0]

    def clear_state(self) -> None:
        """Forget everything: the next step begins with zero state and any batch size."""
        self._network.clear_state()

    def get_state(self, layer: int) -> tuple[Array, ...] | None:
        """Return copies of a layer's h (and c), each `(batch, hidden)`; None after clear_state."""
        state = self._network.get_state(layer)
        return None if state is None else tuple(part.numpy() for part in state)

    def set_state(self, layer: int, state: Sequence[Array]) -> None:
        """Set a layer's h (and c), each `(batch, hidden)`; layers not set begin at zero.

        Raises:
            DataError: there are not as many arrays as the cell has, or their shapes do not fit.
        """
        self._network.set_state(layer, [torch.as_tensor(np.array(part)) for part in state])

    def dump_state(self) -> bytes:
        """Return the whole state as safetensors bytes."""
        return self._network.dump_state()

    def restore_state(self, content: bytes) -> None:
        """Go on with a state that `dump_state` gave; errors as `load_state` has them."""
        self._network.restore_state(content)

    def save_state(self, path: str | Path) -> None:
        """Write the whole state, apart from the model (safetensors)."""
        self._network.save_state(Path(path))

    def load_state(self, path: str | Path) -> None:
        """Go on with a state that `save_state` wrote.

        Raises:
            CheckpointError: the file is damaged.
            DataError: the state is of another network; the one in hand is kept.
        """
        self._network.load_state(Path(path))

    def _tensor(self, x: Any) -> torch.Tensor:
        interface = self._model.interface
        if isinstance(x, str):
            return self._model.encode_text(x)
        array = np.asarray(x)
        if interface.ids:
            if array.dtype.kind not in "iu":
                raise DataError(f"steps of tokens must be whole ids or a text, but got {x!r}.")
            wrong = array[(array < 0) | (array >= interface.input_size)]
            if wrong.size:
                raise DataError(
                    f"`0 <= id < {interface.input_size}` must hold for ids, but got {wrong[0]}."
                )
            return torch.from_numpy(array.astype(np.int64))
        return torch.from_numpy(self._model.scaled(array))

    def _step_of_raw_values(self, x: Any, series: str | Sequence[str] | None) -> Array:
        """Encode steps of raw values, `(batch, …)` or `(batch, time, …)`, and advance by them."""
        rows = list(x)
        one_step = bool(rows) and _is_step(rows[0])
        steps = [[row] for row in rows] if one_step else rows
        names = [series] * len(rows) if series is None or isinstance(series, str) else list(series)
        if not rows or len(names) != len(rows) or len({len(of) for of in steps}) > 1:
            raise DataError(
                "a step needs rows of equally many steps, and one series for each row or for all, "
                f"but got {len(rows)} rows and {len(names)} series."
            )
        asked = zip(steps, names, strict=True)
        records = [{"steps": of, "series": name, "state": ""} for of, name in asked]
        made = [self._model.encode(record, f"row {n}") for n, record in enumerate(records)]
        gaps = [n for n, one in enumerate(made) if not one.mask.all()]
        if gaps:
            raise DataError(
                f"a step needs all of its inputs, but row {gaps[0]} misses one; leave such a step "
                "out, the state is held."
            )
        inputs = torch.from_numpy(np.stack([one.inputs for one in made]))
        given = [one.ahead for one in made if one.ahead is not None]
        ahead = torch.from_numpy(np.stack(given)) if given else None
        outputs = self._network.step(inputs[:, 0] if one_step else inputs, ahead).numpy()
        own = zip(outputs, made, strict=True)
        return np.stack([self._model.values_of(row, one.scales) for row, one in own])


def _is_step(row: Any) -> bool:
    """Whether a row is one step of values, not a list of steps."""
    return isinstance(row, Mapping) or not len(row) or not isinstance(row[0], _STEP_KINDS)
