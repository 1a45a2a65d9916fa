"""A decoder: layers that begin with the encoder's state and answer step by step.

Sutskever et al. 2014. A step's input is the answer to the step before: its own, or in training the
true one with probability `teacher_forcing` (scheduled sampling, Bengio et al. 2015), drawn for
each row and step; beside it stands what is known ahead of the step. The first step's is the newest
known value of the targets, where inputs hold it, otherwise zeros: the state knows what was read.

Answers are what the loss's point answer is (a distribution's mean, the middle quantile), in the
units that the network is trained in. Gradients pass through those that are fed back, so with
`teacher_forcing: 0` they are those of the whole unrolled forecast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.network.cells.interface import State
from trainers.network.draws import Draws
from trainers.network.head import picked, run_head
from trainers.network.layers import Layers
from trainers.network.masks import last_of
from trainers.network.parameters import Weights
from trainers.network.point import point
from trainers.network.regularisation import activation_sums
from trainers.network.segment import Segment
from trainers.network.sites import OUTPUT, TEACHER


class _Teacher(NamedTuple):
    """What the decoder is told.

    Attributes:
        truth: `(trials, batch, horizon, targets)`; anything finite where it is not known.
        told: `(trials, batch, horizon − 1, targets)` bool, where a step's answer is replaced by it.
    """

    truth: Tensor
    told: Tensor


@dataclass(frozen=True)
class Decoder:
    """The function from a state to the answers of all steps; holds no weights.

    Attributes:
        layers: Its recurrent layers.
    """

    layers: Layers

    def answer(
        self,
        weights: Weights,
        segment: Segment,
        begin: Sequence[State],
        draws: Draws,
        activations: list[Tensor] | None = None,
    ) -> Tensor:
        """Answer where outputs are wanted.

        Args:
            weights: The trials'.
            segment: What the encoder has read, with what is known ahead; in training with targets.
            begin: The encoder's state of each layer after each row's last step.
            draws: Of this run.
            activations: Where given, the `activation_sums` of the last layer are added to it.

        Returns:
            `(trials, wanted, horizon · targets · each)`, step by step: the shape of a plain head's.
        """
        first, teacher = self._first(weights, segment), self._teacher(segment, draws)
        if teacher is not None and self._always(segment, draws):
            raw, outputs = self._at_once(weights, segment, begin, draws, first, teacher)
        else:
            raw, outputs = self._step_by_step(weights, segment, begin, draws, first, teacher)
        if activations is not None:
            lengths = None
            if segment.lengths is not None:  # padding of a pack has rows that read nothing
                lengths = (segment.lengths > 0) * self.layers.structure.horizon
            activations.append(activation_sums(draws.dropped(raw, OUTPUT), raw, lengths))
        return picked(outputs.unsqueeze(2), segment.positions)

    def _step_by_step(
        self,
        weights: Weights,
        segment: Segment,
        state: Sequence[State],
        draws: Draws,
        answer: Tensor,
        teacher: _Teacher | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the last layer's outputs `(trials, batch, horizon, hidden)`, and the head's."""
        structure, raw, found = self.layers.structure, [], []
        for step in range(structure.horizon):
            own = draws.at(step)
            x = answer if segment.ahead is None else _beside(answer, segment.ahead[:, :, step])
            ran = self.layers.run(weights.decoder, x.unsqueeze(2), state, own)
            state = ran.states
            raw.append(ran.every)
            outputs = run_head(structure, weights, own.dropped(ran.every, OUTPUT), None, own)
            found.append(outputs)
            answer = point(structure, outputs)
            if teacher is not None and step + 1 < structure.horizon:
                told = teacher.told[:, :, step]
                answer = torch.where(told, teacher.truth[:, :, step], answer)
        return torch.cat(raw, dim=2), torch.cat(found, dim=-1)

    def _at_once(
        self,
        weights: Weights,
        segment: Segment,
        begin: Sequence[State],
        draws: Draws,
        first: Tensor,
        teacher: _Teacher,
    ) -> tuple[Tensor, Tensor]:
        """Run all steps as one: no input waits for an answer."""
        before = [first, *teacher.truth[:, :, :-1].unbind(2)]
        if segment.ahead is not None:
            before = [_beside(*pair) for pair in zip(before, segment.ahead.unbind(2), strict=True)]
        x = torch.stack(before, dim=1).transpose(1, 2)  # in memory time comes before batch
        ran = self.layers.run(weights.decoder, x, begin, draws)
        read = draws.dropped(ran.every, OUTPUT)
        outputs = run_head(self.layers.structure, weights, read, None, draws)
        steps = outputs.view(x.shape[0], x.shape[2], x.shape[1], -1)  # (trials, time, batch, ·)
        return ran.every, steps.transpose(1, 2).flatten(2)

    def _always(self, segment: Segment, draws: Draws) -> bool:
        """Return whether every step is told: known on the host, never in a captured program."""
        return _all_known(segment) and draws.certain(TEACHER)

    def _first(self, weights: Weights, segment: Segment) -> Tensor:
        """Return the first step's input but for what is known ahead: `(trials, batch, targets)`."""
        structure, x = self.layers.structure, segment.inputs
        if not structure.past_targets:
            targets = weights.head_bias.shape[-1] // LOSSES[structure.loss].width(structure)
            return weights.head_bias.new_zeros(*x.shape[:2], targets)
        newest = x[:, :, -1]
        if segment.lengths is not None:
            newest = last_of(x, segment.lengths, torch.zeros_like(newest))
        return torch.stack([newest[..., feature] for feature in structure.past_targets], dim=-1)

    def _teacher(self, segment: Segment, draws: Draws) -> _Teacher | None:
        """Return the true answers and where they are told; None where none is."""
        horizon = self.layers.structure.horizon
        like, (trials, batch) = segment.inputs, segment.inputs.shape[:2]
        drawn = draws.happens(TEACHER, (horizon - 1, batch), like)
        if drawn is None or segment.targets is None:
            return None
        shape = (trials, batch, horizon, -1)
        truth = _of_rows(segment.targets, segment, batch).view(shape)
        told = drawn.transpose(1, 2).unsqueeze(-1)
        if not _all_known(segment):
            mask = segment.element_mask
            known = torch.ones_like(segment.targets)
            known = known if mask is None else mask.expand(known.shape).to(truth.dtype)
            told = told & (_of_rows(known, segment, batch, add=True).view(shape)[:, :, :-1] > 0)
        return _Teacher(truth, told)


def _all_known(segment: Segment) -> bool:
    """Return whether every row has the true answer of every step."""
    return segment.element_mask is None and segment.positions is None


def _beside(answer: Tensor, ahead: Tensor) -> Tensor:
    return torch.cat([answer, ahead], dim=-1)


def _of_rows(values: Tensor, segment: Segment, batch: int, *, add: bool = False) -> Tensor:
    """Put what is wanted `(trials, wanted, outputs)` where its rows are, 0 elsewhere.

    Padding repeats a trial's first wanted row and its targets, so it overwrites them with
    themselves; its mask is False there, so masks must be added.
    """
    if segment.positions is None:
        return values
    trials, _, outputs = values.shape
    rows, flat = values.reshape(-1, outputs), values.new_zeros(trials * batch, outputs)
    put = flat.index_add_ if add else flat.index_copy_
    return put(0, segment.positions, rows).view(trials, batch, outputs)
