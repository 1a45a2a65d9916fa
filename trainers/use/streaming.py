"""A trained network, one step at a time, with its state in hand (Deeplearning4j's rnnTimeStep).

Outputs equal the full pass for any chunking. Stepping changes no parameter and drops nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from trainers.config.cells import CELLS
from trainers.config.settings import Readout
from trainers.config.train_config import Structure
from trainers.errors import CheckpointError, ConfigError, DataError
from trainers.learning.checkpoint import Checkpoint, read_checkpoint, write_atomically
from trainers.network.dropout import evaluation_keys
from trainers.network.model import Model, carried_parts
from trainers.network.parameters import Layout, Weights, weights_of
from trainers.network.recurrence import choose_backend
from trainers.network.segment import Segment
from trainers.use.export import chosen_weights, is_plain, named_weights

LayerState = tuple[Tensor, ...]  # h, then c where the cell has one; each (batch, hidden)
_StepCell = Callable[..., Tensor | tuple[Tensor, Tensor]]
_AT_EVERY_STEP: dict[str, Readout] = {"last": "every"}  # the last step, were this one the last


class StreamingModel:
    """A saved trial's best weights, stepped.

    Args:
        saved: A checkpoint with its tensors.

    Raises:
        ConfigError: the network is bidirectional: its outputs need steps that are yet to come; or
            it answers whole sequences.
    """

    def __init__(self, saved: Checkpoint) -> None:
        structure = saved.config.structure()
        if structure.bidirectional:
            raise ConfigError(
                "stepping needs a network that reads forwards only, but got bidirectional=True; "
                "run whole sequences instead."
            )
        if structure.pairs:
            raise ConfigError(
                "stepping needs an answer at each step, but got a network that answers whole "
                "sequences (pairs); ask it about whole ones instead."
            )
        self._config = saved.config
        self._sizes = saved.input_size, saved.output_size
        self._dtype = getattr(torch, structure.dtype)
        self._state: list[LayerState | None] = [None] * structure.num_layers
        self._carried: list[LayerState] = []  # of the convolution and the readout, if any
        self._model, self._weights = _model_of(saved, structure)
        self._keys = evaluation_keys(saved.config)
        self._fast: list[tuple[Tensor, ...]] | None = None
        if is_plain(saved.config):
            # Copies, aligned as torch allocates, in the order that torch's cells take them.
            named = [w.clone() for w in named_weights(saved).values()]
            self._embedding = named.pop(0) if saved.config.embedding_size is not None else None
            self._fast = [tuple(named[i : i + 4]) for i in range(0, len(named) - 2, 4)]
            self._head = named[-2], named[-1]
            self._cell: _StepCell = getattr(torch, f"{CELLS[structure.cell].torch}_cell")

    @classmethod
    def from_checkpoint(cls, path: Path) -> StreamingModel:
        """Read a trial's best weights (its newest before the first epoch).

        Raises:
            CheckpointError: the file is damaged.
            ConfigError: the network is bidirectional.
        """
        return cls(read_checkpoint(path))

    @property
    def num_layers(self) -> int:
        """Recurrent layers, each with a state."""
        return len(self._state)

    @property
    def batch_size(self) -> int | None:
        """Rows of the carried state; None while there is none."""
        return next((layer[0].shape[0] for layer in self._state if layer is not None), None)

    def step(self, inputs: Tensor, ahead: Tensor | None = None) -> Tensor:
        """Advance by one step or by several, and carry the state on.

        A decoder answers at every step, as if that were the last.

        Args:
            inputs: `(batch, features)` or `(batch, time, features)`; ids `(batch,)` or
                `(batch, time)`.
            ahead: `(batch, time, horizon, features)`, scaled, what a decoder knows of the steps
                that it answers; needed where it was trained with any. Of one step time may be 1
                or left out.

        Returns:
            `(batch, outputs)` or `(batch, time, outputs)`: as trained on, so scaled where targets
            were scaled and logits for classes.

        Raises:
            DataError: the shape does not fit, or the batch size changed without `clear_state`.
        """
        x = self._checked(inputs)
        single = inputs.dim() == (2 if inputs.is_floating_point() else 1)
        with torch.no_grad():
            if single and self._fast is not None:
                return self._fast_step(x)
            x = x.unsqueeze(1) if single else x
            outputs = self._run(x, self._known_ahead(x, ahead))
            return outputs[:, 0] if single else outputs

    def clear_state(self) -> None:
        """Forget everything: the next step begins with zero state and any batch size."""
        self._state = [None] * self.num_layers
        self._carried = []

    def get_state(self, layer: int) -> LayerState | None:
        """Return copies of a layer's h (and c), each `(batch, hidden)`; None after clear_state."""
        state = self._state[layer]
        return None if state is None else tuple(part.clone() for part in state)

    def set_state(self, layer: int, state: Sequence[Tensor]) -> None:
        """Set a layer's h (and c), each `(batch, hidden)`; layers not set begin at zero.

        Raises:
            DataError: there are not as many tensors as the cell has, or their shapes do not fit.
        """
        wanted = len(CELLS[self._config.cell].state)
        hidden = self._model.structure.layer_sizes[layer]
        others = [s for i, s in enumerate(self._state) if s is not None and i != layer]
        rows = others[0][0].shape[0] if others else state[0].shape[0] if len(state) else 0
        shapes = [tuple(part.shape) for part in state]
        if shapes != [(rows, hidden)] * wanted:
            raise DataError(
                f"the state of layer {layer} must be {wanted} tensor(s) of shape "
                f"{(rows, hidden)}, but got {shapes}; clear_state forgets the batch size."
            )
        self._state[layer] = tuple(part.detach().to(self._dtype).clone() for part in state)

    def repeat_state(self, rows: int) -> None:
        """Go on with so many copies of each row of the state, one beside the other."""
        self._state = [
            None if layer is None else tuple(part.repeat_interleave(rows, 0) for part in layer)
            for layer in self._state
        ]
        self._carried = [
            tuple(part.repeat_interleave(rows, 0) for part in layer) for layer in self._carried
        ]

    def save_state(self, path: Path) -> None:
        """Write the state, apart from the model (safetensors, atomic)."""
        write_atomically(self.dump_state(), path)

    def dump_state(self) -> bytes:
        """Return the state as safetensors bytes."""
        tensors = {
            f"state.{layer}.{i}": part.contiguous()
            for layer, state in enumerate([*self._state, *self._carried])
            for i, part in enumerate(state or ())
        }
        return save(tensors)

    def dump_text(self) -> str:
        """Return the state as text, for requests."""
        return base64.b64encode(self.dump_state()).decode("ascii")

    def restore_text(self, text: str, where: str) -> None:
        """Go on with a state that `dump_text` gave.

        Raises:
            DataError: it is another text, or of another network; `where` says whose.
            CheckpointError: what it holds is no state.
        """
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise DataError(
                f"{where}: state must be what an earlier answer of this model gave, or empty to "
                "begin, but it can't be read."
            ) from error
        self.restore_state(content)

    def load_state(self, path: Path) -> None:
        """Go on with a state that `save_state` wrote.

        Raises:
            CheckpointError: the file is damaged.
            DataError: the state is of another network; the one in hand is kept.
        """
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise CheckpointError(
                f"a state must be a whole safetensors file, but {path} is not ({error}); "
                "clear_state begins anew."
            ) from error
        self._restore(tensors, str(path))

    def restore_state(self, content: bytes) -> None:
        """Go on with a state that `dump_state` gave.

        Raises:
            CheckpointError: these are other bytes.
            DataError: the state is of another network; the one in hand is kept.
        """
        try:
            tensors = load(content)
        except SafetensorError as error:
            raise CheckpointError(
                f"a state must be whole safetensors bytes, but these are not ({error}); "
                "clear_state begins anew."
            ) from error
        self._restore(tensors, "this one")

    def _restore(self, tensors: dict[str, Tensor], where: str) -> None:
        layers: dict[int, list[Tensor]] = {}
        for name in sorted(tensors):
            number = name.split(".")[1:2]
            layers.setdefault(int(number[0]) if number else -1, []).append(tensors[name])
        parts = self.num_layers + carried_parts(self._model.structure)
        if layers and sorted(layers) != list(range(parts)):
            raise DataError(f"a state must have {parts} layer(s), but {where} has {len(layers)}.")
        kept = self._state, self._carried
        self.clear_state()
        try:
            for layer in range(min(self.num_layers, len(layers))):
                self.set_state(layer, layers[layer])
        except DataError:
            self._state, self._carried = kept
            raise
        self._carried = [tuple(layers[i]) for i in range(self.num_layers, len(layers))]

    def _checked(self, inputs: Tensor) -> Tensor:
        """Return the inputs as floats `(batch, …, features)`."""
        features = self._sizes[0]
        ids = not inputs.is_floating_point()
        if ids and self._weights.embedding is not None and inputs.dim() in (1, 2):
            self._check_rows(inputs)
            return inputs.long()
        x = F.one_hot(inputs.long(), features) if ids else inputs
        if x.dim() not in (2, 3) or x.shape[-1] != features:
            raise DataError(
                f"inputs must be (batch, {features}) or (batch, time, {features}), but got "
                f"{tuple(inputs.shape)}."
            )
        self._check_rows(x)
        return x.to(self._dtype)

    def _check_rows(self, x: Tensor) -> None:
        rows = self.batch_size
        if rows is not None and x.shape[0] != rows:
            raise DataError(
                f"the batch size must stay {rows} while a state is carried, but got "
                f"{x.shape[0]}; call clear_state first."
            )

    def _zero(self, x: Tensor, layer: int) -> LayerState:
        shape = x.shape[0], self._model.structure.layer_sizes[layer]
        parts = CELLS[self._config.cell].state
        return tuple(torch.zeros(shape, dtype=self._dtype) for _ in parts)

    def _fast_step(self, x: Tensor) -> Tensor:
        """One step of a plain stack: embedding, a torch cell per layer and one linear layer."""
        assert self._fast is not None
        lstm = self._cell is torch.lstm_cell
        if self._embedding is not None:
            x = F.embedding(x, self._embedding)
        for layer, weights in enumerate(self._fast):
            state = self._state[layer] or self._zero(x, layer)
            new = self._cell(x, state if lstm else state[0], *weights)
            self._state[layer] = new if isinstance(new, tuple) else (new,)
            x = new[0] if lstm else new  # type: ignore[assignment]
        return F.linear(x, *self._head)

    def _known_ahead(self, x: Tensor, ahead: Tensor | None) -> Tensor | None:
        """Return what is known ahead of each step; None where the network asks for nothing."""
        structure = self._model.structure
        if not structure.decodes or not structure.ahead_size:
            return None
        wanted = (*x.shape[:2], structure.horizon, structure.ahead_size)
        if ahead is not None and ahead.dim() == 3:
            ahead = ahead.unsqueeze(1)
        if ahead is None or ahead.shape != wanted:
            got = None if ahead is None else tuple(ahead.shape)
            raise DataError(
                f"a step needs what is known ahead of its forecast, {wanted}, but got {got}."
            )
        return ahead.to(self._dtype)

    def _run(self, x: Tensor, ahead: Tensor | None) -> Tensor:
        """Run `(batch, time, features)` through the model as training has it."""
        if self._model.structure.readout == "every":
            return self._forward(x, None)
        steps = [
            self._forward(x[:, t : t + 1], None if ahead is None else ahead[:, t])
            for t in range(x.shape[1])
        ]
        return torch.stack(steps, dim=1)

    def _forward(self, x: Tensor, ahead: Tensor | None) -> Tensor:
        segment = Segment(  # wanted everywhere
            x.unsqueeze(0),
            targets=x.new_empty(0),
            ahead=None if ahead is None else ahead.unsqueeze(0),
        )
        state = None
        if self.batch_size is not None:
            given = [layer or self._zero(x, i) for i, layer in enumerate(self._state)]
            carried = self._carried or [()] * carried_parts(self._model.structure)
            state = tuple(
                tuple(part.unsqueeze(0) for part in layer) for layer in (*given, *carried)
            )
        outputs, after = self._model.forward(self._weights, segment, state, self._keys)
        states = [tuple(part.squeeze(0) for part in layer) for layer in after]
        self._state, self._carried = [*states[: self.num_layers]], states[self.num_layers :]
        if self._model.structure.readout != "every":
            return outputs[0]
        return outputs[0].reshape(x.shape[1], x.shape[0], -1).transpose(0, 1)  # time comes first


def _model_of(saved: Checkpoint, structure: Structure) -> tuple[Model, Weights]:
    """Return the model that answers at every step, and its weights."""
    layout = Layout.of(structure, saved.input_size, saved.output_size)
    readout = structure.readout
    if not structure.decodes:
        readout = _AT_EVERY_STEP.get(readout, readout)
    backend = choose_backend("auto", structure.cell, 1, "cpu")
    weights = weights_of(layout, chosen_weights(saved).unsqueeze(0).clone())
    return Model(replace(structure, readout=readout), layout, backend), weights
