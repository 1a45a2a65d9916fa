"""Between what people have and what a network reads: scaling, names, vocabulary, as one JSON file.

A sweep writes it once for each choice of its data; with it and a checkpoint a model can be made
where the data are not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainers.data.contract import Category, SequenceData, TargetTransform, Task, Walk
from trainers.data.features.reading import EncodedReading
from trainers.data.reading import Reading
from trainers.data.readings import reading_from_dict, reading_to_dict
from trainers.errors import DataError

INTERFACE_FILE = "data.json"
_KEY_CHARACTERS = 12


@dataclass(frozen=True)
class Interface:
    """What a `SequenceData` says beside its arrays; see there.

    Attributes:
        ids: Whether inputs are token ids.
    """

    name: str
    task: Task
    digest: str
    input_size: int
    output_size: int
    ids: bool
    one_target: bool
    walk: Walk = "sequences"
    units: str = ""
    target_names: tuple[str, ...] = ()
    target_scale: tuple[float, ...] | None = None
    target_shift: tuple[float, ...] | None = None
    target_transform: TargetTransform = "none"
    input_names: tuple[str, ...] = ()
    input_scale: tuple[float, ...] | None = None
    input_shift: tuple[float, ...] | None = None
    tokens: tuple[str, ...] = ()
    reading: Reading | None = None
    categories: tuple[Category, ...] = ()

    @classmethod
    def of(cls, data: SequenceData) -> Interface:
        """Keep what is needed to use a network that was trained on the data."""
        arrays = ("target_scale", "target_shift", "input_scale", "input_shift")
        numbers = {name: getattr(data, name) for name in arrays}
        return cls(
            name=data.name,
            task=data.task,
            digest=data.digest,
            input_size=data.input_size,
            output_size=data.output_size,
            ids=data.vocabulary_size is not None,
            one_target=data.one_target,
            walk=data.walk,
            units=data.units,
            target_names=data.target_names,
            target_transform=data.target_transform,
            input_names=data.input_names,
            tokens=data.tokens,
            reading=data.reading,
            categories=data.categories,
            **{n: None if a is None else tuple(a.tolist()) for n, a in numbers.items()},
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Interface:
        """Build it from `to_dict`'s values; KeyError or TypeError where they are not."""
        plain: dict[str, Any] = dict(values)
        plain |= {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
        plain["reading"] = reading_from_dict(plain.get("reading"), plain)
        plain["categories"] = tuple(
            Category(**{**one, "values": tuple(one["values"])})
            for one in plain.get("categories", ())
        )
        return cls(**plain)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "reading": reading_to_dict(self.reading)}

    @property
    def raw_names(self) -> tuple[str, ...]:
        """What a step of a request brings, in order; empty where that has no names."""
        if isinstance(self.reading, EncodedReading):
            return self.reading.raw_names
        return self.input_names

    @property
    def outputs(self) -> tuple[str, ...]:
        """One name per output or class: the data's, or numbers."""
        if self.target_names:
            return self.target_names
        if self.task == "classification":
            return tuple(str(number) for number in range(self.output_size))
        several = self.output_size > 1
        return tuple(f"y{number}" if several else "y" for number in range(self.output_size))


def interface_file(key: str) -> str:
    """Return the name of a choice's file (`trainers.data.choices`); "" where nothing is chosen."""
    if not key:
        return INTERFACE_FILE
    return f"data-{hashlib.sha256(key.encode()).hexdigest()[:_KEY_CHARACTERS]}.json"


def write_interfaces(by_key: Mapping[str, SequenceData], folder: Path) -> None:
    """Write the interface of each choice into a folder."""
    for key, data in by_key.items():
        write_interface(data, folder, key)


def write_interface(data: SequenceData, folder: Path, key: str = "") -> None:
    """Write a data set's interface into a folder, whole or not at all."""
    path = folder / interface_file(key)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(Interface.of(data).to_dict()), encoding="utf-8")
    temporary.replace(path)


def read_interface(folder: Path, key: str = "") -> Interface:
    """Read what `write_interface` wrote of a choice.

    Raises:
        DataError: there is no such file, or it can't be read.
    """
    path = folder / interface_file(key)
    try:
        return Interface.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"a model needs {path}, which says how its data are read, but {error}; running the "
            "sweep again writes it."
        ) from error
