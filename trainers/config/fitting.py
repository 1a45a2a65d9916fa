"""Which structures fit which data, and what is measured on them; free of torch.

The coordinator asks before anything is written, a pack asks again before it trains.
"""

from __future__ import annotations

from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData, Task
from trainers.errors import ConfigError

LANGUAGE = ("nats", "bits_per_character", "perplexity")
_LOSSES: dict[Task, tuple[str, ...]] = {
    "regression": ("mse", "mae", "huber"),
    "classification": ("cross_entropy", "binary_cross_entropy"),
}


def check_structure(structure: Structure, data: SequenceData) -> None:
    """Check that trials of this structure can train on the data.

    Raises:
        ConfigError: loss, embedding or walk does not fit; the message says what does.
    """
    _check_loss(structure.loss, data)
    _check_embedding(structure, data)
    _check_walk(structure, data)


def metric_names(data: SequenceData, loss: str) -> tuple[str, ...]:
    """Return the names of the metrics that a pass over this data reports."""
    if data.task == "regression":
        return ("loss", "mse", "rmse", "mae", "r2")
    if loss == "cross_entropy":
        language = LANGUAGE if is_language(data) else ()
        return ("loss", "accuracy", "macro_f1", "cross_entropy", *language)
    return ("loss", "accuracy", "macro_f1")


def is_language(data: SequenceData) -> bool:
    """Say whether classes are the vocabulary itself: what comes next is a token."""
    return data.task == "classification" and data.vocabulary_size == data.output_size


def _check_loss(loss: str, data: SequenceData) -> None:
    fitting = _LOSSES[data.task]
    if loss not in fitting:
        raise ConfigError(f"loss must be one of {list(fitting)} for {data.task}, but got {loss!r}.")
    ids = data.train.targets.ndim == 2
    if data.task == "classification" and ids != (loss == "cross_entropy"):
        kind = "class ids (sequences, time)" if ids else "labels (sequences, time, outputs)"
        other = "cross_entropy" if ids else "binary_cross_entropy"
        raise ConfigError(f"loss must be {other} for targets that are {kind}, but got {loss!r}.")


def _check_embedding(structure: Structure, data: SequenceData) -> None:
    if structure.embedding_size is not None and data.train.inputs.ndim == 3:
        raise ConfigError(
            "embedding_size needs inputs that are token ids, but got "
            f"embedding_size={structure.embedding_size} for {data.input_size} features; set "
            "embedding_size to null, or stem to dense."
        )


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
