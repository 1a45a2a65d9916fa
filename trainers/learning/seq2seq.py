"""Encoder and decoder: one network reads a sequence, its inner state begins a second that answers.

Sutskever et al. 2014. The decoder's input is the step before of its own answer: the true one
(teacher forcing) or the one that it gave (free running); the first is a start symbol. Both
networks are this package's own model, of one structure, so the state fits layer by layer; their
parameters are one flat row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.optimizers import OPTIMIZERS
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError, DataError
from trainers.learning import losses, optim
from trainers.learning.batches import epoch_order
from trainers.network.dropout import DropoutKey, evaluation_keys
from trainers.network.initialisation import initialise
from trainers.network.masks import Array, Compaction
from trainers.network.model import Model
from trainers.network.parameters import Layout, weights_of
from trainers.network.recurrence import choose_backend
from trainers.network.segment import Segment, StackState


@dataclass(frozen=True)
class Pairs:
    """Sequences to read and sequences to answer, row by row; lengths need not agree.

    Attributes:
        sources: `(rows, steps, features)` float, or ids `(rows, steps)`.
        answers: `(rows, answer steps, outputs)` float, or class ids `(rows, answer steps)`.
        source_mask: `(rows, steps)` bool, True where a step exists; None for everywhere.
        answer_mask: `(rows, answer steps)` bool; None for everywhere.
    """

    sources: Array
    answers: Array
    source_mask: Array | None = None
    answer_mask: Array | None = None

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.answers):
            raise DataError(
                f"every source needs its answer, but got {len(self.sources)} sources and "
                f"{len(self.answers)} answers."
            )

    @property
    def ids(self) -> bool:
        """Whether answers are class ids."""
        return self.answers.ndim == 2

    def rows(self, index: Array) -> Pairs:
        """Return some rows."""
        masks = (m if m is None else m[index] for m in (self.source_mask, self.answer_mask))
        return Pairs(self.sources[index], self.answers[index], *masks)


class EncoderDecoder:
    """An encoder and a decoder of one structure, with their parameters.

    Args:
        config: Of both; `max_epochs` and `batch_size` are what `fit` goes by.
        input_size: Features of a source's step, or ids that there are.
        output_size: Outputs of an answer's step (classes for ids).

    Raises:
        ConfigError: the structure can't hand its state over, or the learning rate waits for a
            validation that there is not.
    """

    def __init__(self, config: TrainConfig, input_size: int, output_size: int) -> None:
        structure = config.structure()
        if structure.bidirectional or structure.one_target or structure.tbptt_forward_steps:
            raise ConfigError(
                "an encoder-decoder needs bidirectional=False, readout=every and full BPTT, but "
                f"got bidirectional={config.bidirectional}, readout={config.readout!r}, "
                f"tbptt_forward_steps={config.tbptt_forward_steps}."
            )
        if config.lr_decay == "plateau":
            raise ConfigError(
                "lr_decay=plateau waits for a validation metric, which an encoder-decoder does "
                "not have, but got lr_decay='plateau'; choose constant, exponential or cosine."
            )
        self.config, self._structure = config, structure
        self.steps_done = 0
        self.epochs_done = 0
        self._sizes = input_size, output_size
        self._ids = LOSSES[config.loss].targets == "ids"
        decoder_input = output_size + 1 if self._ids else output_size  # the start symbol
        backend = choose_backend("auto", structure.cell, 1, "cpu")
        # An encoder has no outputs: its head is empty.
        answering = replace(structure, category_embeddings=())  # its input is its own answers
        layouts = (
            Layout.of(structure, input_size, 0),
            Layout.of(answering, decoder_input, output_size),
        )
        self._encoder, self._decoder = (Model(own.structure, own, backend) for own in layouts)
        begin, size = layouts[0].size, layouts[0].size + layouts[1].size
        dtype = getattr(torch, config.dtype)
        self.flat = torch.zeros(1, size, dtype=dtype)
        initialise(layouts[0], self.flat[0, :begin], config)
        initialise(layouts[1], self.flat[0, begin:], config)
        self._gradient = torch.zeros_like(self.flat)
        self._moments = self.flat.new_zeros(OPTIMIZERS[structure.optimizer].moments, 1, size)
        halves = (slice(0, begin), slice(begin, size))
        self._weights = tuple(
            weights_of(layout, self.flat[:, half], self._gradient[:, half])
            for layout, half in zip(layouts, halves, strict=True)
        )

    def encode(self, pairs: Pairs, key: DropoutKey | None = None) -> StackState:
        """Return each row's state after its source's last step, as a decoder takes it."""
        lengths, sources = None, pairs.sources
        if pairs.source_mask is not None and not pairs.source_mask.all():
            moved = Compaction.of(pairs.source_mask)
            lengths, sources = torch.from_numpy(moved.lengths)[None], moved.gather(sources)
        x = self._inputs(torch.from_numpy(np.ascontiguousarray(sources)), self._sizes[0])
        segment = Segment(x, lengths, hold=lengths is not None)
        keys = evaluation_keys(self.config) if key is None else [key]
        _, state = self._encoder.forward(self._weights[0], segment, None, keys)
        layers = self.config.structure().num_layers
        return (*state[:layers], *(() for _ in state[layers:]))  # what the stem carried stays

    def teacher_forced(self, pairs: Pairs, keys: tuple[DropoutKey, DropoutKey] | None) -> Tensor:
        """Answer with the true step before as input: `(rows, answer steps, outputs)`."""
        encoder_key, decoder_key = keys or (None, None)
        state = self.encode(pairs, encoder_key)
        answers = torch.from_numpy(np.ascontiguousarray(pairs.answers))
        if pairs.answer_mask is not None:  # what does not exist may hold anything
            exists = torch.from_numpy(pairs.answer_mask)
            answers = torch.where(exists if self._ids else exists[..., None], answers, 0)
        before = torch.cat([self._start(len(answers)).to(answers.dtype), answers[:, :-1]], dim=1)
        return self._decode(before, state, decoder_key)[0]

    @torch.no_grad()
    def free_running(self, pairs: Pairs, steps: int) -> Tensor:
        """Answer with its own step before as input: `(rows, steps, outputs)`; drops nothing."""
        state, outputs = self.encode(pairs), []
        before = self._start(len(pairs.sources))
        for _ in range(steps):
            out, state = self._decode(before, state, None)
            outputs.append(out)
            answer = losses.point(self._structure, out)
            before = answer.argmax(-1) if self._ids else answer
        return torch.cat(outputs, dim=1)

    def fit(self, pairs: Pairs) -> Iterator[float]:
        """Train by teacher forcing; yield each epoch's mean loss per valid step.

        Raises:
            ConfigError: the loss does not fit the answers.
            FloatingPointError: the gradient is not finite.
        """
        torch.set_flush_denormal(True)
        if pairs.ids != self._ids:
            kind = "class ids" if pairs.ids else "numbers"
            raise ConfigError(f"loss must fit answers that are {kind}, but got {self.config.loss}.")
        size = self.config.batch_size
        for epoch in range(self.config.max_epochs):
            order = epoch_order(self.config.seed, epoch, len(pairs.sources))
            total = count = 0.0
            for start in range(0, len(order), size):
                loss, steps = self._train_batch(pairs.rows(order[start : start + size]))
                total, count = total + loss * steps, count + steps
            self.epochs_done += 1
            yield total / count

    def loss(self, pairs: Pairs, outputs: Tensor) -> tuple[Tensor, int]:
        """Return the mean loss of `outputs (rows, steps, outputs)`, and the valid steps."""
        answers = torch.from_numpy(np.ascontiguousarray(pairs.answers))
        mask = pairs.answer_mask
        everywhere = torch.ones(answers.shape[:2], dtype=torch.bool)
        exists = everywhere if mask is None else torch.from_numpy(mask)
        wanted = answers[exists] if self._ids else answers[exists].to(outputs.dtype)
        values = losses.elements(self._structure, outputs[exists][None], wanted[None])
        return values.mean(), int(exists.sum())

    def _train_batch(self, pairs: Pairs) -> tuple[float, int]:
        step = 2 * self.steps_done
        keys = DropoutKey(self.config, step), DropoutKey(self.config, step + 1)
        loss, steps = self.loss(pairs, self.teacher_forced(pairs, keys))
        self._gradient.zero_()
        torch.autograd.backward(loss)
        with torch.no_grad():
            norms = torch.linalg.vector_norm(self._gradient, dim=1)
            if not math.isfinite(norms.item()):
                raise FloatingPointError("the gradient is not finite; take a lower learning_rate.")
            optim.clip(self._gradient, norms, [self.config])
            done, configs = self.steps_done, [self.config]
            rates = [optim.learning_rate(self.config, done, self.epochs_done)]
            optim.step(self.flat, self._gradient, self._moments, configs, [done], rates)
        self.steps_done += 1
        return loss.item(), steps

    def _start(self, rows: int) -> Tensor:
        """Return the input of the first step: the id after the last class, or zeros."""
        outputs = self._sizes[1]
        if self._ids:
            return torch.full((rows, 1), outputs)
        return self.flat.new_zeros(rows, 1, outputs)

    def _decode(
        self, before: Tensor, state: StackState, key: DropoutKey | None
    ) -> tuple[Tensor, StackState]:
        x = self._inputs(before, self._sizes[1] + 1)
        segment = Segment(x, targets=before)  # wanted everywhere
        keys = evaluation_keys(self.config) if key is None else [key]
        outputs, state = self._decoder.forward(self._weights[1], segment, state, keys)
        rows, steps = before.shape[:2]
        return outputs[0].view(steps, rows, -1).transpose(0, 1), state  # time comes first

    def _inputs(self, values: Tensor, symbols: int) -> Tensor:
        """Return `(1, rows, steps, features)`, or ids where they are embedded."""
        if values.is_floating_point():
            return values.to(self.flat.dtype).unsqueeze(0)
        if self.config.embedding_size is not None:
            return values.long().unsqueeze(0)
        return F.one_hot(values.long(), symbols).to(self.flat.dtype).unsqueeze(0)
