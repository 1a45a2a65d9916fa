"""One sequence as people write it, and what a network says of it: both in the data's own terms.

A record is a mapping. `steps (time, features)` are raw numbers; a step that holds a null (NaN) is a
gap, or, where `mask (time,)` says that it exists, a step without input. Networks of tokens take
`ids (time,)` or `text`. Networks whose inputs were made of times, categories or filled values take
steps of all that, in order or by name, and encode it themselves. Free of torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.ahead import ahead_of_steps
from trainers.data.features.reading import EncodedReading, Scales
from trainers.data.features.requests import Asked, request_of, step_values
from trainers.data.interface import Interface
from trainers.data.options import nearest
from trainers.data.reading import PairReading, TextReading
from trainers.data.texts.vocabulary import END, UNKNOWN, Vocabulary, split_text
from trainers.data.transforms import undone
from trainers.errors import DataError

FORECAST, GENERATE = "forecast", "generate"  # of coming steps, of further tokens
FORECAST_SETTINGS = ("ahead", "paths", "quantiles", "seed", "whole_paths")
GENERATE_SETTINGS = ("temperature", "top_k", "seed")
FIELDS = (
    *("steps", "ids", "text", "mask", "series", "state", "probabilities", "interval"),
    *(FORECAST, *FORECAST_SETTINGS, GENERATE, *GENERATE_SETTINGS[:-1]),
)
ASKED = "asked"  # in records that the library makes itself
_CONTENT = FIELDS[:3]
_SHOWN_NAMES = 6


@dataclass(frozen=True)
class Encoded:
    """What a network reads: `(time, features)` float32 or ids `(time,)`, and `(time,)` bool.

    `scales` are the targets' scale and shift where the sequence has its own, `(targets,)` each;
    `ahead` is what is known ahead of each step, or of the last, see `Asked`.
    """

    inputs: Array
    mask: Array
    scales: Scales | None = None
    ahead: Array | None = None


class Encoder:
    """Turns records into what the network reads."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self._reading: EncodedReading | None = None
        if isinstance(interface.reading, EncodedReading) and not interface.reading.is_plain:
            self._reading = interface.reading
        self._vocabulary: Vocabulary | None = None
        if interface.tokens and UNKNOWN in interface.tokens:
            self._vocabulary = Vocabulary(interface.tokens, interface.tokens.index(UNKNOWN))

    @property
    def takes_raw_values(self) -> bool:
        """Whether steps may hold times, names of categories and values that are filled."""
        return self._reading is not None

    def encode(self, record: Mapping[str, Any], where: str) -> Encoded:
        """Turn one record into what the network reads.

        Args:
            record: See the module.
            where: Which record it is, for messages.

        Raises:
            DataError: the record does not fit the network; one line says why.
        """
        asked = record.get(ASKED)
        if isinstance(asked, Asked):  # a window of a table, encoded with the rest of it
            return Encoded(asked.inputs, asked.present, asked.scales, asked.ahead)
        check_fields(record, FIELDS, where)
        check_alone(record, where)
        given = [name for name in _CONTENT if record.get(name) is not None]
        fitting = ("ids", "text") if self._interface.ids else ("steps",)
        if len(given) != 1 or given[0] not in fitting:
            raise DataError(
                f"{where} must bring {' or '.join(fitting)} to a network of "
                f"{'token ids' if self._interface.ids else 'numbers'}, but brings "
                f"{' and '.join(given) or 'none'}."
            )
        if given[0] == "steps":
            if self._reading is not None:
                return self._encoded_steps(self._reading, record, where)
            return self._steps(record, where)
        ids = self._ids(record, where)
        return Encoded(ids, _mask(record, np.ones(len(ids), dtype=np.bool_), where))

    def _encoded_steps(
        self, reading: EncodedReading, record: Mapping[str, Any], where: str
    ) -> Encoded:
        asked = request_of(record, reading, where)
        mask = _mask(record, asked.present, where)
        inputs = np.where(asked.present[:, None], asked.inputs, np.float32(0))
        return Encoded(inputs, mask, asked.scales, asked.ahead)

    def _steps(self, record: Mapping[str, Any], where: str) -> Encoded:
        features = self._interface.input_size
        raw = _numbers(self._in_order(record["steps"], where), where)
        if raw.ndim != 2 or raw.shape[1] != features or not len(raw):
            all_names = self._interface.input_names
            names = ", ".join(all_names[:_SHOWN_NAMES])
            names += ", …" if len(all_names) > _SHOWN_NAMES else ""
            raise DataError(
                f"{where}: steps must be a list of at least one step of {features} numbers each"
                f"{f' ({names})' if names else ''}, but got shape {raw.shape}."
            )
        brought = np.asarray(~np.isnan(raw).any(axis=1))
        mask = _mask(record, brought, where)
        if not np.isfinite(raw[mask & brought]).all():
            raise DataError(f"{where}: steps must be finite where they exist, but got infinity.")
        inputs = np.where(brought[:, None], self.scaled(raw), 0.0).astype(np.float32)
        return Encoded(inputs, mask, ahead=self._ahead(inputs))

    def _ahead(self, inputs: Array) -> Array | None:
        """What plain numbers tell of what is known ahead of each step."""
        reading = self._interface.reading
        if not isinstance(reading, EncodedReading):
            return None
        return ahead_of_steps(reading.encoding, None, inputs)

    def _in_order(self, steps: Any, where: str) -> Any:
        """Steps that are objects by name as lists."""
        names = self._interface.input_names
        if not isinstance(steps, list) or not any(isinstance(step, Mapping) for step in steps):
            return steps
        return [step_values(step, names, where, number) for number, step in enumerate(steps)]

    def scaled(self, raw: Array) -> Array:
        """Scale raw numbers `(…, features)` as the network was trained on; float64."""
        shift, scale = self._interface.input_shift, self._interface.input_scale
        values = raw if shift is None else raw - np.array(shift)
        return values if scale is None else values / np.array(scale)

    def _ids(self, record: Mapping[str, Any], where: str) -> Array:
        if record.get("text") is not None:
            return self._encoded_text(record["text"], where)
        count = self._interface.input_size
        ids = _array(record["ids"], where, "ids")
        if ids.ndim != 1 or not len(ids) or ids.dtype.kind not in "iu":
            raise DataError(
                f"{where}: ids must be a list of at least one whole number, but got shape "
                f"{ids.shape} of {ids.dtype}."
            )
        wrong = ids[(ids < 0) | (ids >= count)]
        if len(wrong):
            raise DataError(f"{where}: `0 <= id < {count}` must hold for ids, but got {wrong[0]}.")
        return ids.astype(np.int64)

    def _encoded_text(self, text: str, where: str) -> Array:
        reading = self._interface.reading
        if self._vocabulary is None or not isinstance(reading, TextReading):
            raise DataError(f"{where}: the network's data had no vocabulary; send ids, not text.")
        tokens = split_text(text.lower() if reading.lowercase else text, reading.level)
        if reading.max_length is not None:
            tokens = tokens[-reading.max_length :]
        if not len(tokens):
            raise DataError(f"{where}: text must hold at least one token, but got {text!r}.")
        return self._vocabulary.encode_all([tokens])[0]


