"""What a person would write around `torch.nn`: the loop that packs are measured against.

Right-padded rows with a mask, truncated BPTT with carried state, one output at every step, MSE
over valid steps, Adam, clipping by global norm, a validation pass. The same maths as a `Pack`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData, SequenceSet
from trainers.learning.batches import epoch_order
from trainers.learning.checkpoint import Checkpoint

_LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn_tanh": nn.RNN}


def ragged_data(sequences: int, steps: int, features: int, *, masked: bool) -> SequenceData:
    """Noise with a running mean as target at every step; masked rows are half to full length."""
    parts = [
        _part(rows, steps, features, masked, seed) for seed, rows in enumerate((sequences, 64))
    ]
    return SequenceData(
        name="bench",
        task="regression",
        train=parts[0],
        validation=parts[1],
        test=None,
        input_size=features,
        output_size=1,
        digest="bench",
    )


def _part(rows: int, steps: int, features: int, masked: bool, seed: int) -> SequenceSet:
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((rows, steps, features)).astype(np.float32)
    sums = inputs.mean(axis=2, keepdims=True).cumsum(axis=1)
    targets = (sums / np.arange(1, steps + 1)[None, :, None]).astype(np.float32)
    lengths = rng.integers(steps // 2, steps + 1, rows)
    mask = np.arange(steps) < lengths[:, None] if masked else None
    return SequenceSet(inputs, targets, mask, mask)


class HandWritten(nn.Module):
    """One recurrent layer and a linear head, trained epoch by epoch."""

    def __init__(self, config: TrainConfig, data: SequenceData, device: str = "cpu") -> None:
        super().__init__()
        self.config, self.data, self.place = config, data, device
        layer = _LAYERS[config.cell]
        self.rnn = layer(data.input_size, config.hidden_size, config.num_layers, batch_first=True)
        self.head = nn.Linear(config.hidden_size, data.output_size)
        self.to(device)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=config.learning_rate)
        self.epoch = 0
        self.train_part = self._tensors(data.train)
        self.validation_part = self._tensors(data.validation)

    def copy_from(self, saved: Checkpoint) -> None:
        """Begin with a pack's weights."""
        with torch.no_grad():
            for name, value in named_weights(saved).items():
                self._own()[name].copy_(value)

    def distance(self, saved: Checkpoint) -> float:
        """Return how far a pack's weights are from these, relative to their norm."""
        own = self._own()
        pairs = [(own[name].detach(), value) for name, value in named_weights(saved).items()]
        apart = sum(float((a.cpu() - b).square().sum()) for a, b in pairs)
        return float((apart / sum(float(b.square().sum()) for _, b in pairs)) ** 0.5)

    def _own(self) -> dict[str, Tensor]:
        named = {f"head.{name}": value for name, value in self.head.named_parameters()}
        return named | dict(self.rnn.named_parameters())

    def train_epoch(self) -> tuple[float, float]:
        """Train one epoch; return the training and the validation loss."""
        config = self.config
        inputs, targets, mask, lengths = self.train_part
        order = torch.from_numpy(epoch_order(config.seed, self.epoch, len(inputs)))
        total = count = torch.zeros((), device=self.place)
        for start in range(0, len(order), config.batch_size):
            rows = order[start : start + config.batch_size]
            steps = int(lengths[rows].max())
            x, y = inputs[rows, :steps], targets[rows, :steps]
            m = None if mask is None else mask[rows, :steps]
            state = None
            k1 = config.tbptt_forward_steps or steps
            for begin in range(0, steps, k1):
                some = slice(begin, begin + k1)
                outputs, state = self.rnn(x[:, some], state)
                error = (self.head(outputs) - y[:, some]).square().squeeze(-1)
                loss, valid = _mean(error, None if m is None else m[:, some])
                self.optimizer.zero_grad()
                loss.backward()
                if config.clip_norm is not None:
                    nn.utils.clip_grad_norm_(self.parameters(), config.clip_norm)
                self.optimizer.step()
                state = _detached(state)
                total, count = total + loss.detach() * valid, count + valid
        self.epoch += 1
        return float(total / count), self._validate()

    @torch.no_grad()
    def _validate(self) -> float:
        inputs, targets, mask, _ = self.validation_part
        error = (self.head(self.rnn(inputs)[0]) - targets).square().squeeze(-1)
        return float(_mean(error, mask)[0])

    def _tensors(self, part: SequenceSet) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        inputs, targets = torch.from_numpy(part.inputs), torch.from_numpy(part.targets)
        mask = None if part.input_mask is None else torch.from_numpy(part.input_mask)
        steps = inputs.shape[1]
        lengths = torch.full((len(inputs),), steps) if mask is None else mask.sum(1)
        moved = None if mask is None else mask.to(self.place)
        return inputs.to(self.place), targets.to(self.place), moved, lengths


def named_weights(saved: Checkpoint) -> dict[str, Tensor]:
    """Return a trial's newest weights by torch's names."""
    flat = saved.tensors["weights"]
    return {
        name: flat[start : start + math.prod(shape)].reshape(shape)
        for name, shape, start in saved.layout
    }


def _mean(error: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | int]:
    """Return the mean over valid steps, and how many they are; the device is not waited for."""
    if mask is None:
        return error.mean(), error.numel()
    valid = mask.sum()
    return torch.where(mask, error, 0.0).sum() / valid, valid


def _detached(state: Any) -> Any:
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
