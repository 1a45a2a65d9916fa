"""Sums over classes that exclude each other, and labels that do not."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.config.metrics.classes import BINS


def counts(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return hits, predicted and actual of each class or label: `(trials, 3, classes)`."""
    if targets.dim() == 2:
        return _classes(outputs, targets, mask)
    predicted, actual = outputs > 0, targets > 0.5
    if mask is not None:
        predicted, actual = predicted & mask, actual & mask
    parts = (predicted & actual, predicted, actual)
    return torch.stack([part.double().sum(1) for part in parts], dim=1)


def _classes(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    predicted = outputs.argmax(-1)
    one = torch.ones_like(targets, dtype=torch.float64) if mask is None else mask[..., 0].double()
    found = one.new_zeros(3, len(targets), outputs.shape[-1])
    found[0].scatter_add_(1, targets, one * (predicted == targets))
    found[1].scatter_add_(1, predicted, one)
    found[2].scatter_add_(1, targets, one)
    return found.transpose(0, 1)


def squares(probabilities: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return squared distances from what is true, and how many: `(trials, 2, classes)`."""
    truth = targets.double()
    if targets.dim() == 2:
        truth = torch.nn.functional.one_hot(targets, probabilities.shape[-1]).double()
    square = (probabilities.double() - truth).square()
    found = torch.stack([square, torch.ones_like(square)], dim=1)
    return (found if mask is None else torch.where(mask.unsqueeze(1), found, 0.0)).sum(2)


def calibration(probabilities: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    """Return count, confidence and right answers by confidence: `(trials, 3 · bins, classes)`.

    Classes have the predicted one's confidence, labels that in what is said of each. Bins are of
    equal width, their upper ends included (Guo et al. 2017).
    """
    if targets.dim() == 2:
        confidence, said = probabilities.double().max(-1)
        right = (said == targets).double()
        one = torch.ones_like(right) if mask is None else mask[..., 0].double()
    else:
        given = probabilities.double()
        confidence = torch.maximum(given, 1 - given)
        right = ((given > 0.5) == (targets > 0.5)).double()
        said = torch.arange(given.shape[-1], device=given.device).expand(given.shape)
        one = torch.ones_like(given) if mask is None else mask.expand(given.shape).double()
    confidence = confidence.nan_to_num(1.0)  # what is masked may hold anything
    place = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
    trials, classes = len(probabilities), probabilities.shape[-1]
    at = (place * classes + said).reshape(trials, -1)
    found = [
        one.new_zeros(trials, BINS * classes).scatter_add_(1, at, (one * what).reshape(trials, -1))
        for what in (torch.ones_like(confidence), confidence, right)
    ]
    return torch.cat(found, dim=1).reshape(trials, 3 * BINS, classes)
