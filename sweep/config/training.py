"""Check the training settings that a sweep file fixes, bounds, lists or enqueues."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sweep.config.mistakes import unknown_key
from sweep.errors import ConfigProblem
from trainers.config.laws import LAWS, Law
from trainers.config.settings import check_setting, field_names, unchecked
from trainers.errors import ConfigError

_INTEGERS = 64  # of a range that are tried one by one


def check_training(
    train: Mapping[str, Any],
    parameters: Mapping[str, Any],
    enqueue: Sequence[Mapping[str, Any]],
    *,
    base: bool,
) -> None:
    """Check every value by itself, then the fixed ones together and with those that are drawn.

    A fixed setting passes a law if it goes with one of the values that the file mentions for the
    law's other fields; what a base space draws is not known here.

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
    if any("first_weights" in drawn for drawn in (parameters, *enqueue)):
        raise ConfigProblem(
            "first_weights are one model's for all trials, so they can't be drawn, but they stand "
            "in space.parameters or search.enqueue; name one model in train.first_weights."
        )
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
    for law in LAWS:
        given = {name: fixed[name] for name in law.fields if name in fixed}
        drawn = {
            name: _tried(parameters[name])
            for name in law.fields
            if name in parameters and name not in fixed
        }
        settled = len(given) + len(drawn) == len(law.fields) or not base
        if given and settled:
            try:
                _check(law, given, drawn)
            except ConfigError as error:
                section = "train" if set(given) <= set(train) else "train and space.parameters"
                raise ConfigProblem(f"{section}: {error}") from error


def _check(law: Law, given: Mapping[str, Any], drawn: Mapping[str, Sequence[Any]]) -> None:
    """Check that what is fixed goes with some of the values that are drawn; else with defaults."""
    refused = None
    for values in itertools.product(*drawn.values()):
        try:
            law.check(unchecked({**given, **dict(zip(drawn, values, strict=True))}))
        except ConfigError as error:
            refused = refused or error
        else:
            return
    if refused is not None:
        raise refused


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