def _array(values: Any, where: str, name: str) -> Array:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(
            f"{where}: {name} must all be of one length, but {str(error).splitlines()[0]}."
        ) from error


def _numbers(values: Any, where: str) -> Array:
    array = _array(values, where, "steps")
    try:
        return array.astype(np.float64)  # null becomes NaN
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: steps must hold numbers or null, but {error}.") from error


def _mask(record: Mapping[str, Any], default: Array, where: str) -> Array:
    given = record.get("mask")
    mask = default if given is None else _array(given, where, "mask")
    if mask.shape != default.shape or mask.dtype != np.bool_:
        raise DataError(
            f"{where}: mask must be a list of {len(default)} times true or false, one a step, but "
            f"got shape {mask.shape} of {mask.dtype}."
        )
    if not mask.any():
        raise DataError(f"{where}: at least one step must exist, but none does.")
    return mask


def check_fields(record: Mapping[str, Any], fields: Sequence[str], where: str) -> None:
    """Check that a record has no other field, unless it is another kind's and null.

    Raises:
        DataError: it has one.
    """
    foreign = [name for name in record if name not in fields]
    unknown = [name for name in foreign if name not in FIELDS or record[name] is not None]
    if unknown:
        near = nearest(str(unknown[0]), fields)
        raise DataError(
            f"{where} has no field {unknown[0]!r};{near} its fields are: {', '.join(fields)}."
        )


