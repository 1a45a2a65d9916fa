"""Which structures fit which data; free of torch.

The coordinator asks before anything is written, a pack asks again before it trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import numpy as np

from trainers.config.counts import check_counts
from trainers.config.declaration import plain
from trainers.config.losses import LOSSES, losses_for, targets_of
from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData, SequenceSet
from trainers.errors import ConfigError

_ROWS_AT_ONCE = 4096
_KINDS = {
    "values": "numbers",
    "ids": "class ids (sequences, time)",
    "labels": "labels (sequences, time, outputs)",
}


def check_structure(structure: Structure, data: SequenceData) -> None:
    """Check that trials of this structure can train on the data.

    Raises:
        ConfigError: loss, embeddings or walk do not fit; the message says what does.
    """
    _check_loss(structure.loss, data)
    _check_embedding(structure, data)
    _check_categories(structure, data)
    _check_walk(structure, data)
    if structure.decodes:
        _check_decoder(structure, data)
    elif data.pairs:
        raise ConfigError(
            f"pairs of sequences need architecture=encoder_decoder, but got "
            f"{structure.architecture!r} for {data.name!r}; set architecture to encoder_decoder."
        )


def decoder_settings(data: SequenceData) -> dict[str, Any]:
    """Return what an encoder-decoder must know of its data, as settings."""
    ahead = data.train.ahead
    return {
        "pairs": data.pairs,
        "horizon": longest_answer(data.train) if data.pairs else data.horizon,
        "ahead_size": 0 if ahead is None else int(ahead.shape[-1]),
        "past_targets": data.past_targets,
    }


def with_decoder(settings: Mapping[str, Any], data: SequenceData) -> dict[str, Any]:
    """Return settings with what a decoder must know of its data, where they ask for one."""
    decodes = settings.get("architecture") == "encoder_decoder"
    return {**settings, **(decoder_settings(data) if decodes else {})}


def longest_answer(part: SequenceSet) -> int:
    """Return the steps of the longest answer of pairs."""
    mask = part.target_mask
    if mask is None:
        return part.time_steps
    steps = np.zeros(part.time_steps, dtype=np.bool_)
    for start in range(0, len(part), _ROWS_AT_ONCE):
        block = np.asarray(mask[start : start + _ROWS_AT_ONCE])
        steps |= block.any(axis=(0, *range(2, block.ndim)))
    return int(np.flatnonzero(steps)[-1]) + 1


def _check_decoder(structure: Structure, data: SequenceData) -> None:
    fits = data.pairs or (data.one_target and data.horizon > 1)
    if not fits or targets_of(data) == ("labels" if data.pairs else "ids"):
        raise ConfigError(
            "architecture=encoder_decoder needs forecasts of several steps, or pairs of sequences, "
            f"but {data.name!r} has horizon={data.horizon}; set data.output_steps to 2 or more, or "
            "architecture to plain."
        )
    readout, where = ("every", "at every step") if data.pairs else ("last", "from the last state")
    if structure.readout != readout:
        raise ConfigError(
            f"architecture=encoder_decoder needs readout={readout} for {data.name!r}, which it "
            f"answers {where}, but got readout={structure.readout!r}; set readout to {readout}."
        )
    if any(part.resets is not None for part in data.parts().values()):
        raise ConfigError(
            "architecture=encoder_decoder needs sequences that are not reset within, but "
            f"{data.name!r} has resets; set architecture to plain."
        )
    for name, wanted in decoder_settings(data).items():
        if getattr(structure, name) != wanted:
            raise ConfigError(
                f"an encoder-decoder must know of its data that {name}={plain(wanted)!r}, but got "
                f"{plain(getattr(structure, name))!r}; take "
                "trainers.config.fitting.decoder_settings(data)."
            )


def _check_loss(loss: str, data: SequenceData) -> None:
    kind = targets_of(data)
    if LOSSES[loss].targets != kind:
        fitting = " or ".join(losses_for(data))
        raise ConfigError(
            f"loss must be {fitting} for targets that are {_KINDS[kind]}, but got {loss!r}."
        )
    if LOSSES[loss].counts:
        check_counts(loss, data)


def _check_embedding(structure: Structure, data: SequenceData) -> None:
    if structure.embedding_size is not None and data.train.inputs.ndim == 3:
        raise ConfigError(
            "embedding_size needs inputs that are token ids, but got "
            f"embedding_size={structure.embedding_size} for {data.input_size} features; set "
            "embedding_size to null, or stem to dense."
        )


def _check_categories(structure: Structure, data: SequenceData) -> None:
    given = structure.category_embeddings
    if not given and not data.categories:
        return
    if data.train.inputs.ndim != 3 or (given and given[-1][0] >= data.input_size):
        shape = f"{data.input_size} {'features' if data.train.inputs.ndim == 3 else 'token ids'}"
        raise ConfigError(
            f"category_embeddings are of features that the data have, but got {plain(given)} for "
            f"{shape}; a sweep that leaves it open takes the data's."
        )
    if not data.categories:
        return
    for wanted, got in zip_longest(data.category_embeddings, given):
        if not wanted or not got or wanted[:2] != got[:2]:
            raise ConfigError(
                "category_embeddings must have the data's categories, [feature, rows, size] each, "
                f"so {_shown(wanted)}, but got {_shown(got)} there; a sweep that leaves it open "
                "takes the data's."
            )


def _shown(embedding: tuple[int, ...] | None) -> str:
    return f"{plain(embedding)}" if embedding else "no more of them"


def _check_walk(structure: Structure, data: SequenceData) -> None:
    if data.walk == "stream":
        if structure.tbptt_forward_steps is None:
            raise ConfigError(
                f"a stream needs truncated BPTT, but got tbptt_forward_steps=None for "
                f"{data.name!r}; set tbptt_forward_steps, typically to 50-200."
            )
        if structure.readout != "every":
            raise ConfigError(
                f"a stream has targets all along and needs readout=every, but got "
                f"readout={structure.readout!r} for {data.name!r}."
            )
    elif structure.tbptt_random_lengths:
        raise ConfigError(
            f"tbptt_random_lengths needs a stream, but {data.name!r} holds independent "
            "sequences; set it to false."
        )
