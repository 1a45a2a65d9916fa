"""What a file says of itself: metadata for programs, a sentence for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.config.cells import CELLS
from trainers.data.contract import Array
from trainers.data.interface import Interface
from trainers.data.series.reading import WindowReading
from trainers.use.portable import PortableModel

FORMAT = 1


@dataclass(frozen=True)
class Described:
    """What decides which inputs a graph has beside the sequences.

    Attributes:
        by_series: Scales of each series by its name, where series have their own: `input_scale`,
            `input_shift`, `target_scale`, `target_shift`, one number per feature or output.
    """

    by_series: Mapping[str, Mapping[str, list[float]]]

    @classmethod
    def of(cls, model: PortableModel) -> Described:
        """Read them off the data's reading."""
        interface = model.interface
        reading = interface.reading
        if not isinstance(reading, WindowReading):
            return cls({})
        names = dict.fromkeys(n for scale in reading.all_scales for n in scale.each or ())
        return cls({name: _of_series(interface, reading, name) for name in names})


def _of_series(interface: Interface, reading: WindowReading, name: str) -> dict[str, list[float]]:
    def pairs(scales: Any) -> Array:
        return np.array([(s.each or {}).get(name, (s.scale, s.shift)) for s in scales])

    inputs, found = pairs(reading.encoding.scales), {}
    found["input_scale"], found["input_shift"] = inputs.T.tolist()
    if interface.task == "regression":
        targets = np.tile(pairs(reading.scales), (interface.output_size // len(reading.scales), 1))
        found["target_scale"], found["target_shift"] = targets.T.tolist()
    return found


def metadata(model: PortableModel, about: Mapping[str, Any]) -> dict[str, str]:
    """Return the file's metadata: texts, lists and mappings as JSON."""
    interface, config = model.interface, model.config
    categories = {one.name: list(one.values) for one in interface.categories}
    found: dict[str, Any] = {
        "rnn_sweep.format": FORMAT,
        **{name: value for name, value in about.items() if value is not None},
        "data": interface.name,
        "data_digest": interface.digest,
        "task": interface.task,
        "units": interface.units,
        "inputs": list(interface.input_names),
        "outputs": list(interface.outputs),
        "loss": config.loss,
        "readout": config.readout,
        "training": config.to_dict(),
        "categories": categories,
        "tokens": list(interface.tokens),
        "series_scales": Described.of(model).by_series,
    }
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in found.items()
        if value not in ("", [], {})
    }


def description(model: PortableModel) -> str:
    """Return what the graph takes and answers, for people."""
    config = model.config
    takes = "ids (batch, time)" if model.interface.ids else "inputs (batch, time, features)"
    state = ", ".join(CELLS[config.cell].state)
    sentences = [
        f"{CELLS[config.cell].sentence}. Takes {takes}; lengths (batch,) where rows are padded on "
        "the right."
    ]
    if not config.bidirectional:
        sentences.append(
            f"State ({state} of each layer) begins at zero; feed each *_next output back as the "
            "input of its name to go on."
        )
    return " ".join(sentences)