def check_alone(record: Mapping[str, Any], where: str) -> None:
    """Check that a record which asks for nothing further has no setting of that.

    Raises:
        DataError: it has one.
    """
    for asks, settings in ((FORECAST, FORECAST_SETTINGS), (GENERATE, GENERATE_SETTINGS)):
        lonely = [name for name in settings if record.get(name) is not None]
        if lonely:
            raise DataError(f"{where}: {lonely[0]} needs {asks}, how many there shall be.")


# -- answers -----------------------------------------------------------------------------------


def values_of(
    outputs: Array, interface: Interface, scales: Scales | None = None, *, labels: bool = False
) -> Array:
    """Turn a network's outputs `(…, outputs)` into own units, or probabilities of classes.

    Args:
        outputs: As the network gives them.
        interface: The data's.
        scales: Of this sequence's targets, where they are its own.
        labels: Whether classes do not exclude each other.

    Returns:
        Float64 of the same shape; NaN stays NaN.
    """
    values = outputs.astype(np.float64)
    if interface.task == "regression":
        scale: Any = interface.target_scale
        shift: Any = interface.target_shift
        if scales is not None:
            scale, shift = (np.tile(one, values.shape[-1] // len(one)) for one in scales)
        values = values if scale is None else values * np.array(scale)
        values = values if shift is None else values + np.array(shift)
        return undone(values, interface.target_transform)
    if labels:
        return np.asarray(1 / (1 + np.exp(-values)))
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def answer_of(
    values: Array, interface: Interface, *, probabilities: bool | None, labels: bool = False
) -> dict[str, Any]:
    """Say what `values_of` gave for one sequence, `(outputs,)` or `(time, outputs)`.

    Returns:
        Of pairs of texts the `answer`. Numbers by target name, or `class`, `probability` and
        perhaps `probabilities` by class; one of each, or a list with one a step, None where no
        step exists.
    """
    names = interface.outputs
    if isinstance(interface.reading, PairReading):
        return {"answer": _text(values, interface.reading, names)}
    every = values.ndim == 2
    if interface.task == "regression" or labels:
        return {name: _plain(values[..., n]) for n, name in enumerate(names)}
    wanted = not every if probabilities is None else probabilities
    exists = np.asarray(~np.isnan(values).any(axis=-1))
    best = np.where(exists[..., None], values, 0.0).argmax(axis=-1)
    answer: dict[str, Any] = {"probability": _plain(values.max(axis=-1))}
    if every:
        chosen = zip(best, exists, strict=True)
        answer = {"class": [names[n] if here else None for n, here in chosen], **answer}
    else:
        answer = {"class": names[int(best)], **answer}
    if wanted:
        answer["probabilities"] = {name: _plain(values[..., n]) for n, name in enumerate(names)}
    return answer


def beside(values: Mapping[str, Array], interface: Interface) -> dict[str, Any]:
    """Say what stands beside each answer, in own units: `q0.1`, `low`, `high`.

    Args:
        values: By what it is, one `(outputs,)` or `(time, outputs)` each.
        interface: The data's.

    Returns:
        By `NAME_q0.1` and so on, output by output, as `answer_of` has numbers.
    """
    return {
        f"{name}_{what}": _plain(own[..., n])
        for n, name in enumerate(interface.outputs)
        for what, own in values.items()
    }


def _text(values: Array, reading: PairReading, names: tuple[str, ...]) -> str:
    """Return the likeliest tokens of an answer `(steps, tokens)`, up to its end."""
    tokens = [names[best] for best in values.argmax(axis=-1)]
    kept = tokens[: tokens.index(END)] if END in tokens else tokens
    return ("" if reading.level == "character" else " ").join(kept)


def _plain(values: Array) -> Any:
    """Return a number, or a list with None for NaN."""
    if values.ndim == 0:
        return None if np.isnan(values) else float(values)
    return [None if value != value else value for value in values.tolist()]
