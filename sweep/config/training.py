"""Check the training settings that a sweep file fixes, bounds, lists or enqueues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sweep.config.mistakes import unknown_key
from sweep.errors import ConfigProblem
from trainers.config.train_config import TrainConfig, check_setting, field_names
from trainers.errors import ConfigError

# Settings that obey a law together (`trainers.config.laws`); a space may have to draw either.
_PARTNERS = (
    ("recurrent_init", "cell"),
    ("forget_bias", "cell"),
    ("chrono_time_steps", "cell"),
    ("chrono_time_steps", "forget_bias"),
    ("zoneout_cell", "cell"),
    ("nesterov", "momentum"),
    ("weight_decay_kind", "optimizer"),
    ("clip_value", "clip_norm"),
    ("lr_decay", "lr_decay_rate"),
    ("bidirectional", "tbptt_forward_steps"),
    ("tbptt_backward_steps", "tbptt_forward_steps"),
    ("tbptt_random_lengths", "tbptt_forward_steps"),
    ("hidden_size", "num_layers"),
    ("layer_dropout", "num_layers"),
    ("head_dropout", "head_sizes"),
    ("head_l2", "head_sizes"),
    ("embedding_dropout", "embedding_size"),
)
_INTEGERS = 64  # of a range that are tried one by one


def check_training(
    train: Mapping[str, Any],
    parameters: Mapping[str, Any],
    enqueue: Sequence[Mapping[str, Any]],
    *,
    base: bool,
) -> None:
    """Check every value by itself, then the fixed ones together and with those that are drawn.

    A fixed setting whose partner is drawn passes if it goes with one of the values that the file
    mentions; what a base space draws is not known here.

    Args:
        train: The file's `train` section.
        parameters: The file's `space.parameters`.
        enqueue: The file's `search.enqueue`.
        base: Whether a base space draws further settings.

    Raises:
        ConfigProblem: a name or value is wrong, or values exclude each other.
    """
    for name in train:
        if name not in field_names():
            raise ConfigProblem(unknown_key(("train", name), field_names()))
    for key, value in _values(train, parameters, enqueue):
        try:
            check_setting(key.rpartition(".")[2], value)
        except ConfigError as error:
            raise ConfigProblem(f"{key}: {error}") from error
    both = sorted(set(train) & set(parameters))
    if both:
        raise ConfigProblem(
            f"a setting must stand in one place, but {both[0]} stands in train and in "
            "space.parameters; remove one of them."
        )
    _check_together(train, parameters, base)


def _check_together(train: Mapping[str, Any], parameters: Mapping[str, Any], base: bool) -> None:
    fixed = {**train, **{name: value for name, value in parameters.items() if _is_pin(name, value)}}
    undecided = set()
    for pair in _PARTNERS:
        for name, partner in (pair, pair[::-1]):
            if name not in fixed or (partner not in parameters and partner not in fixed):
                undecided |= {name} if base else set()
            elif partner in fixed:
                _check({name: fixed[name], partner: fixed[partner]}, train)
            else:
                undecided.add(name)
                _check_with_drawn({name: fixed[name]}, partner, parameters[partner], train)
    _check({name: value for name, value in fixed.items() if name not in undecided}, train)


def _check_with_drawn(
    fixed: Mapping[str, Any], partner: str, drawn: Any, train: Mapping[str, Any]
) -> None:
    """Check that a fixed setting goes with one of its partner's values at least."""
    refused = None
    for value in _tried(drawn):
        try:
            _check({**fixed, partner: value}, train)
        except ConfigProblem as problem:
            refused = refused or problem
        else:
            return
    if refused is not None:
        raise refused


def _check(values: Mapping[str, Any], train: Mapping[str, Any]) -> None:
    try:
        TrainConfig.from_mapping(values)
    except ConfigError as error:
        section = "train" if set(values) <= set(train) else "train and space.parameters"
        raise ConfigProblem(f"{section}: {error}") from error


def _tried(drawn: Any) -> list[Any]:
    """Return values that a parameter may take: its choices, its bounds, integers between them."""
    mentioned = _mentioned(drawn)
    if isinstance(drawn, dict) and len(mentioned) == 2:
        low, high = mentioned
        if isinstance(low, int) and isinstance(high, int):
            return [*range(low, min(high, low + _INTEGERS)), high]
    return mentioned


def _is_pin(name: str, given: Any) -> bool:
    return name in field_names() and not isinstance(given, dict | list)


def _values(
    train: Mapping[str, Any], parameters: Mapping[str, Any], enqueue: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Any]]:
    for name, value in train.items():
        yield f"train.{name}", value
    for name, given in parameters.items():
        if name in field_names():
            for value in _mentioned(given):
                yield f"space.parameters.{name}", value
    for index, known in enumerate(enqueue):
        for name, value in known.items():
            if name in field_names():
                yield f"search.enqueue.{index}.{name}", value


def _mentioned(given: Any) -> list[Any]:
    """Return the bounds, the choices or the one value that a parameter names."""
    if isinstance(given, dict):
        return [given[end] for end in ("low", "high") if end in given]
    return given if isinstance(given, list) else [given]
