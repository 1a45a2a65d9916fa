"""A loss from outside the packages: a normal distribution's likelihood, two outputs per target."""

import math

import torch.nn.functional as F

from trainers.config.losses import LossType


def elements(outputs, targets):
    mean, scale = outputs[..., 0], F.softplus(outputs[..., 1]) + 1e-3
    return ((targets - mean) / scale).square() / 2 + scale.log() + math.log(2 * math.pi) / 2


def mean(outputs):
    return outputs[..., 0]


GAUSSIAN = LossType(
    "negative log-likelihood of a normal distribution", "values", "outside_loss:elements",
    outputs_per_target=2, point="outside_loss:mean",
)  # fmt: skip
