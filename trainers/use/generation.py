"""Text from a language model, token by token: each token is drawn and becomes the next input."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trainers.config.losses import LOSSES
from trainers.config.train_config import TrainConfig
from trainers.data.contract import Array
from trainers.data.interface import Interface
from trainers.data.reading import TextReading
from trainers.data.texts.vocabulary import (
    PADDING,
    UNKNOWN,
    Vocabulary,
    gap_between,
    joined_text,
    split_text,
)
from trainers.errors import DataError
from trainers.learning import losses
from trainers.use.forecasting import check_whole
from trainers.use.records import GENERATE, GENERATE_SETTINGS, check_fields
from trainers.use.streaming import StreamingModel

_LINE_END = "\n"


@dataclass(frozen=True)
class Generation:
    """What to generate.

    Attributes:
        tokens: How many, after the prompt.
        prompt: What the text begins with; without one it begins as after a line end, or, where the
            vocabulary has none, with a token that is drawn.
        temperature: Logits are divided by it; 0 takes the likeliest token.
        top_k: Draw from so many of the likeliest tokens; None: from all.
        seed: Of the draws.

    Raises:
        DataError: a value breaks its law.
    """

    tokens: int
    prompt: str = ""
    temperature: float = 1.0
    top_k: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(GENERATE, self.tokens, 1)
        check_whole("seed", self.seed, 0)
        if self.top_k is not None:
            check_whole("top_k", self.top_k, 1)
        warm = self.temperature
        if isinstance(warm, bool) or not isinstance(warm, int | float) or not 0 <= warm < math.inf:
            raise DataError(f"`temperature >= 0` must hold for a number, but got {warm!r}.")
        if not isinstance(self.prompt, str):
            raise DataError(f"a prompt must be a text, but got {self.prompt!r}.")

    @classmethod
    def of_record(cls, record: Mapping[str, Any], where: str) -> Generation:
        """Take it from the fields of a record: `generate` is the number of tokens.

        Raises:
            DataError: it has another field, or a value breaks its law; `where` says whose.
        """
        check_fields(record, ("text", GENERATE, *GENERATE_SETTINGS), where)
        names = {"text": "prompt", **{name: name for name in GENERATE_SETTINGS}}
        given = {name: record[of] for of, name in names.items() if record.get(of) is not None}
        try:
            return cls(record[GENERATE], **given)
        except DataError as error:
            raise DataError(f"{where}: {error}") from error


class Writer:
    """A language model that writes: each token is drawn, and becomes the next input.

    Args:
        network: To be stepped; its state is lost.
        config: Of its trial.
        interface: Of its data.

    Raises:
        DataError: it is no language model.
    """

    def __init__(self, network: StreamingModel, config: TrainConfig, interface: Interface) -> None:
        self._reading = _language_of(config, interface)
        self._network = network
        self._structure = config.structure()
        self._vocabulary = Vocabulary(interface.tokens, interface.tokens.index(UNKNOWN))
        never = [token in (UNKNOWN, PADDING) for token in interface.tokens]
        self._barred = np.where(never, -np.inf, 0.0)

    def unknown(self, prompt: str) -> list[str]:
        """Return the tokens of a prompt that the vocabulary lacks."""
        return [token for token in self._split(prompt) if token not in self._vocabulary.tokens]

    def write(self, asked: Generation, count: int = 1) -> list[str]:
        """Return texts, each the prompt and what follows it.

        Args:
            asked: What to write.
            count: How many texts. The draws of text n are those of seed and n.
        """
        check_whole("count", count, 1)
        prompt = self._split(asked.prompt)
        draws = np.stack(
            [np.random.default_rng([asked.seed, n]).random(asked.tokens) for n in range(count)]
        )
        written = np.empty((count, asked.tokens), dtype=np.int64)
        logits = self._begin(prompt, count)
        for number in range(asked.tokens):
            if number:
                logits = self._step(written[:, number - 1])
            written[:, number] = _drawn(logits + self._barred, asked, draws[:, number])
        tokens = self._vocabulary.tokens
        return [self._joined(asked.prompt, prompt, [tokens[one] for one in row]) for row in written]

    def _split(self, prompt: str) -> Sequence[str]:
        text = prompt.lower() if self._reading.lowercase else prompt
        return split_text(text, self._reading.level)

    def _begin(self, prompt: Sequence[str], count: int) -> Array:
        """Read the prompt, or a line's end; return logits `(count, tokens)`."""
        self._network.clear_state()
        tokens = self._vocabulary.tokens
        before = prompt or [_LINE_END] * (_LINE_END in tokens)
        if not before:
            return np.zeros((count, len(tokens)))  # all alike
        (ids,) = self._vocabulary.encode_all([before])
        outputs = self._network.step(torch.from_numpy(ids)[None])[:, -1]
        self._network.repeat_state(count)
        return np.repeat(self._logits(outputs), count, axis=0)

    def _step(self, ids: Array) -> Array:
        return self._logits(self._network.step(torch.from_numpy(ids)))

    def _logits(self, outputs: torch.Tensor) -> Array:
        return losses.point(self._structure, outputs).numpy().astype(np.float64)

    def _joined(self, text: str, prompt: Sequence[str], tokens: Sequence[str]) -> str:
        """Put a prompt as it was given and the tokens after it together."""
        level = self._reading.level
        gap = ""
        if level == "word" and prompt and not text[-1].isspace():
            gap = gap_between(prompt[-1], tokens[0])
        return text + gap + joined_text(tokens, level)


def _language_of(config: TrainConfig, interface: Interface) -> TextReading:
    """Return how a language model's texts are read.

    Raises:
        DataError: the network is none.
    """
    reading = interface.reading
    law = "text is written by a language model, which is trained on data.source: text, but"
    if not isinstance(reading, TextReading) or UNKNOWN not in interface.tokens:
        raise DataError(f"{law} this network's data had no vocabulary.")
    tells = LOSSES[config.loss].targets
    if tells != "ids" or interface.outputs != interface.tokens:
        raise DataError(f"{law} what this network tells ({_shown(interface)}) are no tokens.")
    return reading


def _shown(interface: Interface, most: int = 3) -> str:
    names = interface.outputs
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def _drawn(logits: Array, asked: Generation, draws: Array) -> Array:
    """Choose a token for each row of logits `(rows, tokens)` by a draw of [0, 1)."""
    if asked.temperature == 0:
        return np.asarray(logits.argmax(axis=1))
    with np.errstate(over="ignore"):  # next to 0 all but the likeliest are impossible
        warm = (logits - logits.max(axis=1, keepdims=True)) / asked.temperature
    if asked.top_k is not None and asked.top_k < warm.shape[1]:
        worse = np.argpartition(-warm, asked.top_k - 1, axis=1)[:, asked.top_k :]
        np.put_along_axis(warm, worse, -np.inf, axis=1)
    sums = np.exp(warm).cumsum(axis=1)
    return np.asarray((sums <= draws[:, None] * sums[:, -1:]).sum(axis=1))
