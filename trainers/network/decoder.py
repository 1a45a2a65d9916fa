"""A decoder: layers that begin with the encoder's state and answer step by step.

Sutskever et al. 2014. A step's input is the answer to the step before: its own, or in training the
true one where `teacher` says so; beside it stands what is known ahead of the step. The first step's
is the newest known value of the targets, where inputs hold it, otherwise zeros: the state knows
what was read. Of class ids it is a start symbol, the id after the last class.

What is fed back of numbers is the loss's point answer (a distribution's mean, the middle quantile),
in the units that the network is trained in, and gradients pass through it: with `teacher_forcing:
0` they are those of the whole unrolled forecast. Of classes it is the likeliest, which has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.network.cells.interface import State
from trainers.network.draws import Draws
from trainers.network.head import picked, run_head
from trainers.network.layers import Layers
from trainers.network.masks import last_of
from trainers.network.parameters import Weights, answers_ids
from trainers.network.point import point
from trainers.network.regularisation import activation_sums
from trainers.network.segment import Segment
from trainers.network.sites import DECODER_EMBEDDING, OUTPUT
from trainers.network.stem import embed
from trainers.network.teacher import Teacher, steps_of, teacher_of


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
            Of pairs `(trials, wanted, outputs)`, where time is the answers' own.
        """
        structure = self.layers.structure
        first, teacher = self._first(weights, segment), teacher_of(structure, segment, draws)
        if teacher is not None and teacher.always:
            before = torch.cat([first.unsqueeze(2), teacher.truth[:, :, :-1]], dim=2)
            raw, outputs = self._at_once(weights, before, segment.ahead, begin, draws)
        else:
            raw, outputs = self._step_by_step(weights, segment, begin, draws, first, teacher)
        if activations is not None:
            lengths = _lengths(segment, outputs.shape[2])
            activations.append(activation_sums(draws.dropped(raw, OUTPUT), raw, lengths))
        wanted = outputs if structure.pairs else outputs.flatten(2).unsqueeze(2)
        return picked(wanted, segment.positions)

    def _step_by_step(
        self,
        weights: Weights,
        segment: Segment,
        state: Sequence[State],
        draws: Draws,
        answer: Tensor,
        teacher: Teacher | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the last layer's outputs `(trials, batch, steps, hidden)`, and the head's."""
        structure, raw, found = self.layers.structure, [], []
        ids, steps = answers_ids(structure), steps_of(structure, segment)
        for step in range(steps):
            own = draws.at(step)
            ahead = None if segment.ahead is None else segment.ahead[:, :, step : step + 1]
            x = self._input(weights, answer.unsqueeze(2), ahead, own)
            ran = self.layers.run(weights.decoder, x, state, own)
            state = ran.states
            raw.append(ran.every)
            outputs = run_head(structure, weights, own.dropped(ran.every, OUTPUT), None, own)
            found.append(outputs)
            answer = point(structure, outputs)
            answer = answer.argmax(-1) if ids else answer
            if teacher is not None and step + 1 < steps:
                answer = torch.where(teacher.told[:, :, step], teacher.truth[:, :, step], answer)
        return torch.cat(raw, dim=2), torch.stack(found, dim=2)

    def _at_once(
        self,
        weights: Weights,
        before: Tensor,
        ahead: Tensor | None,
        begin: Sequence[State],
        draws: Draws,
    ) -> tuple[Tensor, Tensor]:
        """Run all steps as one, since no input waits for an answer."""
        ran = self.layers.run(
            weights.decoder, self._input(weights, before, ahead, draws), begin, draws
        )
        read = draws.dropped(ran.every, OUTPUT)
        outputs = run_head(self.layers.structure, weights, read, None, draws)
        trials, batch, steps = before.shape[:3]
        return ran.every, outputs.view(trials, steps, batch, -1).transpose(1, 2)

    def _input(self, weights: Weights, fed: Tensor, ahead: Tensor | None, draws: Draws) -> Tensor:
        """Return `(trials, batch, time, features)` of `fed (trials, batch, time, ·)`, or ids."""
        x, table = fed, weights.decoder_embedding
        if table is not None:
            x = embed(fed, table, draws.keys, DECODER_EMBEDDING)
        elif answers_ids(self.layers.structure):
            x = F.one_hot(fed, self._outputs(weights) + 1).to(weights.head_bias.dtype)
        return x if ahead is None else torch.cat([x, ahead], dim=-1)

    def _first(self, weights: Weights, segment: Segment) -> Tensor:
        """Return what is fed to the first step: `(trials, batch, targets)`, or ids."""
        structure, x = self.layers.structure, segment.inputs
        outputs = self._outputs(weights)
        if answers_ids(structure):
            return torch.full(x.shape[:2], outputs, device=x.device)
        if not structure.past_targets:
            return weights.head_bias.new_zeros(*x.shape[:2], outputs)
        newest = x[:, :, -1]
        if segment.lengths is not None:
            newest = last_of(x, segment.lengths, torch.zeros_like(newest))
        return torch.stack([newest[..., feature] for feature in structure.past_targets], dim=-1)

    def _outputs(self, weights: Weights) -> int:
        """Return the targets, or classes, of one step."""
        structure = self.layers.structure
        return weights.head_bias.shape[-1] // LOSSES[structure.loss].width(structure)


def _lengths(segment: Segment, steps: int) -> Tensor | None:
    """Return the steps of each answer `(trials, batch)`; None where all have all."""
    if segment.answers is not None:
        return segment.answers.lengths
    if segment.lengths is None:
        return None
    return (segment.lengths > 0) * steps  # padding of a pack has rows that read nothing
