"""A trained trial as a folder that is used without its data: config.json and weights.safetensors.

Raw values go in and come out: scaling, vocabulary and class names are the data's `Interface`. The
weights have torch's names and shapes. No pickle anywhere.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.data.features.reading import Scales
from trainers.data.interface import Interface, read_interface
from trainers.errors import CheckpointError, DataError
from trainers.learning import losses
from trainers.learning.checkpoint import Checkpoint, read_checkpoint
from trainers.learning.losses.forecast import forecast as distribution_of
from trainers.learning.losses.quantiles import Quantiles
from trainers.network.masks import Array
from trainers.use.export import named_weights
from trainers.use.feeding import forecast_record
from trainers.use.generation import Generation, Writer
from trainers.use.inference import Network
from trainers.use.intervals import Calibration, checked_level, interval
from trainers.use.model_files import (
    CALIBRATION_FILE,
    WEIGHTS_FILE,
    calibration_in,
    network_in,
)
from trainers.use.records import (
    FORECAST,
    GENERATE,
    Encoded,
    Encoder,
    answer_of,
    beside,
    values_of,
)
from trainers.use.streaming import StreamingModel

MODEL_FORMAT = 1
NETWORK_FOLDER = "network"  # where the files lie in a logged model
CONFIG_FILE = "config.json"
CHUNK = 1_000  # records that are answered at once


class PortableModel:
    """A network and how its data are read.

    Args:
        saved: A checkpoint with its tensors.
        interface: Of the data it was trained on.
        about: What is said of its origin.
        calibration: What its intervals are widened by; None where it was not calibrated.

    Raises:
        CheckpointError: the two are of different data.
    """

    def __init__(
        self,
        saved: Checkpoint,
        interface: Interface,
        about: Mapping[str, Any] | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        if saved.data_digest != interface.digest:
            raise CheckpointError(
                f"a model needs the description of its own data (digest {saved.data_digest[:12]}), "
                f"but this one is of data with digest {interface.digest[:12]}."
            )
        self.interface = interface
        self.config = saved.config
        self.saved = saved
        self.about = dict(about or {})
        self.calibration = calibration
        self._encoder = Encoder(interface)
        self._network = Network(saved)
        self._streaming: StreamingModel | None = None
        self._lock = threading.Lock()

    @classmethod
    def from_checkpoint(cls, path: Path, interface: Interface) -> PortableModel:
        """Take a trial's best weights (its newest before the first epoch).

        Raises:
            CheckpointError: the file is damaged, or of other data.
        """
        return cls(read_checkpoint(path), interface)

    @classmethod
    def of_trial(
        cls,
        path: Path,
        folder: Path,
        about: Mapping[str, Any] | None = None,
        calibration: Calibration | None = None,
    ) -> PortableModel:
        """Take a trial's best weights, and of its sweep's folder how its own data are read.

        Raises:
            CheckpointError: the file is damaged, or of other data.
            DataError: the folder does not say how its data are read.
        """
        saved = read_checkpoint(path)
        return cls(saved, read_interface(folder, saved.config.data_choice), about, calibration)

    @classmethod
    def read(cls, folder: Path) -> PortableModel:
        """Read what `write` wrote.

        Raises:
            CheckpointError: a file is missing, damaged, or of another format.
        """
        try:
            values = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
            version = values["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"a model's folder must hold a readable {CONFIG_FILE}, but {folder} does not "
                f"({error})."
            ) from error
        if version != MODEL_FORMAT:
            raise CheckpointError(
                f"a model's format must be {MODEL_FORMAT}, but {folder} has {version!r}; load it "
                "with the version of rnn-sweep that logged it."
            )
        return cls(*network_in(folder, values), values.get("about"), calibration_in(folder))

    def write(self, folder: Path, about: Mapping[str, Any] | None = None) -> None:
        """Write the model's two files into a folder, which must exist.

        Args:
            folder: Where to.
            about: What else config.json shall say, for people.
        """
        config = {
            "format": MODEL_FORMAT,
            "about": dict(about or {}),
            "training": self.config.to_dict(),
            "data": self.interface.to_dict(),
        }
        text = json.dumps(config, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
        weights = {name: w.clone() for name, w in named_weights(self.saved).items()}
        (folder / WEIGHTS_FILE).write_bytes(save(weights))  # `save_file` hides it from other users
        if self.calibration is not None:
            (folder / CALIBRATION_FILE).write_bytes(self.calibration.to_bytes())

    def predict(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answer for each record; see `trainers.use.records`.

        A record with `forecast` is answered for so many coming steps (`trainers.use.feeding`), one
        with `generate` with a text that goes on for so many tokens (`trainers.use.generation`).
        A record with a `state` is stepped on from it, and gets its new state beside its answers,
        one a step; the empty text begins anew.

        Raises:
            DataError: a record does not fit the network.
            ConfigError: a state for a bidirectional network.
        """
        answers: list[dict[str, Any]] = []
        waiting = iter(records)
        while chunk := list(islice(waiting, CHUNK)):
            answers += self._answers(chunk, len(answers))
        return answers

    def values(self, records: Sequence[Mapping[str, Any]], first: int = 0) -> list[Array]:
        """Return what it says of each record, from zero state.

        Args:
            records: See `trainers.use.records`.
            first: The first one's number, for messages.

        Returns:
            `(outputs,)` or `(time, outputs)` float64 each: own units, or probabilities; NaN where
            no step exists.

        Raises:
            DataError: a record does not fit the network.
        """
        encoded = [self._encoder.encode(r, f"sequence {first + n}") for n, r in enumerate(records)]
        pairs = zip(self.outputs_of(encoded), encoded, strict=True)
        return [self.values_of(own, one.scales) for own, one in pairs]

    def _answers(
        self, records: Sequence[Mapping[str, Any]], first: int
    ) -> Iterator[dict[str, Any]]:
        where = [f"sequence {first + number}" for number in range(len(records))]
        encoded = {
            n: self._encoder.encode(record, where[n])
            for n, record in enumerate(records)
            if record.get(FORECAST) is None and record.get(GENERATE) is None
        }
        plain = [n for n in encoded if records[n].get("state") is None]
        outputs = self.outputs_of([encoded[n] for n in plain])
        found = dict(zip(plain, outputs, strict=True))
        for number, record in enumerate(records):
            if number in found:
                yield self._answer(found[number], record, encoded[number].scales)
            elif number in encoded:
                yield self._stepped(encoded[number], record, where[number])
            elif record.get(GENERATE) is not None:
                asked = Generation.of_record(record, where[number])
                yield {"text": self.writer().write(asked)[0]}
            else:
                yield forecast_record(self.parts, record, where[number])

    def outputs_of(self, encoded: Sequence[Encoded]) -> list[Array]:
        """Run the network from zero state: its outputs `(time, outputs)` or `(outputs,)` each."""
        return self._network.outputs(
            [one.inputs for one in encoded],
            [one.mask for one in encoded],
            [None if one.ahead is None else one.ahead[-1] for one in encoded],
        )

    def _answer(
        self, outputs: Array, record: Mapping[str, Any], scales: Scales | None
    ) -> dict[str, Any]:
        """Turn a network's outputs of one sequence into the fields of its answer."""
        values, wanted = self.values_of(outputs, scales), record.get("probabilities")
        answer = answer_of(values, self.interface, probabilities=wanted, labels=self.labels)
        found = self._quantiles(outputs) | self._interval(outputs, record.get("interval"))
        own = {name: values_of(one, self.interface, scales) for name, one in found.items()}
        return answer | beside(own, self.interface)

    def _quantiles(self, outputs: Array) -> dict[str, Array]:
        """Return `q0.1` and so on, still scaled, where quantiles were learned."""
        said = distribution_of(self.config.structure(), torch.from_numpy(outputs))
        if not isinstance(said, Quantiles):
            return {}
        values = said.values.unbind(-1)
        return {f"q{n:g}": one.numpy() for n, one in zip(said.levels, values, strict=True)}

    def _interval(self, outputs: Array, level: Any) -> dict[str, Array]:
        """Return both ends of the calibrated interval, still scaled, where one is asked for."""
        if level is None:
            return {}
        if self.interface.task != "regression":
            raise DataError("an interval is of numbers, not of classes; leave interval out.")
        if self.calibration is None:
            raise DataError(
                "an interval needs a model that was calibrated, as the finalists of a sweep with "
                "a test part are, but this one was not; ask one of them."
            )
        margin = self.calibration.required_margin(checked_level(level))
        low, high = interval(self.config.structure(), outputs, level, margin)
        return {"low": low, "high": high}

    @property
    def parts(self) -> list[tuple[PortableModel, int]]:
        """Itself, which counts once; an ensemble has several."""
        return [(self, 1)]

    def writer(self) -> Writer:
        """Return the language model, to write texts.

        Raises:
            DataError: it is none.
            ConfigError: it is bidirectional.
        """
        return Writer(self.streaming_model(), self.config, self.interface)

    def values_of(self, outputs: Array, scales: Scales | None = None) -> Array:
        """Turn a network's outputs `(…, outputs)` into own units, or probabilities of classes."""
        return self.in_own_units(self.answers_of(outputs, None), scales)

    def answers_of(self, outputs: Array, generator: torch.Generator | None) -> Array:
        """Return the point answers in outputs, or draw from their distributions; still scaled.

        Raises:
            DataError: there is nothing to draw from.
        """
        structure, given = self.config.structure(), torch.from_numpy(outputs)
        if generator is None:
            return losses.point(structure, given).numpy()
        distribution = distribution_of(structure, given)
        if distribution is None:
            raise DataError(
                f"`paths` are drawn from distributions, but loss={self.config.loss} answers with a "
                "number; leave paths out, or train with a loss of quantiles or a distribution "
                "(train.loss: gaussian)."
            )
        return distribution.sample(generator).numpy()

    def in_own_units(self, answers: Array, scales: Scales | None) -> Array:
        """Turn answers into own units, or probabilities of classes."""
        return values_of(answers, self.interface, scales, labels=self.labels)

    @property
    def labels(self) -> bool:
        """Whether its classes do not exclude each other."""
        return LOSSES[self.config.loss].targets == "labels"

    def stepped_values(self, record: Mapping[str, Any], where: str) -> tuple[Array, str]:
        """Go on from a record's state: what `values` has, one a step, and the state after it.

        Raises:
            DataError: the record or its state does not fit the network.
            ConfigError: the network is bidirectional.
        """
        encoded = self._encoder.encode(record, where)
        outputs, state = self._step(encoded, record["state"], where)
        return self.values_of(outputs, encoded.scales), state

    def _stepped(self, encoded: Encoded, record: Mapping[str, Any], where: str) -> dict[str, Any]:
        outputs, state = self._step(encoded, record["state"], where)
        return {**self._answer(outputs, record, encoded.scales), "state": state}

    def _step(self, encoded: Encoded, before: str, where: str) -> tuple[Array, str]:
        """Go on from a state: outputs `(time, outputs)`, and the state; masked steps hold it."""
        with self._lock:
            model = self._streaming = self._streaming or self.streaming_model()
            model.clear_state()
            if before:
                model.restore_text(before, where)
            inputs = torch.from_numpy(encoded.inputs[encoded.mask]).unsqueeze(0)
            stepped = model.step(inputs, _ahead_of(encoded))[0].numpy()
            state = model.dump_text()
        outputs = torch.full((len(encoded.mask), stepped.shape[-1]), torch.nan).numpy()
        outputs[encoded.mask] = stepped
        return outputs, state

    def streaming_model(self) -> StreamingModel:
        """Return the network to be stepped, in its own terms.

        Raises:
            ConfigError: it is bidirectional.
        """
        return StreamingModel(self.saved)

    def scaled(self, raw: Array) -> Array:
        """Return raw numbers `(…, features)` as the network reads them: float32.

        Raises:
            DataError: there are more or fewer features.
        """
        size = self.interface.input_size
        if (
            self.interface.ids
            or not raw.ndim
            or raw.shape[-1] != size
            or raw.dtype.kind not in "fiub"
        ):
            wanted = "token ids" if self.interface.ids else f"{size} numbers"
            raise DataError(f"a step must be {wanted}, but got shape {raw.shape} of {raw.dtype}.")
        return self._encoder.scaled(raw.astype(np.float64)).astype(np.float32)

    @property
    def takes_raw_values(self) -> bool:
        """Whether inputs are times, categories or filled values, which the model encodes itself."""
        return self._encoder.takes_raw_values

    def encode(self, record: Mapping[str, Any], where: str) -> Encoded:
        """Return a record as the network reads it; see `trainers.use.records`.

        Raises:
            DataError: it does not fit the network.
        """
        return self._encoder.encode(record, where)

    def encode_text(self, text: str) -> Tensor:
        """Return a text's ids `(1, time)`.

        Raises:
            DataError: the network's data had no vocabulary.
        """
        return torch.from_numpy(self._encoder.encode({"text": text}, "the text").inputs)[None]


def _ahead_of(encoded: Encoded) -> Tensor | None:
    """What is known ahead of each step that exists, `(1, time, horizon, features)`."""
    if encoded.ahead is None:
        return None
    return torch.from_numpy(encoded.ahead[encoded.mask]).unsqueeze(0)
