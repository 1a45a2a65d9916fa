"""Several portable models as one: means of their values in own units, or of their probabilities.

Each member encodes a request by itself, so members may have been trained on other scales and
windows. A folder holds `ensemble.json` and each member's own folder, named by its place.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from trainers.data.interface import Interface
from trainers.errors import CheckpointError, DataError
from trainers.network.masks import Array
from trainers.use.feeding import forecast_record
from trainers.use.portable import CHUNK, MODEL_FORMAT, PortableModel
from trainers.use.records import ASKED, FORECAST, GENERATE, answer_of

ENSEMBLE_FILE = "ensemble.json"


class EnsembleModel:
    """The mean of several models.

    Args:
        members: The models; the first one says how tables are read and what outputs are called.
        counts: How often each counts.

    Raises:
        CheckpointError: they do not answer with the same outputs.
    """

    def __init__(self, members: Sequence[PortableModel], counts: Sequence[int]) -> None:
        outputs = {member.interface.outputs for member in members}
        if len(outputs) != 1 or len(counts) != len(members) or min(counts) < 1:
            raise CheckpointError(
                "an ensemble's members must have the same outputs and count once or more, but "
                f"these have {len(outputs)} sets of outputs and counts {list(counts)}."
            )
        self.members, self.counts = tuple(members), tuple(counts)

    @property
    def interface(self) -> Interface:
        """How the first member's data are read."""
        return self.members[0].interface

    @property
    def parts(self) -> list[tuple[PortableModel, int]]:
        """The members, and how often each counts."""
        return [*zip(self.members, self.counts, strict=True)]

    @classmethod
    def read(cls, folder: Path) -> EnsembleModel:
        """Read what `write` wrote.

        Raises:
            CheckpointError: a file is missing, damaged, or of another format.
        """
        try:
            values = json.loads((folder / ENSEMBLE_FILE).read_text(encoding="utf-8"))
            version, counts = values["format"], [int(count) for count in values["counts"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"an ensemble's folder must hold a readable {ENSEMBLE_FILE}, but {folder} does "
                f"not ({error})."
            ) from error
        if version != MODEL_FORMAT:
            raise CheckpointError(
                f"a model's format must be {MODEL_FORMAT}, but {folder} has {version!r}; load it "
                "with the version of rnn-sweep that logged it."
            )
        return cls([PortableModel.read(folder / str(n)) for n in range(len(counts))], counts)

    def write(self, folder: Path, about: Mapping[str, Any] | None = None) -> None:
        """Write the members into a folder, which must exist; arguments as `PortableModel.write`."""
        for number, member in enumerate(self.members):
            own = folder / str(number)
            own.mkdir(exist_ok=True)
            member.write(own, about)
        values = {"format": MODEL_FORMAT, "about": dict(about or {}), "counts": self.counts}
        (folder / ENSEMBLE_FILE).write_text(json.dumps(values, indent=1), encoding="utf-8")

    def predict(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answer for each record; see `trainers.use.records`.

        Raises:
            DataError: a record does not fit a member.
            ConfigError: a state for a bidirectional member.
        """
        for number, record in enumerate(records):
            self._check(record, f"sequence {number}")
        answers: list[dict[str, Any]] = []
        for kind, run in groupby(enumerate(records), lambda pair: _kind(pair[1])):
            numbered = [*run]
            for place in range(0, len(numbered), CHUNK):
                chunk = numbered[place : place + CHUNK]
                answers += self._forecasts(chunk) if kind == FORECAST else self._answers(chunk)
        return answers

    def _answers(self, chunk: Sequence[tuple[int, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        records = [record for _, record in chunk]
        if records[0].get("state") is not None:
            return [self._stepped(record, f"sequence {number}") for number, record in chunk]
        pairs = zip(self.values(records, chunk[0][0]), records, strict=True)
        return [self._answer(*pair) for pair in pairs]

    def _stepped(self, record: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Go on from every member's state."""
        states = _states_of(record["state"], len(self.members), where)
        pairs = [
            member.stepped_values({**record, "state": state}, where)
            for member, state in zip(self.members, states, strict=True)
        ]
        mean = np.average([values for values, _ in pairs], axis=0, weights=self.counts)
        after = json.dumps([state for _, state in pairs])
        state = base64.b64encode(after.encode()).decode("ascii")
        return {**self._answer(mean, record), "state": state}

    def _forecasts(self, chunk: Sequence[tuple[int, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        return [forecast_record(self.parts, one, f"sequence {number}") for number, one in chunk]

    def values(self, records: Sequence[Mapping[str, Any]], first: int = 0) -> list[Array]:
        """Return the members' mean; arguments and results as `PortableModel.values` has them."""
        said = [member.values(records, first) for member in self.members]
        return [np.average(own, axis=0, weights=self.counts) for own in zip(*said, strict=True)]

    def _answer(self, values: Array, record: Mapping[str, Any]) -> dict[str, Any]:
        labels, wanted = self.members[0].labels, record.get("probabilities")
        return answer_of(values, self.interface, probabilities=wanted, labels=labels)

    def _check(self, record: Mapping[str, Any], where: str) -> None:
        if record.get("interval") is not None:
            raise DataError(
                f"{where}: intervals are calibrated of single models; ask one of the ensemble's "
                "trials, as SWEEP/TRIAL."
            )
        if record.get(GENERATE) is not None:
            raise DataError(f"{where}: a text is written by one network; ask a single model.")
        digests = {member.interface.digest for member in self.members}
        if record.get(ASKED) is not None and len(digests) > 1:
            raise DataError(
                f"a table needs members that read it alike, but these {len(self.members)} were "
                "trained on other choices of the data; ask with records, or ask one trial."
            )


def _kind(record: Mapping[str, Any]) -> str:
    """Return which way a record is answered."""
    asked = (name for name in (FORECAST, "state") if record.get(name) is not None)
    return next(asked, "whole")


def _states_of(text: str, members: int, where: str) -> list[str]:
    """Return every member's state; all begin where the text is empty."""
    if not text:
        return [""] * members
    try:
        states = json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        states = None
    if not isinstance(states, list) or [type(one) for one in states] != [str] * members:
        raise DataError(
            f"{where}: state must be what an earlier answer of this model gave, or empty to begin, "
            "but it can't be read."
        )
    return states


def read_model(folder: Path) -> PortableModel | EnsembleModel:
    """Read a model of either kind.

    Raises:
        CheckpointError: a file is missing, damaged, or of another format.
    """
    kind = EnsembleModel if (folder / ENSEMBLE_FILE).is_file() else PortableModel
    return kind.read(folder)
