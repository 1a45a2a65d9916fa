"""Masks, streams and stepwise layers: `python -m tests.benchmarks.training_law`.

What masks cost against the padded batch without them, and against Keras with the same masks (where
it is installed: `pip install keras`); an epoch over a stream of characters, and the memory it
takes; layers that no fused kernel runs against a hand-written loop over the cell.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tests.benchmarks import figures
from tests.benchmarks.against_keras import keras_ratio
from tests.benchmarks.figures import Figure
from tests.benchmarks.hand_written import HandWritten, ragged_data
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData, SequenceSet
from trainers.packs.pack import Pack

_CHARACTERS, _LANES, _HIDDEN, _K1 = 66, 32, 128, 64


def measure(quick: bool) -> Sequence[Figure]:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    pairs = 3 if quick else 11
    found = [_masked_against_padded(pairs)]
    found += keras_ratio(epochs=2 if quick else 6)
    found += _stream(50_000 if quick else 300_000, 1 if quick else 3)
    found += [_stepwise(what, cell, rates, pairs) for what, cell, rates in _STEPWISE]
    return found


def interleaved(
    ours: Callable[[], object], theirs: Callable[[], object], pairs: int
) -> list[float]:
    """Return the ratios of neighbouring processor times of one thread, after a warm-up of both."""
    ours()
    theirs()
    return [_seconds(ours) / _seconds(theirs) for _ in range(pairs)]


def _seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def figure_of(
    what: str, ratios: Sequence[float], target: float | None, **details: object
) -> Figure:
    """Return the median of ratios, with the least and the most of them."""
    quartiles = [min(ratios), max(ratios)]
    spread = {"least_and_most": [round(q, 3) for q in quartiles], **details}
    return Figure(what, round(statistics.median(ratios), 3), "x", target, "less", spread)


def _config(**settings: object) -> TrainConfig:
    common = {"readout": "every", "clip_norm": 1.0, "max_epochs": 10_000}
    return TrainConfig.from_mapping({**common, **settings})


def _pack(config: TrainConfig, data: SequenceData) -> Pack:
    pack = Pack(config.structure(), data, Objective("loss", "minimize"))
    pack.admit(0, config)
    return pack


def _masked_against_padded(pairs: int) -> Figure:
    """Ours with masks on ragged rows; torch.nn.LSTM on the same rows, padding taken for data."""
    config = _config(cell="lstm", hidden_size=64)
    ragged = ragged_data(512, 120, 8, masked=True)
    padded = ragged_data(512, 120, 8, masked=False)
    pack, hand = _pack(config, ragged), HandWritten(config, padded)
    ratios = interleaved(lambda: pack.train(0), hand.train_epoch, pairs)
    return figure_of("masked, ragged LSTM epoch against the padded batch without mask", ratios, 1.0)


# -- streams -----------------------------------------------------------------------------------


def _stream(characters: int, pairs: int) -> list[Figure]:
    data = text(characters)
    pack, hand = character_pack(data), _CharacterLoop(data)
    ratios = interleaved(lambda: pack.train(0), hand.train_epoch, pairs)
    what = "TBPTT epoch over a stream of characters, LSTM 128, against a hand-written loop"
    return [figure_of(what, ratios, 1.05, characters=characters), _stream_memory(8_000_000)]


def character_pack(data: SequenceData) -> Pack:
    """Return a pack with one character model of LSTM 128 on a stream."""
    config = _config(
        cell="lstm",
        hidden_size=_HIDDEN,
        embedding_size=_HIDDEN,
        tbptt_forward_steps=_K1,
        batch_size=_LANES,
        loss="cross_entropy",
    )
    return _pack(config, data)


def _stream_memory(characters: int) -> Figure:
    """Compare the peaks of training on a long stream and on an eighth of it, medians of three."""
    grown = {}
    for length in (characters // 8, characters):
        grown[length] = statistics.median(_grown_mib(length) for _ in range(3))
    what = "memory that training on a stream of 8 million characters takes beyond one of 1 million"
    details = {str(length): round(mib, 1) for length, mib in grown.items()}
    beyond = max(grown[characters] - grown[characters // 8], 0.0)
    return Figure(what, round(beyond, 1), "MiB", 8.0, "less", details)


def _grown_mib(characters: int) -> float:
    # Freed blocks go back at once, so what the allocator happens to keep is not counted.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    command = [sys.executable, "-m", "tests.benchmarks.stream_memory", str(characters)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    grown: float = json.loads(done.stdout.splitlines()[-1])["grown_mib"]
    return grown


def text(characters: int) -> SequenceData:
    """Characters that follow each other by a rule and some noise; targets are the next ones."""
    parts = []
    for seed, length in enumerate((characters, 4_096)):
        rng = np.random.default_rng(seed)
        steps = rng.integers(0, 3, length + 1)
        ids = np.cumsum(steps, dtype=np.int64) % _CHARACTERS
        small = ids.astype(np.uint8)[None]
        parts.append(SequenceSet(small[:, :-1], ids[None, 1:].astype(np.int64)))
    return SequenceData(
        name="stream",
        task="classification",
        train=parts[0],
        validation=parts[1],
        test=None,
        input_size=_CHARACTERS,
        output_size=_CHARACTERS,
        digest="stream",
        vocabulary_size=_CHARACTERS,
        walk="stream",
    )


class _CharacterLoop(nn.Module):
    """What a person writes: embedding, LSTM, linear; lanes of text walked in segments of k1."""

    def __init__(self, data: SequenceData) -> None:
        super().__init__()
        self.embedding = nn.Embedding(_CHARACTERS, _HIDDEN)
        self.lstm = nn.LSTM(_HIDDEN, _HIDDEN, batch_first=True)
        self.head = nn.Linear(_HIDDEN, _CHARACTERS)
        self.optimizer = torch.optim.Adam(self.parameters())
        self.ids, self.next = _in_lanes(data.train)
        self.later_ids, self.later = _in_lanes(data.validation)

    def train_epoch(self) -> None:
        state = None
        for begin in range(0, self.ids.shape[1], _K1):
            some = slice(begin, begin + _K1)
            logits, state = self(self.ids[:, some], state)
            wanted = self.next[:, some].reshape(-1)
            loss = nn.functional.cross_entropy(logits.reshape(-1, _CHARACTERS), wanted)
            self.optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            assert torch.isfinite(loss)
            assert torch.isfinite(norm)
            self.optimizer.step()
            state = tuple(part.detach() for part in state)
        with torch.no_grad():
            self(self.later_ids, None)

    def forward(self, ids: Tensor, state: tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
        outputs, state = self.lstm(self.embedding(ids), state)
        return self.head(outputs), state


def _in_lanes(part: SequenceSet) -> tuple[Tensor, Tensor]:
    steps = part.inputs.shape[1] // _LANES * _LANES
    cut = [a[0, :steps].reshape(_LANES, -1).astype(np.int64) for a in (part.inputs, part.targets)]
    return torch.from_numpy(cut[0]), torch.from_numpy(cut[1])


# -- layers that no fused kernel runs ----------------------------------------------------------

_STEPWISE = (
    ("recurrent dropout", "lstm", {"recurrent_dropout": 0.3}),
    ("zoneout", "lstm", {"zoneout_hidden": 0.1, "zoneout_cell": 0.1}),
    ("layer norm", "lstm_layernorm", {}),
)


def _stepwise(what: str, cell: str, rates: dict[str, float], pairs: int) -> Figure:
    data = ragged_data(256, 60, 8, masked=False)
    config = _config(cell=cell, hidden_size=64, batch_size=64, **rates)
    pack, hand = _pack(config, data), _CellLoop(config, data)
    ratios = interleaved(lambda: pack.train(0), hand.train_epoch, pairs)
    return figure_of(f"{what}, against a hand-written loop over the cell", ratios, 1.3)


class _CellLoop(nn.Module):
    """What a person writes around the equations of an LSTM, one step at a time."""

    def __init__(self, config: TrainConfig, data: SequenceData) -> None:
        super().__init__()
        hidden = 64
        self.config = config
        self.input = nn.Linear(data.input_size, 4 * hidden)
        self.hidden = nn.Linear(hidden, 4 * hidden)
        self.normed = config.cell == "lstm_layernorm"
        self.input_norm, self.hidden_norm = nn.LayerNorm(4 * hidden), nn.LayerNorm(4 * hidden)
        self.cell_norm = nn.LayerNorm(hidden)
        self.head = nn.Linear(hidden, 1)
        used = (p for n, p in self.named_parameters() if self.normed or "norm" not in n)
        self.optimizer = torch.optim.Adam(list(used))
        self.parts = [
            (torch.from_numpy(part.inputs), torch.from_numpy(part.targets))
            for part in (data.train, data.validation)
        ]

    def train_epoch(self) -> None:
        inputs, targets = self.parts[0]
        for rows in torch.randperm(len(inputs)).split(64):
            loss = (self(inputs[rows]) - targets[rows]).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            self.optimizer.step()
        with torch.no_grad():
            self.train(False)(self.parts[1][0])
            self.train(True)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), 64)
        rate = self.config.recurrent_dropout if self.training else 0.0
        mask = torch.bernoulli(torch.full_like(h, 1 - rate)) / (1 - rate) if rate else None
        outputs = []
        gates_x = self.input(x)
        if self.normed:
            gates_x = self.input_norm(gates_x)
        for from_x in gates_x.unbind(1):
            from_h = self.hidden(h if mask is None else h * mask)
            from_h = self.hidden_norm(from_h) if self.normed else from_h
            i, f, g, o = (from_x + from_h).chunk(4, -1)
            new_c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            shown = self.cell_norm(new_c) if self.normed else new_c
            new_h = torch.sigmoid(o) * torch.tanh(shown)
            h, c = self._zoned(new_h, h), self._zoned(new_c, c)
            outputs.append(h)
        return self.head(torch.stack(outputs, 1))

    def _zoned(self, new: Tensor, old: Tensor) -> Tensor:
        rate = self.config.zoneout_hidden
        if not rate:
            return new
        keep = torch.bernoulli(torch.full_like(new, rate)) if self.training else rate
        return new + keep * (old - new)


if __name__ == "__main__":
    figures.main({"training_law": measure}, __doc__ or "")
